"""What protects an account, by its pages: codes by mail, trusted browsers, the security page, "it was not me"."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from pyotp.totp import TOTP

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.api import Enrolments
from ambroise.modules.letters.api import Reading, Said
from ambroise.modules.space.api import TERMS
from tests.integration.identity.conftest import registry
from tests.integration.identity.test_enrolment import PASSWORD, enrolments, proven
from tests.journeys.support.browser import SCREENSHOTS, Watch, chromium, needs_chromium, serving, sideways, violations
from tests.journeys.support.strict import StrictClient
from tests.journeys.test_enrolment import application, browser, code_in_the_letter_box

__all__ = ["enrolments", "registry"]

NAME = "d.pattrois"


@pytest.fixture
async def account(enrolments: Enrolments) -> Enrolments:
    """Dominique has an account and a proven mail address."""
    token = await proven(enrolments)
    await enrolments.keep_contacts(token)
    await enrolments.choose_credentials(token, NAME, PASSWORD)
    await enrolments.finish(token, TERMS)
    return enrolments


async def sign_in(account: Enrolments, visitor: StrictClient | None = None, **code: str) -> StrictClient:
    visitor = visitor or browser(account)
    await visitor.get("/connexion")
    await visitor.press("Se connecter", identifiant=NAME, passe=PASSWORD)
    if visitor.address == "/connexion/code":
        await visitor.press("Continuer", code=await code_in_the_letter_box(account), **code)
    return visitor


async def test_a_trusted_browser_enters_by_the_password_alone(account: Enrolments, clock: FixedClock) -> None:
    visitor = await sign_in(account, retenir="y")
    assert visitor.address == "/accueil"
    await visitor.press("Se déconnecter")
    await sign_in(account, visitor)
    assert visitor.address == "/accueil"
    assert [address for address, _ in visitor.seen].count("/connexion/code") == 1
    await visitor.get("/reglages/securite")
    assert "Celui-ci" in visitor.words
    assert "Sans code jusqu’au" in visitor.words
    await visitor.press("Oublier :")
    assert visitor.address.startswith("/connexion"), "forgetting this browser ends its session"


async def test_who_reads_no_mails_any_more_is_told_and_proves_the_address_again(
    account: Enrolments, clock: FixedClock
) -> None:
    visitor = await sign_in(account)
    assert "ne vous parviennent plus" not in visitor.words
    identity, letters = account.identity, account.codes.letters
    async with identity.database.transaction() as tx:
        (last, *_) = await letters.latest(tx)
        await letters.returned(tx, last.id, Reading(Said.GONE, "5.1.1"))
    for page in ("/accueil", "/reglages/securite/contact"):
        await visitor.get(page)
        assert f"{last.address} nous reviennent depuis le" in visitor.words
    clock.move(timedelta(minutes=1))
    await visitor.press("M’envoyer un code", canal="mail", adresse=last.address, passe=PASSWORD)
    await visitor.press("Vérifier", code=await code_in_the_letter_box(account))
    await visitor.get("/accueil")
    assert "ne vous parviennent plus" not in visitor.words


async def test_an_authenticator_is_added_with_recovery_codes_to_print(account: Enrolments, clock: FixedClock) -> None:
    visitor = await sign_in(account)
    await visitor.get("/reglages/securite")
    assert "Seulement dans mon application" not in visitor.words, "what cannot be is not offered"
    await visitor.press("Continuer", passe="not the right one")
    assert "Ce n’est pas votre mot de passe actuel." in visitor.words
    await visitor.press("Continuer", passe=PASSWORD)
    assert visitor.address == "/reglages/securite/application"
    secret = visitor.page.cssselect(".secret")[0].text_content().replace(" ", "")
    await visitor.press("Activer", code="000000")
    assert visitor.status == 422
    await visitor.press("Activer", code=TOTP(secret).at(clock.now()))
    assert len(visitor.page.cssselect(".secret")) == 8
    await visitor.get("/reglages/securite")
    await visitor.press("Enregistrer", par="app", passe=PASSWORD)
    assert "Un code sera demandé sur chaque appareil." in visitor.text.replace("\u00a0", " ")
    await visitor.press("Retirer l’application", passe=PASSWORD)
    assert "Pas réglée" in visitor.words


async def test_the_address_is_changed_by_a_code(account: Enrolments, clock: FixedClock) -> None:
    visitor = await sign_in(account)
    await visitor.get("/reglages/securite")
    await visitor.click("Changer de mail ou de mobile")
    await visitor.press("M’envoyer un code", canal="sms", adresse="12", passe=PASSWORD)
    assert visitor.status == 422
    await visitor.press("M’envoyer un code", canal="sms", adresse="06 12 34 56 99", passe=PASSWORD)
    await visitor.press("Vérifier", code=await code_in_the_letter_box(account))
    assert "•• •• •• •• 99" in visitor.words


async def test_a_stranger_is_told_of_and_shut_out(account: Enrolments, clock: FixedClock) -> None:
    holder = await sign_in(account)
    clock.move(timedelta(minutes=1))
    stranger = await sign_in(account)
    assert "1 alerte sur la sécurité" in (await holder.get("/accueil")).words
    box = await browser(account).get("/courrier")
    link = re.search(r"/alerte\?cle=[\w-]+", box.words)
    assert link
    visitor = await browser(account).get(link[0])
    assert "Ce n’était pas vous ?" in visitor.words
    await visitor.press("Ce n’était pas moi")
    assert (await stranger.get("/accueil")).address.startswith("/connexion")
    assert (await visitor.get(link[0])).status == 410


@needs_chromium
async def test_the_pages_are_accessible_and_fit(account: Enrolments, clock: FixedClock) -> None:
    """The second factor, the security page with a warning, and the page of the letter, in Chromium."""
    problems: list[str] = []
    folder = SCREENSHOTS / "protection"
    folder.mkdir(parents=True, exist_ok=True)
    await sign_in(account)
    clock.move(timedelta(minutes=1))
    async with serving(application(account)) as home, chromium() as chrome:
        for width, scheme in ((1280, "light"), (390, "dark")):
            clock.move(timedelta(minutes=1))
            context = await chrome.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale="fr-FR",
            )
            page = await context.new_page()
            watch = Watch.on(page, home)

            async def examine(name: str) -> None:
                await page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)  # noqa: B023
                problems.extend(f"{name} {width}: {one}" for one in await violations(page))  # noqa: B023
                if await sideways(page) > 0:  # noqa: B023
                    problems.append(f"{name} runs sideways at {width}")  # noqa: B023

            await page.goto(f"{home}/connexion")
            await page.fill("#identifiant", NAME)
            await page.fill("#passe", PASSWORD)
            await page.get_by_role("button", name="Se connecter").click()
            await page.wait_for_url("**/connexion/code*")
            await examine("code")
            await page.fill("#code", await code_in_the_letter_box(account))
            await page.get_by_role("button", name="Continuer").click()
            await page.wait_for_url("**/accueil")
            await page.goto(f"{home}/reglages/securite")
            for one in await page.locator("main summary").all():
                await one.click()
            await examine("security")
            await page.get_by_role("link", name="Changer de mail ou de mobile").click()
            await page.wait_for_url("**/reglages/securite/contact")
            await examine("contact")
            await page.get_by_role("button", name="M’envoyer un code").click()
            await examine("contact-wrong")
            await page.fill("#adresse", f"nouvelle{width}@exemple.fr")
            await page.fill("#passe", PASSWORD)
            await page.get_by_role("button", name="M’envoyer un code").click()
            await page.wait_for_url("**/contact?etape=code")
            await examine("contact-code")
            box = await browser(account).get("/courrier")
            link = re.search(r"/alerte\?cle=[\w-]+", box.words)
            assert link
            await page.goto(home + link[0])
            await examine("alert")
            # The form sent empty is answered 422, which Chromium writes in its console.
            problems += [one for one in watch.complaints if "422" not in one] + watch.elsewhere
            await context.close()
    assert problems == []
