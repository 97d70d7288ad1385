"""One line of the trace, and how to write lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, NewType, TypeAlias
from uuid import UUID

import msgspec
import orjson

from ambroise.fhir.definitions import type_number
from ambroise.kernel.db import Transaction, json_rows
from ambroise.kernel.ids import new_id, shard_of
from ambroise.trust.access.people import actor_id, actor_kind
from ambroise.trust.context import Citizen, Context, Professional

Action: TypeAlias = Literal["C", "R", "U", "D", "E"]

DONE: Final = 0
REFUSED: Final = 4


class PatientEvent(StrEnum):
    """The names of acts about a patient, past or noun; each module that traces some adds its own by a subclass.

    The page that shows a patient who did what has a sentence for every one of them: a test holds it.
    """


InstanceEvent = NewType("InstanceEvent", str)
"""The name of an act about no patient: somebody signed in, software was registered."""


class Event(PatientEvent):
    """The acts of the door."""

    READ = "read"
    HISTORY = "history"
    SEARCH = "search"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CONTENT_READ = "content_read"
    EXTRACTED = "extracted"
    SUBMITTED = "submitted"
    SIGNED = "submission_signed"
    LOADED = "loaded"
    SIMULATED = "simulated"
    EXPLAINED = "explained"
    PURGED = "purged"
    MASKED = "masked"
    UNMASKED = "unmasked"
    DISCLOSED_TO_PATIENT = "disclosed_to_patient"
    DISCLOSED_TO_REPRESENTATIVES = "disclosed_to_representatives"
    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    RELABELLED = "relabelled"
    PERSON_FOUND = "person_found"
    EMERGENCY_OPENED = "emergency_opened"
    TRACE_READ = "trace_read"
    SPACE_OPENED = "space_opened"
    SPACE_STATE = "space_state"
    EMERGENCY_CHOICES = "emergency_choices"
    DEFAULT_MASKING = "default_masking"
    FEED_OPPOSITION = "feed_opposition"
    AUTHORISED = "authorised"
    CARE_TEAM_AUTHORISED = "care_team_authorised"
    CARE_TEAM_ENDED = "care_team_ended"
    TREATING_DECLARED = "treating_declared"
    ADMINISTRATOR_APPOINTED = "administrator_appointed"
    PRESENCE_OPENED = "presence_opened"
    PRESENCE_ENDED = "presence_ended"
    REVOKED = "revoked"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    MATRIX_PUBLISHED = "matrix_published"
    RIGHTS_READ = "rights_read"
    RESTRICTED = "restricted"
    RESTRICTION_LIFTED = "restriction_lifted"
    RELATION_SET = "relation_set"
    RELATION_ENDED = "relation_ended"
    COPY_ASKED = "copy_asked"
    COPIED = "copied"
    COPY_TAKEN = "copy_taken"


class Entry(msgspec.Struct, frozen=True):
    """What happened to one patient (or to none), for the trace."""

    action: Action
    event: PatientEvent | InstanceEvent
    patient: UUID | None = None
    type: str | None = None
    resource: UUID | None = None
    kind: int | None = None
    version: int | None = None
    rule: str | None = None
    outcome: int = DONE
    count: int | None = None
    query: str | None = None
    details: Mapping[str, Any] | None = None


COLUMNS: Final = (
    ("shard", "int2"),
    ("id", "uuid"),
    ("patient", "uuid"),
    ("at", "timestamptz"),
    ("actor_kind", "text"),
    ("actor_id", "text"),
    ("actor_name", "text"),
    ("actor_role", "text"),
    ("actor_specialty", "text"),
    ("organization", "text"),
    ("organization_name", "text"),
    ("acting_for", "uuid"),
    ("relation", "text"),
    ("action", "text"),
    ("event", "text"),
    ("resource_type", "int2"),
    ("resource", "uuid"),
    ("resource_kind", "int4"),
    ("version", "int4"),
    ("purpose", "text"),
    ("reason", "text"),
    ("rule", "text"),
    ("outcome", "int2"),
    ("channel", "text"),
    ("software", "text"),
    ("request_id", "uuid"),
    ("secret", "bool"),
    ("count", "int4"),
    ("query", "text"),
    ("details", "jsonb"),
)

# One parameter for any number of lines: one round trip, prepared once, and cheap to build.
_INSERT: Final = json_rows("""
insert into trace (shard, id, patient, at, actor_kind, actor_id, actor_name, actor_role, actor_specialty, organization,
  organization_name, acting_for, relation, action, event, resource_type, resource, resource_kind, version, purpose,
  reason, rule, outcome, channel, software, request_id, secret, count, query, details)
