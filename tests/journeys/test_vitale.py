"""The e-carte Vitale from end to end in Chromium: asked for, accepted by the desk, given a code, shown and read by
software, put on a telephone, shown there without a network, entrusted to somebody."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect

from ambroise.interfaces.demonstration import loader
from ambroise.interfaces.token_claims import Role
from ambroise.modules.identity.api import AccountKind, NewAccount, PatientIdentity, identity_of
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import set_state
from ambroise.trust.context import Context, System
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
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]

CODE, HERS = "7291", "8260"
# Two grown-ups, who get an account when they have none, and a doctor whom neither let in.
_PEOPLE = """
select a.display_name, r.patient
from identity_registry r
left join account a on a.patient = r.patient
join identity_matricule m on m.patient = r.patient
where r.birth_date < '1995-01-01'
order by a.display_name, r.patient
limit 2
"""
_DOCTOR = "select rpps from directory_professional where profession = '10' order by rpps desc limit 1"


@dataclass(frozen=True)
class Stage:
    """A running instance, two people and a doctor's software."""

    house: House
    home: str
    browser: Browser
    people: tuple[tuple[str, PatientIdentity], tuple[str, PatientIdentity]]
    rpps: str

    async def enter(self, name: str, width: int = 390, scheme: Any = "light", locale: str = "fr-FR") -> Page:
        context = await self.browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, locale=locale
        )
        page = await context.new_page()
        await enter(page, self.home, name)
        return page

    async def software(self, token: str) -> httpx.Response:
        bearer = self.house.token(Role.PROFESSIONAL, rpps=self.rpps)
        async with httpx.AsyncClient(base_url=self.home) as client:
            headers = {"authorization": f"Bearer {bearer}"}
            return await client.post("/vitale/v1/verifications", json={"token": token}, headers=headers)

    async def accept(self, name: str) -> None:
        """Somebody of the desk saw the document and the person."""
        desk = await self.enter("Guichet des identités", width=1280)
        await desk.goto(f"{self.home}/guichet/cartes")
        await desk.screenshot(path=SCREENSHOTS / "vitale-desk.png", full_page=True)
        assert not await violations(desk)
        first = desk.locator("section.card").filter(has_text=name.split()[-1]).first
        await first.get_by_label("J’ai vu ce document").check()
        await first.get_by_role("button", name="Accepter").click()
        await expect(desk.locator(".summary")).to_contain_text("Voyez le document et la personne")
        first = desk.locator("section.card").filter(has_text=name.split()[-1]).first
        await first.get_by_label("J’ai vu ce document").check()
        await first.get_by_label("J’ai vu la personne").check()
        await first.get_by_role("button", name="Accepter").click()
        await expect(desk.locator("main")).to_contain_text("Aucune carte à vérifier")
        await desk.context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    SCREENSHOTS.mkdir(exist_ok=True)
    async with house_on(module_database, tmp_path_factory.mktemp("stage")) as house:
        services = house.services
        doors = loader.Doors(services.database, services.gateway, services.record, services.identity, services.clock)
        await loader.load(doors, 4)
        operator = NewAccount(
            AccountKind.OPERATOR,
            "identites",
            "Guichet des identités",
            duties=frozenset({"identity"}),
            demonstration=True,
        )
        async with services.database.transaction() as tx:
            await services.identity.create_account(tx, operator)
            rows = await tx.fetch_all(_PEOPLE)
            known = [(name or "Mamie Fictive", await identity_of(tx, UUID(str(patient)))) for name, patient in rows]
            rpps = await tx.fetch_value(_DOCTOR)
            for (name, identity), (account, _) in zip(known, rows, strict=True):
                assert identity is not None
                ctx = Context(System(), services.clock, demonstration=True)
                await set_state(tx, ctx, identity.patient, SpaceState.OPEN_ACTIVE)
                if account is None:
                    new = NewAccount(
                        AccountKind.CITIZEN, "mamie@exemple.fr", name, patient=identity.patient, demonstration=True
                    )
                    await services.identity.create_account(tx, new)
        first, second = [(name, identity) for name, identity in known if identity is not None]
        async with serving(house.app) as home, chromium() as browser:
            yield Stage(house, home, browser, (first, second), rpps)


