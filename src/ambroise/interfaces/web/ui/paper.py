"""Pages made to be kept or printed, as tagged PDF (PDF/UA-1): the same template language, the fonts of the portals."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jinja2 import Environment

from ambroise.interfaces.web.ui import i18n
from ambroise.interfaces.web.ui.visit import Visit
from ambroise.kernel.errors import Kind, Refusal

_STATIC = Path(__file__).parent / "static"


async def paper(visit: Visit, template: str, **values: Any) -> bytes:
    """The PDF of a template. Raises PDF_UNAVAILABLE where the text layout libraries (Pango) are not installed."""
    return await printed(visit.site.environment, visit.language, template, **values)


async def printed(environment: Environment, language: str, template: str, **values: Any) -> bytes:
    """The same for nobody's visit: a job, a letter."""
    i18n.speak(language)
    html = environment.get_template(template).render(language=language, **values)
    return await asyncio.to_thread(_printed, html)


def _printed(html: str) -> bytes:
    try:
        # Loading it takes a moment, and few processes print anything.
        from weasyprint import HTML  # pyright: ignore[reportMissingTypeStubs]
    except OSError as error:
        raise Refusal(Kind.UNAVAILABLE, "PDF_UNAVAILABLE", "Install Pango on the server to make PDFs.") from error
    made: Any = HTML(string=html, base_url=_STATIC.as_uri() + "/", url_fetcher=_ours_only)
    return bytes(made.write_pdf(pdf_variant="pdf/ua-1"))


def _ours_only(url: str, **_: Any) -> dict[str, Any]:
    """A paper takes nothing from elsewhere than our own folder."""
    path = Path(url.removeprefix("file://")).resolve()
    if not url.startswith("file://") or _STATIC not in path.parents:
        raise ValueError(f"{url} is not of this site")
    return {"string": path.read_bytes(), "mime_type": "font/woff2"}
