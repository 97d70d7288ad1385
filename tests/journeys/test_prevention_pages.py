"""The agenda of a citizen: what is due and why, noted as done, taken back; a pregnancy; advice. Then in Chromium."""

from datetime import date, timedelta

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.modules.prevention.api import Checkups, Prevention, remind
from ambroise.trust.context import Context
from tests.journeys.support.browser import faults, needs_chromium
from tests.journeys.support.strict import StrictClient
from tests.journeys.support.versions import follow_each_other
from tests.journeys.support.visitors import Visitors
from tests.journeys.test_synthesis_pages import qualified
from tests.journeys.test_vaccination_pages import signed
from tests.support.schematron import check_cda


async def with_rules(visitors: Visitors) -> Prevention:
    prevention = Prevention(visitors.world.gateway)
    async with visitors.world.database.transaction() as tx:
        await prevention.install(tx, visitors.world.system)
        await prevention.refresh(tx, visitors.world.patient, visitors.world.system)
    return prevention


async def test_what_is_due_is_shown_with_its_reason_and_noted_as_done(visitors: Visitors) -> None:
    await with_rules(visitors)
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/accueil")
    assert "Prévention : à faire" in citizen.words
    await citizen.get("/agenda")
    assert "Bilan prévention 45-50 ans À faire avant le" in citizen.words
    await citizen.click("Bilan prévention 45-50 ans")
    assert "D’après : CSP L. 1411-6-2" in citizen.words
    await citizen.press("C’est fait ce jour-là", date="2999-01-01")
    assert citizen.status == 422
    assert "Donnez un jour entre la naissance et aujourd’hui." in citizen.words
    await citizen.press("C’est fait ce jour-là", date="2025-12-24")
    assert "C’est noté." in citizen.words
    assert "24 décembre 2025 Bilan prévention 45-50 ans" in citizen.words
    await citizen.click("Bilan prévention 45-50 ans")
    assert "Noté par vous" in citizen.words
    await citizen.press("Reprendre ce que j’ai noté")
    await citizen.press("Pas fait, ne plus me le rappeler")
    assert "Nous ne vous le rappelons plus" in citizen.words
    ics = await citizen.http.get("/agenda/acte.ics?quoi=checkup.60-65")
    assert ics.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:Bilan prévention 60-65 ans\r\n" in ics.text
    await citizen.get("/agenda/grossesse")
    await citizen.press("Enregistrer", terme="2999-01-01")
    assert "elle est dans les 42 semaines qui viennent" in citizen.words
    expected = date.fromordinal(visitors.world.clock.now().toordinal() + 100)
    await citizen.press("Enregistrer", terme=expected.isoformat())
    assert "L’agenda suit cette grossesse." in citizen.words
    assert "Examen bucco-dentaire de la grossesse" in citizen.words
    await citizen.click("Zéro alcool pendant la grossesse")
    assert "1000 premiers jours" in citizen.words
    await citizen.get("/agenda/grossesse")
    await citizen.press("Noter la naissance", naissance="2999-01-01")
    assert "Vérifiez le jour de la naissance" in citizen.words
    await citizen.press("Noter la naissance", naissance=visitors.world.clock.now().date().isoformat())
    assert "L’agenda suit les semaines d’après la naissance." in citizen.words
    await citizen.get("/agenda/grossesse")
    await citizen.press("Ne plus suivre cette grossesse")
    assert "L’agenda ne suit plus cette grossesse." in citizen.words
    await citizen.get("/agenda/acte?quoi=screening.cervix-hpv")
    await citizen.press("Cela ne me concerne pas")
    assert "Suivi à part" in citizen.words
    await citizen.get("/agenda")
    assert "Suivi à part (1)" in citizen.words


@needs_chromium
async def test_the_agenda_is_accessible_and_fits(visitors: Visitors) -> None:
    await with_rules(visitors)
    addresses = ["/accueil", "/agenda", "/agenda/acte?quoi=checkup.45-50", "/agenda/bilan?tranche=45-50"]
    assert await faults(visitors.application, "Dominique Fictive", addresses) == []


async def test_the_rule_author_drafts_previews_publishes_and_withdraws(visitors: Visitors) -> None:
    await with_rules(visitors)
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/prevention")
    await desk.click("Bilan prévention 45-50 ans")
    await desk.click("Changer cette règle")
    await desk.press("Garder le brouillon et voir ce qu’il changerait", raison="Essai")
    assert "Ce brouillon ne change rien à la version en vigueur." in desk.words
    await desk.press("Garder le brouillon et voir ce qu’il changerait", raison="Essai", calendrier='{"plan": {}}')
    assert "Ce texte n’est pas une règle" in desk.words
    plan = '{"plan": {"type": "window", "from": "55y", "until": "60y"}}'
    await desk.press("Garder le brouillon et voir ce qu’il changerait", raison="Essai", calendrier=plan)
    assert "plan.from45y55y" in desk.words
    assert "moins de 11 aujourd’hui, moins de 11 avec le brouillon" in desk.words, "a small count is not given"
    assert "Dominique" not in desk.words
    await desk.press("Publier à cette date", effet=visitors.world.clock.now().date().isoformat())
    assert "Une version prend effet demain au plus tôt" in desk.words
    later = date.fromordinal(visitors.world.clock.now().toordinal() + 3)
    await desk.press("Publier à cette date", effet=later.isoformat())
    assert "Version 2 À venir" in desk.words
    await desk.press("Retirer la version 2")
    assert "Version 2 Retirée" in desk.words
    async with visitors.world.database.reader() as reader:
        traced = await reader.fetch_all("select event from trace where event like 'prevention%%' order by xid, id")
    assert [event for (event,) in traced] == [
        "prevention_rule_drafted",
        "prevention_rule_published",
        "prevention_rule_withdrawn",
    ]
    citizen = await (await visitors.enter("Dominique Fictive")).get("/guichet/prevention")
    assert citizen.status == 403


