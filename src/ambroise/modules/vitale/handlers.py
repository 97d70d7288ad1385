"""What the card does when something happens elsewhere."""

from __future__ import annotations

from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event
from ambroise.modules.vitale.repositories.cards import erase


async def forget_purged(tx: Transaction, event: Event) -> None:
    """A space was purged: nothing about its cards stays."""
    if event.patient is not None:
        await erase(tx, event.patient)
