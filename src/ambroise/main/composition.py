"""From settings to objects: each is built once, here, and handed to who needs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ambroise.interfaces.services import Services
from ambroise.kernel.clock import Clock, SystemClock
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.jobs import Runner
from ambroise.kernel.outbox import Delivery
from ambroise.kernel.settings import Settings

_SWEEP_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Application:
    """The services, and the work to do behind them."""

    services: Services
    delivery: Delivery
    runner: Runner

    def check(self, *, demonstration: bool) -> None:
        """Refuse to run a demonstration as a real instance, and the other way round."""
        if self.services.demonstration and not demonstration:
            raise Refusal(Kind.CONFLICT, "DEMONSTRATION_DATA", "These are demonstration data: run `ambroise demo`.")
        if demonstration and not self.services.demonstration:
            raise Refusal(Kind.CONFLICT, "REAL_DATA", "These data are of real people: run `ambroise serve`.")

    def work(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What the role `worker` does for ever."""
        return self.delivery.run(), self.runner.run()


@asynccontextmanager
async def compose(settings: Settings, dsn: str, *, clock: Clock | None = None) -> AsyncGenerator[Application]:
    """Build everything on a database that is migrated; closes it at the end."""
    database = await Database.open(dsn, slots=settings.database_slots)
    try:
        yield await _application(settings, database, clock or SystemClock())
    finally:
        await database.close()
