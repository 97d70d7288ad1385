"""Passkeys in Chromium, by its virtual authenticator: adding one, signing in, proving again; accessible, two widths."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.api import AccountKind, NewAccount, Situation
from tests.integration.fhir_rest.people import patient
from tests.journeys.support.browser import (
    SCREENSHOTS,
    Watch,
    chromium,
    free_port,
    needs_chromium,
    serving,
    sideways,
    violations,
)
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

pytestmark = needs_chromium

OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class Device:
    """A person's browser with its authenticator."""

    page: Page
    watch: Watch
    control: CDPSession
    authenticator: str

    async def keys(self) -> int:
        answer = await self.control.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return len(answer["credentials"])

    async def verified(self, answer: bool) -> None:
        """Whether its holder's finger is recognised from now on."""
        sent = {"authenticatorId": self.authenticator, "isUserVerified": answer}
        await self.control.send("WebAuthn.setUserVerified", sent)


@dataclass(frozen=True)
class Place:
    """An instance served at its own name, with people."""

    house: House
    home: str
    browser: Browser

    @asynccontextmanager
    async def device(self, width: int = 1280, **more: object) -> AsyncIterator[Device]:
        context: BrowserContext = await self.browser.new_context(
            viewport={"width": width, "height": 800},
            locale="fr-FR",
            **more,  # type: ignore[arg-type]
        )
        page = await context.new_page()
        control = await context.new_cdp_session(page)
        await control.send("WebAuthn.enable")
        made = await control.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})
        yield Device(page, Watch.on(page, self.home), control, made["authenticatorId"])
        await context.close()


@pytest.fixture
async def place(fresh_database: TestDatabase, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Place]:
    port = free_port()
    async with house_on(fresh_database, tmp_path, clock=clock, port=port) as house:
        async with house.client() as system:
            space = UUID((await system.post("Patient", json=patient())).json()["id"])
        await _people(house, space)
        async with serving(house.app, port) as home, chromium() as browser:
            yield Place(house, home, browser)


async def _people(house: House, space: UUID) -> None:
    work = (Situation("10", specialty="SM54", organization="1370000002", organization_name="Cabinet"),)
    people = (
        NewAccount(AccountKind.CITIZEN, "ana@exemple.fr", "Ana Fictive", patient=space, demonstration=True),
        NewAccount(
            AccountKind.PROFESSIONAL,
            "810000000001",
            "Dr Camille Fictif",
            professional="810000000001",
            situations=work,
            demonstration=True,
        ),
        NewAccount(
            AccountKind.OPERATOR,
            "guichet@exemple.fr",
            "Nadia Inventée",
            duties=frozenset({"support", "identity"}),
            demonstration=True,
        ),
    )
    async with house.services.database.transaction() as tx:
        for one in people:
            await house.services.identity.create_account(tx, one)


async def _be(device: Device, place: Place, name: str) -> None:
    await device.page.goto(f"{place.home}/etre")
    await device.page.get_by_role("button", name=re.compile(f"(Entrer|Enter) : {name}")).click()
    await device.page.wait_for_url(lambda url: "/etre" not in url)
    # No space was opened for this person: their home answers that it does not exist, which is not what is tested.
    device.watch.complaints.clear()


async def _add_key(device: Device, place: Place, name: str = "Mon téléphone") -> None:
    await device.page.goto(f"{place.home}/reglages/cles/ajouter")
    await device.page.get_by_label("Nom de la clé").fill(name)
    await device.page.get_by_role("button", name="Ajouter la clé").click()
    await expect(device.page.get_by_role("heading", name=name)).to_be_visible()


async def test_a_citizen_adds_a_passkey_and_signs_in_with_nothing_else(place: Place) -> None:
    async with place.device(390) as device:
        page = device.page
        await _be(device, place, "Ana Fictive")
        await _add_key(device, place)
        assert await device.keys() == 1
        await page.context.clear_cookies()
        await page.goto(f"{place.home}/connexion?suite=/reglages")
        await page.get_by_role("button", name="Utiliser une clé d’accès").click()
        await page.wait_for_url(f"{place.home}/reglages")
        await page.goto(f"{place.home}/reglages/cles")
        await expect(page.get_by_text("Dernière utilisation")).to_be_visible()
        assert device.watch.complaints == []
        assert device.watch.elsewhere == []


