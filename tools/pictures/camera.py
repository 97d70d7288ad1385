"""Enters as the people of the demonstration, finds the kinds of documents, and takes pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urljoin

from msgspec import Struct
from playwright.sync_api import Browser, ConsoleMessage, Page

WIDTHS = (390, 1280)
# A sheet of A4 between its margins, at the 96 points an inch of style sheets.
PAPER = 680
_HEIGHT = 900
# Milliseconds that the reader of PDF needs; nothing tells when it is done.
_PDF = 1500
# From the top; a bar that follows the eye down the page stands at its end, where it hides nothing of the picture.
_STILL = """
scrollTo(0, 0);
document.body.style.position = 'relative';
document.querySelectorAll('.places').forEach(bar => {
  bar.style.position = '';
  if (getComputedStyle(bar).position === 'fixed') bar.style.position = 'absolute';
});
"""
_FIGURES = re.compile(r"\d+")
_WORDS = re.compile(r"[^\w]+")
_MOST_PAGES = 12
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
# The rows of a list of documents: a citizen's, and a professional's.
_ROWS = ".timeline > li, row-keys tbody > tr"


class Picture(Struct, frozen=True):
    """One picture that was taken, and what is wrong with the page that can be told without looking."""

    group: str
    title: str
    who: str
    file: str
    width: int
    problems: tuple[str, ...]


class Look(Struct, frozen=True):
    """How pages are looked at."""

    folder: Path
    language: str
    scheme: Literal["light", "dark"]
    paper: bool


class Visitor:
    """Somebody of the demonstration, signed in."""

    def __init__(self, browser: Browser, home: str, who: str, look: Look) -> None:
        self._home, self._who, self._look = home, who, look
        context = browser.new_context(locale=look.language, color_scheme=look.scheme, reduced_motion="reduce")
        self._page: Page = context.new_page()
        self._heard: list[str] = []
        self._page.on("console", self._hear)
        self._page.goto(f"{home}/etre?nom={quote(who)}")
        self._page.locator("button[name=personne]").first.click()
        self._page.wait_for_url(lambda url: "/etre" not in url)

    def leave(self) -> None:
        """Close the browser of this person."""
        self._page.context.close()

    def take(self, group: str, address: str, press: str = "", *, paper: bool = False) -> Iterator[Picture]:
        """A picture of a page at each width; on paper too when that is asked of this page."""
        self._heard.clear()
        answer = self._page.goto(self._home + address)
        problems = [] if answer is not None and answer.status < 400 else [f"answers {answer and answer.status}"]
        if press:
            self._page.locator(press).last.click()
            self._page.wait_for_load_state()
        title = self._page.title().partition(" · ")[0]
        for width in WIDTHS:
            self._page.set_viewport_size({"width": width, "height": _HEIGHT})
            self._page.evaluate(_STILL)
            if self._page.locator("object.paper").is_visible():
                self._page.wait_for_timeout(_PDF)
            yield self._picture(group, title, address + press, width, [*problems, *self._over(width), *self._heard])
        if paper and self._look.paper:
            self._page.emulate_media(media="print")
            self._page.set_viewport_size({"width": PAPER, "height": _HEIGHT})
            yield self._picture(group, title, f"{address} print", PAPER, self._over(PAPER))
            self._page.emulate_media(media="screen")

    def kinds(self, place: str) -> list[str]:
        """The ids of one document of each kind of a list: a title without its figures, from the same author."""
        kinds: dict[str, str] = {}
        address: str | None = place
        for _ in range(_MOST_PAGES):
            if address is None:
                break
            self._page.goto(urljoin(self._home + place, address))
            for row in self._page.locator(_ROWS).all():
                link, about = row.locator("a").first, row.locator(".about, .narrow-only").first
                kind = _FIGURES.sub("", link.inner_text()).partition(" : ")[0] + str(about.text_content())
                kinds.setdefault(kind, _ID.findall(str(link.get_attribute("href")))[-1])
            older = self._page.locator("main a[rel=next]")
            address = older.first.get_attribute("href") if older.count() else None
        return list(kinds.values())

    def patient(self, name: str) -> str:
        """The address of the record of a patient of this professional, by the given name."""
        self._page.goto(f"{self._home}/pro/patients")
        link = self._page.locator("a[href^='/pro/patients/']", has_text=re.compile(name.split()[0], re.IGNORECASE))
        return str(link.first.get_attribute("href"))

    def _picture(self, group: str, title: str, address: str, width: int, problems: list[str]) -> Picture:
        name = "-".join((group, self._who.split()[0], title, _ID.sub(_end, address)))
        file = f"{_WORDS.sub('-', name.lower())}-{width}.png"
        self._page.screenshot(path=self._look.folder / file, full_page=True)
        return Picture(group, title, self._who, file, width, tuple(problems))

    def _over(self, width: int) -> list[str]:
        over = self._page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [f"runs {over} px sideways at {width}"] if over > 0 else []

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._heard.append(message.text)


def _end(id: re.Match[str]) -> str:
    """What tells an id from the others of a moment."""
    return id[0][-6:]
