"""A citizen takes a copy of everything away, reads it without us, and prints a page."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.portability.api import GOES_ON, TAKES_ON
from tests.integration.portability.test_imports import IPS
from tests.journeys.support.browser import SCREENSHOTS, chromium, enter, needs_chromium, serving, sideways, violations
from tests.journeys.support.visitors import Visitors


async def work(visitors: Visitors) -> None:
    subscriptions = Subscriptions()
    subscriptions.on(GOES_ON, visitors.exports.go_on)
    subscriptions.on(TAKES_ON, visitors.imports.go_on)
    await Delivery(visitors.world.database, subscriptions, visitors.world.clock).deliver_all()


@needs_chromium
@pytest.mark.journey
async def test_a_citizen_takes_a_copy_away_reads_it_without_us_and_prints_a_page(
    visitors: Visitors, tmp_path: Path
) -> None:
    async with serving(visitors.application) as home, chromium() as chrome:
        page = await (await chrome.new_context(locale="fr-FR")).new_page()
        await enter(page, home, "Dominique Fictive")
        await page.get_by_role("link", name="Mes données", exact=True).locator("visible=true").click()
        await page.get_by_role("button", name="Préparer une copie").click()
        await page.get_by_role("progressbar").wait_for()
        await work(visitors)
        await page.get_by_role("button", name="Télécharger").wait_for()
        assert await page.get_by_role("button", name="Préparer une copie").count() == 1, "the page followed by itself"
        assert await violations(page) == []
        await page.set_viewport_size({"width": 390, "height": 800})
        assert await sideways(page) == 0
        SCREENSHOTS.mkdir(exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / "mes-donnees.png", full_page=True)
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Télécharger").click()
        await (await downloading.value).save_as(tmp_path / "copie.zip")

        await page.goto(home + "/historique")
        assert await page.get_by_text("avez téléchargé une copie de votre dossier").count() == 1
        assert await page.get_by_role("button", name="Imprimer").is_visible()
        await page.emulate_media(media="print")
        assert await page.get_by_text("Imprimé par Dominique Fictive").is_visible()
        assert not await page.get_by_role("navigation").first.is_visible()
        assert (await page.pdf(prefer_css_page_size=True)).startswith(b"%PDF")
        await page.emulate_media(media="screen")

        with zipfile.ZipFile(tmp_path / "copie.zip") as copy:
            copy.extractall(tmp_path / "copie")
        for name in (
            "index.html",
            "documents-001.html",
            "documents/0001.html",
            "historique/page-0001.html",
            "reglages.html",
        ):
            await page.goto((tmp_path / "copie" / name).as_uri())
            assert await violations(page) == [], name
            assert await sideways(page) == 0, name
        await page.goto((tmp_path / "copie" / "index.html").as_uri())
        await page.get_by_role("link", name="Page 1", exact=True).click()
        await page.get_by_role("link", name="Compte rendu de consultation", exact=True).click()
        assert await page.get_by_role("heading", name="Compte rendu de consultation").count() >= 1


async def test_a_citizen_sees_what_a_foreign_summary_brings_takes_it_and_undoes_it(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/mes-donnees/reprendre")
    await citizen.press("Voir ce qui sera repris", files={"fichier": ("lettre.xml", b"<a/>", "text/xml")})
    assert citizen.status == 422
    assert "Ce fichier n’est ni un résumé médical" in citizen.words
    other = IPS.replace(b"1979-03-28", b"1980-01-01")
    await citizen.press("Voir ce qui sera repris", files={"fichier": ("ips.json", other, "application/json")})
    assert "Ce fichier parle de quelqu’un d’autre" in citizen.words
    await citizen.press("Voir ce qui sera repris", files={"fichier": ("ips.json", IPS, "application/json")})
    assert "Hospital Ficticio de Sevilla (ES)" in citizen.words
    assert "Penicilina Allergie" in citizen.words
    await citizen.press("Reprendre")
    await work(visitors)
    await citizen.get(citizen.address)
    assert "1 document rangé, 4 informations reprises." in citizen.words
    await citizen.get("/documents")
    assert "Resumen del paciente (IPS)" in citizen.words
    await citizen.get("/mes-donnees/reprendre")
    await citizen.get(next(one for one in citizen.page.xpath("//main//a/@href") if "/reprendre/" in one))
    await citizen.press("Annuler la reprise")
    assert "Reprise annulée." in citizen.words
    await citizen.get("/documents")
    assert "Resumen del paciente (IPS)" not in citizen.words
