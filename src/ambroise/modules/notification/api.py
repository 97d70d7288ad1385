"""The face of notices: tell a citizen, list what was told, mark it read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.notification import repository
from ambroise.modules.notification.model import Code, Notice
from ambroise.modules.notification.repository import erase
from ambroise.trust.context import Context

__all__ = ["Code", "Notice", "erase", "mark_read", "notices", "notify", "notify_many"]


async def notify(
    tx: Transaction,
    patient: UUID,
    at: datetime,
    code: Code,
    *,
    subject: str | None = None,
    details: Mapping[str, Any] | None = None,
    hidden_from_representatives: bool = False,
) -> None:
    """Tell the holder of a space, in the transaction of what is told."""
    await repository.insert(tx, patient, at, code.value, subject, details or {}, hidden_from_representatives)


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
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "Notices belong to the holder of a space.")
    return ctx.space
