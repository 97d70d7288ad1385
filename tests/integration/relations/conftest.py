"""A family, a carer, a mediator, and what is in the space that they look at."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.api import Ins, Traits, open_for
from ambroise.modules.identity.ins import TEST_OID, nir_key
from ambroise.modules.relations.api import Handlers, Known, Mediation, Relations
from ambroise.trust.context import Citizen, Context, Operator
from tests.integration.record.conftest import World, world

__all__ = ["world"]


@dataclass
class Family:
    """The world, people in it, and shortcuts."""

    world: World
    relations: Relations
    mediation: Mediation
    made: int = 0

    async def person(self, birth: str = "1970-01-01", name: str = "FICTIF", first: str = "ALIX") -> UUID:
        """Somebody whose space is activated."""
        self.made += 1
        digits = f"2700175{self.made:06}"
        resource: dict[str, Any] = {
            "resourceType": "Patient",
            "identifier": [{"system": f"urn:oid:{TEST_OID}", "value": f"{digits}{nir_key(digits):02}"}],
            "name": [{"use": "official", "family": name, "given": [first]}],
            "gender": "female",
            "birthDate": birth,
        }
        world = self.world
        async with world.database.transaction() as tx:
            former, world.gateway.on_patient_created = world.gateway.on_patient_created, _nothing
            try:
                key = (await world.gateway.create(tx, world.system, resource)).key
            finally:
                world.gateway.on_patient_created = former
            await open_for(tx, world.system, key, resource)
        return key

    def of(self, person: UUID, for_: UUID | None = None, relation: Any = None) -> Context:
        """The context of somebody, perhaps in the space of another."""
        return self.world.context(Citizen(person, "Quelqu’un"), acting_for=for_, relation=relation)

    @property
    def desk(self) -> Context:
        return self.world.context(Operator("desk-1", "Guichet"))

    async def do(self, act: Callable[..., Awaitable[Any]], ctx: Context, *details: Any, **more: Any) -> Any:
        async with self.world.database.transaction() as tx:
            return await act(tx, ctx, *details, **more)

    async def refused(self, act: Callable[..., Awaitable[Any]], ctx: Context, *details: Any, **more: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            await self.do(act, ctx, *details, **more)
        return refusal.value.code

    async def carer(self, holder: UUID, scope: str = "act", ends_on: date | None = None) -> UUID:
        """Somebody who accepted to help."""
        carer = await self.person()
        invitation = await self.do(
            self.relations.invite_carer, self.of(holder), Known(carer, "A"), scope=scope, ends_on=ends_on
        )
        await self.do(self.relations.accept, self.of(carer), invitation.id)
        return carer

    async def observation(self, patient: UUID) -> str:
        """Something clinical, that a professional filed."""
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "subject": {"reference": f"Patient/{patient}"},
        }
        async with self.world.database.transaction() as tx:
            return (await self.world.gateway.create(tx, self.world.author, resource)).id

    async def reads(self, ctx: Context, id: str, type: str = "Observation") -> bool:
        async with self.world.database.reader() as reader:
            try:
                await self.world.gateway.read(reader, ctx, type, id)
            except Refusal as refusal:
                if refusal.kind not in (Kind.NOT_FOUND, Kind.FORBIDDEN):
                    raise
                return False
        return True

    async def deliver(self) -> None:
        """What is due happens."""
        subscriptions = Subscriptions()
        for event, handler in Handlers(self.relations, self.world.clock).table().items():
            subscriptions.on(event, handler)
        await Delivery(self.world.database, subscriptions, self.world.clock).deliver_all()

    async def told(self, patient: UUID) -> list[str]:
        async with self.world.database.reader() as reader:
            rows = await reader.fetch_all("select code from notification where patient = %s order by id", (patient,))
        return [code for (code,) in rows]


async def _nothing(*_: Any) -> None:
    """A Patient whose identity the test registers itself, with an activated space."""


def asked(number: int, **changed: Any) -> tuple[Ins, Traits]:
    """What one types to find the person of this number."""
    digits = f"2700175{number:06}"
    known = {"birth_name": "Fictif", "first_given": "Alix", "birth_date": date(1970, 1, 1)} | changed
    return Ins(f"{digits}{nir_key(digits):02}", TEST_OID), Traits(**known)


@pytest.fixture
async def family(world: World) -> Family:
    return Family(world, Relations(world.gateway), Mediation(world.gateway))
