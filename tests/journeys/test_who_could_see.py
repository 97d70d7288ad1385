"""A citizen asks who could see a document, and looks at the record as one person would."""

from ambroise.modules.directory import api as directory
from ambroise.modules.directory.api import ProfessionalEntry
from ambroise.trust.context import Context, System
from tests.journeys.support.visitors import Visitors


async def _nurse(visitors: Visitors) -> None:
    """An authorised nurse whom the directory knows."""
    world = visitors.world
    entry = ProfessionalEntry("10000000007", "SEPT", "Julie", "60", test_identity=True)
    async with world.database.transaction() as tx:
        await directory.register(
            tx, Context(System(), world.clock, channel="load", demonstration=True), world.gateway, entry, ()
        )
    await world.authorise(world.professional(7))


async def test_every_possible_reader_of_a_document_is_told_with_the_reason(visitors: Visitors) -> None:
    await _nurse(visitors)
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get(f"/documents/{visitors.document}")
    await citizen.click("Tous ceux qui pourraient le voir, et pourquoi")
    assert citizen.address == f"/documents/{visitors.document}/qui"
    assert "Dr 7" in citizen.words
    assert "Règle : vous l’avez autorisé." in citizen.words
    assert "L’auteur du document" in citizen.words
    assert "Le Samu, quand vous appelez le 15" in citizen.words
    assert "Psychologue" in citizen.words
    await citizen.get(f"/documents/{visitors.document}/limites")
    await citizen.press("Cacher", personne="810000000007")
    await citizen.get(f"/documents/{visitors.document}/qui")
    assert "Vous lui avez caché ce document." in citizen.words


async def test_seeing_as_a_person_leaves_out_what_is_kept_from_them(visitors: Visitors) -> None:
    await _nurse(visitors)
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/acces/comme?qui=810000000007")
    before = citizen.words
    await citizen.get(f"/documents/{visitors.document}/limites")
    await citizen.press("Cacher", personne="810000000007")
    await citizen.get("/acces/comme?qui=810000000007")
    assert "1 document visible" in before
    assert "0 document visible, 1 caché" in citizen.words


async def test_the_page_is_as_closed_as_the_document_itself(visitors: Visitors) -> None:
    stranger = await visitors.enter("Julie Martin")
    await stranger.get(f"/documents/{visitors.document}/qui")
    assert stranger.status in (403, 404)
    assert "Dr 7" not in stranger.words
