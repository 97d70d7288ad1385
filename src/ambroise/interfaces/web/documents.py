"""How an open document, its results and its bytes are shown, whatever the portal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from msgspec import Struct
from starlette.responses import Response

from ambroise.interfaces.web.files import shown_inline
from ambroise.interfaces.web.ui import dates, plots
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.security import content_headers
from ambroise.interfaces.web.ui.visit import Visit
from ambroise.interfaces.web.views import Content, DocumentPage, DocumentRow, Flag, Result


class ResultRow(Struct, frozen=True):
    """One line of the table of results, in words."""

    name: str
    value: str
    reference: str
    flag: str
    warns: bool
    previous: str = ""
    about: str = ""
    again: date | None = None


def by_month(rows: Sequence[DocumentRow]) -> list[tuple[str, str, list[DocumentRow]]]:
    """The rows of each month, with an id and a title for its heading."""
    months = groupby(rows, key=lambda row: dates.as_day(row.date).replace(day=1))
    return [(f"m{month:%Y-%m}", dates.month_title(month), list(group)) for month, group in months]


def shown(page: DocumentPage) -> dict[str, Any]:
    """What the templates of an open document need, for any portal."""
    previous = max((day for one in page.results for day, _ in one.history[-2:-1]), default=None)
    return {
        "page": page,
        "html": Markup(page.html) if page.html else None,  # noqa: S704 - made safe by the record's renderer.
        "rows": [_result_row(result) for result in page.results],
        "previous_day": previous,
        "curves": [
            curve
            for result in page.results
            if (curve := plots.curve(
                gettext("%(name)s : évolution", name=result.name),
                result.unit,
                [plots.Point(day, value) for day, value in result.history],
                result.low,
                result.high,
            ))
        ][:3],
    }  # fmt: skip


def served(visit: Visit, found: Content) -> Response:
    """The bytes of a document, to be shown in the page or, with `?telecharger`, to be kept."""
    asked = "telecharger" in visit.request.query_params
    kind = "inline" if shown_inline(found.media_type) and not asked else "attachment"
    headers = {
        **content_headers(secure=visit.request.url.scheme == "https"),
        "content-disposition": f"{kind}; filename*=UTF-8''{quote(found.file_name)}",
        "cache-control": "no-store",
    }
    return Response(found.content, headers=headers, media_type=found.media_type)


def flag_words(flag: Flag | None) -> str:
    """What a flag says of a result."""
    words = {
        "high": gettext("Au-dessus"),
        "low": gettext("En dessous"),
        "abnormal": gettext("Hors référence"),
        "resistant": gettext("Résistant"),
        "intermediate": gettext("Intermédiaire"),
        "sensitive": gettext("Sensible"),
    }
    return words[flag] if flag else ""


def _result_row(result: Result) -> ResultRow:
    earlier = result.history[-2][1] if len(result.history) > 1 else None
    return ResultRow(
        name=result.name,
        value=result.value,
        reference=plots.range_words(result.low, result.high, result.unit),
        flag=flag_words(result.flag),
        warns=result.flag not in (None, "sensitive"),
        about=result.about,
        again=result.again,
        previous=f"{plots.number(earlier)}\u00a0{result.unit}".strip() if earlier is not None else "",
    )