async def test_a_device_that_does_not_know_its_holder_opens_nothing(place: Place) -> None:
    async with place.device() as device:
        await _be(device, place, "Ana Fictive")
        await _add_key(device, place)
        await device.verified(False)
        await device.page.context.clear_cookies()
        await device.page.goto(f"{place.home}/connexion")
        await device.page.get_by_role("button", name="Utiliser une clé d’accès").click()
        await expect(device.page.get_by_text("La clé d’accès n’a pas répondu.")).to_be_visible()
        assert device.page.url == f"{place.home}/connexion"


async def test_an_act_that_matters_asks_again_and_loses_nothing(place: Place, clock: FixedClock) -> None:
    async with place.device() as device:
        page = device.page
        await _be(device, place, "Ana Fictive")
        await _add_key(device, place)
        await page.goto(f"{place.home}/reglages/cles/ajouter")
        clock.move(timedelta(minutes=6))
        await page.goto(f"{place.home}/reglages/cles/ajouter")
        await page.get_by_label("Nom de la clé").fill("Clé de la maison")
        await page.get_by_role("button", name="Continuer").click()
        await expect(page.get_by_role("heading", name="Montrez que c’est bien vous")).to_be_visible()
        await expect(page.get_by_text("changer les moyens d’entrer")).to_be_visible()
        await page.get_by_role("button", name="Utiliser ma clé d’accès").click()
        await page.get_by_role("button", name="Confirmer").click()
        assert await page.get_by_label("Nom de la clé").input_value() == "Clé de la maison"


async def test_revoking_ends_a_passkey_at_once(place: Place) -> None:
    async with place.device() as device:
        page = device.page
        await _be(device, place, "Ana Fictive")
        await _add_key(device, place)
        await page.get_by_role("button", name=re.compile("^Révoquer")).click()
        await expect(page.get_by_text("Elle n’ouvre plus rien.")).to_be_visible()
        await page.context.clear_cookies()
        await page.goto(f"{place.home}/connexion")
        await page.get_by_role("button", name="Utiliser une clé d’accès").click()
        await expect(page.get_by_text("Cette clé d’accès n’ouvre rien ici.").first).to_be_visible()


async def test_without_scripts_the_page_says_what_else_one_can_do(place: Place) -> None:
    async with place.device(java_script_enabled=False) as device:
        await device.page.goto(f"{place.home}/connexion")
        await expect(device.page.get_by_text("Les autres moyens marchent sans.")).to_be_visible()
        await expect(device.page.get_by_role("button", name="Utiliser une clé d’accès")).to_be_hidden()


async def test_at_another_address_the_page_names_the_right_one(place: Place) -> None:
    async with place.device() as device:
        await device.page.goto(place.home.replace("localhost", "127.0.0.1") + "/connexion")
        await expect(device.page.get_by_text(f"à l’adresse {place.home}")).to_be_visible()


@pytest.mark.parametrize("language", ["fr"])
async def test_the_pages_are_accessible_at_both_widths(place: Place, language: str, clock: FixedClock) -> None:
    folder = SCREENSHOTS / "passkeys"
    folder.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    for width, look in ((1280, "light"), (390, "dark")):
        async with place.device(width, color_scheme=look) as device:
            page = device.page
            await page.goto(f"{place.home}/connexion")
            await _look(page, folder, f"connexion-{width}-{language}", problems)
            await _be(device, place, "Ana Fictive")
            await _add_key(device, place, f"Mon téléphone {width}")
            if language == "en":
                await page.get_by_role("button", name="English").click()
            for path in ("/reglages/cles", "/reglages/cles/ajouter", "/reglages"):
                await page.goto(place.home + path)
                await _look(page, folder, f"{path.strip('/').replace('/', '_')}-{width}-{language}", problems)
            clock.move(timedelta(minutes=6))
            await page.goto(f"{place.home}/preuve?suite=/reglages/cles&acte=moyens")
            await _look(page, folder, f"preuve-{width}-{language}", problems)
            await page.goto(f"{place.home}/cle/premiere")
            await _look(page, folder, f"premiere-{width}-{language}", problems)
            await _be(device, place, "Nadia Inventée")
            for path in ("/guichet/acces", "/guichet/acces/premiere-cle", "/guichet/acces/collegue"):
                await page.goto(place.home + path)
                await _look(page, folder, f"{path.strip('/').replace('/', '_')}-{width}-{language}", problems)
            problems += [f"console: {one}" for one in device.watch.complaints]
    assert problems == []


async def _look(page: Page, folder: Path, name: str, problems: list[str]) -> None:
    await page.screenshot(path=folder / f"{name}.png", full_page=True)
    problems += [f"{name}: {one}" for one in await violations(page)]
    if await sideways(page) > 0:
        problems.append(f"{name} runs sideways")
