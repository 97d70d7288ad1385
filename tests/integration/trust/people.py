"""Fictitious people and a small world for the tests of the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.db import Database, Transaction
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.people import Party
from ambroise.trust.access.relations import relations_of
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.spaces import open_space
from ambroise.trust.audit.entry import Entry, Event, record
from ambroise.trust.context import Citizen, Context, Operator, Professional, Purpose, System
from ambroise.trust.gateway import Gateway, Label, SearchResult, Stored, author_of, label_for

NURSE = "60"
TEST_INS = "urn:oid:1.2.250.1.213.1.4.10"


def professional(number: int, profession: str = "10", organization: str | None = None) -> Professional:
    """A fictitious professional; 10 is a doctor, 60 a nurse."""
    rpps = f"9970000{number:04}"
    return Professional(
        f"8{rpps}",
        rpps,
        f"Dr Fictif {number}",
        profession,
        organization=organization,
        organization_name="Cabinet fictif",
    )


def matricule(number: int) -> str:
    """A fictitious test matricule with its right key."""
    digits = f"2800275{number:06}"
    return f"{digits}{97 - int(digits) % 97:02}"


async def _open_space(tx: Transaction, ctx: Context, stored: Stored, resource: Mapping[str, Any]) -> None:
    await open_space(tx, ctx, stored.key, state=SpaceState.OPEN_INACTIVE)
    await record(tx, ctx, Entry("C", Event.SPACE_OPENED, stored.key, "Patient", stored.key, rule=Rule.SYSTEM.value))


@dataclass
class World:
    """A gateway on a fresh database, and shortcuts."""

    gateway: Gateway
    database: Database
    clock: FixedClock

    def __post_init__(self) -> None:
        # Here there is no registry of identities: every Patient is a person whose space is open.
        self.gateway.on_patient_created = self.gateway.on_patient_created or _open_space

    @property
    def system(self) -> Context:
        return Context(System(), self.clock, demonstration=True)

    def of(self, actor: Professional | Citizen | Operator, **more: Any) -> Context:
        return Context(actor, self.clock, **more)

    def citizen(self, patient: UUID, **more: Any) -> Context:
        return Context(Citizen(patient, "Personne fictive"), self.clock, **more)

    def breaking_glass(self, actor: Professional, reason: str | None = "Patient inconscient") -> Context:
        return Context(actor, self.clock, Purpose.BREAK_GLASS, reason=reason)

    async def patient(self, number: int = 1, **more: Any) -> UUID:
        """A patient with an open space."""
        resource = {
            "resourceType": "Patient",
            "identifier": [{"system": TEST_INS, "value": matricule(number)}],
            "name": [{"use": "official", "family": f"FICTIF{number}", "given": ["ALIX"]}],
            "gender": "female",
            "birthDate": "1980-02-29",
            "telecom": [{"system": "phone", "value": "0100000000"}],
            **more,
        }
        async with self.database.transaction() as tx:
            return (await self.gateway.create(tx, self.system, resource)).key

    async def helpers(self, patient: UUID) -> list[UUID]:
        """Who acts for a patient."""
        async with self.database.reader() as reader:
            return [one.person for one in await relations_of(reader, patient)]

    async def authorise(self, patient: UUID, who: Professional, ctx: Context | None = None) -> None:
        async with self.database.transaction() as tx:
            await self.gateway.rights.authorise(tx, ctx or self.citizen(patient), patient, Party.of(who))

    async def observation(self, ctx: Context, patient: UUID, code: str = "4548-4", **more: Any) -> str:
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": f"Patient/{patient}"},
            **more,
        }
        async with self.database.transaction() as tx:
            return (await self.gateway.create(tx, ctx, resource)).id

    async def document(self, ctx: Context, patient: UUID, type: str = "11502-2", **label: Any) -> str:
        """A DocumentReference filed with a label, as the owner of the type does."""
        resource = {
            "resourceType": "DocumentReference",
            "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": type}]},
            "subject": {"reference": f"Patient/{patient}"},
            "content": [{"attachment": {"contentType": "application/pdf"}}],
        }
        author, organization = author_of(ctx)
        made: Label = label_for(
            "DocumentReference",
            resource,
            patient=patient,
            **{"author": author, "author_organization": organization, **label},
        )
        assert made.kind == kinds().number(type)
        async with self.database.transaction() as tx:
            return (await self.gateway.file(tx, ctx, resource, made)).id

    async def read(self, ctx: Context, type: str, id: str) -> dict[str, Any]:
        async with self.database.reader() as reader:
            return decode((await self.gateway.read(reader, ctx, type, id)).body)

    async def search(self, ctx: Context, type: str, *pairs: tuple[str, str]) -> SearchResult:
        async with self.database.reader() as reader:
            return await self.gateway.search(reader, ctx, parse(type, pairs, now=self.clock.now()))

    async def ids(self, ctx: Context, type: str, *pairs: tuple[str, str]) -> set[str]:
        return {stored.id for stored, _ in (await self.search(ctx, type, *pairs)).entries}

    async def traces(self, patient: UUID) -> list[tuple[Any, ...]]:
        """(event, outcome, rule, actor id) of each line about a patient, the oldest first."""
        async with self.database.reader() as reader:
            return await reader.fetch_all(
                "select event, outcome, rule, actor_id from trace where patient = %s order by xid, id", (patient,)
            )
