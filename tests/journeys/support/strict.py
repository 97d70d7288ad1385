"""A client that reads every page as strictly as a careful reviewer would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin

import httpx
from lxml import html
from lxml.html import HtmlElement

_PRESENT = re.compile(r"\bon[a-z]+$")
_FILLED = ("input", "select", "textarea")


def problems_of(text: str) -> list[str]:
    """What is wrong with a page: structure, names, inline code, outside addresses."""
    if not text.startswith("<!doctype html>"):
        return ["the page does not start with its doctype"]
    page = html.document_fromstring(text)
    return [
        *_frame(page),
        *_headings(page),
        *_names(page),
        *_references(page),
        *_code(page),
    ]


def _frame(page: HtmlElement) -> list[str]:
    found: list[str] = []
    if page.get("lang") not in ("fr", "en"):
        found.append("html has no lang")
    title = (page.findtext(".//title") or "").strip()
    if not title.endswith("· Ambroise") or title.startswith("·"):
        found.append(f"poor title {title!r}")
    if len(page.findall(".//main")) != 1:
        found.append("not exactly one main")
    if not page.cssselect("a.skip[href='#contenu']"):
        found.append("no skip link")
    return found


def _headings(page: HtmlElement) -> list[str]:
    found: list[str] = []
    levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1:
        found.append(f"{levels.count(1)} h1")
    for before, after in pairwise(levels):
        if after > before + 1:
            found.append(f"a heading jumps from h{before} to h{after}")
    found += [f"empty {one.tag}" for one in page.iter("h1", "h2", "h3", "h4") if not one.text_content().strip()]
    return found


def _names(page: HtmlElement) -> list[str]:
    found: list[str] = []
    labels = {one.get("for") for one in page.iter("label")}
    for control in page.iter(*_FILLED):
        if control.get("type") in ("hidden", "submit"):
            continue
        if control.get("id") not in labels and not control.get("aria-label"):
            found.append(f"no label for {control.tag} {control.get('name')!r}")
    for one in page.iter("a", "button"):
        if not one.text_content().strip() and not one.get("aria-label"):
            found.append(f"{one.tag} without words: {one.get('href')}")
    found += ["image without alt" for one in page.iter("img") if one.get("alt") is None]
    found += [f"table without caption or header: {one.get('class')}" for one in page.iter("table") if not _told(one)]
    for form in page.iter("form"):
        if (form.get("method") or "").lower() == "post" and not form.cssselect("input[name=jeton]"):
            found.append(f"a form without its token: {form.get('action')}")
    return found


def _told(table: HtmlElement) -> bool:
    inside_document = any("cda" in (one.get("class") or "") for one in table.iterancestors("div"))
    return inside_document or (table.find("caption") is not None and bool(table.cssselect("th[scope]")))


def _references(page: HtmlElement) -> list[str]:
    ids = [one.get("id") for one in page.iter() if isinstance(one.tag, str) and one.get("id")]
    found = [f"id {one!r} twice" for one in set(ids) if ids.count(one) > 1]
    known = set(ids)
    for one in page.iter():
        if not isinstance(one.tag, str):
            continue
        for attribute in ("aria-labelledby", "aria-describedby"):
            found += [f"{attribute} names {id!r}" for id in (one.get(attribute) or "").split() if id not in known]
        if one.tag == "label" and one.get("for") and one.get("for") not in known:
            found.append(f"label for {one.get('for')!r}")
        inside = one.get("href", "")[1:] if one.tag == "a" and one.get("href", "").startswith("#") else ""
        if inside and inside not in known:
            found.append(f"link to #{inside}")
    return found


def _code(page: HtmlElement) -> list[str]:
    found: list[str] = []
    for one in page.iter():
        if not isinstance(one.tag, str):
            continue
        if one.tag == "style" or (one.tag == "script" and not one.get("src")):
            found.append(f"inline {one.tag}")
        for name, value in one.attrib.items():
            if name == "style" or _PRESENT.match(name):
                found.append(f"inline {name}")
            if name in ("src", "href", "action", "data") and value.startswith(("http:", "https:", "//", "javascript:")):
                found.append(f"outside address {value}")
    return found


@dataclass
class StrictClient:
    """A browser without scripts: follows links, fills forms, and fails on the first page that is not right."""

    http: httpx.AsyncClient
    seen: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    text: str = ""
    address: str = "/"
    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)

    async def get(self, address: str) -> StrictClient:
        return self._took(await self.http.get(address, follow_redirects=True))

    async def post(self, address: str, data: dict[str, Any], files: Any = None) -> StrictClient:
        return self._took(await self.http.post(address, data=data, files=files, follow_redirects=True))

    async def click(self, words: str) -> StrictClient:
        """Follow the link with these words."""
        links = [(" ".join(link.text_content().split()), link.get("href")) for link in self.page.iter("a")]
        exact = [address for text, address in links if text == words]
        for address in exact or [address for text, address in links if words in text]:
            return await self.get(urljoin(self.address, address))
        raise AssertionError(f"no link {words!r} on {self.address}")

    async def press(self, words: str, files: Any = None, **values: str | list[str]) -> StrictClient:
        """Press the button with these words, the fields of its form filled with these values."""
        for button in self.page.iter("button"):
            if words not in " ".join(button.text_content().split()):
                continue
            form = next(button.iterancestors("form"))
            data: dict[str, Any] = {}
            for name, value in form.form_values():
                data.setdefault(name, []).append(value)
            data |= {button.get("name"): button.get("value")} if button.get("name") else {}
            if set(values) - {one.get("name") for one in form.iter(*_FILLED)}:
                continue
            data |= values
            action = urljoin(self.address, form.get("action") or self.address)
            if (form.get("method") or "get").lower() == "get":
                return self._took(await self.http.get(action, params=data, follow_redirects=True))
            return await self.post(action, data, files)
        raise AssertionError(f"no button {words!r} with fields {sorted(values)} on {self.address}")

    @property
    def page(self) -> HtmlElement:
        return html.document_fromstring(self.text)

    @property
    def words(self) -> str:
        """What the page says, with ordinary spaces."""
        page = self.page
        for one in page.iter("br"):
            one.tail = " " + (one.tail or "")
        return " ".join(page.find(".//main").text_content().replace("\u00a0", " ").split())

    def _took(self, response: httpx.Response) -> StrictClient:
        self.status, self.headers = response.status_code, response.headers
        self.address = str(response.url.raw_path.decode())
        self.seen.append((self.address, self.status))
        if response.headers.get("content-type", "").startswith("text/html"):
            self.text = response.text
            found = problems_of(self.text)
            assert not found, f"{self.address}: {found}"
        else:
            self.text = ""
        return self
