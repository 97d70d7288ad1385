"""Advance directives are recalled to their holder each year, while they hold."""

from datetime import date, timedelta

from ambroise.interfaces.demonstration.pdf_writer import Letter, write
from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.modules.record.api import Category
from tests.integration.record.conftest import World
from tests.integration.record.test_visibility import codes, deliver


async def test_directives_are_recalled_each_year_until_they_are_taken_back(world: World) -> None:
    now = world.clock.now()
    content = write(Letter("Directives", (), (), "Tours", ("Mes volontés.",), (), now))
    new = NewDocument(
        content, "application/pdf", "Directives", Category.DIRECTIVES.value, date(2026, 1, 1), masked=False
    )
    filed = await world.submit(world.citizen, content, metadata(world.patient, "Ana", new, "application/pdf"))
    world.clock.move(timedelta(days=364))
    await deliver(world)
    assert await codes(world) == []
    world.clock.move(timedelta(days=2))
    await deliver(world)
    assert await codes(world) == ["RAPPEL_MODIF_DA"]
    world.clock.move(timedelta(days=366))
    await deliver(world)
    assert await codes(world) == ["RAPPEL_MODIF_DA"] * 2
    async with world.database.transaction() as tx:
        await world.record.withdraw(tx, world.citizen, str(filed.documents[0].document))
    world.clock.move(timedelta(days=366))
    await deliver(world)
    assert await codes(world) == ["RAPPEL_MODIF_DA"] * 2
