"""Words find documents among all of them: title, type, author, place; accents, capitals and commas are no matter."""

import pytest

from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.journeys.support.visitors import Visitors


@pytest.mark.parametrize(
    "words", ["auteur", "EXEMPLE consultation", "rendus", "visite Charles", "médical", "medical", "cabinet", "11488-4"]
)
async def test_each_word_is_found_in_the_title_the_type_the_author_or_the_place(visitors: Visitors, words: str) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get(f"/documents?mots={words}")
    assert "1 document trouvé" in citizen.words


@pytest.mark.parametrize("words", ["auteur radio", "zzz", "zzz,consultation", "consu%", "_"])
async def test_every_word_must_be_found_as_it_is_written(visitors: Visitors, words: str) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get("/documents")
    await citizen.press("Chercher", mots=words)
    assert "Aucun document ne correspond" in citizen.words


async def test_an_author_is_found_by_any_part_of_the_name(visitors: Visitors) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get("/documents?auteur=charl")
    assert "1 document trouvé" in citizen.words
    await citizen.get("/documents?auteur=camille")
    assert "Aucun document ne correspond" in citizen.words


async def test_what_words_find_goes_on_by_pages(visitors: Visitors) -> None:
    for number in range(24):
        await visitors.world.submit(visitors.world.author, renumbered(LETTER, str(number + 2).encode()))
    citizen = await (await visitors.enter("Dominique Fictive")).get("/documents?mots=consultation")
    assert "25 documents trouvés" in citizen.words
    await citizen.click("Documents plus anciens")
    assert len(citizen.page.cssselect("a.cover")) == 5
    assert "25 documents trouvés" in citizen.words


async def test_a_masked_document_is_found_by_no_word_of_a_professional(visitors: Visitors) -> None:
    world = visitors.world
    await world.authorise(world.professional(7))
    reader = await (await visitors.enter("Julie Martin")).get(f"{visitors.record}?filtre=consultation")
    assert "Documents 1" in reader.words
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.citizen, str(visitors.document))
    await reader.get(f"{visitors.record}?filtre=consultation")
    assert "Documents 0" in reader.words


async def test_what_is_written_inside_is_found_and_its_place_shown_to_those_who_may_read_it(visitors: Visitors) -> None:
    world = visitors.world
    await world.authorise(world.professional(7))
    citizen = await (await visitors.enter("Dominique Fictive")).get("/documents?mots=telephones")
    assert "1 document trouvé" in citizen.words
    assert "Dans le texte des documents" in citizen.words
    assert [one.text_content().casefold() for one in citizen.page.cssselect("mark")][:1] == ["téléphone"]
    reader = await (await visitors.enter("Julie Martin")).get(f"{visitors.record}?filtre=telephone")
    assert "Dans le texte des documents" in reader.words
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.citizen, str(visitors.document))
    await reader.get(f"{visitors.record}?filtre=telephone")
    assert "Dans le texte" not in reader.words
    assert "Téléphone" not in reader.words
