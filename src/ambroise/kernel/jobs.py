"""Periodic work: sweeping, sealing, reminding. One worker runs each job, wherever workers are.

Work to do once, now or later, is an event of the outbox; this is for what comes back. A job must be safe to run twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.log import logger

_log = logger(__name__)

Work = Callable[[Transaction], Awaitable[None]]


class Job(Struct, frozen=True):
    name: str
    every: timedelta
    work: Work


class Schedule:
    """The periodic jobs of the installation."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def every(self, period: timedelta, name: str, work: Work) -> None:
        """Run `work` in a transaction of its own once every period."""
        if name in self._jobs:
            raise ValueError(f"there are two jobs named {name}")
        self._jobs[name] = Job(name, period, work)

    @property
    def jobs(self) -> tuple[Job, ...]:
        return tuple(self._jobs.values())


class Runner:
    def __init__(self, database: Database, schedule: Schedule, clock: Clock) -> None:
        self._database = database
        self._schedule = schedule
        self._clock = clock

    async def run_due(self) -> list[str]:
        """Run every job that is due and that no other worker is running; their names."""
        return [job.name for job in self._schedule.jobs if await self._run(job)]

    async def run(self, *, idle_seconds: float = 5.0) -> None:
        """Run jobs for ever."""
        while True:
            try:
                await self.run_due()
            except Exception:
                _log.exception("schedule_failed")
            await asyncio.sleep(idle_seconds)

    async def _run(self, job: Job) -> bool:
        try:
            async with self._database.transaction() as tx:
                if not await self._claim(tx, job):
                    return False
                await job.work(tx)
        except Exception as error:
            _log.exception("job_failed", job=job.name)
            await self._note_failure(job, error)
        return True

    async def _claim(self, tx: Transaction, job: Job) -> bool:
        now = self._clock.now()
        await tx.execute(
            "insert into job_schedule (name, next_at) values (%s, %s) on conflict do nothing", (job.name, now)
        )
        claimed = await tx.execute(
            """
            update job_schedule
            set next_at = %s, last_started_at = %s, last_error = null
            where name = (
              select name
              from job_schedule
              where name = %s and next_at <= %s
              for update skip locked
            )
            """,
            (now + job.every, now, job.name, now),
        )
        return claimed == 1

    async def _note_failure(self, job: Job, error: Exception) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(
                """
                insert into job_schedule (name, next_at, last_error)
                values (%s, %s, %s)
                on conflict (name) do update
                set next_at = excluded.next_at, last_error = excluded.last_error
                """,
                (job.name, self._clock.now() + job.every, type(error).__name__),
            )
