"""Reports that citizens and professionals send from their pages, and how they reach the desk, on a real record."""

from datetime import date

from msgspec.structs import replace

from ambroise.modules.identity.api import IdentityDesk, identity_of
from ambroise.modules.record.api import ReportKind
from ambroise.trust.context import Operator
from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.journeys.support.portal import Portal
from tests.journeys.support.sample import _id
from tests.journeys.support.visitors import Visitors

OTHER_INS, UNKNOWN_INS = "255081416802538", "283093726199821"


async def test_a_citizen_reports_a_document_that_the_desk_takes_out(visitors: Visitors) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get(f"/documents/{visitors.document}")
    await citizen.click("Ce document n’est pas à moi")
    assert citizen.address == f"/documents/{visitors.document}/signaler"
    await citizen.press("Envoyer le signalement", pourquoi=" ")
    assert citizen.status == 422
    assert "Dites en quelques mots pourquoi ce document n’est pas à vous" in citizen.words
    await citizen.press("Envoyer le signalement", pourquoi="Il porte un autre nom")
    assert citizen.address == f"/documents/{visitors.document}"
    assert "Signalement envoyé." in citizen.words
    assert "Signalé le" in citizen.words
    [made] = await visitors.waiting()
    assert (made.kind, made.subject) == (ReportKind.MISFILED_DOCUMENT, str(visitors.document))
    assert await visitors.traced() == 1

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    assert "« Il porte un autre nom »" in desk.words
    assert str(visitors.document) in desk.words
    await desk.press("Terminer ce signalement", issue="moved_out", note="Il a quitté votre dossier.")
    assert await visitors.waiting() == []
    await citizen.get(f"/documents/{visitors.document}")
    assert citizen.status == 404
    await citizen.get("/historique")
    assert "Nadia Inventée, au guichet, a retiré un document de votre dossier : il n’était pas à vous." in citizen.words
    assert "est intervenu" not in citizen.words


async def test_a_document_is_not_reported_twice_while_the_desk_looks_into_it(visitors: Visitors) -> None:
    page = f"/documents/{visitors.document}"
    citizen = await (await visitors.enter("Dominique Fictive")).get(f"{page}/signaler")
    other_window = await (await visitors.enter("Dominique Fictive")).get(f"{page}/signaler")
    await citizen.press("Envoyer le signalement", pourquoi="Il porte un autre nom")
    await other_window.press("Envoyer le signalement", pourquoi="Encore")
    assert other_window.address == page
    assert "Vous l’avez déjà signalé : le guichet vérifie." in other_window.words
    await citizen.get(f"{page}/signaler")
    assert citizen.address == page
    assert "Ce document n’est pas à moi" not in citizen.words
    [made] = await visitors.waiting()

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    await desk.press("Prendre ce signalement")
    await citizen.get(page)
    assert "Le guichet vérifie auprès de l’auteur." in citizen.words
    await desk.press("Terminer ce signalement", issue="unfounded", note="Ce document est bien le vôtre.")
    await citizen.get(page)
    assert "« Ce document est bien le vôtre. »" in citizen.words
    await citizen.click("Ce document n’est pas à moi")
    assert citizen.address == f"{page}/signaler", "once answered, it may be reported again"
    await citizen.get("/historique")
    assert "signalé par erreur : il reste ici" in citizen.words
    assert "Vous avez signalé que" in citizen.words


