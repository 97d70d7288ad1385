"""Opening an account by the pages alone, without script, up to a signed-in browser."""

from __future__ import annotations

import re
from typing import Any, cast

import httpx
from starlette.applications import Starlette

from ambroise.interfaces.web import portals
from ambroise.interfaces.web.lives import Lives
from ambroise.modules.identity.api import Enrolments
from ambroise.modules.record.api import Record
from tests.integration.identity.conftest import PAT_TROIS, registry
from tests.integration.identity.test_enrolment import enrolments
from tests.journeys.support.sample import SampleProfessional, SampleRecord
from tests.journeys.support.strict import StrictClient

__all__ = ["enrolments", "registry"]


def application(enrolments: Enrolments) -> Starlette:
    record = SampleRecord()
    professional: Any = SampleProfessional(record)
    lives = Lives.on(enrolments.identity.database, enrolments.gateway, Record(enrolments.gateway))
    pages = portals(
        enrolments.identity, cast(Any, record), professional, cast(Any, record), lives, enrolments=enrolments
    )
    return Starlette(routes=pages)


def browser(enrolments: Enrolments) -> StrictClient:
    transport = httpx.ASGITransport(application(enrolments))
    return StrictClient(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000"))


async def code_in_the_letter_box(enrolments: Enrolments) -> str:
    letters = await browser(enrolments).get("/courrier")
    found = re.search(r"Votre code est (\d{6})", letters.words)
    assert found
    return found[1]


async def test_somebody_opens_an_account_and_signs_in(enrolments: Enrolments) -> None:
    visitor = await browser(enrolments).get("/connexion")
    await visitor.click("Ouvrir mon compte")
    who = {"numero": PAT_TROIS, "naissance": "1979-03-28", "moyen": "noms", "nom": "Pat-Trois", "prenom": "Dominique"}
    await visitor.press("Continuer", **{**who, "prenom": ""})
    assert visitor.status == 422
    assert "Écrivez votre premier prénom" in visitor.words
    await visitor.press("Continuer", **{**who, "prenom": "Claude"})
    assert "Ces informations ne désignent personne." in visitor.words
    await visitor.press("Continuer", **who)
    assert visitor.address == "/inscription/code"
    assert "dominique@exemple.fr" not in visitor.words
    await visitor.press("Par mail : d•••@e•••.fr")
    await visitor.press("Vérifier", code="12")
    assert "Ce code n’est pas le bon" in visitor.words
    await visitor.press("Vérifier", code=await code_in_the_letter_box(enrolments))
    assert visitor.address == "/inscription/contacts"
    await visitor.press("M’envoyer un code par SMS", sms="01 23")
    assert "n’est pas valable" in visitor.words
    await visitor.press("M’envoyer un code par SMS", sms="06 12 34 56 78")
    await visitor.press("Vérifier", code=await code_in_the_letter_box(enrolments))
    assert "+33612345678" in visitor.words
    await visitor.press("Continuer")
    assert visitor.address == "/inscription/acces"
    await visitor.press("Continuer", identifiant="dominique.p", nouveau="Dominique-9!")
    assert "Il ne doit contenir ni votre nom" in visitor.words
    await visitor.press("Continuer", identifiant="dominique.p", nouveau="Bateaux-9")
    assert visitor.address == "/inscription/conditions"
    await visitor.press("Ouvrir mon compte")
    assert "Acceptez les conditions pour continuer" in visitor.words
    await visitor.press("Ouvrir mon compte", accord="y")
    assert visitor.address == "/connexion"
    assert "Votre compte est ouvert." in visitor.words
    await visitor.press("Se connecter", identifiant="dominique.p", passe="Bateaux-9")
    assert visitor.address == "/connexion/code"
    await visitor.press("Continuer", code=await code_in_the_letter_box(enrolments))
    assert visitor.address == "/accueil"


async def test_a_page_out_of_turn_leads_to_the_present_step_or_to_the_start(enrolments: Enrolments) -> None:
    visitor = await browser(enrolments).get("/inscription/acces")
    assert visitor.status == 410
    assert "Recommencez depuis le début." in visitor.words


async def test_a_wrong_name_a_wrong_card_and_an_unknown_number_give_the_same_page(enrolments: Enrolments) -> None:
    who = {"numero": PAT_TROIS, "naissance": "1979-03-28", "moyen": "noms", "nom": "Pat-Trois", "prenom": "Claude"}
    card = {"numero": PAT_TROIS, "naissance": "1979-03-28", "moyen": "carte", "carte": "12345678901"}
    said: set[tuple[int, str]] = set()
    for fields in (who, {**who, "prenom": "Dominique", "numero": "260058815400233"}, card):
        visitor = await browser(enrolments).get("/inscription")
        await visitor.press("Continuer", **fields)
        said.add((visitor.status, visitor.words))
    assert len(said) == 1
