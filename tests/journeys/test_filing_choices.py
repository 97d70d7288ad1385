"""What the citizen decides about the documents that professionals file, on a real record."""

from ambroise.trust.access.people import Party
from tests.journeys.support.visitors import Visitors


async def test_an_opposition_to_filing_needs_its_reason_and_is_told(visitors: Visitors) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get("/acces/depots")
    await citizen.press("Enregistrer mes choix", masques="non", depots="non", motif=" ")
    assert citizen.status == 422
    assert "Dites pourquoi vous vous opposez aux dépôts." in citizen.words
    await citizen.press("Enregistrer mes choix", masques="non", depots="non", motif="Un proche travaille au cabinet")
    assert "Vos choix pour les dépôts sont enregistrés." in citizen.words
    await citizen.get("/historique")
    assert citizen.words.count("Vous avez changé votre choix sur le dépôt de documents.") == 1

    await citizen.get("/acces/depots")
    await citizen.press("Enregistrer mes choix", masques="oui", depots="non", motif="")
    assert "Vos choix pour les dépôts sont enregistrés." in citizen.words, (
        "an opposition that stands is not asked again"
    )
    await citizen.get("/acces/depots")
    await citizen.press("Enregistrer mes choix", masques="oui", depots="oui", motif="")
    await citizen.get("/historique")
    assert citizen.words.count("Vous avez changé votre choix sur le dépôt de documents.") == 2


async def test_a_structure_that_may_not_file_is_shown_and_may_again_by_one_button(visitors: Visitors) -> None:
    world = visitors.world
    hospital = Party("1750803447", "Hôpital des exemples", "organization")
    async with world.database.transaction() as tx:
        await world.gateway.rights.oppose_feeding(tx, world.author, world.patient, hospital, opposed=True)
    citizen = await (await visitors.enter("Dominique Fictive")).get("/acces")
    assert "Hôpital des exemples ne dépose plus de documents" in citizen.words
    await citizen.press("Laisser déposer : Hôpital des exemples", structure=hospital.id)
    assert "Vos choix pour les dépôts sont enregistrés." in citizen.words
    await citizen.get("/acces")
    assert "ne dépose plus de documents" not in citizen.words