async def test_a_rule_is_written_published_and_ended_at_its_dates(visitors: Visitors) -> None:
    prevention, clock = await with_rules(visitors), visitors.world.clock
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/prevention")
    await desk.click("Nouvelle règle")
    rule = {
        "nom": "depistage.vue",
        "sorte": "EXAMEN_DEPISTAGE",
        "titre": "Dépistage de la vue",
        "titre_en": "Eye screening",
        "pourquoi": "Voir tôt ce qui se soigne.",
        "pourquoi_en": "See early what can be treated.",
        "source": "Essai de source",
        "date": "2025-01-01",
        "modele": "repeat",
        "de": "40y",
        "a": "60 ans",
        "raison": "Essai",
    }
    await desk.press("Garder le brouillon et voir ce qu’il changerait", **rule)
    assert "Donnez l’intervalle" in desk.words
    assert "50y pour 50 ans" in desk.words
    await desk.press("Garder le brouillon et voir ce qu’il changerait", **{**rule, "tous": "2y", "a": "30y"})
    assert "L’âge de la fin vient après celui du début" in desk.words
    await desk.press("Garder le brouillon et voir ce qu’il changerait", **{**rule, "tous": "2y", "a": "60y"})
    assert "0 aujourd’hui, moins de 11 avec le brouillon" in desk.words, desk.words

    async def asked() -> list[str]:
        world = visitors.world
        async with world.database.reader() as reader:
            return [one.key for one in (await prevention.calendar(reader, world.citizen, world.patient)).items]

    await desk.press("Publier à cette date", effet=date.fromordinal(clock.now().toordinal() + 1).isoformat())
    assert "Version 1 À venir" in desk.words
    assert not any(key.startswith("depistage.vue") for key in await asked()), "it holds from tomorrow"
    clock.move(timedelta(days=2))
    assert any(key.startswith("depistage.vue") for key in await asked())
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/prevention/regle?regle=depistage.vue")
    await desk.press("Préparer l’arrêt", raison="Plus recommandé")
    assert "moins de 11 aujourd’hui, 0 avec le brouillon" in desk.words
    await desk.press("Publier à cette date", effet=date.fromordinal(clock.now().toordinal() + 1).isoformat())
    assert "Version 2 À venir" in desk.words
    assert "Plus recommandé" in desk.words
    clock.move(timedelta(days=2))
    assert not any(key.startswith("depistage.vue") for key in await asked())
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/prevention/regle?regle=depistage.vue")
    assert "Arrêtée depuis le" in desk.words
    await desk.press("Reprendre la version 1")
    assert "Retour à la version 1" in desk.words
    await desk.press("Publier à cette date", effet=date.fromordinal(clock.now().toordinal() + 1).isoformat())
    clock.move(timedelta(days=2))
    assert any(key.startswith("depistage.vue") for key in await asked()), "undone, by a version of its own"
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/prevention/nouvelle")
    await desk.press("Garder le brouillon et voir ce qu’il changerait", **{**rule, "tous": "2y", "a": "60y"})
    assert "Une règle, ou un brouillon, porte déjà ce nom." in desk.words
    clock.move(timedelta(days=60))
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/prevention")
    assert "Campagnes terminées" in desk.words
    await desk.click("Grippe")
    assert "donner les dates de la suivante" in desk.words


