"""Share one durable commit between requests that arrive together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from ambroise.kernel.db import Database, Transaction

Job = TypeVar("Job")
Answer = TypeVar("Answer")

LANES: Final = 2
"""How many batches are under way at once: while one waits for the disk, the other is read and judged."""
_MOST: Final = 128
_BEGIN: Final = "begin isolation level repeatable read"


class GroupCommit(Generic[Job, Answer]):
    """Run jobs in batches, one transaction each; every waiter is released after the commit, or fails with it.

    A batch is what has been asked when a lane is free: alone, a job waits for nobody; under load, everybody who waits
    shares round trips and commits. A batch sees one snapshot, taken after all its jobs were asked. `settle` answers
    each job in order; an answer that is an exception is raised to that waiter alone. `database` gives slots of its own:
    a batch must never wait for slots that its waiters hold.
    """

    def __init__(
        self,
        database: Callable[[], Awaitable[Database]],
        settle: Callable[[Transaction, Sequence[Job]], Awaitable[Sequence[Answer | Exception]]],
    ) -> None:
        self._database = database
        self._settle = settle
        self._waiting: list[tuple[Job, asyncio.Future[Answer]]] = []
        self._lanes: set[asyncio.Task[None]] = set()
        self._open = 0

    async def run(self, job: Job) -> Answer:
        """Settle one job, durably."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if self._open < LANES:
            # It starts after everything that is ready to run: who asks in the same turn of the loop is with us.
            self._open += 1
            lane = asyncio.create_task(self._drain())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await future

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._lanes)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._commit(batch)
        finally:
            self._open -= 1

    async def _commit(self, batch: list[tuple[Job, asyncio.Future[Answer]]]) -> None:
        try:
            database = await self._database()
            async with database.transaction(begin=_BEGIN) as tx:
                answers = await self._settle(tx, [job for job, _ in batch])
        except Exception as error:
            await self._share_failure(batch, error)
            return
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _share_failure(self, batch: list[tuple[Job, asyncio.Future[Answer]]], error: Exception) -> None:
        """One job that cannot be settled must not fail its neighbours: each gets its own transaction."""
        if len(batch) == 1:
            if not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for one in batch:
            await self._commit([one])
