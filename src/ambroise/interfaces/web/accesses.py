"""From the lines of the trace to the events of a history: one for each act, however many lines it left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from msgspec import Struct, field

from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import name_of
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.views import AccessEvent, Action, ActorKind
from ambroise.modules.record.api import Document, tables
from ambroise.trust.audit.history import TraceLine
from ambroise.trust.context import Purpose

_ACTIONS: Mapping[str, Action] = {
    "read": "read",
    "content_read": "read",
    "history": "read",
    "explained": "read",
    "rights_read": "read",
    "extracted": "create",
    "submitted": "create",
    "submission_signed": "create",
    "relabelled": "update",
    "purged": "space",
    "search": "search",
    "create": "create",
    "loaded": "create",
    "update": "update",
    "archived": "update",
    "unarchived": "update",
    "superseded": "update",
    "disclosed_to_patient": "update",
    "disclosed_to_representatives": "update",
    "delete": "delete",
    "withdrawn": "delete",
    "masked": "mask",
    "unmasked": "unmask",
    "authorised": "grant",
    "care_team_authorised": "grant",
    "care_team_ended": "grant",
    "treating_declared": "grant",
    "administrator_appointed": "grant",
    "revoked": "grant",
    "presence_opened": "grant",
    "presence_ended": "grant",
    "vitale_verified": "identify",
    "vitale_card": "choices",
    "vitale_delegation": "grant",
    "relation_set": "grant",
    "relation_ended": "grant",
    "relation_invited": "grant",
    "relation_accepted": "grant",
    "relation_refused": "grant",
    "relation_withdrawn": "grant",
    "help_asked": "grant",
    "consent_asked": "grant",
    "consent_refused": "grant",
    "consent_reopened": "grant",
    "blocked": "block",
    "unblocked": "block",
    "restricted": "block",
    "restriction_lifted": "block",
    "emergency_opened": "emergency",
    "treating_told": "emergency",
    "emergency_choices": "choices",
    "default_masking": "choices",
    "feed_opposition": "choices",
    "space_opened": "space",
    "space_state": "space",
    "person_found": "identify",
    "insi_called": "identify",
    "identity_trust": "identify",
    "account_rescue": "account",
    "partner_linked": "account",
    "partner_unlinked": "account",
    "partner_signed_in": "account",
    "partner_signed_out": "account",
    "launch_issued": "identify",
    "client_entered": "identify",
    "context_shared": "identify",
    "context_closed": "identify",
    "context_read": "identify",
    "mediator_enrolled": "account",
    "mediator_ended": "account",
    "simulated": "simulate",
    "trace_read": "history",
    "copy_asked": "copy",
    "copied": "copy",
    "copy_taken": "copy",
    "profile_code_made": "choices",
    "profile_code_revoked": "choices",
    "profile_code_opened": "emergency",
    "profile_told": "create",
    "profile_none": "update",
    "profile_hidden": "mask",
    "profile_shown": "unmask",
    "arranged": "choices",
    "report_made": "report",
    "report_closed": "report",
}
_INSTANCE = N_("Le service Ambroise")
# Parts of the instance that act under a name of their own.
_PARTS: Mapping[str, str] = {
    "demonstration": N_("L’opérateur de la démonstration"),
    "cli": N_("L’administrateur du service"),
}
# When one request left several lines, the act that tells it best: the first of these.
_TELLING: Sequence[Action] = (
    "emergency", "report", "delete", "mask", "unmask", "create", "update", "block", "grant", "choices", "space",
    "account", "copy", "read",
    "simulate", "search", "history", "identify", "other",
)  # fmt: skip
_TOGETHER = timedelta(seconds=5)


class _Act(Struct):
    """The lines of one request."""

    lines: list[TraceLine] = field(default_factory=list[TraceLine])


def documents_named(lines: Iterable[TraceLine]) -> list[str]:
    """The documents that lines are about, by id."""
    keys = (
        str(line.resource.key)
        for line in lines
        if line.resource is not None and line.resource.type == "DocumentReference" and line.resource.key is not None
    )
    return list(dict.fromkeys(keys))


def events(
    lines: Sequence[TraceLine], me: UUID, documents: Mapping[str, Document], reported: frozenset[str]
) -> list[AccessEvent]:
    """The events that these lines tell, in their order, for the person `me`."""
    found: list[AccessEvent] = []
    for act in _acts(lines):
        event = _event(act, me, documents, reported)
        if found and _repeats(found[-1], event):
            continue
        if found and _shows(found[-1], event):
            found.pop()
        found.append(event)
    return found


def _acts(lines: Sequence[TraceLine]) -> Iterator[_Act]:
    present = _Act()
    for line in lines:
        if present.lines and not _belongs(line, present.lines):
            yield present
            present = _Act()
        present.lines.append(line)
    if present.lines:
        yield present


def _belongs(line: TraceLine, lines: list[TraceLine]) -> bool:
    last = lines[-1]
    same = line.request_id == last.request_id and line.actor_id == last.actor_id and last.at - line.at <= _TOGETHER
    return same and not (_files(line) and any(_files(one) for one in lines))


def _files(line: TraceLine) -> bool:
    """Whether this line says that a document was filed: each is told by itself."""
    return (
        line.resource is not None and line.resource.type == "DocumentReference" and _ACTIONS.get(line.event) == "create"
    )


def _event(act: _Act, me: UUID, documents: Mapping[str, Document], reported: frozenset[str]) -> AccessEvent:
    line = min(act.lines, key=lambda one: _rank(one))
    about = [id for id in documents_named(act.lines)]
    document = documents.get(about[0]) if len(about) == 1 else None
    action = _ACTIONS.get(line.event, "other")
    return AccessEvent(
        id=str(line.id),
        at=line.at,
        actor=_named(line),
        actor_kind=_kind(line, me),
        action=action,
        outcome="refused" if line.refused else "done",
        rule=line.rule or "",
        role=name_of(*line.role, line.specialty) if line.role else "",
        place=line.organization_name or "",
        purpose=Purpose(line.purpose),
        reason=line.reason,
        title=document.title if document else _sort_of(line) if action != "search" else None,
        document=document.id if document else None,
        document_date=(document.date or document.act_start) if document else None,
        count=len(about) if len(about) > 1 and action == "read" else 1,
        reported=any(str(one.id) in reported for one in act.lines),
        about=proper(str(line.details.get("party_name", ""))),
        event=line.event,
        detail=":".join(
            filter(None, (str(line.details.get(name, "")) for name in ("kind", "outcome", "state", "decision")))
        ),
    )


def _named(line: TraceLine) -> str:
    """Who acted, as people read it; a part of the instance by what it is, not by its name in the code."""
    if line.actor_kind != "system":
        return proper(line.actor_name)
    return gettext(_PARTS.get(line.actor_name, _INSTANCE))


def _rank(line: TraceLine) -> tuple[int, int]:
    """A document before what follows it; what was refused before what was merely looked up."""
    action = _ACTIONS.get(line.event, "other")
    about_document = line.resource is not None and line.resource.type == "DocumentReference"
    weight = _TELLING.index(action)
    if action == "read" and line.resource is not None and line.resource.type == "Patient":
        # A page of a record reads whose it is beside what it shows.
        weight = _TELLING.index("identify")
    if line.refused and action in ("search", "read"):
        weight = _TELLING.index("simulate")
    return weight, 0 if about_document else 1


def _kind(line: TraceLine, me: UUID) -> ActorKind:
    if line.actor_kind == "citizen":
        return "self" if line.actor_id == str(me) else "relative"
    if line.actor_kind == "professional":
        return "professional"
    return "operator" if line.actor_kind == "operator" else "service"


def _sort_of(line: TraceLine) -> str | None:
    """The sort of document when its title is not known: what the trace itself says."""
    kind = line.resource.kind if line.resource is not None else None
    return tables.label("document_type", kind) if kind else None


def _repeats(before: AccessEvent, event: AccessEvent) -> bool:
    """Whether somebody did the same again just before: looking at a list twice is told once."""
    quiet = event.action in ("search", "history", "identify", "simulate") or event.outcome == "refused"
    quiet = quiet or event.event == "copied"
    same = (before.actor, before.action, before.outcome, before.rule, before.document) == (
        event.actor,
        event.action,
        event.outcome,
        event.rule,
        event.document,
    )
    return quiet and same and not event.reported


def _shows(after: AccessEvent, before: AccessEvent) -> bool:
    """Whether the file was read only because the page of the same document had just shown it in a frame."""
    same = (after.actor, after.document, after.outcome) == (before.actor, before.document, before.outcome)
    reading = after.event == "content_read" and before.action == "read" and before.document is not None
    return reading and same and after.at - before.at <= _TOGETHER and not after.reported
