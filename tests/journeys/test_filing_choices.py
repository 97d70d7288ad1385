"""What the citizen decides about the documents that professionals file, on a real record."""

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
