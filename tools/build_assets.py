"""Copy the third-party files that the portals serve out of node_modules: font, htmx, and the icons in use.

Run it after `npm ci` when a version changes or a page uses a new icon. What it writes is committed, so installing and
running Ambroise needs no Node. Own styles and scripts need no build: the server names them by content when it starts.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "src" / "ambroise" / "interfaces" / "web"
STATIC = WEB / "ui" / "static"
MODULES = ROOT / "node_modules"

FONT = "@fontsource-variable/atkinson-hyperlegible-next"
FONT_FILES = {
    "atkinson-next-latin.woff2": "atkinson-hyperlegible-next-latin-wght-normal.woff2",
    "atkinson-next-latin-ext.woff2": "atkinson-hyperlegible-next-latin-ext-wght-normal.woff2",
}

# Pages and views name an icon by a plain string, given to a macro or kept in a table: any string of the code that is
# the name of a Lucide icon counts as used. A few drawings too many weigh less than a rule to remember.
CODE = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
STRING = re.compile(r"""["']([a-z][a-z0-9-]*)["']""")
DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def icons_in_use() -> set[str]:
    """Every icon that a template or a view names."""
    known = {path.stem for path in (MODULES / "lucide-static" / "icons").glob("*.svg")}
    return {name for text in _sources() for name in STRING.findall(text)} & known


def sprite(names: set[str]) -> str:
    """One SVG document with a symbol per icon, drawn by Lucide."""
    symbols = "\n".join(f'<symbol id="{name}" viewBox="0 0 24 24">{_drawing(name)}</symbol>' for name in sorted(names))
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


def build() -> None:
    """Write the font, the script, the sprite, their licences, and the versions they come from."""
    (STATIC / "fonts").mkdir(parents=True, exist_ok=True)
    (STATIC / "licences").mkdir(exist_ok=True)
    for target, source in FONT_FILES.items():
        shutil.copyfile(MODULES / FONT / "files" / source, STATIC / "fonts" / target)
    shutil.copyfile(MODULES / "htmx.org" / "dist" / "htmx.min.js", STATIC / "htmx.js")
    shutil.copyfile(MODULES / "lean-qr" / "index.mjs", STATIC / "qr.js")
    (STATIC / "icons.svg").write_text(sprite(icons_in_use()), encoding="utf-8")
    for package, name in ((FONT, "font"), ("htmx.org", "htmx"), ("lucide-static", "icons"), ("lean-qr", "qr")):
        shutil.copyfile(MODULES / package / "LICENSE", STATIC / "licences" / f"{name}.txt")
    (STATIC / "VERSIONS.json").write_text(json.dumps(_versions(), indent=2) + "\n", encoding="utf-8")


def _sources() -> Iterator[str]:
    for path in sorted(WEB.glob("**/*.html")):
        yield " ".join(CODE.findall(path.read_text(encoding="utf-8")))
    for path in sorted(WEB.glob("**/*.py")):
        yield path.read_text(encoding="utf-8")


def _drawing(name: str) -> str:
    path = MODULES / "lucide-static" / "icons" / f"{name}.svg"
    if not path.is_file():
        raise SystemExit(f"Lucide has no icon named {name}: look for its present name on the Lucide site")
    found = DRAWING.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{path} is not the drawing that this tool expects")
    return re.sub(r">\s+<", "><", re.sub(r"\s+", " ", found[1])).strip().replace(" />", "/>")


def _versions() -> dict[str, str]:
    names = (FONT, "htmx.org", "lean-qr", "lucide-static")
    return {
        name: json.loads((MODULES / name / "package.json").read_text(encoding="utf-8"))["version"] for name in names
    }


if __name__ == "__main__":
    build()
