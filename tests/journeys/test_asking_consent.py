"""A professional asks a patient who is not there; the patient answers from home, and may change their mind."""

from datetime import timedelta

from ambroise.modules.consent.api import limits
from ambroise.trust.access.people import Party
from tests.journeys.support.visitors import Visitors


async def test_a_patient_finds_the_request_accepts_it_and_undoes_it(visitors: Visitors) -> None:
    stranger = await (await visitors.enter("Julie Martin")).get(visitors.record)
    assert stranger.status == 403
    await stranger.click("Demander à distance")
    await stranger.press("Envoyer la demande", raison=" ")
    assert "Écrivez pourquoi vous demandez son accord" in stranger.words
    await stranger.press("Envoyer la demande", raison="Je prépare votre consultation")
    assert "Demande envoyée." in stranger.words
    assert "Sans réponse pour l’instant" in stranger.words
    await stranger.get("/pro/patients")
    assert "Sans réponse pour l’instant" in stranger.words
    await stranger.get(f"{visitors.record}/documents/{visitors.document}")
    assert stranger.status == 404, "asking gives no right, and tells of no document"

    citizen = await visitors.enter("Dominique Fictive")
    assert "Julie Martin vous demande votre accord" in citizen.words
    await (await citizen.get("/acces")).click("Répondre")
    assert "« Je prépare votre consultation »" in citizen.words
    await citizen.press("Accepter")
    assert "Accord donné." in citizen.words
    await stranger.get(visitors.record)
    assert stranger.status == 200

    await citizen.press("Annuler")
    assert "Réponse annulée." in citizen.words
    await stranger.get(visitors.record)
    assert stranger.status == 403
    await citizen.press("Refuser")
    assert "Demande refusée." in citizen.words
    await stranger.get(visitors.record)
    assert "La personne a refusé" in stranger.words
    assert "Demander à distance" not in stranger.words, "not again so soon"
    await citizen.get("/historique")
    assert "vous a demandé votre accord pour lire votre dossier" in citizen.words
    assert "Vous avez refusé la demande d’accord de Julie Martin." in citizen.words


async def test_a_blocked_professional_sees_what_anybody_without_consent_sees(visitors: Visitors) -> None:
    before = await (await visitors.enter("Julie Martin")).get(visitors.record)
    plain = before.words
    world = visitors.world
    async with world.database.transaction() as tx:
        await world.gateway.rights.block(tx, world.citizen, world.patient, Party("810000000007", "Julie Martin"))
    stranger = await (await visitors.enter("Julie Martin")).get(visitors.record)
    assert stranger.words == plain
    await stranger.get(f"{visitors.record}/demande")
    await stranger.press("Envoyer la demande", raison="Je prépare votre consultation")
    assert "Sans réponse pour l’instant" in stranger.words
    await stranger.get(f"{visitors.record}/accord")
    await stranger.press("Enregistrer son accord", informe="y")
    assert "bloqu" not in stranger.words
    await stranger.get(f"{visitors.record}/urgence")
    await stranger.press("Ouvrir le dossier en urgence", situation="danger", motif="Malaise")
    assert "Cette personne refuse l’accès en urgence" in stranger.words
    assert "bloqu" not in stranger.words

    citizen = await visitors.enter("Dominique Fictive")
    assert "vous demande votre accord" not in citizen.words
    await citizen.get("/historique")
    assert "La demande a été écartée : vous l’avez bloqué." in citizen.words
    world.clock.move(limits().lasts + timedelta(minutes=1))
    stranger = await (await visitors.enter("Julie Martin")).get(visitors.record)
    assert "Restée sans réponse" in stranger.words
