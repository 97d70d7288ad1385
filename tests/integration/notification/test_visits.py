"""A visit of a professional is told once, as what it was, and says nothing of what is withheld."""

from datetime import timedelta

from ambroise.fhir.search import parse
from ambroise.modules.notification.api import Visits
from ambroise.trust.audit.seal import seal
from ambroise.trust.context import Context, Purpose
from tests.integration.notification.conftest import Town
from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.integration.record.test_visibility import flagged


async def look(town: Town) -> None:
    """What the worker does each minute."""
    await seal(town.world.database, town.world.clock)
    async with town.world.database.transaction() as tx:
        await Visits(town.world.gateway).tell(tx)


async def read(town: Town, ctx: Context, document: object) -> None:
    async with town.world.database.reader() as reader:
        await town.world.gateway.read(reader, ctx, "DocumentReference", str(document))


async def listed(town: Town, ctx: Context) -> None:
    async with town.world.database.reader() as reader:
        await town.world.gateway.search(reader, ctx, parse("DocumentReference", [("patient", str(town.world.patient))]))


async def told(town: Town) -> list[tuple[str, str, bool]]:
    async with town.world.database.reader() as reader:
        rows = await reader.fetch_all(
            """
            select code, details ->> 'by', hidden_from_representatives
            from notification
            where once is not null
            order by at, id
            """
        )
    return [(code, by, hidden) for code, by, hidden in rows]


async def test_several_looks_are_one_visit_told_once_and_again_after_an_hour(town: Town) -> None:
    world, doctor = town.world, town.world.professional()
    letter = (await world.submit(world.author, LETTER)).documents[0].document
    await world.authorise(doctor)
    await look(town)
    await listed(town, doctor)
    await look(town)
    assert await told(town) == [("ACCES_DMP_PS", "Dr 1", False)]
    world.clock.move(timedelta(minutes=20))
    await read(town, doctor, letter)
    await read(town, doctor, letter)
    await look(town)
    assert await told(town) == [("CONSULT_DOCUMENT", "Dr 1", False)], "the visit goes on, and was of documents"
    world.clock.move(timedelta(minutes=61))
    await read(town, doctor, letter)
    await look(town)
    await look(town)
    assert [code for code, *_ in await told(town)] == ["CONSULT_DOCUMENT", "CONSULT_DOCUMENT"]
    await town.account(world.patient, "ana@exemple.fr")
    await town.work()
    assert len(town.mails.taken) == 1
    assert "Dr 1" not in town.mails.taken[0].as_string(), "a name may betray a speciality"


async def test_a_visit_says_nothing_of_what_is_withheld_nor_a_secret_one_to_representatives(town: Town) -> None:
    world = town.world
    withheld = (await world.submit(world.author, LETTER, flagged("INVISIBLE_PATIENT"))).documents[0].document
    open_ = (await world.submit(world.author, renumbered(LETTER, b"2"))).documents[0].document
    await world.authorise(world.author)
    await look(town)
    await read(town, world.author, withheld)
    await look(town)
    assert await told(town) == [("ACCES_DMP_PS", "Charles Muller", False)]
    secret = world.professional(2, secret=True)
    await world.authorise(secret)
    await read(town, secret, open_)
    await look(town)
    code, _, hidden = (await told(town))[-1]
    assert (code, hidden) == ("ACCES_DMP_PS", True)
    urgent = world.professional(3, purpose=Purpose.BREAK_GLASS, reason="Inconscient")
    assert urgent.purpose is Purpose.BREAK_GLASS