async def enrol(stage: Stage, page: Page, name: str, code: str) -> None:
    await page.goto(f"{stage.home}/vitale")
    await page.get_by_role("link", name="Demander ma carte").click()
    await page.get_by_label("Son numéro").fill("12AB34567")
    await page.get_by_role("button", name="Envoyer la demande").click()
    await expect(page.locator("main")).to_contain_text("Rien n’est accepté automatiquement")
    await stage.accept(name)
    await page.goto(f"{stage.home}/vitale")
    await page.get_by_role("link", name="Choisir mon code secret").click()
    await page.get_by_label("Votre nouveau code secret").fill("1234")
    await page.get_by_label("Le même code").fill("1234")
    await page.get_by_role("button", name="Enregistrer le code").click()
    await expect(page.locator(".summary")).to_contain_text("parmi les premiers")
    await page.get_by_label("Votre nouveau code secret").fill(code)
    await page.get_by_label("Le même code").fill(code)
    await page.get_by_role("button", name="Enregistrer le code").click()
    await expect(page.get_by_role("link", name="Montrer la carte")).to_be_visible()


async def read(page: Page) -> str:
    """What a reader sees of the QR code on the screen."""
    picture = Image.open(io.BytesIO(await page.locator("svg.qr").screenshot()))
    found = zxingcpp.read_barcode(picture.resize((picture.width * 2, picture.height * 2)))
    assert found is not None
    return found.text


async def _unlock(page: Page, code: str) -> None:
    await page.locator("#code").fill(code)
    await page.get_by_role("button", name="Montrer la carte").click()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(stage: Stage) -> AsyncIterator[Page]:
    """The browser of somebody whose card is active."""
    page = await stage.enter(stage.people[0][0])
    await enrol(stage, page, stage.people[0][0], CODE)
    yield page
    await page.context.close()


