"""The history of accesses: sentences, filters, export, and « je ne reconnais pas cet accès »."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from starlette.datastructures import FormData
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from ambroise.interfaces.web import sentences
from ambroise.interfaces.web.citizen.forms import ReportForm
from ambroise.interfaces.web.citizen.views import AccessEvent, CitizenService, HistoryFilter
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.security import page_headers
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, with_query

# What the filters offer: (who, what, words).
FILTERS = (
    ("", "", N_("Tout")),
    ("soignants", "", N_("Soignants")),
    ("moi", "", N_("Moi et mes proches")),
    ("services", "", N_("Services")),
    ("", "urgence", N_("Urgences")),
    ("", "refus", N_("Refus")),
)


def history_routes(screen: Screen, service: CitizenService) -> list[BaseRoute]:
    async def read(visit: Visit) -> Response:
        wanted = HistoryFilter(
            visit.query.get("qui", ""), visit.query.get("quoi", ""), visit.query.get("page", "")[:500]
        )
        found = await service.history(visit.context(), wanted)
        picks = [
            (with_query("/historique", qui=who, quoi=what), gettext(label), (who, what) == (wanted.who, wanted.what))
            for who, what, label in FILTERS
        ]
        return await visit.render(
            "citizen/history.html",
            groups=_groups(found.events, dates.as_day(visit.now)),
            found=found,
            picks=picks,
            older=with_query("/historique", **{**visit.query, "page": found.older}) if found.older else None,
            newest=with_query("/historique", qui=wanted.who, quoi=wanted.what) if wanted.cursor else None,
            place="historique",
        )

    async def back(visit: Visit) -> Response:
        return visit.go("/historique")

    async def export(visit: Visit, _: FormData) -> Response:
        headers = {
            **page_headers(secure=visit.request.url.scheme == "https"),
            "content-disposition": 'attachment; filename="historique-des-acces.csv"',
            "cache-control": "no-store",
        }
        lines = _csv(await _begun(service.export_history(visit.context())))
        return StreamingResponse(lines, headers=headers, media_type="text/csv; charset=utf-8")

    async def ask_report(visit: Visit) -> Response:
        event = await service.event(visit.context(), visit.parameter("id"))
        form = ReportForm.drafted(await visit.draft())
        return await visit.render(
            "citizen/report.html", line=sentences.line(event), form=form, problems=[], place="historique"
        )

    async def report(visit: Visit, sent: FormData) -> Response:
        event = await service.event(visit.context(), visit.parameter("id"))
        form = ReportForm.of(sent)
        if not form.validate():
            return await visit.render(
                "citizen/report.html",
                422,
                line=sentences.line(event),
                form=form,
                problems=form.problems,
                place="historique",
            )
        await service.report_access(visit.context(), event.id, form.pourquoi.data.strip(), block=form.bloquer.data)
        return visit.go("/historique", Toast("reported"))

    return [
        screen.route("/historique", read),
        screen.route("/historique.csv", back, export, proof=Act.EXPORT),
        screen.route("/historique/{id}/signaler", ask_report, report),
    ]


def _groups(events: Sequence[AccessEvent], today: date) -> list[tuple[str, str, list[sentences.AccessLine]]]:
    """The lines of today, of yesterday, then of each month."""

    def key(event: AccessEvent) -> tuple[str, str]:
        day = dates.as_day(event.at)
        if day == today:
            return "aujourdhui", gettext("Aujourd’hui")
        if day == today - timedelta(days=1):
            return "hier", gettext("Hier")
        return f"m{day:%Y-%m}", dates.month_title(day.replace(day=1))

    return [(id, title, [sentences.line(event) for event in group]) for (id, title), group in groupby(events, key=key)]


async def _begun(events: AsyncIterator[AccessEvent]) -> AsyncIterator[AccessEvent]:
    """The same events, once the first was found: a refusal is an answer of its own, never a download cut short."""
    first = await anext(events, None)

    async def whole() -> AsyncIterator[AccessEvent]:
        if first is not None:
            yield first
        async for event in events:
            yield event

    return whole()


async def _csv(events: AsyncIterator[AccessEvent]) -> AsyncIterator[str]:
    yield "\ufeff" + _row(
        gettext("Date"),
        gettext("Qui"),
        gettext("Fonction"),
        gettext("Lieu"),
        gettext("Ce qui s’est passé"),
        gettext("Règle"),
        gettext("Motif"),
    )
    async for event in events:
        line = sentences.line(event)
        yield _row(
            _written(event.at),
            event.actor,
            event.role,
            event.place,
            line.sentence.striptags(),
            line.rule_words,
            event.reason or "",
        )


def _row(*cells: str) -> str:
    """One line of CSV. A cell never starts a formula in a spreadsheet."""
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerow(
        [f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell for cell in cells]
    )
    return out.getvalue()


def _written(at: datetime) -> str:
    return dates.local(at).isoformat(sep=" ", timespec="seconds")
