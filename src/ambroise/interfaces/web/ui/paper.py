"""Pages made to be kept or printed, as tagged PDF (PDF/UA-1): the same template language, the fonts of the portals."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment

from ambroise.interfaces.web.ui import i18n
from ambroise.interfaces.web.ui.visit import Visit
from ambroise.kernel.errors import Kind, Refusal

_PRINTERS: Final = ThreadPoolExecutor(2, "papers")
"""A long paper takes a minute: those who print wait for each other, and nobody else for them."""
_STATIC = Path(__file__).parent / "static"


async def paper(visit: Visit, template: str, **values: Any) -> bytes:
    """The PDF of a template. Raises PDF_UNAVAILABLE where the text layout libraries (Pango) are not installed."""
    return await printed(visit.site.environment, visit.language, template, **values)


async def printed(environment: Environment, language: str, template: str, **values: Any) -> bytes:
    """The same for nobody's visit: a job, a letter."""
    i18n.speak(language)
    html = environment.get_template(template).render(language=language, **values)
    return await asyncio.get_running_loop().run_in_executor(_PRINTERS, _printed, html)


def _printed(html: str) -> bytes:
    try:
        from ambroise.interfaces.web.ui.printer import pdf_of
    except OSError as error:
        raise Refusal(Kind.UNAVAILABLE, "PDF_UNAVAILABLE", "Install Pango on the server to make PDFs.") from error
    return pdf_of(html, _STATIC)