async def test_a_card_is_shown_on_the_page_read_by_software_and_leaves_a_receipt(stage: Stage, holder: Page) -> None:
    await holder.goto(f"{stage.home}/vitale/recus")
    before = await holder.locator("main li").count()
    await holder.goto(f"{stage.home}/vitale")
    await holder.get_by_role("link", name="Montrer la carte").click()
    await holder.get_by_label("Votre code secret").fill(CODE)
    await holder.get_by_role("button", name="Montrer", exact=True).click()
    token = await read(holder)
    answer = await stage.software(token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["identity"]["birthName"] == stage.people[0][1].traits.birth_name
    assert (await stage.software(token)).json()["code"] == "VITALE_TOKEN_REPLAYED"
    # The page renews the code by itself before it is too old.
    await holder.wait_for_timeout(27_000)
    renewed = await read(holder)
    assert renewed != token
    assert (await stage.software(renewed)).status_code == 200
    await holder.goto(f"{stage.home}/vitale/recus")
    await expect(holder.locator("main li")).to_have_count(before + 2)


async def test_a_telephone_shows_the_card_without_a_network_and_erases_it_after_three_wrong_codes(
    stage: Stage, holder: Page
) -> None:
    context: BrowserContext = holder.context
    await holder.goto(f"{stage.home}/vitale/telephone")
    await holder.get_by_label("Votre code secret").fill("0001")
    await holder.get_by_role("button", name="Mettre la carte ici").click()
    await expect(holder.locator("#refus")).to_contain_text("pas le bon")
    await holder.get_by_label("Votre code secret").fill(CODE)
    await holder.get_by_role("button", name="Mettre la carte ici").click()
    await holder.wait_for_url("**/vitale/app")
    await _unlock(holder, CODE)
    assert (await stage.software(await read(holder))).json()["shown"]["way"] == "device"
    await holder.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await holder.screenshot(path=SCREENSHOTS / "vitale-app-open.png", full_page=True)
    assert not await violations(holder)

    await context.set_offline(True)
    await holder.reload()
    await expect(holder.locator("#reseau")).to_contain_text("Sans réseau")
    await expect(holder.locator("#nom")).not_to_be_empty()
    await _unlock(holder, CODE)
    await expect(holder.locator("svg.qr")).to_be_visible()
    answer = await stage.software(await read(holder))
    assert answer.status_code == 200, answer.text
    await holder.screenshot(path=SCREENSHOTS / "vitale-app-offline.png", full_page=True)

    await holder.get_by_role("button", name="Ranger la carte").click()
    for left in (2, 1):
        await _unlock(holder, "0001")
        await expect(holder.locator("#faux")).to_contain_text(f"Il reste {left}")
    await _unlock(holder, "0001")
    await expect(holder.locator("#efface")).to_be_visible()
    await holder.reload()
    await expect(holder.locator("#vide")).to_be_visible()
    await context.set_offline(False)


async def test_the_key_of_a_telephone_cannot_be_read_out(stage: Stage, holder: Page) -> None:
    await holder.goto(f"{stage.home}/vitale/telephone")
    await holder.get_by_label("Votre code secret").fill(CODE)
    await holder.get_by_role("button", name="Mettre la carte ici").click()
    await holder.wait_for_url("**/vitale/app")
    await expect(holder.locator("#nom")).not_to_be_empty()
    kept = await holder.evaluate(
        """() => new Promise((done) => {
          indexedDB.open("vitale", 1).onsuccess = (opened) => {
            const asked = opened.target.result.transaction("card").objectStore("card").get("card");
            asked.onsuccess = async () => {
              const card = asked.result;
              const out = await crypto.subtle.exportKey("pkcs8", card.key).then(() => "read", () => "kept");
              done([out, card.key.extractable, Object.keys(card).sort()]);
            };
          };
        })"""
    )
    names = [
        "birth",
        "device",
        "iv",
        "key",
        "last",
        "lasts",
        "name",
        "offset",
        "salt",
        "sealed",
        "tries",
        "until",
        "wrong",
    ]
    assert kept == ["kept", False, names]


async def test_a_card_is_entrusted_for_a_time_and_seen_on_both_sides(stage: Stage, holder: Page) -> None:
    name, identity = stage.people[1]
    gran = await stage.enter(name)
    await enrol(stage, gran, name, HERS)
    await holder.goto(f"{stage.home}/vitale/delegations")
    assert identity.ins is not None
    assert identity.traits.birth_date is not None
    await holder.get_by_label("Son numéro de sécurité sociale").fill(identity.ins.matricule)
    await holder.get_by_label("Son nom de naissance").fill(identity.traits.birth_name or "")
    await holder.get_by_label("Son premier prénom").fill(identity.traits.first_given or "")
    await holder.get_by_label("Sa date de naissance").fill(identity.traits.birth_date.isoformat())
    today = stage.house.services.clock.now().date()
    await holder.get_by_label("Jusqu’au").fill(today.isoformat())
    await holder.get_by_role("button", name="Envoyer la demande").click()
    await expect(holder.locator("main")).to_contain_text("En attente")

    await gran.goto(f"{stage.home}/vitale/delegations")
    await gran.get_by_role("button", name="Accepter").click()
    await gran.get_by_role("link", name="Montrer", exact=False).first.click()
    await gran.get_by_label("Votre code secret").fill(HERS)
    await gran.get_by_role("button", name="Montrer", exact=True).click()
    answer = await stage.software(await read(gran))
    assert answer.json()["shown"]["by"] == "delegate"
    assert answer.json()["identity"]["birthName"] == stage.people[0][1].traits.birth_name
    await gran.goto(f"{stage.home}/vitale/recus")
    await expect(gran.locator("main")).to_contain_text("Cartes que j’ai montrées pour d’autres")
    await holder.goto(f"{stage.home}/vitale/recus")
    await expect(holder.locator("main")).to_contain_text("montrée par")
    await gran.goto(f"{stage.home}/vitale/delegations")
    await gran.get_by_role("button", name="Arrêter").click()
    await holder.goto(f"{stage.home}/vitale/delegations")
    await expect(holder.locator("main")).to_contain_text("Terminée")
    await gran.context.close()


async def test_a_professional_opens_the_record_with_the_code_of_who_is_there(stage: Stage, holder: Page) -> None:
    await holder.goto(f"{stage.home}/acces")
    await holder.get_by_role("link", name="Je suis avec un professionnel").click()
    await holder.get_by_role("button", name="Montrer un code").click()
    code = await holder.locator(".vcode").inner_text()
    assert await read(holder) == "".join(code.split())
    assert not await violations(holder)
    await holder.screenshot(path=SCREENSHOTS / "vitale-presence.png", full_page=True)

    async with stage.house.services.database.reader() as reader:
        name = await reader.fetch_value(
            "select display_name from account where professional = %s and kind = 'professional'", (f"8{stage.rpps}",)
        )
    doctor = await stage.enter(name, width=1280)
    await doctor.goto(f"{stage.home}/pro/patients")
    await doctor.get_by_role("link", name="Le patient est avec moi").click()
    assert not await violations(doctor)
    await doctor.get_by_label("Le code du patient").fill(code)
    await doctor.get_by_role("button", name="Ouvrir le dossier").click()
    await expect(doctor.locator("main")).to_contain_text("le patient est avec vous")
    await doctor.screenshot(path=SCREENSHOTS / "vitale-presence-pro.png", full_page=True)

    await holder.get_by_role("link", name="Voir qui a accès").click()
    await expect(holder.locator("main")).to_contain_text("Avec vous, jusqu’à")
    person = holder.locator(".people li").filter(has_text="Avec vous, jusqu’à")
    await person.get_by_role("link").click()
    await holder.get_by_role("button", name="Terminer maintenant").click()
    await expect(holder.locator("main")).not_to_contain_text("Avec vous, jusqu’à")
    await doctor.context.close()


PATHS = ("", "/demande", "/code", "/montrer", "/recus", "/delegations", "/telephone", "/app")


@pytest.mark.parametrize(("width", "scheme", "locale"), [(390, "dark", "fr-FR"), (1280, "light", "en-GB")])
async def test_every_page_of_the_card_is_accessible_and_fits(
    stage: Stage, holder: Page, width: int, scheme: Any, locale: str
) -> None:
    state = await holder.context.storage_state()
    context = await stage.browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, locale=locale, storage_state=state
    )
    page, problems = await context.new_page(), list[str]()
    watch = Watch.on(page, stage.home)
    for path in PATHS:
        await page.goto(f"{stage.home}/vitale{path}")
        problems += [f"{path}: {found}" for found in await violations(page)]
        shot = f"vitale{path.replace('/', '-')}-{width}-{scheme}-{locale[:2]}.png"
        await page.screenshot(path=SCREENSHOTS / shot, full_page=True)
        await page.set_viewport_size({"width": 320, "height": 800})
        if await sideways(page):
            problems.append(f"{path} runs sideways at 320")
        await page.set_viewport_size({"width": width, "height": 844})
    await context.close()
    assert not problems + watch.complaints + watch.elsewhere


async def test_a_page_that_is_installed_names_itself_and_keeps_to_its_place(stage: Stage) -> None:
    async with httpx.AsyncClient(base_url=stage.home) as client:
        manifest = (await client.get("/vitale/manifest.webmanifest")).json()
        worker = await client.get("/vitale/sw.js")
        app = await client.get("/vitale/app")
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/vitale/app",) * 2 + ("standalone",)
    assert "service-worker-allowed" not in worker.headers
    assert "worker-src 'self'" in app.headers["content-security-policy"]
    assert "unsafe" not in app.headers["content-security-policy"]