async def test_a_check_up_is_prepared_as_a_draft_then_shared_with_who_may_read(visitors: Visitors) -> None:
    checkups = Checkups(await with_rules(visitors))
    world = visitors.world
    await qualified(visitors)
    citizen = await (await visitors.enter("Dominique Fictive")).get("/agenda/acte?quoi=checkup.45-50")
    await citizen.click("Préparer mon bilan")
    assert "Combien de cigarettes par jour ?" not in citizen.words
    assert "Êtes-vous tombé dans l’année ?" not in citizen.words, "a question of other ages"
    for asked in ("vaccins", "dépistage", "cannabis", "logement", "sécurité chez vous", "ménopause", "aidez-vous"):
        assert asked in citizen.words.replace("Aidez-vous", "aidez-vous"), "each theme of the national form"
    await citizen.press("Garder mon brouillon", tobacco="oui", activity="90")
    assert "Brouillon gardé. Vous seul le voyez." in citizen.words
    assert "Combien de cigarettes par jour ?" in citizen.words

    async def seen(ctx: Context) -> list[tuple[bool, str]]:
        async with world.database.reader() as reader:
            return [(one.shared, one.answers["tobacco"]) for one in await checkups.filled(reader, ctx, world.patient)]

    assert await seen(world.citizen) == [(False, "oui")]
    assert await seen(world.author) == [], "a draft is nobody else's"
    await citizen.press("Partager avec mes soignants", **{"tobacco": "oui", "tobacco-count": "5"})
    assert "avec vos soignants autorisés" in citizen.words
    assert await seen(world.author) == [(True, "oui")]
    with pytest.raises(Refusal):
        await seen(world.professional(3))
    doctor = await (await visitors.enter("Charles Muller")).get(f"{visitors.record}/prevention")
    assert "Combien de cigarettes par jour" in doctor.words
    plan = {"priorite1": "Arrêter de fumer", "objectif1": "Cinq cigarettes de moins", "action1": "Rappel dTP"}
    await doctor.press("Signer et remettre le plan", **plan, sorte1="vaccin", quand1="2001-01-01", signe="y")
    assert "Donnez un jour à venir" in doctor.words
    await doctor.press("Signer et remettre le plan", **plan, sorte1="vaccin", quand1="2099-01-01")
    assert "Document déposé." in doctor.words, doctor.words
    await doctor.get(doctor.address.replace("/depose/", "/documents/"))
    assert "Plan personnalisé de prévention" in doctor.words
    (content,) = await signed(visitors, "83869-8")
    assert [str(one) for one in check_cda(content)] == []
    assert "Bilan prévention 45-50 ans" in content.decode()
    await doctor.get(f"{visitors.record}/prevention")
    assert "Vaccin : Rappel dTP" in doctor.words
    assert "Ce plan remplacera le vôtre" in doctor.words
    await follows_a_plan(visitors, doctor)
    await doctor.get(f"{visitors.record}/prevention")
    await doctor.press("Signer et remettre le plan", priorite1="Bouger", objectif1="Marcher", signe="y")
    await doctor.get(f"{visitors.record}/prevention")
    assert "Bouger : Marcher" in doctor.words
    assert "Rappel dTP" not in doctor.words, "the second plan replaced the first"
    await doctor.press("Signer et remettre le plan", priorite1="Dormir", objectif1="Se coucher tôt", signe="y")
    await follow_each_other(visitors, "83869-8", 3)
    await citizen.get("/agenda/acte?quoi=checkup.45-50")
    assert "Vu dans un document de votre dossier" in citizen.words
    stranger = await (await visitors.enter("Julie Martin")).get(f"{visitors.record}/prevention")
    assert stranger.status == 403
    assert "cigarettes" not in stranger.words
    await citizen.get("/agenda/bilan?tranche=45-50")
    await citizen.press("Ranger une copie dans mes documents", tobacco="oui")
    assert "Copie rangée dans vos documents" in citizen.words
    await citizen.get("/documents?categorie=QUEST_SANTE")
    assert "Questionnaire avant mon bilan prévention" in citizen.words
    await citizen.get("/agenda/bilan?tranche=45-50")
    await citizen.press("Ne plus partager")
    assert await seen(world.author) == []
    assert await seen(world.citizen) == [(False, "oui")]


async def follows_a_plan(visitors: Visitors, doctor: StrictClient) -> None:
    """The person says where they stand: their own, then shared; three months later they are asked once."""
    world, prevention = visitors.world, Prevention(visitors.world.gateway)
    citizen = await (await visitors.enter("Dominique Fictive")).get("/agenda/plan")
    assert "0 sur 2 : faits" in citizen.words
    await citizen.press("Enregistrer", **{"ligne-0": "going", "ligne-1": "done"})
    assert "C’est noté, pour vous seul." in citizen.words
    assert "1 sur 2 : faits" in citizen.words
    await doctor.get(f"{visitors.record}/prevention")
    assert "En cours" not in doctor.words, "what is not shared is nobody else's"
    await citizen.press("Enregistrer", **{"ligne-0": "going", "ligne-1": "done", "partager": "oui", "mots": "Ça va"})
    await doctor.get(f"{visitors.record}/prevention")
    assert "En cours" in doctor.words
    assert "« Ça va »" in doctor.words
    await citizen.get("/agenda")
    assert "Mon plan de prévention" in citizen.words
    start = world.clock.now()
    told: list[int] = []
    for months in (2, 3, 3, 5, 6):
        world.clock.set(start + timedelta(days=31 * months))
        async with world.database.transaction() as tx:
            await tx.execute("update prevention_watch set next_at = '2020-01-01'")
        await remind(world.database, prevention, world.clock, shards=range(1024))
        async with world.database.reader() as reader:
            query = "select count(*) from notification where code = 'SUIVI_PLAN_PREVENTION'"
            told.append(await reader.fetch_value(query))
    assert told == [0, 1, 1, 1, 2]
    world.clock.set(start)
