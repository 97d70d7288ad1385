"""The desk's pages on the real queues: facts about reports, never what documents say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from ambroise.interfaces.web.desk.views import Queue, QueueFilter, ReportPage, ReportRow
from ambroise.interfaces.web.identities.words import TRAITS, trait
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.visit import whole
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import identity_of, proofs
from ambroise.modules.record.api import Desk, Outcome, Report, ReportKind, ReportState, reports
from ambroise.trust.context import Context, Operator

_PER_PAGE = 50
_LATE = timedelta(days=7)
_WEEKS = 8
_COUNTED = 500


class DeskRecord:
    """Answers the desk's pages."""

    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    async def queue(self, ctx: Context, wanted: QueueFilter) -> Queue:
        kinds = (ReportKind(wanted.kind),) if wanted.kind else tuple(ReportKind)
        states = _states(wanted)
        offset = whole(wanted.cursor) or 0
        async with self._database.reader() as reader:
            found = await reports.queue(reader, ctx, kinds=kinds, states=states, count=_PER_PAGE + 1, offset=offset)
            counts = await reports.counts(reader, ctx)
            waiting = await reports.queue(
                reader, ctx, states=(ReportState.OPEN, ReportState.TAKEN), count=_COUNTED, offset=0
            )
            closed = await reports.queue(reader, ctx, states=(ReportState.CLOSED,), count=_COUNTED, offset=0)
        me = _name(ctx)
        shown = [one for one in found[:_PER_PAGE] if not wanted.mine or one.taken_by == me]
        return Queue(
            rows=[_row(one, me) for one in shown],
            older=str(offset + _PER_PAGE) if len(found) > _PER_PAGE else None,
            counts=_counts(counts, waiting, me, ctx.now()),
            closed_by_week=_by_week(closed, ctx.now()),
        )

    async def report(self, ctx: Context, patient: UUID, id: UUID) -> ReportPage:
        async with self._database.reader() as reader:
            found = await self._find(reader, ctx, id)
            known = await identity_of(reader, found.patient)
            other = await identity_of(reader, UUID(found.subject)) if _is_duplicate(found) else None
        facts = [(gettext("Dossier"), proper(known.display_name) if known else str(found.patient))]
        if _is_duplicate(found):
            facts.append((gettext("Identifiant du dossier"), str(found.patient)))
            facts.append((gettext("Autre dossier"), proper(other.display_name) if other else found.subject))
        facts += _facts(found)
        return ReportPage(
            row=_row(found, _name(ctx)),
            words=str(found.details.get("words", "")),
            facts=facts,
            outcome=found.outcome.value if found.outcome else None,
            outcome_note=found.outcome_note,
            closed_at=found.closed_at,
            proposed=_proposed(found),
        )

    async def take(self, ctx: Context, patient: UUID, id: UUID) -> None:
        async with self._database.transaction() as tx:
            await reports.take(tx, ctx, id)

    async def close(self, ctx: Context, patient: UUID, id: UUID, outcome: str, note: str, other: str = "") -> None:
        async with self._database.transaction() as tx:
            await self._desk.end(tx, ctx, id, Outcome(outcome), note, other or None)

    async def _find(self, reader: Any, ctx: Context, id: UUID) -> Report:
        for state in ((ReportState.OPEN, ReportState.TAKEN), (ReportState.CLOSED,)):
            for one in await reports.queue(reader, ctx, states=state, count=_COUNTED, offset=0):
                if one.id == id:
                    return one
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_REPORT", "No report has this id.")


def _states(wanted: QueueFilter) -> Sequence[ReportState]:
    if wanted.mine:
        return (ReportState.TAKEN,)
    if wanted.state == "all":
        return tuple(ReportState)
    return (ReportState(wanted.state),)


def _name(ctx: Context) -> str:
    if not isinstance(ctx.actor, Operator):
        raise Refusal(Kind.FORBIDDEN, "DESK_ONLY", "These pages are for the desk.")
    return f"operator:{ctx.actor.id}"


