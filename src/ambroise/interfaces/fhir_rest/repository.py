"""The SQL of the interface itself: one lock, no data."""

from ambroise.kernel.db import Transaction
from ambroise.kernel.ids import hash64


async def one_at_a_time(tx: Transaction, criteria: str) -> None:
    """Make two conditional writes on the same criteria wait for each other, so that both do not create."""
    await tx.fetch_value("select pg_advisory_xact_lock(%s)", (hash64(criteria),))
