"""Values that no page sends: whoever sends them is told so, and none of them is a fault of ours."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

import ambroise.interfaces.web
from ambroise.modules.identity.api import AccountKind
from tests.integration.attacks.conftest import Page, Target, form_token
from tests.integration.attacks.test_portals import EVERYBODY, OTHERS

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUL = "\x00"
HOSTILE = ("²", "\ud800", "..", "9" * 40, "'\"><", "a" * 200, "[", "2026-13-45", "-1", "NaN", "\u202e")
_WEB = Path(ambroise.interfaces.web.__file__).parent
_NAMED = re.compile(r"""(?:query|sent|form)(?:\.get|\.getlist)?[\[(]"([a-z_]+)\"""")
_FIELD = re.compile(r"^ {4}([a-z_]+) = \w+(?:Field|Ticks)\(|name=\"([a-z_]+)\"", re.MULTILINE)


def names() -> list[str]:
    """The names that our pages and their forms know."""
    found: set[str] = set()
    for path in (*_WEB.rglob("*.py"), *_WEB.rglob("*.html")):
        text = path.read_text("utf-8")
        found |= set(_NAMED.findall(text)) | {one or other for one, other in _FIELD.findall(text)}
    return sorted(found - {"jeton"})


def written(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def filled(page: Page, value: str) -> str:
    return re.sub(r"\{\w+(:int)?\}", lambda _: written(value), page.path)


async def broken(browser: httpx.AsyncClient, page: Page, token: str, known: list[str], turn: int | None) -> set[str]:
    """The methods of a page that break on these values: one for each name, by turns; on the sign NUL for None."""

    def value(place: int) -> str:
        return NUL if turn is None else HOSTILE[(place + turn) % len(HOSTILE)]

    pairs = [f"{name}={written(value(place))}" for place, name in enumerate(known)]
    asked, sent = "&".join(pairs[::2]), "&".join(pairs[1::2])
    found: set[str] = set()
    if "GET" in page.methods:
        answer = await browser.get(f"{filled(page, value(0))}?{asked}&{sent}")
        found |= {"GET"} if answer.status_code == 500 else set()
    if "POST" in page.methods:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        body = f"jeton={written(token)}&{sent if turn is None or turn % 2 else asked}"
        query = "" if turn is None else asked
        answer = await browser.post(f"{page.address}?{query}", content=body, headers=headers)
        found |= {"POST"} if answer.status_code == 500 else set()
    return found


@pytest.mark.parametrize("kind", list(AccountKind))
async def test_no_value_breaks_a_page(target: Target, kind: AccountKind) -> None:
    browser = await target.signed_in(kind)
    token, known = await form_token(browser, "/reglages"), names()
    assert len(known) > 100
    walked, faults = 0, dict[str, set[str]]()
    for page in target.pages():
        if page.path in ("/deconnexion", "/static/{name}", "/etre"):
            continue
        if page.path in EVERYBODY and kind is not AccountKind.PROFESSIONAL:
            continue
        first = await browser.request("GET" if "GET" in page.methods else "POST", page.address, data={"jeton": token})
        if first.status_code == 403 and OTHERS in first.text:
            continue
        walked += 1
        for turn in (None, 0):
            if found := await broken(browser, page, token, known, turn):
                faults.setdefault(page.path, set()).update(f"{method} {turn}" for method in found)
    assert walked > 20
    assert faults == {}
