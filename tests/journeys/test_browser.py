"""Every page in Chromium: axe finds nothing, nothing runs sideways at 320 px, no complaint, no other host, few bytes.

Screenshots of each page, wide and light, narrow and dark, are left in `screenshots/`.
"""

import shutil

import pytest
from playwright.async_api import Browser, Page

from ambroise.interfaces.web.professional.views import Standing
from tests.journeys.support.browser import (
    SCREENSHOTS,
    Watch,
    chromium,
    enter,
    needs_chromium,
    serving,
    sideways,
    violations,
)
from tests.journeys.support.portal import Portal
from tests.journeys.support.sample import ALICE, TREATING, _id

pytestmark = needs_chromium

RECORD = f"/pro/patients/{ALICE}"
REQUEST = _id("request")
# Pages for who has no access yet.
OUTSIDE = ("/urgence", "/demande")
PAGES = {
    None: ["/connexion", "/etre", "/aide", "/accessibilite", "/vie-privee"],
    "Alice Fictive": [
        "/accueil", "/documents", "/documents/ajouter", f"/documents/{_id('bilan')}",
        f"/documents/{_id('irm')}/visibilite", f"/documents/{_id('irm')}/qui",
        "/acces?metier=infirmier", "/acces/chercher?nom=julien", "/acces/comme?qui=1370000001", "/acces/urgence",
        "/acces/personnes/1370000001", "/acces/personnes/810000000002", f"/acces/demandes/{REQUEST}",
        "/historique", f"/historique/{_id('lecture')}/signaler", "/proches", "/reglages",
    ],
    "Dr Camille Fictif": [
        "/pro/patients", RECORD, f"{RECORD}?doc={_id('bilan')}", f"{RECORD}/documents/{_id('bilan')}",
        f"{RECORD}/deposer", f"{RECORD}/accord", f"{RECORD}/accord/autre", f"{RECORD}/accord/equipe",
        f"{RECORD}/urgence", f"{RECORD}/demande",
    ],
    "Nadia Inventée": ["/guichet"],
}  # fmt: skip
# Each width and each theme once.
LOOKS = [(1280, "light"), (390, "dark")]


async def _visit(browser: Browser, home: str, who: str | None, width: int, scheme: str) -> tuple[Page, Watch]:
    context = await browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        locale="fr-FR",  # type: ignore[arg-type]
    )
    page = await context.new_page()
    watch = Watch.on(page, home)
    if who:
        await enter(page, home, who)
    return page, watch


@pytest.mark.parametrize("who", list(PAGES))
async def test_every_page_is_accessible_and_fits(portal: Portal, who: str | None) -> None:
    problems: list[str] = []
    folder = SCREENSHOTS / (who or "visiteur").split()[0].lower()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    async with serving(portal.application) as home, chromium() as browser:
        for width, scheme in LOOKS:
            page, watch = await _visit(browser, home, who, width, scheme)
            for path in PAGES[who]:
                portal.record.standing_now = (
                    Standing(allowed=False, rule="not_authorised") if path.endswith(OUTSIDE) else TREATING
                )
                await page.goto(home + path)
                name = path.strip("/").replace("/", "_").replace("?", "_")[-50:]
                await page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                problems += [f"{path} {width} {scheme}: {one}" for one in await violations(page)]
                if await sideways(page) > 0:
                    problems.append(f"{path} runs sideways at {width}")
            problems += [f"console: {one}" for one in watch.complaints] + [
                f"elsewhere: {one}" for one in watch.elsewhere
            ]
            await page.context.close()
        page, _ = await _visit(browser, home, who, 320, "light")
        for path in PAGES[who]:
            await page.goto(home + path)
            if (over := await sideways(page)) > 0:
                problems.append(f"{path} runs {over} px sideways at 320")
    assert problems == []


async def test_the_first_visit_weighs_little(portal: Portal) -> None:
    async with serving(portal.application) as home, chromium() as browser:
        page, _ = await _visit(browser, home, "Dr Camille Fictif", 1280, "light")
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        received: list[int] = []
        session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
        await page.goto(f"{home}{RECORD}?doc={_id('bilan')}", wait_until="networkidle")
    assert 20_000 < sum(received) < 150_000


async def test_keys_move_in_the_list_and_bring_the_preview_without_leaving(portal: Portal) -> None:
    async with serving(portal.application) as home, chromium() as browser:
        page, watch = await _visit(browser, home, "Dr Camille Fictif", 1280, "light")
        await page.goto(home + RECORD)
        await page.wait_for_function(
            "customElements.get('row-keys') && document.readyState === 'complete' && !!window.htmx"
        )
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Bilan sanguin").wait_for()
        assert page.url == home + RECORD, "the list stays where it was"
        await page.keyboard.press("/")
        assert await page.evaluate("document.activeElement.id") == "filtre"
        assert watch.complaints == []


async def test_masking_by_dialog_with_the_keyboard_alone(portal: Portal) -> None:
    async with serving(portal.application) as home, chromium() as browser:
        page, _ = await _visit(browser, home, "Alice Fictive", 390, "light")
        await page.goto(f"{home}/documents/{_id('irm')}", wait_until="networkidle")
        await page.get_by_role("link", name="Masquer ce document").focus()
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        await dialog.wait_for()
        await dialog.get_by_role("button", name="Masquer le document").focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("Document masqué.").wait_for()
        assert portal.record.rows[2].visible_to == "masked"


async def test_the_essential_journey_works_with_scripts_off(portal: Portal) -> None:
    async with serving(portal.application) as home, chromium() as browser:
        context = await browser.new_context(java_script_enabled=False, locale="fr-FR")
        page = await context.new_page()
        await enter(page, home, "Alice Fictive")
        await page.goto(f"{home}/documents/{_id('irm')}")
        await page.get_by_role("link", name="Masquer ce document").click()
        await page.get_by_role("button", name="Masquer le document").click()
        assert await page.get_by_text("Document masqué.").count() == 1
