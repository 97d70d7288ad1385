"""The evaluation order in SQL: which rows a viewer sees.

Every predicate comes in two forms. For a query about one patient the facts are looked up once (their subqueries name
the patient as a parameter); for a query across patients they are correlated with the row. The text of a predicate
depends on the sort of viewer only, so that statements are prepared once; everything else is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from uuid import UUID

from psycopg import sql

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.seal import SEAL
from ambroise.fhir.store.types import Flags, Scope, ScopeRow
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.facts import AUTHOR_STATES, HOLDER_STATES, OPEN_STATES, Eyes, Viewer
from ambroise.trust.access.kinds import IDENTITY, OPERATIONAL, open_types
from ambroise.trust.context import Context, Purpose

Form: TypeAlias = Literal[
    "professional", "bris_de_glace", "centre_15", "citizen", "delegate", "operator", "system", "outsider", "identity"
]

_GONE = int(Flags.DELETED)
_HIDDEN = int(Flags.DELETED | Flags.SIGNATURE)
_WITHHELD = int(Flags.DELETED | Flags.SIGNATURE | Flags.INVISIBLE_PATIENT)
_WITHHELD_REPRESENTATIVES = _WITHHELD | int(Flags.INVISIBLE_REPRESENTATIVES)
_MASKED = int(Flags.MASKED)
_OPERATIONAL_FLAG = int(Flags.OPERATIONAL)

_TEMPLATES: Mapping[Form, str] = {
    "professional": """
        {outside} or ({inside} and {flags} & {hidden} = 0 and (
            {authored}
            or (not {team_only} or {in_team})
                and {granted} and {open} and not {blocked}
                and {kind} = any({readable}) and {flags} & {operational_flag} = 0
                and ({flags} & {masked} = 0 or {treating})
        ))""",
    "bris_de_glace": """
        {outside} or ({inside} and {flags} & {hidden} = 0 and (
            {authored}
            or {emergency_role} and {emergency} and {open_btg} and not {blocked}
                and {kind} = any({readable}) and {flags} & {operational_flag} = 0
                and ({flags} & {masked} = 0 or {treating} or {masked_permitted})
        ))""",
    "centre_15": """
        {outside} or ({inside} and {flags} & {hidden} = 0 and (
            {authored}
            or {emergency_role} and {emergency} and {open_etreat} and not {blocked}
                and {kind} = any({readable}) and {flags} & {operational_flag} = 0
                and ({flags} & {masked} = 0 or {treating} or {masked_permitted})
        ))""",
    "citizen": """
        {outside} or ({inside} and {flags} & {withheld} = 0 and {held})""",
    "delegate": """
        {outside} or ({inside} and {held} and (
            {represents} and {flags} & {withheld_representatives} = 0
            or not {represents} and {cares} and {flags} & {withheld} = 0
        ))""",
    "operator": """
        {flags} & {gone} = 0 and ({row_patient} is null
            or {flags} & {hidden} = 0 and ({kind} = any({operator_kinds}) or {flags} & {operational_flag} <> 0))""",
    "system": "{flags} & {gone} = 0",
    "outsider": "{outside}",
    "identity": "{type} = {patient_type} and {flags} & {gone} = 0 and {known}",
}

_OUTSIDE = """({row_patient} is null and {flags} & {gone} = 0 and ({type} = any({open_types}) or {author} = {me}))"""

_INSIDE_ONE = "({row_shard} = {shard} and {row_patient} = {patient})"
_INSIDE_ANY = "{row_patient} is not null"

_AUTHORED = """(({author} = {me} or {author} = 0 and {organization} <> 0 and {author_organization} = {organization})
    and exists (select from access_space s
        where s.shard = {shard} and s.patient = {patient} and s.state = any({author_states})))"""

_SPACE = """exists (select from access_space s
    where s.shard = {shard} and s.patient = {patient} and s.state = any({states}){choice})"""

_GRANT = """exists (select from access_grant g
    where g.shard = {shard} and g.patient = {patient} and g.actor in ({me}, {organization})
    and g.since <= {now} and (g.until is null or g.until > {now}) and {what})"""

_EMERGENCY = """exists (select from access_emergency e
    where e.shard = {shard} and e.patient = {patient} and e.actor = {me}
    and e.purpose = {purpose} and e.opened <= {now} and e.until > {now})"""

_RELATION = """exists (select from access_relation d
    where d.shard = {shard} and d.patient = {patient} and d.person = {person} and d.kind = {what}
    and d.since <= {now} and (d.until is null or d.until > {now}))"""


@dataclass(frozen=True)
class Predicate:
    """One form of the evaluation order, for one patient (`narrow`) or across patients."""

    form: Form
    narrow: bool

    def __call__(self, row: ScopeRow) -> sql.Composed:
        """The predicate over this row."""
        text = _Text(row, self.narrow)
        return text.fill(_TEMPLATES[self.form])


class _Text:
    """The pieces that the templates name, for one row alias."""

    def __init__(self, row: ScopeRow, narrow: bool) -> None:
        self._row = row
        self._columns: dict[str, sql.Composable] = {
            name: row[name] for name in ("type", "kind", "flags", "author", "author_organization")
        }
        self._columns |= {"row_shard": row["shard"], "row_patient": row["patient"]}
        self._columns["shard"] = row.parameter("shard") if narrow else row["shard"]
        self._columns["patient"] = row.parameter("patient") if narrow else row["patient"]
        self._constants = {name: sql.Literal(value) for name, value in _CONSTANTS.items()}
        self._inside = _INSIDE_ONE if narrow else _INSIDE_ANY

    def fill(self, template: str) -> sql.Composed:
        """The template with each name replaced by a column, a constant, a fragment or a parameter."""
        pieces: list[sql.Composable] = []
        rest = template
        while True:
            before, opened, after = rest.partition("{")
            pieces.append(sql.SQL(before))  # pyright: ignore[reportArgumentType] - pieces of the literals above.
            if not opened:
                return sql.Composed(pieces)
            name, _, rest = after.partition("}")
            pieces.append(self._piece(name))

    def _piece(self, name: str) -> sql.Composable:
        if name in self._columns:
            return self._columns[name]
        if name in self._constants:
            return self._constants[name]
        fragment = self._inside if name == "inside" else _FRAGMENTS.get(name)
        return self.fill(fragment) if fragment is not None else self._row.parameter(name)


def _grant(what: str) -> str:
    return _GRANT.replace("{what}", what)


def _space(states: str, choice: str = "") -> str:
    return _SPACE.replace("{states}", states).replace("{choice}", choice)


_CONSTANTS: Mapping[str, Any] = {
    "gone": _GONE,
    "hidden": _HIDDEN,
    "withheld": _WITHHELD,
    "withheld_representatives": _WITHHELD_REPRESENTATIVES,
    "masked": _MASKED,
    "operational_flag": _OPERATIONAL_FLAG,
    "open_states": [state.value for state in OPEN_STATES],
    "author_states": [state.value for state in AUTHOR_STATES],
    "holder_states": [state.value for state in HOLDER_STATES],
    "operator_kinds": [OPERATIONAL, IDENTITY],
}

_FRAGMENTS: Mapping[str, str] = {
    "outside": _OUTSIDE,
    "authored": _AUTHORED,
    "open": _space("{open_states}"),
    "open_btg": _space("{open_states}", " and s.btg"),
    "open_etreat": _space("{open_states}", " and s.etreat"),
    "masked_permitted": _space("{open_states}", " and s.emergency_masked"),
    "held": _space("{holder_states}"),
    "known": _space("{known_states}"),
    "granted": _grant("g.state <> 'blocked'"),
    "in_team": _grant("g.state <> 'blocked' and (g.via = 'care_team' or g.actor_kind = 'organization')"),
    "treating": _grant("g.state in ('treating', 'administrator')"),
    "blocked": _grant("g.state = 'blocked'"),
    "emergency": _EMERGENCY,
    "represents": _RELATION.replace("{what}", "'representative'"),
    "cares": _RELATION.replace("{what}", "'carer'"),
}


@lru_cache(maxsize=32)
def predicate(form: Form, narrow: bool) -> Predicate:
    """The one object per form, so that the store recognises it and keeps its statements prepared."""
    return Predicate(form, narrow)


@lru_cache(maxsize=1)
def open_type_numbers() -> list[int]:
    """The numbers of the types any signed-in caller reads."""
    return [type_number(name) for name in open_types()]


def scope(ctx: Context, *, patient: UUID | None = None) -> Scope:
    """The rows this caller sees: of one patient (and those of no patient), or across every patient in reach."""
    eyes = Eyes.of(ctx)
    parameters: dict[str, Any] = {"me": eyes.key, "now": ctx.now(), "open_types": open_type_numbers()}
    match eyes.viewer:
        case Viewer.PROFESSIONAL:
            form: Form = "professional"
            parameters |= {"organization": eyes.organization, "readable": sorted(eyes.role.readable)}
            if eyes.purpose is Purpose.NORMAL:
                parameters["team_only"] = eyes.role.care_team_only
            else:
                form = eyes.purpose.value
                parameters |= {"emergency_role": eyes.role.emergency, "purpose": eyes.purpose.value}
        case Viewer.CITIZEN:
            return _citizen_scope(ctx, eyes, parameters)
        case Viewer.OPERATOR:
            form = "operator"
        case Viewer.SYSTEM:
            form = "system" if eyes.trusted else "outsider"
    narrow = patient is not None and eyes.viewer is Viewer.PROFESSIONAL
    if narrow and patient is not None:
        parameters |= {"shard": shard_of(patient), "patient": patient}
    return Scope(SEAL, form, predicate(form, narrow), parameters)


def _citizen_scope(ctx: Context, eyes: Eyes, parameters: dict[str, Any]) -> Scope:
    """A citizen sees one space at a time, whatever the query is about."""
    space = ctx.space
    if space is None:
        raise ValueError("a citizen's context has a space")
    parameters |= {"shard": shard_of(space), "patient": space}
    if eyes.own:
        return Scope(SEAL, "citizen", predicate("citizen", True), parameters)
    parameters["person"] = eyes.person
    return Scope(SEAL, "delegate", predicate("delegate", True), parameters)


def identity_scope(states: tuple[str, ...]) -> Scope:
    """Every Patient whose space is in one of these states: only for looking somebody up by exact identity."""
    parameters = {"patient_type": type_number("Patient"), "known_states": list(states)}
    return Scope(SEAL, "identity", predicate("identity", False), parameters)


def door_scope() -> Scope:
    """Everything that still exists: for the door itself, to read what it has already permitted an action on."""
    return Scope(SEAL, "door", predicate("system", False))
