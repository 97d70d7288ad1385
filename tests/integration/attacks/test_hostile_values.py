"""Values that no page sends: whoever sends them is told so, and none of them is a fault of ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import cache
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


@cache
def names() -> list[str]:
    """The names that our pages and their forms know."""
    found: set[str] = set()
    for path in (*_WEB.rglob("*.py"), *_WEB.rglob("*.html")):
        text = path.read_text("utf-8")
        found |= set(_NAMED.findall(text)) | {one or other for one, other in _FIELD.findall(text)}
    return sorted(found - {"jeton"})


def written(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def value(turn: int | None, place: int) -> str:
    """A hostile value, by turns; the sign NUL for None."""
    return NUL if turn is None else HOSTILE[(place + turn) % len(HOSTILE)]


@cache
def asked(turn: int | None) -> tuple[str, str]:
    """Every name with a value of this turn, in two halves of a query."""
    pairs = [f"{name}={written(value(turn, place))}" for place, name in enumerate(names())]
    return "&".join(pairs[::2]), "&".join(pairs[1::2])


def filled(page: Page, turn: int | None) -> str:
    return re.sub(r"\{\w+(:int)?\}", lambda _: written(value(turn, 0)), page.path)


async def answers(
    browser: httpx.AsyncClient, page: Page, token: str, turn: int | None
) -> AsyncIterator[tuple[str, httpx.Response]]:
    """What a page answers to these values, by method."""
    one, other = asked(turn)
    if "GET" in page.methods:
        yield "GET", await browser.get(f"{filled(page, turn)}?{one}&{other}")
    if "POST" in page.methods:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        body = f"jeton={written(token)}&{other if turn is None or turn % 2 else one}"
        query = "" if turn is None else one
        yield "POST", await browser.post(f"{page.address}?{query}", content=body, headers=headers)


@pytest.mark.parametrize("kind", list(AccountKind))
async def test_no_value_breaks_a_page(target: Target, kind: AccountKind) -> None:
    browser = await target.signed_in(kind)
    token = await form_token(browser, "/reglages")
    assert len(names()) > 100
    walked, faults = set[str](), dict[str, set[str]]()
    for page in target.pages():
        if page.path in ("/deconnexion", "/static/{name}", "/etre"):
            continue
        if page.path in EVERYBODY and kind is not AccountKind.PROFESSIONAL:
            continue
        # The sign NUL is refused before anything is asked of who came: the other values say whose page it is.
        for turn in (0, None):
            async for method, answer in answers(browser, page, token, turn):
                if answer.status_code == 403 and OTHERS in answer.text:
                    break
                walked.add(page.path)
                if answer.status_code == 500:
                    faults.setdefault(page.path, set()).add(f"{method} {turn}")
            if page.path not in walked:
                break
    assert len(walked) > 20
    assert faults == {}
