"""A citizen keeps documents from one person, by category or one by one, and takes it back."""

from tests.journeys.support.visitors import Visitors


async def test_a_category_is_kept_from_one_person_and_shown_again(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/acces/personnes/801234567897")
    await citizen.click("Choisir ces documents")
    assert citizen.address == "/acces/personnes/801234567897/limites"
    await citizen.press("Cacher")
    assert citizen.status == 422
    assert "Choisissez au moins une sorte de documents" in citizen.words
    await citizen.press("Cacher", categories="BIOLOGIE")
    assert "C’est caché à cette personne." in citizen.words
    assert "Caché en ce moment" in citizen.words
    await citizen.get("/historique")
    assert "Vous avez caché des documents à Charles Muller." in citizen.words
    await citizen.get("/acces/personnes/801234567897/limites")
    await citizen.press("Rendre visible")
    assert "Caché en ce moment" not in citizen.words


async def test_one_document_is_kept_from_one_person_who_no_longer_finds_it(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    await visitors.world.authorise(visitors.world.professional(7))
    await citizen.get(f"/documents/{visitors.document}")
    await citizen.click("Le cacher à une seule personne")
    assert citizen.address == f"/documents/{visitors.document}/limites"
    await citizen.press("Cacher", personne="810000000007")
    assert "C’est caché à cette personne." in citizen.words
    assert "Dr 7 Jusqu’à ce que vous changiez d’avis Caché" in citizen.words
    doctor = await visitors.enter("Julie Martin")
    await doctor.get(f"{visitors.record}/documents/{visitors.document}")
    assert doctor.status == 404
