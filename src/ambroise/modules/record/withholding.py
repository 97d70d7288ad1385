"""Documents that wait for a disclosure visit: two timers, what they tell, and their end (R1111-53)."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event, emit
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.record import events, repository
from ambroise.trust.context import Context
from ambroise.trust.gateway import Stored

NOTICE_AFTER: Final = timedelta(days=14)


def a_month_after(moment: datetime) -> datetime:
    """The same day of the next month, or its last day when that month is shorter."""
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


async def start(tx: Transaction, ctx: Context, patient: UUID, document: UUID) -> None:
    """Start the timers of a document that was filed withheld."""
    now = ctx.now()
    notice_at, visible_at = now + NOTICE_AFTER, a_month_after(now)
    await repository.withhold(tx, patient, document, now, notice_at, visible_at)
    payload: dict[str, Any] = {"document": str(document)}
    await emit(tx, events.WITHHELD_NOTICE_DUE, payload, patient=patient, not_before=notice_at)
    await emit(tx, events.WITHHELD_ENDS, payload, patient=patient, not_before=visible_at)


async def end(tx: Transaction, ctx: Context, stored: Stored) -> None:
    """Stop the timers: the document was disclosed or withdrawn."""
    if stored.label.patient is not None:
        await repository.end_withholding(tx, stored.label.patient, stored.key, ctx.now())


async def tell(tx: Transaction, event: Event, at: datetime) -> None:
    """After fourteen days: something waits, see a professional. It says neither what nor from whom."""
    if event.patient and await repository.still_withheld(tx, event.patient, UUID(event.payload["document"])):
        await notify(tx, event.patient, at, Code.WITHHELD_DOCUMENT, hidden_from_representatives=True)
