"""Templates: one environment for the three portals, strict about what a page forgets."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui import dates, i18n
from ambroise.interfaces.web.ui.assets import Assets

WEB = Path(__file__).parent.parent
PORTALS = (
    "ui",
    "entrance",
    "federation",
    "sign_on",
    "citizen",
    "professional",
    "desk",
    "identities",
    "vitale",
    "copies",
)
_WORTH_COMPRESSING = 1024


def environment(assets: Assets) -> Environment:
    """The environment of every template: escaped, strict, in two languages."""
    env = Environment(
        loader=PrefixLoader({portal: FileSystemLoader(WEB / portal / "templates") for portal in PORTALS}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    install: Callable[..., None] = env.install_gettext_callables  # type: ignore[attr-defined]
    install(
        gettext=lambda message: i18n.current().gettext(message),
        ngettext=lambda one, many, count: i18n.current().ngettext(one, many, count),
        newstyle=True,
    )
    env.globals.update(
        icon=assets.icon,
        asset=assets.url,
        day=dates.day,
        short_day=dates.short_day,
        figures=dates.figures,
        month_figures=dates.month_figures,
        full_day=dates.full_day,
        hour=dates.hour,
        moment=dates.moment,
        near=dates.near,
        day_block=dates.day_block,
        month_title=dates.month_title,
        age=dates.age,
    )
    env.filters["initials"] = initials
    env.filters["size"] = size
    env.filters["grouped"] = grouped
    env.filters["proper"] = proper
    env.filters["instant"] = datetime.fromisoformat
    return env


def grouped(count: int) -> str:
    """« 111 777 », or "111,777"."""
    return format_decimal(count, locale=i18n.current().code)


def page(request: Request, html: str, status: int, headers: Mapping[str, str]) -> Response:
    """An HTML answer, compressed when it is worth it. Never kept by a cache: it is about somebody."""
    headers = {**headers, "cache-control": "no-store", "vary": "cookie, accept-language, accept-encoding"}
    body = html.encode()
    if len(body) < _WORTH_COMPRESSING or "gzip" not in request.headers.get("accept-encoding", ""):
        return HTMLResponse(body, status, headers)
    return HTMLResponse(gzip.compress(body, 5, mtime=0), status, {**headers, "content-encoding": "gzip"})


def initials(name: str) -> str:
    """« CM » for « Dr Claire Morel »."""
    words = [word for word in name.replace("-", " ").split() if word[:1].isalpha()]
    words = [word for word in words if word.rstrip(".").lower() not in ("dr", "pr", "m", "mme")] or words
    return "".join(word[0].upper() for word in (words[:1] + words[-1:] if len(words) > 1 else words))


def size(count: int) -> str:
    """« 84 Ko », « 2,4 Mo »."""
    french = i18n.current().code == "fr"
    if count < 1_000_000:
        number, unit = str(max(1, round(count / 1000))), "Ko" if french else "KB"
    else:
        number, unit = f"{count / 1_000_000:.1f}", "Mo" if french else "MB"
    return f"{number.replace('.', ',') if french else number}\u00a0{unit}"
