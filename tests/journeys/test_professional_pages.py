"""The professional's and the desk's pages, without scripts, over the sample record."""

from ambroise.interfaces.web.professional.views import Standing
from tests.journeys.support.portal import Portal
from tests.journeys.support.sample import ALICE, PDF, _id

RECORD = f"/pro/patients/{ALICE}"
CLOSED = Standing(allowed=False, rule="not_authorised")


async def test_a_patient_is_found_by_ins_or_by_every_trait(portal: Portal) -> None:
    doctor = await portal.as_person("Dr Camille Fictif")
    await doctor.press("Chercher", nom="Fictive")
    assert doctor.address == "/pro/patients"
    await doctor.press("Chercher", nom="Fictive", ins="")
    assert "Donnez l’INS, ou bien le nom" in doctor.words
    await doctor.press("Chercher", nom="Fictive", prenom="Alice", naissance="1983-09-14", sexe="female")
    assert doctor.address == RECORD
    await doctor.get("/pro/patients?q=2 83 09 37 261 998 21")
    assert doctor.address == RECORD


async def test_the_record_shows_who_what_and_a_preview(portal: Portal) -> None:
    doctor = await (await portal.as_person("Dr Camille Fictif")).get(RECORD)
    banner = " ".join(doctor.page.cssselect(".patient")[0].text_content().replace("\u00a0", " ").split())
    assert "FICTIVE Alice 42 ans, femme" in banner
    assert "INS 2 83 09 37 261 998 21" in banner
    assert "Médecin traitant : vous" in banner
    await doctor.click("Bilan sanguin")
    preview = doctor.page.cssselect("#apercu-zone")[0].text_content()
    assert "Au-dessus" in preview
    assert "Vous le lisez comme médecin traitant." in preview
    await doctor.click("Ouvrir")
    assert "Texte du document" not in doctor.words
    assert "Équilibre en amélioration." in doctor.words


async def test_a_refusal_gives_its_rule_and_the_lawful_ways_on(portal: Portal) -> None:
    portal.record.standing_now = CLOSED
    doctor = await (await portal.as_person("Dr Camille Fictif")).get(RECORD)
    assert doctor.status == 403
    assert "Règle appliquée : accord du patient." in doctor.words
    assert portal.record.said == [f"attempt {ALICE}"], "the attempt is traced"
    await doctor.click("Recueillir son accord")
    await doctor.press("Enregistrer son accord")
    assert "Cochez pour dire que la personne accepte" in doctor.words
    await doctor.press("Enregistrer son accord", informe="y")
    assert doctor.address == RECORD
    assert "Accord enregistré." in doctor.words


async def test_an_emergency_asks_why_and_stays_on_screen_while_it_lasts(portal: Portal) -> None:
    portal.record.standing_now = CLOSED
    doctor = await (await portal.as_person("Dr Camille Fictif")).get(RECORD)
    await doctor.press("Ouvrir le dossier en urgence", situation="danger")
    assert "Écrivez pourquoi la vie de la personne est en danger" in doctor.words
    await doctor.press("Ouvrir le dossier en urgence", situation="danger", motif="Perte de connaissance")
    assert doctor.address == RECORD
    assert "jusqu’à" in doctor.page.cssselect(".band.emergency")[0].text_content()
    await doctor.press("Fermer l’accès")
    assert doctor.status == 403


async def test_an_emergency_that_the_person_refuses_stays_closed(portal: Portal) -> None:
    portal.record.standing_now = CLOSED
    portal.record.choices = type(portal.record.choices)(call_centre=True, break_glass=False, masked=False)
    doctor = await (await portal.as_person("Dr Camille Fictif")).get(f"{RECORD}/urgence")
    await doctor.press("Ouvrir le dossier en urgence", situation="danger", motif="Perte de connaissance")
    assert doctor.status == 422
    assert "Cette personne refuse l’accès en urgence." in doctor.words


async def test_a_deposit_goes_in_two_steps(portal: Portal) -> None:
    doctor = await (await portal.as_person("Dr Camille Fictif")).get(f"{RECORD}/deposer")
    await doctor.press("Continuer", titre="Consultation", date="2026-03-14")
    assert "Étape 2 sur 2" in doctor.words
    assert "FICTIVE Alice, 14/09/1983" in doctor.words
    file = {"fichiers": ("cr.pdf", PDF, "application/pdf")}
    await doctor.press("Déposer", file)
    assert "choisissez un type, puis déposez-le de nouveau" in doctor.words
    await doctor.press("Corriger")
    await doctor.press("Continuer", titre="Consultation", type="11488-4", date="2026-03-14")
    await doctor.press("Déposer", file)
    assert "Document déposé" in doctor.words
    assert portal.record.said == ["deposit Consultation", "deposit Consultation"]


async def test_chosen_documents_are_taken_away_as_one_file(portal: Portal) -> None:
    for person, address in (("Dr Camille Fictif", f"{RECORD}/exporter"), ("Alice Fictive", "/documents/emporter")):
        visitor = await (await portal.as_person(person)).get(address)
        await visitor.press("Télécharger le fichier ZIP")
        assert "Choisissez au moins un document." in visitor.words
    assert portal.record.said == []


async def test_content_is_shown_inline_or_kept_never_run(portal: Portal) -> None:
    doctor = await portal.as_person("Dr Camille Fictif")
    answer = await doctor.http.get(f"{RECORD}/documents/{_id('irm')}/fichier")
    assert answer.headers["content-disposition"].startswith("inline")
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    kept = await doctor.http.get(f"{RECORD}/documents/{_id('irm')}/fichier?telecharger=1")
    assert kept.headers["content-disposition"].startswith("attachment")


async def test_the_place_of_work_can_change(portal: Portal) -> None:
    doctor = await (await portal.as_person("Dr Camille Fictif")).get("/reglages")
    await doctor.press("Enregistrer", situation="1")
    assert "Hôpital Imaginaire" in doctor.page.cssselect("header.top")[0].text_content()


async def test_the_desk_takes_and_ends_a_report(portal: Portal) -> None:
    desk = await portal.as_person("Nadia Inventée")
    await desk.click("Accès non reconnu")
    await desk.click("Accès non reconnu")
    assert "« Je ne connais pas ce médecin. »" in desk.words
    await desk.press("Prendre ce signalement")
    assert "Signalement pris en charge." in desk.words
    await desk.press("Terminer ce signalement", issue="access_explained")
    assert "Écrivez ce que vous répondez à la personne" in desk.words
    await desk.press("Terminer ce signalement", issue="access_explained", note="Ce médecin vous a reçu aux urgences.")
    assert portal.record.ended
    assert "Rien dans cette file" in desk.words