def _row(one: Report, me: str) -> ReportRow:
    return ReportRow(
        id=one.id,
        patient=one.patient,
        kind=one.kind.value,
        state=one.state.value,
        subject=_subject(one),
        reported_at=one.reported_at,
        reported_by=_who(one.reported_by),
        taken_by=one.taken_by,
        mine=one.taken_by == me,
    )


def _subject(one: Report) -> str:
    if one.kind is ReportKind.UNRECOGNISED_ACCESS:
        return gettext("Accès par %(name)s", name=proper(str(one.details.get("actor_name") or gettext("quelqu’un"))))
    if one.kind is ReportKind.MISFILED_DOCUMENT:
        return gettext("Document %(id)s", id=one.subject[-8:])
    if one.kind is ReportKind.DUPLICATE_IDENTITY:
        return gettext("Avec le dossier %(id)s", id=one.subject[-8:])
    if one.kind is ReportKind.WRONG_TRAITS:
        return ", ".join(map(trait, _traits(one)))
    return gettext("Nouveau matricule annoncé")


def _traits(one: Report) -> Sequence[str]:
    """The traits that are said to be wrong, those that this software knows."""
    told: Sequence[Any] = one.details.get("traits", ())
    return [name for name in TRAITS if name in told]


def _is_duplicate(one: Report) -> bool:
    return one.kind is ReportKind.DUPLICATE_IDENTITY


def _proposed(one: Report) -> str:
    """What whoever reports proposes, for the form that ends the report."""
    return one.subject if _is_duplicate(one) else str(one.details.get("matricule", ""))


def _who(reported_by: str) -> str:
    kinds = {
        "citizen": gettext("La personne"),
        "professional": gettext("Un professionnel"),
        "operator": gettext("Le guichet"),
    }
    return kinds.get(reported_by.partition(":")[0], gettext("Le service"))


def _facts(one: Report) -> list[tuple[str, str]]:
    """Who, when and where, from what the report noted; ids for what the desk must not read."""
    details = one.details
    found: list[tuple[str, str]] = []
    if details.get("actor_name"):
        where = details.get("organization_name")
        found.append((gettext("Professionnel"), f"{proper(str(details['actor_name']))}{', ' + where if where else ''}"))
    if details.get("at"):
        found.append((gettext("Accès du"), str(dates.moment(datetime.fromisoformat(str(details["at"]))).striptags())))
    if details.get("matricule"):
        found.append((gettext("Matricule annoncé"), str(details["matricule"])))
    if details.get("proof"):
        known = proofs().get(str(details["proof"]))
        found.append((gettext("Pièce d’identité vue"), known.label if known else str(details["proof"])))
    name = gettext("Identifiant de l’autre dossier") if _is_duplicate(one) else gettext("Référence")
    found.append((name, one.subject))
    return found


def _counts(
    counts: Mapping[tuple[ReportKind, ReportState], int], waiting: Sequence[Report], me: str, now: datetime
) -> dict[str, int]:
    found = {kind.value: counts.get((kind, ReportState.OPEN), 0) for kind in ReportKind}
    found["open"] = sum(found.values())
    found["mine"] = sum(one.taken_by == me for one in waiting)
    found["late"] = sum(now - one.reported_at > _LATE for one in waiting)
    return found


def _by_week(closed: Sequence[Report], now: datetime) -> list[tuple[date, int]]:
    """How many reports ended in each of the last weeks; nothing to draw when none did."""
    if not closed:
        return []
    monday = dates.as_day(now) - timedelta(days=dates.as_day(now).weekday())
    weeks = [monday - timedelta(weeks=back) for back in reversed(range(_WEEKS))]
    ended = Counter(
        day - timedelta(days=day.weekday()) for one in closed if one.closed_at and (day := dates.as_day(one.closed_at))
    )
    return [(week, ended[week]) for week in weeks]
