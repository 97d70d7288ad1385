"""A record to take away: documents, results, what is withheld, people around, and the copies of it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from ambroise.interfaces.web import templates
from ambroise.interfaces.web.copies.scribe import Pages
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.portability.api import GOES_ON, Export, Exports, State
from ambroise.trust.context import Context
from tests.integration.record.conftest import World, world

__all__ = ["world"]


@dataclass(frozen=True)
class Copying:
    """The world, and its copies."""

    world: World
    exports: Exports

    async def ask(self, ctx: Context) -> Export:
        async with self.world.database.transaction() as tx:
            return await self.exports.ask(tx, ctx, ctx.space or self.world.patient)

    def worker(self) -> Delivery:
        """A worker, as a process that has just started has one."""
        subscriptions = Subscriptions()
        subscriptions.on(GOES_ON, self.exports.go_on)
        return Delivery(self.world.database, subscriptions, self.world.clock)

    async def whole(self, ctx: Context) -> zipfile.ZipFile:
        """Ask, let the worker work, take."""
        asked = await self.ask(ctx)
        await self.worker().deliver_all()
        return await self.taken(ctx, asked.id)

    async def taken(self, ctx: Context, id: UUID) -> zipfile.ZipFile:
        taken = await self.exports.take(ctx, ctx.space or self.world.patient, id)
        content = b"".join([chunk async for chunk in taken.chunks])
        assert len(content) == taken.size
        return zipfile.ZipFile(io.BytesIO(content))

    async def state(self, ctx: Context) -> State:
        async with self.world.database.reader() as reader:
            return (await self.exports.mine(reader, ctx, self.world.patient))[0].state


@pytest.fixture
async def copying(world: World) -> Copying:
    exports = Exports.over(
        world.database,
        world.gateway,
        world.clock,
        Pages(templates),
        kept=timedelta(days=7),
        address="http://test.example",
        demonstration=True,
    )
    return Copying(world, exports)
