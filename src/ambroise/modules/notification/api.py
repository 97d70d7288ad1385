"""The face of notices: tell a citizen, list what was told, mark it read or delete it, and say how one is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.modules.notification import repository
from ambroise.modules.notification.model import Code, Kind, Notice, codes_of, kind_of
from ambroise.modules.notification.push.sending import Browser, Pusher
from ambroise.modules.notification.push.services import PushServices
from ambroise.modules.notification.push.vapid import Vapid
from ambroise.modules.notification.refusing import Refusing
from ambroise.modules.notification.repositories import outgoing
from ambroise.modules.notification.repositories import wishes as wishes_repository
from ambroise.modules.notification.repositories.browsers import Kept
from ambroise.modules.notification.repositories.outgoing import Delivery
from ambroise.modules.notification.support import Day, Support
from ambroise.modules.notification.teller import PUSH_DUE, Teller
from ambroise.modules.notification.timing import DIGEST_AT
from ambroise.modules.notification.treating import TreatingWord, emergencies_for
from ambroise.modules.notification.visits import Visits
from ambroise.modules.notification.wishes import ZONES, Cadence, Channel, Rhythm, Wishes, may_refuse, urgent
from ambroise.modules.notification.wishing import Wishing
from ambroise.trust.context import Context

__all__ = [
    "DIGEST_AT",
    "MOST_UNREAD",
    "PUSH_DUE",
    "ZONES",
    "Browser",
    "Cadence",
    "Channel",
    "Code",
    "Day",
    "Delivery",
    "Kept",
    "Kind",
    "Notice",
    "PushServices",
    "Pusher",
    "Refusing",
    "Rhythm",
    "Support",
    "Teller",
    "TreatingWord",
    "Vapid",
    "Visits",
    "Wishes",
    "Wishing",
    "codes_of",
    "delete",
    "emergencies_for",
    "erase",
    "forget_sent",
    "kind_of",
    "mark_read",
    "mark_unread",
    "may_refuse",
    "notices",
    "notify",
    "notify_many",
    "page",
    "unread",
]

_SENT_KEPT: Final = timedelta(days=365)
MOST_UNREAD: Final = 100
"""Where counting unread notices stops."""


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
    outside: bool = True,
) -> None:
    """Tell the holder of a space, in the transaction of what is told; it costs no round trip.

    `subject` is the id of what the notice is about, `details` names and dates for its sentence: never health content.
    `once`: a key of the caller's; what a space was told under it is not told again, however often a job runs.
    `outside`: whether it also leaves the portal, by what each person chose; not what an operator loads in bulk.
    """
    pending = (0 if urgent(kind_of(code)) else 1) if outside else None
    await repository.insert(
        tx, patient, at, code.value, subject, details or {}, hidden_from_representatives, once, pending
    )


async def notify_many(tx: Transaction, patients: Sequence[UUID], at: datetime, code: Code) -> None:
    """Tell the holders of many spaces the same thing, in the portal: a letter of its own goes with such a thing."""
    await repository.insert_many(tx, patients, at, code.value)


async def notices(reader: Reader, ctx: Context, *, unread_only: bool = True, count: int = 20) -> list[Notice]:
    """The latest notices of the space that a citizen looks at, newest first."""
    return await repository.recent(reader, _space(ctx), _acts(ctx), unread_only, count)


async def page(
    reader: Reader,
    ctx: Context,
    *,
    kind: Kind | None = None,
    unread_only: bool = False,
    after: tuple[datetime, UUID] | None = None,
    count: int = 20,
) -> list[Notice]:
    """A page of the notices of the space that a citizen looks at, newest first; `after`: the last of the page before.

    Who acts for somebody is never shown what is hidden from representatives.
    """
    codes = None if kind is None else [code.value for code in codes_of(kind)]
    return await repository.page(
        reader, _space(ctx), _acts(ctx), codes=codes, unread_only=unread_only, after=after, count=count
    )


async def unread(reader: Reader, ctx: Context) -> int:
    """How many notices of the space a citizen looks at are not read, up to MOST_UNREAD."""
    return await repository.unread(reader, _space(ctx), _acts(ctx), MOST_UNREAD)


async def mark_read(tx: Transaction, ctx: Context, notice: UUID | None = None) -> int:
    """Mark one notice of the citizen's space as read, or all of them; how many changed."""
    return await repository.mark(tx, _space(ctx), _acts(ctx), notice, ctx.now())


async def mark_unread(tx: Transaction, ctx: Context, notice: UUID) -> int:
    """Mark one notice as not read."""
    return await repository.mark(tx, _space(ctx), _acts(ctx), notice, None)


async def delete(tx: Transaction, ctx: Context, notice: UUID | None = None) -> int:
    """Delete one notice, or all those that are read, for everybody who shares the space; how many.

    What waits to be sent about them is not sent.
    """
    gone = await repository.delete(tx, _space(ctx), _acts(ctx), notice)
    await outgoing.cancel(tx, gone, ctx.now(), "deleted")
    return len(gone)


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove all that was told about a space that is purged, and all that its holder chose."""
    await repository.erase(tx, patient)
    await outgoing.erase(tx, patient)
    await wishes_repository.erase(tx, patient)


async def forget_sent(tx: Transaction, now: datetime) -> int:
    """Forget what was sent a year ago."""
    return await outgoing.sweep(tx, now - _SENT_KEPT)


def _space(ctx: Context) -> UUID:
    if ctx.space is None:
        raise Refusal(Refused.FORBIDDEN, "NOT_A_CITIZEN", "Notices belong to the holder of a space.")
    return ctx.space


def _acts(ctx: Context) -> bool:
    return ctx.acting_for is not None
