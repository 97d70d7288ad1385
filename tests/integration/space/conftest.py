"""Spaces at every age: a record behind its door, the life of its spaces, and a clock that moves."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.modules.space.api import Channel, Life, Spaces, Step, end_delays
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import set_state
from ambroise.trust.context import Citizen, Context, Operator
from tests.integration.record.conftest import World, world

__all__ = ["world"]


@dataclass(frozen=True)
class Lives:
    """The world, and shortcuts to the life of its one space."""

    world: World
    spaces: Spaces

    @property
    def holder(self) -> Context:
        return self.world.context(Citizen(self.world.patient, "Dominique Pat-Trois"))

    @property
    def desk(self) -> Context:
        return self.world.context(Operator("desk-1", "Guichet"))

    async def do(self, act: Callable[..., Awaitable[Life]], ctx: Context, *details: Any, **more: Any) -> Life:
        async with self.world.database.transaction() as tx:
            return await act(tx, ctx, self.world.patient, *details, **more)

    async def refused(self, act: Callable[..., Awaitable[Life]], ctx: Context, *details: Any, **more: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            await self.do(act, ctx, *details, **more)
        return refusal.value.code

    async def later(self, **step: float) -> dict[Step, int]:
        """Let time pass, then what is due happen."""
        self.world.clock.move(timedelta(**step))
        return await end_delays(self.world.database, self.spaces, self.world.clock)

    async def life(self, patient: UUID | None = None) -> Life:
        async with self.world.database.reader() as reader:
            return await self.spaces.life(reader, self.desk, patient or self.world.patient)

    async def state(self) -> SpaceState:
        return (await self.life()).state

    async def put(self, state: SpaceState) -> None:
        """Bring the space to a state from before its life was written down."""
        async with self.world.database.transaction() as tx:
            await set_state(tx, self.world.system, self.world.patient, state)

    async def notified(self) -> None:
        """A space whose six weeks have just begun."""
        await self.put(SpaceState.ELIGIBLE)
        await self.do(self.spaces.notify, self.desk, Channel.MAIL)

    async def traces(self) -> list[tuple[str, int, str, str | None]]:
        """(event, outcome, actor, state) of every act on the life of the space."""
        async with self.world.database.reader() as reader:
            return await reader.fetch_all(
                "select event, outcome, actor_kind, details->>'state' from trace"
                " where patient = %s and event in ('space_state', 'space_opened', 'purged') order by xid, id",
                (self.world.patient,),
            )

    async def told(self) -> list[str]:
        """What the outbox holds about the life of the space."""
        async with self.world.database.reader() as reader:
            rows = await reader.fetch_all(
                "select event from outbox where patient = %s and event like 'space.%%' order by id",
                (self.world.patient,),
            )
        return [event for (event,) in rows]


@pytest.fixture
async def lives(world: World) -> Lives:
    return Lives(world, Spaces(world.gateway, world.record))
