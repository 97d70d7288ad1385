"""Advance directives (EXPPAT_3) are recalled each year to who wrote them: are they still right?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event, emit
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.record import events
from ambroise.trust.access.kinds import kinds
from ambroise.trust.gateway import Flags, Gateway, Stored

_YEAR: Final = timedelta(days=365)
_TYPE: Final = "EXPPAT_3"
_OVER: Final = Flags.DELETED | Flags.SUPERSEDED


async def watch(tx: Transaction, stored: Stored, at: datetime) -> None:
    """Recall a document that was filed in a year, if it holds directives."""
    if stored.label.kind == kinds().number(_TYPE) and stored.label.patient is not None:
        await _later(tx, stored.label.patient, str(stored.key), at)


async def tell(tx: Transaction, gateway: Gateway, event: Event, at: datetime) -> None:
    """A year passed: tell the holder, and again in a year; nothing of directives that were replaced or taken back."""
    document = event.payload["document"]
    labels = await gateway.labels(tx, "DocumentReference", [UUID(document)])
    if event.patient is None or not labels or labels[0].flags & _OVER:
        return
    hidden = bool(labels[0].flags & Flags.INVISIBLE_REPRESENTATIVES)
    once = f"directives:{document}:{at:%Y}"
    await notify(
        tx,
        event.patient,
        at,
        Code.DIRECTIVES_REMINDER,
        subject=document,
        hidden_from_representatives=hidden,
        once=once,
    )
    await _later(tx, event.patient, document, at)


async def _later(tx: Transaction, patient: UUID, document: str, at: datetime) -> None:
    await emit(tx, events.DIRECTIVES_DUE, {"document": document}, patient=patient, not_before=at + _YEAR)
