"""A professional records consents for a care team and for another; the patient sees who did, and ends them."""

import pytest

from ambroise.modules.directory.api import ProfessionalEntry, register
from ambroise.trust.access.people import Party
from tests.journeys.support.visitors import Visitors

JULIE, HUGO = "810000000007", "810100000014"


@pytest.fixture
async def known(visitors: Visitors) -> Visitors:
    """Two colleagues whom the directory knows; the author of the document reads the record already."""
    world = visitors.world
    async with world.database.transaction() as tx:
        for id, family, given, profession in ((JULIE, "MARTIN", "Julie", "10"), (HUGO, "IMAGINE", "Hugo", "38")):
            entry = ProfessionalEntry(id[1:], family, given, profession, label="Médecin", test_identity=True)
            await register(tx, world.system, world.gateway, entry, [])
    return visitors


async def test_the_first_consent_covers_the_team_that_the_patient_sees_and_ends(known: Visitors) -> None:
    doctor = await (await known.enter("Charles Muller")).get(f"{known.record}/accord")
    await doctor.click("Accord pour l’équipe")
    await doctor.press("Enregistrer l’accord pour l’équipe", informe="y")
    assert "Cherchez et choisissez au moins une personne" in doctor.words
    await doctor.press("Chercher", nom="hugo")
    await doctor.press("Chercher", nom="julie", membre=HUGO)
    await doctor.press("Enregistrer l’accord pour l’équipe", membre=[HUGO, JULIE])
    assert "Cochez pour dire que la personne accepte" in doctor.words
    await doctor.press("Enregistrer l’accord pour l’équipe", informe="y")
    assert "Le patient voit le nom de chacun." in doctor.words
    assert "Hugo Imagine · accord enregistré par Charles Muller le" in doctor.words

    member = await (await known.enter("Julie Martin")).get(known.record)
    assert member.status == 200
    citizen = await known.enter("Dominique Fictive")
    assert "Charles Muller, pour Hugo Imagine, Julie Martin" in citizen.words
    await citizen.get("/historique")
    assert "a enregistré votre accord pour son équipe de soins : Charles Muller, Hugo Imagine, Julie Martin." in (
        citizen.words
    )
    await citizen.get("/acces")
    assert "Équipe de soins Fait partie de l’équipe qui vous soigne." in citizen.words
    await citizen.get(f"/acces/personnes/{HUGO}")
    assert "Accord enregistré par Charles Muller le" in citizen.words
    await citizen.press("Retirer l’accès à l’équipe")
    assert "Accès retiré à toute l’équipe de soins." in citizen.words
    assert "Hugo" not in citizen.words
    await member.get(known.record)
    assert member.status == 403
    await doctor.get(known.record)
    assert doctor.status == 200, "what the patient gave him by himself stays"
    await citizen.get("/historique")
    assert "Vous avez retiré l’accès d’une équipe de soins" in citizen.words


async def test_who_reads_may_record_the_consent_for_another_who_was_not_blocked(known: Visitors) -> None:
    stranger = await (await known.enter("Julie Martin")).get(f"{known.record}/accord/autre")
    assert "il faut d’abord avoir le sien" in stranger.words
    await stranger.get(f"{known.record}/accord")
    assert "Pour un autre professionnel" not in stranger.words

    doctor = await (await known.enter("Charles Muller")).get(f"{known.record}/accord/autre")
    await doctor.press("Chercher", nom="julie")
    await doctor.press("Enregistrer cet accord", membre=JULIE, informe="y")
    assert "Le patient voit que c’est vous qui l’avez recueilli." in doctor.words
    await stranger.get(known.record)
    assert stranger.status == 200
    citizen = await (await known.enter("Dominique Fictive")).get(f"/acces/personnes/{JULIE}")
    assert "Accord enregistré par Charles Muller le" in citizen.words
    await citizen.press("Bloquer")

    said = doctor.words
    await doctor.get(f"{known.record}/accord/autre")
    await doctor.press("Chercher", nom="julie")
    await doctor.press("Enregistrer cet accord", membre=JULIE, informe="y")
    assert doctor.words == said, "nothing tells that the patient blocked her"
    await stranger.get(known.record)
    assert stranger.status == 403
    await citizen.get("/historique")
    assert "a voulu enregistrer votre accord pour Julie Martin. Il ne compte pas : vous l’avez bloqué." in citizen.words


async def test_a_consent_without_the_page_follows_the_same_rules(known: Visitors) -> None:
    world = known.world
    stranger = await known.enter("Julie Martin")
    page = await stranger.get(f"{known.record}/accord/equipe")
    token = page.page.cssselect("input[name=jeton]")[0].get("value")
    sent = {"jeton": token, "geste": "enregistrer", "informe": "y", "membre": "810000000099"}
    await stranger.post(f"{known.record}/accord/equipe", sent)
    assert stranger.status == 422, "nobody whom the directory does not know"
    await stranger.post(f"{known.record}/accord/autre", {**sent, "membre": HUGO})
    assert stranger.status in (403, 422)
    async with world.database.reader() as reader:
        query = "select count(*) from access_grant where patient = %s and actor = %s"
        assert await reader.fetch_value(query, (world.patient, Party(HUGO).key)) == 0
