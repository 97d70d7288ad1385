"""Every sort of page that a person reaches by following links, on a real instance: it answers, fits, and is accessible.

A page needs no mention here to be examined: a link to it is enough. Each sort is looked at once, by whoever reaches it
first, wide and light or narrow and dark by turns.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque
from itertools import count
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.journeys.support.browser import Watch, chromium, enter, needs_chromium, sideways, violations
from tests.journeys.support.instance import Instance

# Who sees what the others do not; a visitor first.
PEOPLE = (None, "NADIA EXEMPLE", "INES MODELE", "Camille TEMOIN", "Hugo PROTOTYPE", "Paul GUICHET")
# Files, languages, signing off, the port of certificates, and what belongs to machines.
LEFT = re.compile(
    r"^/(fhir|auth|static|deconnexion|langue|connexion/pro/certificat)\b|/(fichier|joint|preuve)\b|\.ics\b|\.(csv|pdf|json)$"
)
_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{5,}|(?<=/)[\w-]{40,}|(?<=/profil/)[a-z-]+(?=/|$)")
LEAST = 50
ROOT = Path(__file__).parents[2]
MOST = 200

pytestmark = needs_chromium


def sort_of(address: str) -> str:
    """The sort of page behind an address: its path without keys. Filters and pages of a list are one sort."""
    return _KEY.sub("…", address.partition("?")[0])


async def test_every_page_that_links_reach_answers_fits_and_is_accessible(instance: Instance) -> None:
    problems: list[str] = []
    seen: set[str] = set()
    turns = count()
    async with chromium() as browser:
        for who in PEOPLE:
            page, watch = await _enter(browser, instance, who)
            waiting = deque([page.url.removeprefix(instance.address)])
            while waiting and len(seen) < MOST:
                address = waiting.popleft()
                if sort_of(address) in seen:
                    continue
                seen.add(sort_of(address))
                problems += [f"{who} {address} {one}" for one in await _examine(page, instance, address, next(turns))]
                waiting.extend(await _links(page))
            problems += [f"{who} console: {one}" for one in watch.complaints]
            problems += [f"{who} elsewhere: {one}" for one in watch.elsewhere]
            await page.context.close()
    assert not problems, "\n".join(problems)
    assert len(seen) > LEAST


async def _enter(browser: Browser, instance: Instance, who: str | None) -> tuple[Page, Watch]:
    # Colours that change little by little would be measured half-way.
    context = await browser.new_context(locale="fr-FR", reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(30_000)
    watch = Watch.on(page, instance.address)
    if who:
        await enter(page, instance.address, who)
    else:
        await page.goto(instance.address)
    return page, watch


async def _examine(page: Page, instance: Instance, address: str, turn: int) -> list[str]:
    width, scheme = ((1280, "light"), (390, "dark"))[turn % 2]
    await page.set_viewport_size({"width": width, "height": 800})
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    answer = await page.goto(instance.address + address)
    found = [] if answer is not None and answer.status < 400 else [f"answers {answer and answer.status}"]
    found += await violations(page)
    if (over := await sideways(page)) > 0:
        found.append(f"runs {over} px sideways at {width}")
    return found


async def _links(page: Page) -> list[str]:
    """Where the links of a page lead, inside the portals."""
    hrefs = await page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
    inside = (href.partition("#")[0] for href in hrefs if href.startswith("/"))
    return [href for href in inside if href and not LEFT.search(href)]


def test_pictures_are_taken_of_a_running_demonstration(instance: Instance, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.pictures", instance.address, str(tmp_path), "--only", "emergency"]
    taken = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert len(pictures) == 4
    index = (tmp_path / "index.html").read_text()
    assert all(name in index for name in pictures)
