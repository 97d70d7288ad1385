"""Coming in: two factors, the demonstration list, forged forms, ended sessions, headers."""

from datetime import timedelta

import pyotp
import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.api import AccountKind, NewAccount, hash_password
from tests.journeys.support.portal import Portal
from tests.journeys.support.strict import StrictClient

PASSWORD = "quatre bateaux verts"


async def _add(portal: Portal) -> None:
    async with portal.identity.database.transaction() as tx:
        new = NewAccount(AccountKind.OPERATOR, "ope@exemple.fr", "Ophélie Fictive", password=hash_password(PASSWORD))
        await portal.identity.create_account(tx, new)


async def _sign_in(portal: Portal, **fields: str) -> StrictClient:
    visitor = portal.visitor()
    await visitor.get("/connexion")
    return await visitor.press("Se connecter", **{"identifiant": "ope@exemple.fr", "passe": PASSWORD, **fields})


async def test_the_first_sign_in_sets_a_second_factor_up(portal: Portal, clock: FixedClock) -> None:
    await _add(portal)
    visitor = await _sign_in(portal)
    assert visitor.address == "/connexion/activer"
    secret = visitor.page.cssselect(".secret")[0].text_content().replace(" ", "")
    await visitor.press("Activer", code="000000")
    assert "Ce code n’est pas le bon" in visitor.words
    await visitor.press("Activer", code=pyotp.TOTP(secret).at(clock.now()))
    assert "Vos codes de secours" in visitor.words
    recovery = visitor.page.cssselect(".secret")[0].text_content()
    await visitor.click("J’ai gardé mes codes")
    assert visitor.address == "/guichet"
    await visitor.press("Se déconnecter")
    again = await _sign_in(portal)
    assert again.address == "/connexion/code"
    await again.press("Continuer", code=recovery)
    assert again.address == "/guichet"


async def test_mistakes_are_named_on_top_and_beside_the_field(portal: Portal) -> None:
    visitor = await _sign_in(portal, passe="")
    assert visitor.status == 422
    assert visitor.page.cssselect(".summary a[href='#passe']")
    assert visitor.page.cssselect("#passe")[0].get("aria-invalid") == "true"
    await visitor.press("Se connecter", passe="not the right one")
    assert "Cet identifiant et ce mot de passe ne vont pas ensemble." in visitor.words
    for _ in range(5):
        await visitor.press("Se connecter", passe="not the right one")
    assert "Attendez 1 minute avant de recommencer." in visitor.words


async def test_a_form_from_elsewhere_changes_nothing(portal: Portal) -> None:
    alice = await portal.as_person("Alice Fictive")
    await alice.post("/acces/personnes/810000000004", {"geste": "autoriser"})
    assert alice.status == 403
    await alice.get("/documents")
    genuine = alice.page.cssselect("input[name=jeton]")[0].get("value")
    answer = await alice.http.post(
        "/acces/personnes/810000000004",
        data={"jeton": genuine, "geste": "autoriser"},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert portal.record.said == []


@pytest.mark.parametrize("path", ["/accueil", "/documents", "/pro/patients", "/guichet", "/reglages"])
async def test_a_stranger_is_asked_to_sign_in(portal: Portal, path: str) -> None:
    visitor = await portal.visitor().get(path)
    assert visitor.address.startswith("/connexion?suite=")


async def test_each_portal_keeps_to_its_people(portal: Portal) -> None:
    alice = await portal.as_person("Alice Fictive")
    for path in ("/pro/patients", "/guichet"):
        await alice.get(path)
        assert alice.status == 403
        assert "Cette page s’adresse à d’autres personnes que vous." in alice.words


async def test_what_was_typed_survives_the_end_of_a_session(portal: Portal, clock: FixedClock) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/documents/ajouter")
    clock.move(timedelta(minutes=31))
    await alice.press("Ajouter le document", titre="Ordonnance de lunettes", categorie="ORD_SOIN")
    assert "Ce que vous aviez écrit est gardé" in alice.words
    await alice.get("/etre")
    await alice.press("Entrer : Alice Fictive")
    await alice.get("/documents/ajouter")
    assert alice.page.cssselect("#titre")[0].get("value") == "Ordonnance de lunettes"
    assert "Voici ce que vous aviez écrit" in alice.words


async def test_every_page_forbids_what_it_does_not_use(portal: Portal) -> None:
    visitor = await portal.visitor().get("/connexion")
    policy = visitor.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert visitor.headers["x-content-type-options"] == "nosniff"
    assert visitor.headers["cache-control"] == "no-store"
    assert visitor.headers["cross-origin-opener-policy"] == "same-origin"


async def test_the_cookie_is_bound_to_its_host_where_the_browser_can(portal: Portal) -> None:
    visitor = portal.visitor()
    await visitor.get("/etre")
    answer = await visitor.http.get("http://localhost:8000/etre")
    kept = answer.headers["set-cookie"]
    assert kept.startswith("__Host-visitor=")
    assert "Secure" in kept
    assert "HttpOnly" in kept


async def test_the_language_is_chosen_and_kept(portal: Portal) -> None:
    visitor = await portal.visitor().get("/aide")
    await visitor.press("English")
    assert visitor.page.get("lang") == "en"
    assert "Who can see my documents?" in visitor.words
    await visitor.get("/connexion")
    assert visitor.page.findtext(".//h1") == "Sign in"
    by_browser = await portal.visitor(**{"accept-language": "en-GB"}).get("/connexion")
    assert by_browser.page.get("lang") == "en"


async def test_settings_change_the_theme_and_end_other_sessions(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get("/reglages")
    await alice.press("Enregistrer", theme="dark")
    assert alice.page.get("data-theme") == "dark"
    other = await portal.as_person("Alice Fictive")
    await alice.press("Déconnecter mes autres appareils")
    assert (await other.get("/accueil")).address.startswith("/connexion")
    assert (await alice.get("/accueil")).address == "/accueil"


async def test_an_unknown_address_says_so(portal: Portal) -> None:
    visitor = await portal.visitor().get("/rien-de-tel")
    assert visitor.status == 404
    assert "Page introuvable" in visitor.words


async def test_assets_are_kept_for_ever_and_compressed(portal: Portal) -> None:
    visitor = await portal.visitor().get("/connexion")
    sheet = visitor.page.cssselect("link[rel=stylesheet]")[0].get("href")
    answer = await visitor.http.get(sheet)
    assert answer.headers["cache-control"].endswith("immutable")
    assert answer.headers["content-encoding"] == "gzip"
    assert (await visitor.http.get("/static/none.css")).status_code == 404
