"""The citizen's pages, without scripts, over the sample record."""

from tests.journeys.support.portal import Portal
from tests.journeys.support.sample import PDF, _id


async def test_home_tells_what_waits_and_who_looked(portal: Portal) -> None:
    alice = await portal.as_person("Alice Fictive")
    assert alice.address == "/accueil"
    assert "6 choses vous attendent" in alice.words
    assert "Votre dossier a été ouvert en urgence" in alice.words
    assert (
        "Pharmacie <Inventée>, pharmacie, Tours, a lu « Bilan sanguin » du 3 mars 2026, avec votre accord."
        in alice.words
    )


async def test_the_timeline_says_who_can_see_each_document(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/documents")
    assert "Mars 2026" in alice.words
    assert "Bilan avec ma psychologue Comptes rendus · Ajouté par vous Masqué aux professionnels" in alice.words
    await alice.press("Chercher", mots="irm")
    assert "1 document trouvé" in alice.words
    await alice.get("/documents?mots=rien-de-tel")
    assert "Aucun document ne correspond" in alice.words


async def test_a_result_shows_its_figures_its_curve_and_who_may_read_it(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get(f"/documents/{_id('bilan')}")
    assert "Référence : 4,0 à 6,0 % 6,7 % Au-dessus 4,0 à 6,0 % 7,1 %" in alice.words
    assert "7,6 % en mars 2024" in alice.words, "the drawing is told in words too"
    assert "Dr Anne Imaginaire ne peut pas le voir. Vous l’avez bloqué" in alice.words


async def test_masking_asks_first_acts_and_can_be_undone(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get(f"/documents/{_id('irm')}")
    await alice.click("Masquer ce document")
    assert "Il restera fermé même en cas d’urgence" in alice.words
    await alice.press("Masquer le document")
    assert "Document masqué." in alice.words
    assert "Masqué aux professionnels" in alice.words
    await alice.press("Annuler")
    assert "Document de nouveau visible" in alice.words


async def test_a_document_is_added_and_what_was_typed_survives_a_mistake(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/documents/ajouter")
    await alice.press("Ajouter le document", titre="Radio du poignet", categorie="RADIO_SC")
    assert alice.status == 422
    assert alice.page.findtext(".//title").startswith("Erreur")
    assert "Choisissez un fichier ou prenez une photo" in alice.words
    assert alice.page.cssselect("#titre")[0].get("value") == "Radio du poignet"
    file = {"fichier": ("radio.pdf", PDF, "application/pdf")}
    await alice.press("Ajouter le document", file, titre="Radio du poignet", categorie="RADIO_SC", visible="moi")
    assert "Document ajouté." in alice.words
    await alice.get("/documents")
    assert "Radio du poignet Radio, écho, scanner, IRM · Ajouté par vous Masqué aux professionnels" in alice.words


async def test_a_refused_file_says_what_to_do(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/documents/ajouter")
    bad = {"fichier": ("x.pdf", PDF + b"/JavaScript", "application/pdf")}
    await alice.press("Ajouter le document", bad, titre="Un titre", categorie="AUTR_DOC")
    assert "Ce fichier contient un programme" in alice.words


async def test_access_is_said_in_words_and_changed_at_once(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/acces?metier=infirmier")
    assert "Infirmier, avec votre accord, peut lire Résultats de biologie" in alice.words
    assert "Sauf : synthèse psychiatrique" in alice.words
    await alice.click("Modifier l’accès : Pharmacie Inventée")
    await alice.press("Bloquer")
    assert portal.record.said == ["block 1370000001"]
    assert "Personne bloquée" in alice.words
    await alice.click("Changer : accès du Samu")
    await alice.press("Enregistrer mes choix", samu="non")
    assert not portal.record.choices.call_centre
    assert portal.record.choices.break_glass


async def test_somebody_is_found_in_the_directory_and_authorised(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/acces/chercher")
    await alice.press("Chercher", nom="julien")
    await alice.press("Autoriser : Dr Julien Fictif")
    assert portal.record.said == ["authorise 810000000004"]


async def test_seeing_as_somebody_else_tells_what_is_hidden(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/acces/comme?qui=1370000001")
    assert "3 documents visibles, 3 cachés." in alice.words
    await alice.get("/acces/comme?qui=inconnu")
    assert "Cette personne ne voit rien de votre dossier : vous ne l’avez pas autorisé." in alice.words


async def test_the_history_is_sentences_that_one_can_filter_and_export(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/historique")
    assert "Vous avez masqué « Bilan avec ma psychologue »." in alice.words
    assert "L’accès a été refusé : vous ne l’avez pas autorisé." in alice.words
    assert "a lu 4 documents, en accès d’urgence. Motif écrit : « Perte de connaissance. »" in alice.words
    await alice.click("Refus")
    assert "Camille" not in alice.words
    token = alice.page.cssselect("input[name=jeton]")[0].get("value")
    export = await alice.http.post("/historique.csv", data={"jeton": token})
    assert export.text.count("\n") == 6
    assert "Dr Julien Fictif;dermatologue;Tours" in export.text


async def test_an_access_not_recognised_is_reported(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/historique")
    await alice.click("Je ne reconnais pas cet accès")
    await alice.press("Envoyer le signalement", pourquoi=" ")
    assert "Dites en quelques mots ce qui vous étonne" in alice.words
    await alice.press("Envoyer le signalement", pourquoi="Je ne la connais pas")
    assert "Signalement envoyé." in alice.words
    assert "Signalé : nous vérifions" in alice.words


async def test_acting_for_a_child_is_always_on_screen(portal: Portal) -> None:
    alice = await portal.as_person("Alice Fictive")
    await alice.press("Léo Fictif")
    assert "Vous agissez pour Léo Fictif." in alice.page.cssselect(".band")[0].text_content()
    await alice.get("/documents")
    assert alice.page.cssselect(".band")
    await alice.press("Revenir à mon dossier")
    assert not alice.page.cssselect(".band")


async def test_a_citizen_cannot_open_a_space_that_is_not_theirs(portal: Portal) -> None:
    alice = await portal.as_person("Alice Fictive")
    token = alice.page.cssselect("input[name=jeton]")[0].get("value")
    await alice.post("/dossier", {"jeton": token, "dossier": "0197a000-0000-7000-8000-00000000ffff"})
    assert alice.status == 403
