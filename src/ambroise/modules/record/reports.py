"""What somebody says is wrong with a record: the report, the queue at the desk, the end that keeps the trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.record import repository
from ambroise.modules.record.model import Outcome, Report, ReportKind, ReportState, Traced
from ambroise.trust.audit.entry import Action, Entry, record
from ambroise.trust.context import Citizen, Context, Operator, Professional

ENDS: Mapping[ReportKind, frozenset[Outcome]] = {
    ReportKind.MISFILED_DOCUMENT: frozenset({Outcome.UNFOUNDED, Outcome.MOVED_OUT}),
    ReportKind.UNRECOGNISED_ACCESS: frozenset({Outcome.ACCESS_EXPLAINED, Outcome.ACCESS_IRREGULAR}),
    ReportKind.DUPLICATE_IDENTITY: frozenset({Outcome.UNFOUNDED, Outcome.MERGED}),
    ReportKind.CHANGED_INS: frozenset({Outcome.UNFOUNDED, Outcome.INS_CHANGED}),
    ReportKind.WRONG_TRAITS: frozenset({Outcome.UNFOUNDED, Outcome.TRAITS_CORRECTED}),
}
"""How each kind of report may end."""


async def report(
    tx: Transaction,
    ctx: Context,
    patient: UUID,
    kind: ReportKind,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> Report:
    """Write a report about a space, by its holder's side, a professional or the desk.

    Raises CONFLICT when the same side has reported the same thing and the desk has not answered yet.
    """
    if isinstance(ctx.actor, Citizen) and ctx.space != patient:
        raise Refusal(Kind.FORBIDDEN, "OTHER_SPACE", "A citizen reports about the space being looked at.")
    made = Report(
        id=new_id(shard_of(patient)),
        patient=patient,
        kind=kind,
        state=ReportState.OPEN,
        subject=subject,
        reported_by=_who(ctx),
        reported_at=ctx.now(),
        details=dict(details or {}),
    )
    await repository.hold_subject(tx, patient, kind, subject)
    if any(one.state is not ReportState.CLOSED for one in await about(tx, ctx, patient, kind, subject)):
        raise Refusal(Kind.CONFLICT, "REPORT_OPEN", "This was reported already: the desk looks into it.")
    await repository.insert_report(tx, made)
    await record(tx, ctx, told("C", Traced.REPORT_MADE, made))
    return made


def told(action: Action, event: Traced, report: Report) -> Entry:
    """The line of the trace about a report; it names the document that is reported."""
    details = {"report": str(report.id), "kind": report.kind.value}
    if report.outcome is not None:
        details["outcome"] = report.outcome.value
    type = document = None
    if report.kind is ReportKind.MISFILED_DOCUMENT:
        type, document = "DocumentReference", as_id(report.subject)
    return Entry(action, event, report.patient, type, document, details=details)


async def about(reader: Reader, ctx: Context, patient: UUID, kind: ReportKind, subject: str) -> list[Report]:
    """What the caller's side reported of one thing, newest first: a holder's side sees its own, others theirs."""
    mine = _who(ctx)
    return [
        one
        for one in await repository.reports_of(reader, patient)
        if (one.kind, one.subject) == (kind, subject) and (one.reported_by == mine or _both_citizens(one, mine))
    ]


def _both_citizens(one: Report, mine: str) -> bool:
    return one.reported_by.startswith("citizen:") and mine.startswith("citizen:")


async def queue(
    reader: Reader,
    ctx: Context,
    *,
    kinds: Sequence[ReportKind] = tuple(ReportKind),
    states: Sequence[ReportState] = (ReportState.OPEN, ReportState.TAKEN),
    count: int = 50,
    offset: int = 0,
) -> list[Report]:
    """The reports that wait at the desk, oldest first."""
    _require_operator(ctx)
    return await repository.reports(reader, states, kinds, count, offset)


async def counts(reader: Reader, ctx: Context) -> dict[tuple[ReportKind, ReportState], int]:
    """How many reports stand in each queue."""
    _require_operator(ctx)
    return await repository.count_by_queue(reader)


async def mine(reader: Reader, ctx: Context) -> list[Report]:
    """The reports about the space that a citizen looks at, newest first."""
    if ctx.space is None:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These reports belong to the holder of a space.")
    return await repository.reports_of(reader, ctx.space)


async def take(tx: Transaction, ctx: Context, id: UUID) -> Report:
    """Take a report to work on it; somebody else may take it over."""
    found = await _open(tx, ctx, id)
    taken = replace(found, state=ReportState.TAKEN, taken_by=_who(ctx))
    await repository.update_report(tx, taken)
    return taken


async def give_back(tx: Transaction, ctx: Context, id: UUID) -> Report:
    """Put a report back in its queue."""
    found = await _open(tx, ctx, id)
    back = replace(found, state=ReportState.OPEN, taken_by=None)
    await repository.update_report(tx, back)
    return back


async def close(tx: Transaction, ctx: Context, found: Report, outcome: Outcome, note: str) -> Report:
    """End a report whose consequence was just carried out in this transaction, and tell the holder of the space."""
    if outcome not in ENDS[found.kind]:
        raise Refusal(Kind.INVALID, "OUTCOME_UNKNOWN", f"A report of {found.kind.value} does not end so.")
    ended = replace(
        found,
        state=ReportState.CLOSED,
        taken_by=found.taken_by or _who(ctx),
        outcome=outcome,
        outcome_note=note.strip() or None,
        closed_by=_who(ctx),
        closed_at=ctx.now(),
    )
    await repository.update_report(tx, ended)
    await notify(
        tx,
        found.patient,
        ctx.now(),
        Code.REPORT_CLOSED,
        details={"kind": found.kind.value, "outcome": outcome.value},
    )
    return ended


async def _open(tx: Transaction, ctx: Context, id: UUID) -> Report:
    _require_operator(ctx)
    found = await repository.report_of(tx, id)
    if found is None:
        raise Refusal(Kind.NOT_FOUND, "REPORT_UNKNOWN", "There is no such report.")
    if found.state is ReportState.CLOSED:
        raise Refusal(Kind.CONFLICT, "REPORT_CLOSED", "This report is closed already.")
    return found


def _require_operator(ctx: Context) -> None:
    if not isinstance(ctx.actor, Operator):
        raise Refusal(Kind.FORBIDDEN, "DESK_ONLY", "Only the desk works on reports.")


def _who(ctx: Context) -> str:
    """Who writes, as the trace names people: kind and id."""
    match ctx.actor:
        case Citizen() as actor:
            return f"citizen:{actor.patient}"
        case Professional() as actor:
            return f"professional:{actor.id}"
        case Operator() as actor:
            return f"operator:{actor.id}"
        case actor:
            return f"system:{actor.name}"


open_report = _open


def as_id(text: str) -> UUID:
    """The id that a report names."""
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(Kind.INVALID, "ID_MALFORMED", f"{text[:64]} is not the id of a space or document.") from None
