"""The face of notices: tell a citizen, list what was told, mark it read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.modules.notification import repository
from ambroise.modules.notification.model import Code, Kind, Notice, codes_of, kind_of
from ambroise.modules.notification.repository import erase
from ambroise.trust.context import Context

__all__ = [
    "Code",
    "Kind",
    "Notice",
    "codes_of",
    "erase",
    "kind_of",
    "mark_read",
    "notices",
    "notify",
    "notify_many",
]


async def notify(
    tx: Transaction,
    patient: UUID,
    at: datetime,
    code: Code,
    *,
    subject: str | None = None,
    details: Mapping[str, Any] | None = None,
    hidden_from_representatives: bool = False,
    once: str | None = None,
) -> None:
    """Tell the holder of a space, in the transaction of what is told; it costs no round trip.

    `subject` is the id of what the notice is about, `details` names and dates for its sentence: never health content.
    `once`: a key of the caller's; what a space was told under it is not told again, however often a job runs.
    """
    await repository.insert(tx, patient, at, code.value, subject, details or {}, hidden_from_representatives, once)


async def notify_many(tx: Transaction, patients: Sequence[UUID], at: datetime, code: Code) -> None:
    """Tell the holders of many spaces the same thing."""
    await repository.insert_many(tx, patients, at, code.value)


async def notices(reader: Reader, ctx: Context, *, unread_only: bool = True, count: int = 20) -> list[Notice]:
    """The latest notices of the space that a citizen looks at, newest first."""
    return await repository.recent(reader, _space(ctx), ctx.acting_for is not None, unread_only, count)


async def mark_read(tx: Transaction, ctx: Context, notice: UUID | None = None) -> int:
    """Mark one notice of the citizen's space as read, or all of them; how many changed."""
    return await repository.mark_read(tx, _space(ctx), ctx.now(), notice)


def _space(ctx: Context) -> UUID:
    if ctx.space is None:
        raise Refusal(Refused.FORBIDDEN, "NOT_A_CITIZEN", "Notices belong to the holder of a space.")
    return ctx.space
