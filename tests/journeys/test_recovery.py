"""Getting back in, by the pages: a forgotten password, and everything lost."""

from __future__ import annotations

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.api import AccountKind, Enrolments, NewAccount
from tests.integration.identity.conftest import PAT_TROIS, registry
from tests.integration.identity.test_enrolment import PASSWORD, enrolments
from tests.integration.identity.test_recovery import deliver
from tests.journeys.support.browser import SCREENSHOTS, chromium, enter, needs_chromium, serving, sideways, violations
from tests.journeys.support.strict import StrictClient
from tests.journeys.test_enrolment import application, browser, code_in_the_letter_box
from tests.journeys.test_protection import NAME, account

__all__ = ["account", "enrolments", "registry"]

WHO = {"numero": PAT_TROIS, "naissance": "1979-03-28", "moyen": "noms", "nom": "Pat-Trois", "prenom": "Dominique"}
NEW = "Pivoine-27"


async def ask(account: Enrolments, **who: str) -> StrictClient:
    visitor = await browser(account).get("/connexion")
    await visitor.click("Mot de passe oublié")
    await visitor.press("Continuer", **{**WHO, **who})
    await deliver(account.identity)
    return visitor


async def operator(account: Enrolments) -> StrictClient:
    async with account.identity.database.transaction() as tx:
        duties = frozenset({"identity"})
        new = NewAccount(AccountKind.OPERATOR, "guichet", "Nadia Inventée", duties=duties, demonstration=True)
        await account.identity.create_account(tx, new)
    visitor = await browser(account).get("/etre")
    return await visitor.press("Entrer : Nadia Inventée")


async def test_a_forgotten_password_is_replaced_by_a_code(account: Enrolments) -> None:
    visitor = await ask(account)
    assert visitor.address == "/retrouver/code"
    assert "Si ces informations désignent un compte" in visitor.words
    await visitor.press("Vérifier", code="000")
    assert "Ce code n’est pas le bon" in visitor.words
    await visitor.press("Vérifier", code=await code_in_the_letter_box(account))
    assert NAME in visitor.words
    await visitor.press("Changer", nouveau="Dominique-9!")
    assert "Il ne doit contenir ni votre nom" in visitor.words
    await visitor.press("Changer", nouveau=NEW)
    assert visitor.address == "/connexion"
    await visitor.press("Se connecter", identifiant=NAME, passe=PASSWORD)
    assert visitor.status == 422
    await visitor.press("Se connecter", identifiant=NAME, passe=NEW)
    assert visitor.address == "/connexion/code"


async def test_a_stranger_sees_the_same_pages(account: Enrolments) -> None:
    right, wrong = await ask(account), await ask(account, prenom="Claude")
    assert (right.address, right.status, right.words) == (wrong.address, wrong.status, wrong.words)
    for visitor in (right, wrong):
        await visitor.press("Vérifier", code="12345")
    assert (right.status, right.words) == (wrong.status, wrong.words)


async def test_the_desk_hands_a_code_over_to_who_lost_everything(account: Enrolments) -> None:
    visitor = await ask(account)
    await visitor.click("Je n’ai plus accès ni à cette adresse ni à ce mobile")
    await visitor.press("Demander un rendez-vous au guichet")
    reference = visitor.page.cssselect(".secret")[0].text_content()
    desk = await operator(account)
    await desk.get("/guichet/acces")
    assert reference in desk.words
    await desk.click("Vérifier l’identité")
    await desk.press("Remettre un code", piece="CN")
    assert "Cochez que vous avez vu la personne" in desk.words
    await desk.press("Remettre un code", piece="CN", vu="y")
    code = desk.page.cssselect(".secret")[0].text_content()
    await visitor.click("J’ai le code du guichet")
    await visitor.press("Vérifier", code=code)
    await visitor.press("Changer", nouveau=NEW)
    await visitor.press("Se connecter", identifiant=NAME, passe=NEW)
    assert visitor.address == "/connexion/activer", "a new second factor is set up"
    assert "Personne n’attend" in (await desk.get("/guichet/acces")).words


@needs_chromium
async def test_the_pages_are_accessible_and_fit(account: Enrolments, clock: FixedClock) -> None:
    problems: list[str] = []
    folder = SCREENSHOTS / "recovery"
    folder.mkdir(parents=True, exist_ok=True)
    await operator(account)
    async with serving(application(account)) as home, chromium() as chrome:
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = await chrome.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale="fr-FR",
            )
            page = await context.new_page()

            async def examine(name: str) -> None:
                await page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)  # noqa: B023
                problems.extend(f"{name} {width}: {one}" for one in await violations(page))  # noqa: B023
                if await sideways(page) > 0:  # noqa: B023
                    problems.append(f"{name} runs sideways at {width}")  # noqa: B023

            await page.goto(f"{home}/retrouver")
            await examine("who")
            for field in ("numero", "naissance", "nom", "prenom"):
                await page.fill(f"#{field}", WHO[field])
            await page.get_by_role("button", name="Continuer").click()
            await page.wait_for_url("**/retrouver/code")
            await deliver(account.identity)
            await examine("code")
            await page.goto(f"{home}/retrouver/guichet")
            await page.get_by_role("button", name="Demander").click()
            await page.locator(".secret").wait_for()
            await examine("reference")
            await page.goto(f"{home}/retrouver/code")
            await page.fill("#code", await code_in_the_letter_box(account))
            await page.get_by_role("button", name="Vérifier").click()
            await page.wait_for_url("**/mot-de-passe")
            await examine("password")
            await enter(page, home, "Nadia Inventée")
            await page.goto(f"{home}/guichet/acces")
            await examine("desk")
            await page.get_by_role("link", name="Vérifier l’identité").first.click()
            await page.locator("#piece").wait_for()
            await examine("desk-one")
            await context.close()
    assert problems == []
