"""In Chromium: the desk registers software, a doctor of two practices signs on to it, choosing where he works now."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page

from ambroise.modules.identity.api import AccountKind, NewAccount
from ambroise.modules.identity.provider.api import Registered
from ambroise.trust.context import Context, System
from tests.integration.oauth.conftest import RPPS, Journey, Nation, add_people
from tests.integration.oauth.test_sharing import authorise
from tests.integration.record.conftest import patient_resource
from tests.journeys.support.browser import chromium, needs_chromium, serving, sideways, violations
from tests.support.database import TestDatabase
from tests.support.server import house_on

pytestmark = needs_chromium


async def _examine(page: Page) -> None:
    """A page of the way, as wide and as narrow as people have it."""
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await sideways(page) <= 0, (page.url, width)
    assert await violations(page) == [], page.url


async def test_from_the_desk_to_the_second_practice(fresh_database: TestDatabase, tmp_path: Path) -> None:
    async with house_on(fresh_database, tmp_path) as house:
        nation = Nation(house, house.services.clock)  # type: ignore[arg-type]
        await add_people(house)
        async with house.services.database.transaction() as tx:
            new = NewAccount(
                AccountKind.OPERATOR,
                "guichet",
                "Odile Inventée",
                duties=frozenset({"administration"}),
                demonstration=True,
            )
            await house.services.identity.create_account(tx, new)
        async with serving(house.app) as home, chromium() as chrome:
            desk = await (await chrome.new_context(locale="fr-FR")).new_page()
            back = f"{home}/aide"
            client = await _register(desk, home, back)
            async with house.services.database.reader() as reader:
                known = await nation.provider.clients.known(reader, client[0])
            journey = Journey(Registered(known, client[1]))
            doctor = await (await chrome.new_context(locale="fr-FR")).new_page()
            await doctor.goto(home + journey.address(redirect_uri=back))
            await _examine(doctor)
            await doctor.get_by_label("Numéro RPPS ou identifiant national").fill(RPPS)
            await doctor.get_by_role("button", name="Recevoir une notification").click()
            await doctor.wait_for_url("**/attente**")
            await _examine(doctor)
            await nation.approve()
            await doctor.wait_for_url("**/accord**")
            await _examine(doctor)
            await doctor.get_by_label("Hôpital Imaginaire").check()
            await doctor.get_by_role("button", name="Continuer").click()
            await doctor.wait_for_url("**/aide?**")
            code = parse_qs(urlsplit(doctor.url).query)["code"][0]
            tokens = (await nation.redeem(journey, code, redirect_uri=back)).json()
            assert tokens["session_state"]
            async with house.services.database.reader() as reader:
                chosen = await reader.fetch_value("select situation from sign_on")
            assert chosen == 1
            await _choose_a_patient(nation, doctor, home, back)


async def _choose_a_patient(nation: Nation, doctor: Page, home: str, back: str) -> None:
    """Software that starts by itself asks for whom, and the keyboard answers."""
    services, ctx = nation.house.services, Context(System(), nation.clock, demonstration=True)
    async with services.database.transaction() as tx:
        patient = (await services.gateway.create(tx, ctx, patient_resource())).key
    await authorise(nation, patient)
    scopes = frozenset({"openid", "launch/patient", "patient/*.rs"})
    journey = Journey(await nation.client(name="Courbes", redirect_uris=(back,), scopes=scopes))
    base = nation.provider.ground.addresses[0] + "/fhir"
    asked = journey.address(redirect_uri=back, scope="openid launch/patient patient/*.rs", aud=base)
    await doctor.goto(home + asked)
    await doctor.get_by_role("button", name="Continuer").click()
    await doctor.get_by_role("heading", name="Pour quel patient ?").wait_for()
    await doctor.get_by_label("Matricule INS").fill("124018852493334")
    await doctor.keyboard.press("Enter")
    await doctor.get_by_text("Aucun patient ne correspond").wait_for()
    await _examine(doctor)
    await doctor.goto(doctor.url)
    await doctor.get_by_role("heading", name="Patients qui vous ont donné leur accord").wait_for()
    await _examine(doctor)
    await doctor.get_by_role("button", name="Choisir").focus()
    await doctor.keyboard.press("Enter")
    await doctor.wait_for_url("**/aide?**")
    code = parse_qs(urlsplit(doctor.url).query)["code"][0]
    assert (await nation.redeem(journey, code, redirect_uri=back)).json()["patient"] == str(patient)


async def _register(desk: Page, home: str, back: str) -> tuple[str, str]:
    await desk.goto(f"{home}/etre")
    await desk.get_by_role("button", name="Odile").click()
    await desk.get_by_role("link", name="Logiciels").first.click()
    await desk.get_by_label("Nom du logiciel").fill("Logiciel Inventé")
    await desk.get_by_label("Adresses de retour après la connexion").fill(back)
    await _examine(desk)
    await desk.set_viewport_size({"width": 1280, "height": 900})
    await desk.get_by_role("button", name="Inscrire", exact=True).click()
    await desk.get_by_role("heading", name="Ce que le logiciel doit savoir").wait_for()
    await _examine(desk)
    codes = await desk.locator("dd code").all_inner_texts()
    await desk.get_by_role("link", name="Revenir aux logiciels").click()
    await desk.get_by_role("heading", name="Logiciel Inventé").wait_for()
    await _examine(desk)
    return codes[0], codes[1]
