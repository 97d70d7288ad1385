"""The one use of an assertion: it happens with what the assertion opens, or before it, and never twice.

Two requests with the same assertion meet at the key of `vihf_used`, whichever process they come to: the second one
waits until the first has committed, and opens nothing; if the first rolled back, it opened nothing and the second may.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from psycopg.errors import UniqueViolation

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.modules.identity.vihf import refusals, repository

_SENDING: Final = timedelta(minutes=30)
"""How long a request may take to arrive once its assertion, which came first, was believed."""
_KEPT: Final = 2 * _SENDING
"""How much longer than any request a use is remembered."""


class Use:
    """The use of an assertion that is believed."""

    def __init__(self, database: Database, clock: Clock, number: bytes, expires: datetime) -> None:
        self._database = database
        self._clock = clock
        self._number = number
        self._expires = expires
        self._done = False

    async def first(self) -> None:
        """Use it up before what it opens. Raises VIHF_REPLAYED, VIHF_EXPIRED.

        What is read afterwards is traced before it is given, and that commit waits for the disk: this line, written
        before it, is then there too. Hence it does not wait itself.
        """
        self._check_time()
        async with self._database.alone() as writer:
            if not await repository.use_alone(writer, self._number, self._expires + _KEPT):
                raise refusals.replayed()
        self._done = True

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """A transaction that uses it up and does what it opens: both or neither. Raises VIHF_REPLAYED, VIHF_EXPIRED."""
        self._check_time()
        try:
            async with self._database.transaction() as tx:
                repository.use(tx, self._number, self._expires + _KEPT)
                yield tx
        except UniqueViolation as error:
            if error.diag.constraint_name != repository.ONCE:
                raise
            raise refusals.replayed() from None
        self._done = True

    async def ensure(self) -> None:
        """Use it up unless that is done: of what an assertion asked, nothing is told twice."""
        if not self._done:
            async with self.transaction():
                pass

    def _check_time(self) -> None:
        if self._clock.now() >= self._expires + _SENDING:
            raise refusals.too_old()
