"""What a change of the directory means for those it is about: who left loses access at the next request.

Pages read the account at each request: suspending it is enough. A token's context is remembered for a moment by each
process: every one of them is told whom to forget, on a channel of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import psycopg

from ambroise.interfaces.authentication import Authenticator
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import restore_departed, suspend_departed
from ambroise.trust.context import Context

_log = logger(__name__)

CHANNEL: Final = "directory_changed"
_EVERYBODY: Final = "*"
# A notification holds 8,000 bytes; a national identifier about a dozen.
_NAMED: Final = 400
_AGAIN_SECONDS: Final = 1.0


async def follow(tx: Transaction, ctx: Context, departed: Sequence[str], returned: Sequence[str]) -> None:
    """Suspend the accounts of who left, give back those of who is back, and have every process forget their tokens."""
    if departed:
        await suspend_departed(tx, departed, ctx.now())
    if returned:
        await restore_departed(tx, returned)
    changed = [*departed, *returned]
    said = ",".join(changed) if len(changed) <= _NAMED else _EVERYBODY
    await tx.fetch_value("select pg_notify(%s, %s)", (CHANNEL, said))


@asynccontextmanager
async def hearing(database: Database, authenticator: Authenticator) -> AsyncGenerator[None]:
    """Forget the tokens of those who are named, while this lasts."""
    listening = asyncio.create_task(_hear(database, authenticator))
    try:
        yield
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def _hear(database: Database, authenticator: Authenticator) -> None:
    def forget_everybody() -> None:
        """What was said while nobody listened is lost: everybody is looked up again."""
        authenticator.forget(None)

    while True:
        try:
            async for _, said in database.listen(CHANNEL, ready=forget_everybody):
                authenticator.forget(None if said == _EVERYBODY else frozenset(said.split(",")))
        except psycopg.Error:
            _log.warning("directory_not_heard")
        forget_everybody()
        await asyncio.sleep(_AGAIN_SECONDS)
