"""Random acts through the door leave exactly the lines they must, no more, no less."""

import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import pytest

from ambroise.fhir.search import parse
from ambroise.kernel.errors import Refusal
from ambroise.trust.access.people import Party
from ambroise.trust.audit.seal import seal, verify
from ambroise.trust.context import Context
from ambroise.trust.gateway import Action, Flags
from tests.integration.trust.people import World, professional

ACTS = int(os.environ.get("AMBROISE_TEST_ACTS", "1000"))

Line = tuple[UUID | None, str, int]
"""The patient concerned, the event, the outcome (0 done, 4 refused)."""


@dataclass
class Model:
    """What the test knows: who is authorised, blocked, which documents there are; and the lines it expects."""

    world: World
    random: random.Random
    patients: list[UUID] = field(default_factory=list)
    authorised: set[tuple[UUID, str]] = field(default_factory=set)
    blocked: set[tuple[UUID, str]] = field(default_factory=set)
    documents: dict[str, tuple[UUID, str]] = field(default_factory=dict)
    masked: set[str] = field(default_factory=set)
    expected: Counter[Line] = field(default_factory=Counter)

    doctors: ClassVar = tuple(professional(number) for number in range(1, 6))

    def expect(self, patient: UUID | None, event: str, *, refused: bool = False) -> None:
        self.expected[patient, event, 4 if refused else 0] += 1

    def sees(self, doctor: str, document: str) -> bool:
        patient, author = self.documents[document]
        if author == doctor:
            return True
        inside = (patient, doctor) in self.authorised and (patient, doctor) not in self.blocked
        return inside and document not in self.masked


async def new_patient(model: Model) -> None:
    if len(model.patients) >= 8:
        return
    patient = await model.world.patient(len(model.patients) + 1)
    model.patients.append(patient)
    model.expect(patient, "create")
    model.expect(patient, "space_opened")


async def file_document(model: Model) -> None:
    patient, doctor = model.random.choice(model.patients), model.random.choice(model.doctors)
    id = await model.world.document(model.world.of(doctor), patient)
    model.documents[id] = (patient, doctor.id)
    model.expect(patient, "create")


async def read_as_doctor(model: Model) -> None:
    doctor, (id, (patient, _)) = model.random.choice(model.doctors), model.random.choice(list(model.documents.items()))
    seen = model.sees(doctor.id, id)
    model.expect(patient, "read", refused=not seen)
    await attempt(seen, lambda: model.world.read(model.world.of(doctor), "DocumentReference", id))


async def read_in_a_transaction(model: Model) -> None:
    doctor, (id, (patient, _)) = model.random.choice(model.doctors), model.random.choice(list(model.documents.items()))
    seen = model.sees(doctor.id, id)
    model.expect(patient, "read", refused=not seen)

    async def within() -> None:
        async with model.world.database.transaction() as tx:
            await model.world.gateway.read(tx, model.world.of(doctor), "DocumentReference", id)

    await attempt(seen, within)


async def read_as_citizen(model: Model) -> None:
    reader, (id, (patient, _)) = model.random.choice(model.patients), model.random.choice(list(model.documents.items()))
    model.expect(patient, "read", refused=reader != patient)
    await attempt(reader == patient, lambda: model.world.read(model.world.citizen(reader), "DocumentReference", id))


async def search(model: Model) -> None:
    doctor, patient = model.random.choice(model.doctors), model.random.choice(model.patients)
    found = await model.world.ids(model.world.of(doctor), "DocumentReference", ("patient", f"Patient/{patient}"))
    expected = {id for id, (whose, _) in model.documents.items() if whose == patient and model.sees(doctor.id, id)}
    assert found == set(list(expected)[:50]) or len(expected) > 50
    inside = (patient, doctor.id) in model.authorised and (patient, doctor.id) not in model.blocked
    model.expect(patient, "search", refused=not inside and not expected)


