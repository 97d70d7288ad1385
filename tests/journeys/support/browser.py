"""The portals served for real, and Debian's Chromium to visit them."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from starlette.types import ASGIApp

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SCREENSHOTS = Path(__file__).parents[3] / "screenshots"
needs_chromium = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here: apt-get install chromium")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@asynccontextmanager
async def serving(application: ASGIApp, port: int | None = None) -> AsyncIterator[str]:
    """Serve an application on this port of this machine, or a free one; its address, by name as people type it."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(application, "127.0.0.1", port, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag only.
        await asyncio.sleep(0.02)
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watch:
    """What a page did that it must not: messages of its console, requests to elsewhere, bytes."""

    home: str
    complaints: list[str]
    elsewhere: list[str]

    @classmethod
    def on(cls, page: Page, home: str) -> Watch:
        watch = cls(home, [], [])
        page.on("console", watch._hear)
        page.on("pageerror", lambda error: watch.complaints.append(str(error)))
        page.on("request", lambda request: watch._note(request.url))
        return watch

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def _note(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:", "chrome-extension:", "chrome:")):
            self.elsewhere.append(url)


async def enter(page: Page, home: str, name: str) -> None:
    """Come in as somebody of the demonstration."""
    await page.goto(f"{home}/etre")
    await page.get_by_role("button", name=f"Entrer : {name}").click()
    await page.wait_for_url(lambda url: "/etre" not in url)


async def faults(application: ASGIApp, name: str, addresses: Sequence[str], shots: str = "") -> list[str]:
    """What is wrong with pages as somebody sees them on a desk and on a telephone.

    What axe and the console say, what is asked of elsewhere, what runs sideways; `shots` begins the names of pictures.
    """
    found: list[str] = []
    async with serving(application) as home, chromium() as browser:
        for width in (1280, 390):
            context = await browser.new_context(viewport={"width": width, "height": 800}, locale="fr-FR")
            page = await context.new_page()
            watch = Watch.on(page, home)
            await enter(page, home, name)
            for address in addresses:
                await page.goto(home + address)
                said = await violations(page)
                if await sideways(page) > 0:
                    said.append("runs sideways")
                found += [f"{address} at {width}: {one}" for one in said]
                if shots:
                    await _shoot(page, f"{shots}-{re.sub('[^a-z]+', '-', address)}-{width}.png")
            found += watch.complaints + watch.elsewhere
    return found


async def _shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / name, full_page=True)


async def violations(page: Page) -> list[str]:
    """What axe finds, of any level."""
    # To describe all that is well takes as long as to examine it.
    options = {"runOnly": {"type": "tag", "values": _TAGS}, "resultTypes": ["violations"]}
    found: Any = await Axe().run(page, options=options)
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