select x.*
from json_to_recordset(%s::json) as x (shard smallint, id uuid, patient uuid, at timestamptz, actor_kind text,
  actor_id text, actor_name text, actor_role text, actor_specialty text, organization text, organization_name text,
  acting_for uuid, relation text, action text, event text, resource_type smallint, resource uuid, resource_kind integer,
  version integer, purpose text, reason text, rule text, outcome smallint, channel text, software text, request_id uuid,
  secret boolean, count integer, query text, details jsonb)
""")
_COPY: Final = """
copy trace (shard, id, patient, at, actor_kind, actor_id, actor_name, actor_role, actor_specialty, organization,
  organization_name, acting_for, relation, action, event, resource_type, resource, resource_kind, version, purpose,
  reason, rule, outcome, channel, software, request_id, secret, count, query, details) from stdin (format binary)
"""
_NAMES: Final = tuple(name for name, _ in COLUMNS)
_TYPES: Final = tuple(type for _, type in COLUMNS)
_MANY: Final = 500
_OWN: Final = ("shard", "id", "patient", "resource")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Line(msgspec.Struct, frozen=True):
    """An entry with who made it and when: one row."""

    ctx: Context
    entry: Entry
    id: UUID
    at: datetime

    @staticmethod
    def of(ctx: Context, entry: Entry) -> Line:
        """A line of now, on the shard of the patient concerned."""
        shard = shard_of(entry.patient) if entry.patient is not None else None
        return Line(ctx, entry, new_id(shard), ctx.now())

    def row(self) -> tuple[Any, ...]:
        """The values of the columns, in order."""
        ctx, entry, actor = self.ctx, self.entry, self.ctx.actor
        role = specialty = organization = organization_name = None
        if isinstance(actor, Professional):
            role, specialty = f"{actor.profession_system}|{actor.profession}", actor.specialty
            organization, organization_name = actor.organization, actor.organization_name
        acting_for = ctx.acting_for if isinstance(actor, Citizen) and ctx.acting_for != actor.patient else None
        return (
            shard_of(self.id),
            self.id,
            entry.patient,
            self.at,
            actor_kind(ctx),
            actor_id(ctx),
            actor.name,
            role,
            specialty,
            organization,
            organization_name,
            acting_for,
            ctx.relation if acting_for is not None else None,
            entry.action,
            entry.event,
            type_number(entry.type) if entry.type is not None else None,
            entry.resource,
            entry.kind,
            entry.version,
            ctx.purpose.value,
            ctx.reason,
            entry.rule,
            entry.outcome,
            ctx.channel,
            ctx.software,
            ctx.request_id,
            ctx.secret,
            entry.count,
            entry.query,
            dict(entry.details) if entry.details else None,
        )


async def record(tx: Transaction, ctx: Context, *entries: Entry) -> None:
    """Write entries in the transaction of what they record."""
    await record_lines(tx, [Line.of(ctx, entry) for entry in entries])


async def record_lines(tx: Transaction, lines: Sequence[Line]) -> None:
    """Write lines; a great many go through COPY."""
    if len(lines) > _MANY:
        rows = ((*row[:-1], _json(row[-1])) for row in (line.row() for line in lines))
        await tx.copy_in(_COPY, rows, _TYPES)
    elif lines:
        # Columns without a value are left out: PostgreSQL spent as long reading their nulls as writing the row.
        for line in lines:
            row = zip(_NAMES, line.row(), strict=True)
            tx.write_last(_INSERT, {name: value for name, value in row if value is not None})


async def record_alike(tx: Transaction, ctx: Context, entry: Entry, patients: Sequence[UUID]) -> None:
    """Write an act on many patients, a row each: whose it is, and which Patient, is all that differs."""
    if not patients:
        return
    model = zip(_NAMES, Line(ctx, entry, patients[0], ctx.now()).row(), strict=True)
    shared = {name: _text(value) for name, value in model if value is not None and name not in _OWN}
    tail = "\t" + "\t".join(shared.values()) + "\n"
    await tx.copy_text(
        f"copy trace ({', '.join((*_OWN, *shared))}) from stdin",  # pyright: ignore[reportArgumentType]
        [f"{(shard := shard_of(one))}\t{new_id(shard).hex}\t{one.hex}\t{one.hex}{tail}" for one in patients],
    )


def _text(value: Any) -> str:
    """A value as COPY reads it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        value = orjson.dumps(value).decode()
    return str(value).translate(_ESCAPES)


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