async def search_everywhere(model: Model) -> None:
    doctor = model.random.choice(model.doctors)
    async with model.world.database.reader() as reader:
        query = parse("DocumentReference", [("status", "current"), ("_count", "1000")])
        found = await model.world.gateway.search(reader, model.world.of(doctor), query)
    assert {stored.id for stored, _ in found.entries} == {id for id in model.documents if model.sees(doctor.id, id)}
    for patient in {stored.label.patient for stored, _ in found.entries}:
        model.expect(patient, "search")


async def mask(model: Model) -> None:
    id, (patient, _) = model.random.choice(list(model.documents.items()))
    async with model.world.database.transaction() as tx:
        await model.world.gateway.relabel(
            tx, model.world.citizen(patient), Action.MASK, "DocumentReference", id, set=Flags.MASKED
        )
    model.masked.add(id)
    model.expect(patient, "masked")


async def authorise(model: Model) -> None:
    patient, doctor = model.random.choice(model.patients), model.random.choice(model.doctors)
    allowed = (patient, doctor.id) not in model.blocked
    by: Context = model.random.choice([model.world.citizen(patient), model.world.of(doctor)])
    await attempt(allowed, lambda: model.world.authorise(patient, doctor, by))
    if allowed:
        model.authorised.add((patient, doctor.id))
        model.expect(patient, "authorised")
    elif by.actor is doctor:
        model.expect(patient, "authorised", refused=True)


async def block(model: Model) -> None:
    patient, doctor = model.random.choice(model.patients), model.random.choice(model.doctors)
    async with model.world.database.transaction() as tx:
        await model.world.gateway.rights.block(tx, model.world.citizen(patient), patient, Party.of(doctor))
    model.authorised.discard((patient, doctor.id))
    model.blocked.add((patient, doctor.id))
    model.expect(patient, "blocked")


async def unblock(model: Model) -> None:
    if not model.blocked:
        return
    patient, id = model.random.choice(sorted(model.blocked))
    (doctor,) = [one for one in model.doctors if one.id == id]
    async with model.world.database.transaction() as tx:
        await model.world.gateway.rights.unblock(tx, model.world.citizen(patient), patient, Party.of(doctor))
    model.blocked.discard((patient, id))
    model.expect(patient, "unblocked")


async def fail_and_roll_back(model: Model) -> None:
    """What is rolled back leaves no line; the refusal inside it does."""
    patient, doctor = model.random.choice(model.patients), model.random.choice(model.doctors)
    with pytest.raises(Refusal):
        async with model.world.database.transaction() as tx:
            resource = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"Patient/{patient}"}}
            await model.world.gateway.create(tx, model.world.of(doctor), resource)
            await model.world.gateway.create(tx, model.world.of(doctor), {"resourceType": "Location"})
    model.expect(None, "create", refused=True)


async def attempt(allowed: bool, act: Callable[[], Awaitable[object]]) -> None:
    if allowed:
        await act()
        return
    with pytest.raises(Refusal):
        await act()


OPERATIONS = [
    new_patient,
    file_document,
    file_document,
    read_as_doctor,
    read_as_doctor,
    read_in_a_transaction,
    read_as_citizen,
    search,
    search_everywhere,
    mask,
    authorise,
    authorise,
    block,
    unblock,
    fail_and_roll_back,
]


@pytest.mark.slow
async def test_random_acts_leave_exactly_the_expected_lines(world: World) -> None:
    model = Model(world, random.Random(20260314))
    for _ in range(2):
        await new_patient(model)
    await file_document(model)
    for number in range(ACTS):
        await model.random.choice(OPERATIONS)(model)
        if number % 100 == 0:
            await seal(world.database, world.clock)
    async with world.database.reader() as reader:
        rows = await reader.fetch_all("select patient, event, outcome, count(*) from trace group by 1, 2, 3")
        found = Counter({(patient, event, outcome): count for patient, event, outcome, count in rows})
        assert found == model.expected
        assert (await verify(reader)).sound