async def test_one_s_own_document_is_deleted_not_reported(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get(f"/documents/{_id('carnet')}")
    assert "Ce document n’est pas à moi" not in alice.words


async def test_a_professional_reports_a_document_of_somebody_else(visitors: Visitors) -> None:
    doctor = await (await visitors.enter("Charles Muller")).get(f"{visitors.record}/documents/{visitors.document}")
    await doctor.click("Ce document concerne quelqu’un d’autre")
    await doctor.press("Envoyer le signalement")
    assert "Dites en quelques mots ce qui montre l’erreur" in doctor.words
    await doctor.press("Envoyer le signalement", pourquoi="La date de naissance est une autre")
    assert doctor.address == f"{visitors.record}/documents/{visitors.document}"
    assert "Signalement envoyé au guichet." in doctor.words
    assert "Signalé le" in doctor.words
    [made] = await visitors.waiting()
    assert made.kind is ReportKind.MISFILED_DOCUMENT
    assert made.reported_by == "professional:801234567897"
    assert made.details == {"words": "La date de naissance est une autre"}


async def test_a_professional_reports_a_duplicate_and_the_desk_keeps_either_record(visitors: Visitors) -> None:
    other = await visitors.world.create_space(OTHER_INS)
    doctor = await (await visitors.enter("Charles Muller")).get(visitors.record)
    await doctor.click("Erreur d’identité")
    await doctor.press("Envoyer le signalement", probleme="doublon", matricule=UNKNOWN_INS)
    assert doctor.status == 422
    assert "Aucun dossier n’a cet INS." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="doublon", matricule="2 79 03 51 215 189 89")
    assert "Cet INS est celui du même dossier." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="doublon", matricule="2 55 08 14 168 025 38")
    assert doctor.address == visitors.record
    [made] = await visitors.waiting()
    assert (made.kind, made.subject) == (ReportKind.DUPLICATE_IDENTITY, str(other))

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    assert desk.page.cssselect("#autre")[0].get("value") == str(other)
    kept = str(visitors.world.patient)
    assert kept in desk.words, "either record may be kept"
    await desk.press("Terminer ce signalement", issue="merged", autre=kept, note="Vos dossiers sont réunis.")
    assert await visitors.waiting() == []
    sent = renumbered(LETTER.replace(b"279035121518989", OTHER_INS.encode()), b"2")
    filed = (await visitors.world.submit(visitors.world.author, sent)).documents[0]
    assert filed.patient == visitors.world.patient, "what comes under the other INS goes to the record that is kept"


async def test_a_professional_reports_a_changed_ins_that_the_desk_records(visitors: Visitors) -> None:
    doctor = await (await visitors.enter("Charles Muller")).get(f"{visitors.record}/signaler")
    await doctor.press("Envoyer le signalement", probleme="ins", matricule="255081416802539")
    assert "Ce matricule INS n’est pas valable." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="ins", matricule="279035121518989")
    assert "C’est déjà l’INS de ce dossier." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="ins", matricule=OTHER_INS, precisions="Carte Vitale lue")
    [made] = await visitors.waiting()
    assert made.details == {"words": "Carte Vitale lue", "matricule": OTHER_INS}
    assert await visitors.traced() == 1

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    assert desk.page.cssselect("#autre")[0].get("value") == OTHER_INS
    await desk.press("Terminer ce signalement", issue="ins_changed", note="C’est fait.")
    await doctor.get(f"/pro/patients?q={OTHER_INS}")
    assert doctor.address == visitors.record


async def test_a_professional_asks_for_a_trait_to_be_corrected_and_the_desk_corrects_it(visitors: Visitors) -> None:
    doctor = await (await visitors.enter("Charles Muller")).get(f"{visitors.record}/signaler")
    await doctor.press("Envoyer le signalement", probleme="traits")
    assert doctor.status == 422
    for missing in ("Cochez au moins un trait", "Choisissez la pièce d’identité", "Écrivez ce que dit la pièce"):
        assert missing in doctor.words
    assert "Donnez ce matricule INS" not in doctor.words
    told = {"traits": ["birth_date", "birth_place"], "piece": "PA", "precisions": "Née le 29 mars 1979 à Tours"}
    await doctor.press("Envoyer le signalement", probleme="traits", **told)
    assert doctor.address == visitors.record
    await doctor.get(f"{visitors.record}/signaler")
    await doctor.press("Envoyer le signalement", probleme="traits", **told)
    assert "Vous l’avez déjà signalé" in doctor.words
    [made] = await visitors.waiting()
    assert made.kind is ReportKind.WRONG_TRAITS
    assert made.details == {"words": told["precisions"], "traits": told["traits"], "proof": "PA"}

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    for shown in ("date de naissance, lieu de naissance", "Passeport", "« Née le 29 mars 1979 à Tours »"):
        assert shown in desk.words
    ended = {"issue": "traits_corrected", "note": "C’est corrigé."}
    await desk.press("Terminer ce signalement", **ended)
    assert "Corrigez d’abord les traits" in desk.words, "a report does not say what was not done"
    world = visitors.world
    officer = world.context(Operator("desk-2", "Identités", frozenset({"identity"})))
    async with world.database.transaction() as tx:
        known = await identity_of(tx, world.patient)
        assert known is not None
        traits = replace(known.traits, birth_date=date(1979, 3, 29))
        await IdentityDesk(world.gateway).corrected(tx, officer, world.patient, traits, "Passeport vu")
    await desk.press("Terminer ce signalement", **ended)
    assert await visitors.waiting() == []
    citizen = await (await visitors.enter("Dominique Fictive")).get("/historique")
    assert "a demandé de corriger votre identité" in citizen.words
    assert "a corrigé votre identité, comme on l’avait demandé" in citizen.words
