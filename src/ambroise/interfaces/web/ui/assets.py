"""Styles, scripts, the typeface and the icons, served under names made from their content.

A name never changes meaning, so browsers keep a file for a year and a new version is a new name. Everything is read,
named and compressed once, when the server starts: about 200 kB in all.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

HERE = Path(__file__).parent
STYLES = ("fonts", "tokens", "ground", "shell", "pieces", "forms", "tables", "pro", "vitale", "preferences", "paper")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_TYPES |= {".woff2": "font/woff2"}
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_URL = re.compile(r'url\("([^"]+)"\)')
_SYMBOL = re.compile(r'<symbol id="([^"]+)"')
_FOREVER = "public, max-age=31536000, immutable"


class Asset(Struct, frozen=True):
    """One file as it is served."""

    name: str
    content: bytes
    compressed: bytes | None
    media_type: str


class Assets:
    """The files of the portals, by the name that templates use and by the name that browsers ask for.

    `tokens` replaces our table of colours, type and space: the one file that a country edits.
    """

    def __init__(self, prefix: str = "/static", *, tokens: Path | None = None) -> None:
        self.prefix = prefix
        self._tokens = tokens
        self._names: dict[str, str] = {}
        self._files: dict[str, Asset] = {}
        static = HERE / "static"
        for font in sorted((static / "fonts").glob("*.woff2")):
            self._add(f"fonts/{font.name}", font.read_bytes())
        sprite = (static / "icons.svg").read_bytes()
        self.icons = frozenset(_SYMBOL.findall(sprite.decode()))
        self._add("icons.svg", sprite)
        self._add("mark.svg", (HERE / "styles" / "mark.svg").read_bytes())
        for library in ("htmx.js", "qr.js"):
            self._add(library, (static / library).read_bytes())
        for script in sorted((HERE / "scripts").glob("*.js")):
            self._add(script.name, script.read_bytes())
        self._add("ambroise.css", self._stylesheet())

    def url(self, name: str) -> str:
        """Where a browser finds this file."""
        return f"{self.prefix}/{self._names[name]}"

    def icon(self, name: str, *, big: bool = False, turn: bool = False, tone: str = "") -> Markup:
        """An icon of the sprite. Always beside a word, hence hidden from screen readers."""
        if name not in self.icons:
            raise LookupError(f"no icon {name!r} in the sprite: run tools/build_assets.py")
        classes = " ".join(["icon", *(["big"] if big else []), *(["turn"] if turn else []), *([tone] if tone else [])])
        return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
            classes, self.url("icons.svg"), name
        )

    def serve(self, request: Request) -> Response:
        """Answer with a file, compressed when the browser takes it so."""
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            return Response(status_code=404)
        headers: Mapping[str, str] = {"cache-control": _FOREVER, "x-content-type-options": "nosniff"}
        if asset.compressed is None:
            return Response(asset.content, headers=headers, media_type=asset.media_type)
        headers = {**headers, "vary": "accept-encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(asset.content, headers=headers, media_type=asset.media_type)
        headers = {**headers, "content-encoding": "gzip"}
        return Response(asset.compressed, headers=headers, media_type=asset.media_type)

    def weights(self) -> Mapping[str, int]:
        """What each file weighs on the wire, by the name that templates use."""
        return {
            name: len(self._files[served].compressed or self._files[served].content)
            for name, served in self._names.items()
        }

    def _stylesheet(self) -> bytes:
        pieces = [
            (self._tokens if name == "tokens" and self._tokens else HERE / "styles" / f"{name}.css").read_text("utf-8")
            for name in STYLES
        ]
        return _compact(_URL.sub(self._served_url, "\n".join(pieces))).encode()

    def _served_url(self, found: re.Match[str]) -> str:
        return f'url("{self.url(found[1])}")'

    def _add(self, name: str, content: bytes) -> None:
        stem, suffix = Path(name).stem, Path(name).suffix
        served = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{suffix}"
        compressed = None if suffix == ".woff2" else gzip.compress(content, 9, mtime=0)
        self._names[name] = served
        self._files[served] = Asset(served, content, compressed, _TYPES[suffix])


def _compact(css: str) -> str:
    """The same rules without comments and indentation."""
    return "\n".join(line.strip() for line in _COMMENT.sub("", css).splitlines() if line.strip())
