"""Share one durable commit between requests that arrive together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from ambroise.kernel.db import Database, Transaction

Job = TypeVar("Job")
Answer = TypeVar("Answer")

_MOST = 256


class GroupCommit(Generic[Job, Answer]):
    """Run jobs in batches, one transaction each; every waiter is released after the commit, or fails with it.

    While one batch commits, the next one gathers: alone, a job waits for its own commit only; under load the cost of a
    commit is shared. `settle` answers each job in order; an answer that is an exception is raised to that waiter alone.
    `database` gives slots of its own: a batch must never wait for slots that its waiters hold.
    """

    def __init__(
        self,
        database: Callable[[], Awaitable[Database]],
        settle: Callable[[Transaction, Sequence[Job]], Awaitable[Sequence[Answer | Exception]]],
    ) -> None:
        self._database = database
        self._settle = settle
        self._waiting: list[tuple[Job, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def run(self, job: Job) -> Answer:
        """Settle one job, durably."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())
        return await future

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._running is not None:
            await self._running

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            await self._commit(batch)

    async def _commit(self, batch: list[tuple[Job, asyncio.Future[Answer]]]) -> None:
        try:
            database = await self._database()
            async with database.transaction() as tx:
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
        """One job that cannot be written must not fail its neighbours: each gets its own transaction."""
        if len(batch) == 1:
            if not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for one in batch:
            await self._commit([one])
