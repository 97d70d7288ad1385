"""The rules of an instant are those in force at that instant; a version is never rewritten."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from ambroise.kernel.errors import Refusal
from ambroise.trust.access.matrix import Row, first_rows, follow_versions, rows_of
from ambroise.trust.access.versions import DUTY, LEAD, changes, refresh, versions
from ambroise.trust.context import Context, Operator
from tests.integration.trust.people import NURSE, World, professional

AUTHOR, READER = professional(1), professional(2, NURSE)
LETTER = "11502-2"


@pytest.fixture(autouse=True)
def _first_version_only() -> Iterator[None]:
    yield
    follow_versions([])


def officer(world: World, *duties: str) -> Context:
    return world.of(Operator("desk", "Nadia Fictive", frozenset(duties)))


def without(code: str) -> dict[str, Row]:
    nurse = first_rows()["nurse"]
    return {"nurse": Row(nurse.readable - {code}, nurse.verified)}


async def sees(world: World, document: str) -> bool:
    try:
        await world.read(world.of(READER), "DocumentReference", document)
    except Refusal:
        return False
    return True


async def test_a_version_is_in_force_from_its_day_and_undone_by_another(world: World) -> None:
    patient = await world.patient()
    await world.authorise(patient, READER)
    document = await world.document(world.of(AUTHOR), patient, LETTER)
    ctx, begins = officer(world, DUTY), world.clock.now() + timedelta(days=3)
    async with world.database.transaction() as tx:
        rows = without(LETTER)
        await world.gateway.matrices.publish(tx, ctx, rows, reason="Arrêté", source="JO", effective=begins)
        await refresh(tx)
    assert await sees(world, document), "its day has not come"
    assert await world.ids(world.of(READER), "DocumentReference", ("patient", str(patient))) == {document}
    world.clock.move(timedelta(days=3))
    assert not await sees(world, document)
    assert not await world.ids(world.of(READER), "DocumentReference", ("patient", str(patient)))
    assert await world.ids(world.of(READER), "DocumentReference") == set()
    async with world.database.transaction() as tx:
        undone = await world.gateway.matrices.undo(tx, ctx, 1, reason="Erreur")
        await refresh(tx)
    assert (undone.number, undone.undoes) == (2, 1)
    world.clock.move(LEAD)
    assert await sees(world, document)
    async with world.database.reader() as reader:
        second, first, shipped = await versions(reader)
    assert [(one.group, one.code, one.readable) for one in changes(shipped.rows, first.rows)] == [
        ("nurse", LETTER, False)
    ]
    assert changes(shipped.rows, second.rows) == []
    assert rows_of(second.matrix) == first_rows()


async def test_only_the_duty_publishes_and_every_attempt_is_traced(world: World) -> None:
    for duties, code in (((), "MATRIX_DUTY"), ((DUTY,), "MATRIX_REASON"), ((DUTY,), "MATRIX_SAME")):
        rows = first_rows() if code == "MATRIX_SAME" else without(LETTER)
        with pytest.raises(Refusal) as refused:
            async with world.database.transaction() as tx:
                await world.gateway.matrices.publish(tx, officer(world, *duties), rows, reason=" ", source="JO")
        assert refused.value.code == code
    async with world.database.transaction() as tx:
        rows = without(LETTER)
        await world.gateway.matrices.publish(tx, officer(world, DUTY), rows, reason="Arrêté", source="JO")
    async with world.database.reader() as reader:
        lines = await reader.fetch_all("select outcome from trace where event = 'matrix_published' order by xid, id")
    assert [outcome for (outcome,) in lines] == [4, 4, 4, 0]


async def test_a_version_is_never_rewritten(world: World) -> None:
    for statement in ("update access_matrix set reason = 'x'", "delete from access_matrix"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with world.database.transaction() as tx:
                await tx.execute(statement)
