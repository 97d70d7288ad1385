"""The centre of notices by a browser, the choices with their undo, what was sent, the link of a mail, and the desk."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Page

from ambroise.modules.notification.api import Channel, Code, Kind, notify
from ambroise.modules.notification.model import Kind as NoticeKind
from ambroise.modules.notification.refusing import written
from ambroise.modules.notification.repositories.outgoing import Pending, add, settle, waiting
from tests.integration.record.conftest import world
from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.integration.record.test_visibility import flagged
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
from tests.journeys.support.visitors import Visitors, visitors, wishing_of

__all__ = ["visitors", "world"]

WIDTHS = (390, 1280)


async def look(page: Page, name: str) -> None:
    """Accessible, not wider than its window, and pictured."""
    assert await violations(page) == []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        assert await sideways(page) <= 0, f"{name} at {width}"
        await page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}.png", full_page=True)


async def delivered(page: Page, home: str) -> str:
    """What the worker of the page shows of a message that the browser received (from its tools: no service is here)."""
    context = page.context
    await context.grant_permissions(["notifications"], origin=home)
    tools = await context.new_cdp_session(page)
    known: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def registered(event: Any) -> None:
        for one in event["registrations"]:
            if one["scopeURL"].endswith("/notifications/") and not known.done():
                known.set_result(one["registrationId"])

    tools.on("ServiceWorker.workerRegistrationUpdated", registered)
    await tools.send("ServiceWorker.enable")
    await page.evaluate(
        """async () => {
          const one = await navigator.serviceWorker.register("/notifications/sw.js", { scope: "/notifications/" });
          while (one.active?.state !== "activated") await new Promise((done) => setTimeout(done, 20));
        }"""
    )
    said = json.dumps({"title": "Ambroise", "body": "Il y a du nouveau dans vos documents.", "tag": "documents"})
    id = await asyncio.wait_for(known, 5)
    await tools.send("ServiceWorker.deliverPushMessage", {"origin": home, "registrationId": id, "data": said})
    return await page.evaluate(
        """async () => {
          const one = await navigator.serviceWorker.getRegistration("/notifications/");
          for (let tries = 0; tries < 100; tries++) {
            const shown = await one.getNotifications();
            if (shown.length) return shown[0].body;
            await new Promise((done) => setTimeout(done, 30));
          }
          return "";
        }"""
    )


async def told(visitors: Visitors) -> UUID:
    """Some more things happened; one of them was sent, and did not arrive."""
    world = visitors.world
    now = world.clock.now()
    async with world.database.transaction() as tx:
        await notify(tx, world.patient, now, Code.EMERGENCY_ACCESS, details={"by": "Dr Fictif"})
        await notify(tx, world.patient, now, Code.INVITED, details={"name": "Ana Fictive"})
    async with world.database.transaction() as tx:
        notice = await tx.fetch_value("select id from notification where code = 'ACCES_BRIS_GLACE'")
        pending = Pending(world.patient, notice, "ACCES_BRIS_GLACE", False)
        sent = waiting(world.patient, pending, Channel.MAIL, now, now)
        await add(tx, [sent])
        await settle(tx, [sent], "failed", now, reason="refused")
    return notice


@pytest.mark.journey
@needs_chromium
async def test_a_citizen_reads_filters_deletes_chooses_and_undoes(visitors: Visitors) -> None:
    notice = await told(visitors)
    SCREENSHOTS.mkdir(exist_ok=True)
    async with serving(visitors.application) as home, chromium() as browser:
        page = await browser.new_page(locale="fr-FR")
        watch = Watch.on(page, home)
        await enter(page, home, "Dominique Fictive")
        await page.get_by_role("link", name="Notifications").first.click()
        assert await page.locator(".notice").count() == 3
        await look(page, "notifications")
        await page.get_by_role("link", name="Non lues", exact=True).click()
        await page.get_by_role("button", name="Marquer lue").first.press("Enter")
        assert await page.locator(".notice").count() == 2
        await page.get_by_role("link", name="Accès en urgence").click()
        await page.get_by_role("button", name="Supprimer :").first.press("Enter")
        assert await page.get_by_text("pour tous ceux qui ouvrent ce dossier").count() == 1
        await page.goto(home + "/notifications/envois")
        assert await page.get_by_text("a refusé le message").count() == 1
        await look(page, "notifications-envois")

        await page.goto(home + "/reglages/notifications")
        await look(page, "reglages-notifications")
        box = page.locator("#mail-documents")
        await box.focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name="Enregistrer").press("Enter")
        assert not await page.locator("#mail-documents").is_checked()
        await page.get_by_role("button", name="Annuler").click()
        assert await page.locator("#mail-documents").is_checked()
        assert await page.locator("#mail-emergencies").count() == 0, "nobody switches it off"

        assert await delivered(page, home) == "Il y a du nouveau dans vos documents."

        desk = await browser.new_page(locale="fr-FR")
        await enter(desk, home, "Nadia Inventée")
        await desk.get_by_role("link", name="Envois").first.click()
        await look(desk, "guichet-envois")
        await desk.get_by_label("Identifiant").fill(str(notice))
        await desk.get_by_role("button", name="Chercher").click()
        assert await desk.get_by_text("1 envoi trouvé").count() == 1
        assert "urgence" not in (await desk.inner_text("main")).lower(), "the desk never learns about what"
        assert (watch.complaints, watch.elsewhere) == ([], [])


async def test_a_notice_leads_to_its_document_only_while_that_may_be_seen(visitors: Visitors) -> None:
    world = visitors.world
    visitor = await visitors.enter("Dominique Fictive")
    await visitor.get("/notifications")
    link = f"/documents/{visitors.document}"
    assert link in visitor.page.xpath("//main//a/@href")
    async with world.database.transaction() as tx:
        await world.record.withdraw(tx, world.author, str(visitors.document))
    await visitor.get("/notifications")
    assert link not in visitor.page.xpath("//main//a/@href")
    assert "Ce document n’est plus consultable." in visitor.words
    await world.submit(world.author, renumbered(LETTER, b"7"), flagged("INVISIBLE_PATIENT"))
    before = visitor.words
    await visitor.get("/notifications")
    assert visitor.words == before, "what is withheld is not told"


async def test_the_link_of_a_mail_refuses_without_a_session_and_is_undone(visitors: Visitors) -> None:
    world, wishing = visitors.world, wishing_of(visitors.world)
    token = written(wishing.key, world.patient, world.patient, [Kind.DOCUMENTS])

    async def wanted() -> bool:
        async with world.database.reader() as reader:
            wishes = await wishing.wishes(reader, world.citizen)
        return wishes.wants(world.patient, NoticeKind.DOCUMENTS, Channel.MAIL)

    transport = httpx.ASGITransport(visitors.application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as program:
        address = f"/notifications/refuser?cle={token}"
        assert (await program.get(address)).status_code == 200
        assert await wanted(), "a program that only looks at links refuses nothing"
        done = await program.post(address, data={"List-Unsubscribe": "One-Click"})
        assert (done.status_code, await wanted()) == (200, False)
        assert (await program.post(address + "&geste=reprendre")).status_code == 200
        assert await wanted()
        assert (await program.post("/notifications/refuser?cle=" + token[:-4] + "AAAA")).status_code == 404
