"""From HTML to a tagged PDF. Apart, since loading WeasyPrint takes a moment and few processes print anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weasyprint import HTML  # pyright: ignore[reportMissingTypeStubs]
from weasyprint.urls import URLFetcher, URLFetcherResponse  # pyright: ignore[reportMissingTypeStubs]


class _OwnFiles(URLFetcher):
    """A paper takes nothing from elsewhere than one folder of ours."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        path = Path(url.removeprefix("file://")).resolve()
        if not url.startswith("file://") or self._folder not in path.parents:
            raise ValueError(f"{url} is not of this site")
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": "font/woff2"})


def pdf_of(html: str, folder: Path) -> bytes:
    """The PDF (PDF/UA-1) of a page, with the fonts of a folder."""
    made: Any = HTML(string=html, base_url=folder.as_uri() + "/", url_fetcher=_OwnFiles(folder))
    return bytes(made.write_pdf(pdf_variant="pdf/ua-1"))
