"""The app: one page without anybody's data, that a telephone keeps and that shows the card without a network.

Everything about a person stands in the telephone, under the secret code; the page itself is the same for everybody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.web.ui.assets import HERE, Assets
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.security import page_headers
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit

PATH = "/vitale/app"
_KEPT = ("ambroise.css", "vitale.js", "qr.js", "icons.svg", "mark.svg")
_FONTS = ("fonts/atkinson-next-latin.woff2", "fonts/atkinson-next-latin-ext.woff2")


def app_routes(site: Site, assets: Assets) -> Sequence[BaseRoute]:
    """The page, what keeps it, what a telephone needs to install it, and the time."""
    files = [PATH, *(assets.url(name) for name in (*_KEPT, *_FONTS))]
    worker = (HERE / "workers" / "vitale.js").read_text("utf-8")
    version = hashlib.sha256("".join([*files, worker]).encode()).hexdigest()[:12]
    worker = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(files)};\n{worker}"

    async def page(visit: Visit) -> Response:
        return await visit.render("vitale/app.html")

    async def keeper(request: Request) -> Response:
        return _plain(request, worker, "text/javascript")

    async def manifest(request: Request) -> Response:
        visit = Visit(site, request)
        said = {
            "id": PATH,
            "name": gettext("Ma e-carte Vitale"),
            "short_name": gettext("E-carte"),
            "lang": visit.language,
            "start_url": PATH,
            "scope": PATH,
            "display": "standalone",
            "background_color": "#0b3c5d",
            "theme_color": "#0b3c5d",
            "icons": [{"src": assets.url("mark.svg"), "sizes": "any", "type": "image/svg+xml"}],
        }
        return _plain(request, json.dumps(said), "application/manifest+json")

    async def hour(request: Request) -> Response:
        said = {"now": int(site.identity.clock.now().timestamp() * 1000)}
        return _plain(request, json.dumps(said), "application/json")

    return [
        Screen(site).route(PATH, page),
        Route("/vitale/heure", hour),
        Route("/vitale/sw.js", keeper),
        Route("/vitale/manifest.webmanifest", manifest),
    ]


def _plain(request: Request, text: str, media_type: str) -> Response:
    headers = {**page_headers(secure=request.url.scheme == "https"), "cache-control": "no-store"}
    return Response(text, headers=headers, media_type=media_type)
