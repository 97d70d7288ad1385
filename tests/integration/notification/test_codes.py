"""Each act that the rules want told is told under its code, and a deposit writes no more than its one notice for it."""

from datetime import timedelta

from ambroise.modules.notification.api import notices
from ambroise.modules.profile.measures import by_code
from ambroise.modules.record.telling import COPIED
from tests.integration.notification.conftest import Town
from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.support.cda_samples import cda, mended, needs_samples


async def codes(town: Town) -> list[str]:
    async with town.world.database.reader() as reader:
        return [one.code for one in reversed(await notices(reader, town.world.citizen, count=50))]


@needs_samples
async def test_what_professionals_do_to_documents_is_told_by_its_code(town: Town) -> None:
    world = town.world
    await world.authorise(world.author)
    letter = str((await world.submit(world.author, LETTER)).documents[0].document)
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.author, letter)
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.citizen, letter)
        await world.record.unmask(tx, world.citizen, letter)
    async with world.database.transaction() as tx:
        await world.record.withdraw(tx, world.author, letter)
    await world.submit(world.system, mended("VAC-NOTE_2023.01.xml"))
    told = await codes(town)
    assert told == ["AJOUT_DOCUMENT", "MODIF_DOCUMENT", "SUPP_DOC", "AJOUT_VACCINATION"], "not what the holder does"


@needs_samples
async def test_measures_that_a_document_brings_and_the_first_reimbursements_are_told_by_their_codes(town: Town) -> None:
    world = town.world
    await world.submit(world.system, mended("CSE-CS8_2025.01.xml"))
    copies = ["COPIE_DOC_AJOUT_PC", "COPIE_DOC_AJOUT_POIDS", "COPIE_DOC_AJOUT_TAILLE"]
    assert sorted(await codes(town)) == ["AJOUT_DOCUMENT", *copies], "each once, however many values there are"
    world.clock.move(timedelta(minutes=1))
    await world.submit(world.system, mended("AVC-EUNV_2022.01.xml"))
    assert sorted((await codes(town))[4:]) == ["AJOUT_DOCUMENT", "COPIE_DOC_AJOUT_GLYCEMIE"]
    history = cda("CNAM-HR_2021.01.xml")
    for number, told in enumerate((["AJOUT_DOCUMENT", "PRIMO_ALIM_MHS"], ["AJOUT_DOCUMENT"])):
        before = len(await codes(town))
        world.clock.move(timedelta(minutes=1))
        await world.submit(world.system, renumbered(history, str(number + 1).encode()))
        assert sorted((await codes(town))[before:]) == told, "of reimbursements, the first time only"


async def test_each_measure_that_is_told_is_one_of_the_profile() -> None:
    assert set(COPIED) <= set(by_code())
    names = {"GLUCOSE", "INTERSTITIAL_GLUCOSE", "GLYCATED_HEMOGLOBIN", "HEIGHT", "WEIGHT", "HEAD_CIRCUMFERENCE"}
    assert set(COPIED) == {pair for pair, measure in by_code().items() if measure.name in names}


async def test_a_deposit_writes_one_notice_and_nothing_else_to_tell(town: Town) -> None:
    world = town.world
    await town.account(world.patient, "ana@exemple.fr")
    async with world.database.reader() as reader:
        before = await reader.fetch_value("select count(*) from outbox")
    await world.submit(world.author, renumbered(LETTER, b"3"))
    async with world.database.reader() as reader:
        assert await reader.fetch_value("select count(*) from notification where pending is not null") == 1
        assert await reader.fetch_value("select count(*) from notification_delivery") == 0
        assert await reader.fetch_value("select count(*) from outbox") == before + 1, "that the document is filed"
