"""The evaluation order in SQL: which rows a viewer sees.

Every predicate comes in two forms. For a query about one patient the facts are looked up once (their subqueries name
the patient as a parameter); for a query across patients they are correlated with the row. The text of a predicate
depends on the sort of viewer only, so that statements are prepared once; everything else is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct
from psycopg import sql

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.seal import SEAL
from ambroise.fhir.store.types import Flags, Scope, ScopeRow
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.facts import AUTHOR_STATES, HOLDER_STATES, OPEN_STATES, Eyes, Facts, Viewer
from ambroise.trust.access.kinds import IDENTITY, OPERATIONAL, Shelf, always_inside, open_types, shelf_of
from ambroise.trust.access.matrix import Role, as_array
from ambroise.trust.access.rules import sight
from ambroise.trust.access.viewpoint import Viewpoint
from ambroise.trust.context import Context, Purpose

Form: TypeAlias = Literal[
    "professional",
    "bris_de_glace",
    "centre_15",
    "citizen",
    "delegate",
    "operator",
    "system",
    "outsider",
    "open",
    "identity",
    "citizen_as",
    "delegate_as",
    "professional_there",
    "citizen_there",
]

_GONE = int(Flags.DELETED)
_HIDDEN = int(Flags.DELETED | Flags.SIGNATURE)
_WITHHELD = int(Flags.DELETED | Flags.SIGNATURE | Flags.INVISIBLE_PATIENT)
_WITHHELD_REPRESENTATIVES = _WITHHELD | int(Flags.INVISIBLE_REPRESENTATIVES)
_MASKED = int(Flags.MASKED)
_OPERATIONAL_FLAG = int(Flags.OPERATIONAL)

_CITIZEN = "{inside} and {flags} & {withheld} = 0 and {held}"
_DELEGATE = """
        {inside} and {held} and (
            {represents} and {flags} & {withheld_representatives} = 0
            or not {represents} and {cares} and {flags} & {withheld} = 0
            or not {represents} and not {cares} and {mediates} and {flags} & {withheld} = 0
                and ({kind} = {identity_kind} or {shown})
        )"""
_SEEN_AS = """
        and ({own_words} and ({author} = {seer} or {author} = 0 and {seer_organization} <> 0
                and {author_organization} = {seer_organization})
            or {enters} and {kind} = any({readable}::integer[]) and {flags} & {operational_flag} = 0
                and ({sees_masked} or {flags} & {masked} = 0
                    and coalesce({source}, {id}) <> all({kept_documents}::uuid[])))"""

_TEMPLATES: Mapping[Form, str] = {
    "professional": """
        {inside} and {flags} & {hidden} = 0 and (
            {authored}
            or (not {team_only} or {in_team})
                and {granted} and {open} and not {blocked}
                and {kind} = any({readable}::integer[]) and {flags} & {operational_flag} = 0
                and ({flags} & {masked} = 0 and not {kept} or {treating})
        )""",
    "bris_de_glace": """
        {inside} and {flags} & {hidden} = 0 and (
            {authored}
            or {emergency_role} and {emergency} and {open_btg} and not {blocked}
                and {kind} = any({readable}::integer[]) and {flags} & {operational_flag} = 0
                and ({flags} & {masked} = 0 and not {kept} or {treating} or {masked_permitted})
        )""",
    "centre_15": """
        {inside} and {flags} & {hidden} = 0 and (
            {authored}
            or {emergency_role} and {emergency} and {open_etreat} and not {blocked}
                and {kind} = any({readable}::integer[]) and {flags} & {operational_flag} = 0
                and ({flags} & {masked} = 0 and not {kept} or {treating} or {masked_permitted})
        )""",
    "professional_there": """
        {inside} and {flags} & {unseen} = 0 and (
            {own_words} and ({author} = {me} or {author} = 0 and {organization} <> 0
                and {author_organization} = {organization})
            or {enters} and {kind} = any({readable}::integer[]) and {flags} & {operational_flag} = 0
                and ({sees_masked} or {flags} & {masked} = 0
                    and coalesce({source}, {id}) <> all({kept_documents}::uuid[]))
        )""",
    "citizen_there": """{inside} and {flags} & {unseen} = 0 and {enters}
        and (not {identity_only} or {kind} = {identity_kind})""",
    "citizen": _CITIZEN,
    "citizen_as": _CITIZEN + _SEEN_AS,
    "delegate": _DELEGATE,
    "delegate_as": _DELEGATE + _SEEN_AS,
    "operator": """
        {flags} & {gone} = 0 and ({row_patient} is null
            or {flags} & {hidden} = 0 and ({kind} = any({operator_kinds}) or {flags} & {operational_flag} <> 0))""",
    "system": "{flags} & {gone} = 0",
    "outsider": "false",
    "open": "{row_patient} is null and {flags} & {gone} = 0",
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

_KEPT = """exists (select from access_restriction k
    where k.shard = {shard} and k.patient = {patient} and k.actor in ({me}, {organization})
    and k.since <= {now} and (k.until is null or k.until > {now})
    and (k.kind = {kind} or k.document = coalesce({source}, {id})))"""

_RELATION = """exists (select from access_relation d
    where d.shard = {shard} and d.patient = {patient} and d.person = {person} and d.kind = {what}
    and d.since <= {now} and (d.until is null or d.until > {now}))"""


class Predicate(Struct, frozen=True):
    """One form of the evaluation order.

    `narrow`: the facts of one patient, given as a parameter, instead of those of the row's patient. `outside`: rows
    that belong to no patient are looked at too.
    """

    form: Form
    narrow: bool
    outside: bool

    def __call__(self, row: ScopeRow) -> sql.Composed:
        """The predicate over this row."""
        text = _Text(row, self.narrow)
        inside = _TEMPLATES[self.form]
        return text.fill(f"{{outside}} or ({inside})" if self.outside else inside)


class _Text:
    """The pieces that the templates name, for one row alias."""

    def __init__(self, row: ScopeRow, narrow: bool) -> None:
        self._row = row
        self._columns: dict[str, sql.Composable] = {
            name: row[name] for name in ("type", "kind", "flags", "author", "author_organization", "source", "id")
        }
        self._columns |= {"row_shard": row["shard"], "row_patient": row["patient"]}
        self._columns["shard"] = row.parameter("shard") if narrow else row["shard"]
        self._columns["patient"] = row.parameter("patient") if narrow else row["patient"]
        self._constants = {name: sql.Literal(value) for name, value in _CONSTANTS.items()}
        self._constants["open_types"] = sql.Literal(open_type_numbers())
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
    "identity_kind": IDENTITY,
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
    "kept": _KEPT,
    "represents": _RELATION.replace("{what}", "'representative'"),
    "cares": _RELATION.replace("{what}", "'carer'"),
    "mediates": _RELATION.replace("{what}", "'mediator'"),
    "shown": _RELATION.replace("{what}", "'mediator' and d.scope = 'content'"),
}


@lru_cache(maxsize=64)
def predicate(form: Form, *, narrow: bool = False, outside: bool = False) -> Predicate:
    """The one object per form, so that the store recognises it and keeps its statements prepared."""
    return Predicate(form, narrow, outside)


@lru_cache(maxsize=1)
def open_type_numbers() -> list[int]:
    """The numbers of the types any signed-in caller reads."""
    return [type_number(name) for name in open_types()]


class Scopes:
    """The scopes of one caller: for a type, across patients or in the record of one."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._eyes = Eyes.of(ctx)
        self._parameters = _parameters(ctx, self._eyes)

    def __call__(self, type: str | None, patient: UUID | None) -> Scope:
        """The rows of this type that the caller sees; with `patient`, those of that patient."""
        limits = self._eyes.limits
        if limits is not None and not limits.sees(type):
            return Scope(SEAL, "outsider", predicate("outsider"), self._parameters)
        if limits is not None and limits.patient is not None:
            # A token of one patient sees that one, whatever the query is about.
            patient = limits.patient
        if type is not None and shelf_of(type) is Shelf.OPEN:
            return Scope(SEAL, "open", predicate("open"), self._parameters)
        form = _form(self._eyes)
        outside = form not in ("operator", "system") and (type is None or not always_inside(type))
        citizen = self._eyes.space
        if citizen is not None:
            # A citizen sees one space at a time, whatever the query is about.
            return Scope(SEAL, form, predicate(form, narrow=True, outside=outside), self._parameters)
        if patient is None or self._eyes.viewer is not Viewer.PROFESSIONAL:
            return Scope(SEAL, form, predicate(form, outside=outside), self._parameters)
        place = {"shard": shard_of(patient), "patient": patient}
        return Scope(SEAL, form, predicate(form, narrow=True, outside=outside), self._parameters | place)


def scope_given(eyes: Eyes, patient: UUID, facts: Facts) -> Scope:
    """The rows of one patient that a professional or a citizen sees, these being the facts of the same snapshot.

    The same rows as the scope that looks the facts up by itself, for a fraction of its cost.
    """
    seen = sight(facts, eyes, patient)
    parameters: dict[str, Any] = {
        "shard": shard_of(patient),
        "patient": patient,
        "enters": seen.enters,
        "unseen": seen.hidden,
    }
    if eyes.viewer is Viewer.CITIZEN:
        parameters["identity_only"] = seen.identity_only
        return Scope(SEAL, "citizen", predicate("citizen_there", narrow=True), parameters)
    parameters["me"] = eyes.key
    parameters["organization"] = eyes.organization
    parameters["readable"] = _readable(eyes.role, facts, seen.sees_masked)
    parameters["kept_documents"] = list(facts.kept_documents)
    parameters["own_words"] = seen.own_words
    parameters["sees_masked"] = seen.sees_masked
    return Scope(SEAL, "professional", predicate("professional_there", narrow=True), parameters)


def _readable(role: Role, facts: Facts, sees_masked: bool) -> str:
    """What the role reads, less what the patient keeps from this one person."""
    if sees_masked or not facts.kept_kinds:
        return role.readable_array
    return as_array(role.readable - facts.kept_kinds)


def scope(ctx: Context, *, type: str | None = None, patient: UUID | None = None) -> Scope:
    """The rows this caller sees: of one type or of all, of one patient (and of none) or of every patient in reach."""
    return Scopes(ctx)(type, patient)


def _form(eyes: Eyes) -> Form:
    match eyes.viewer:
        case Viewer.PROFESSIONAL:
            return "professional" if eyes.purpose is Purpose.NORMAL else eyes.purpose.value
        case Viewer.CITIZEN:
            return "citizen" if eyes.own else "delegate"
        case Viewer.OPERATOR:
            return "operator"
        case Viewer.SYSTEM:
            return "system" if eyes.trusted else "outsider"


def _parameters(ctx: Context, eyes: Eyes) -> dict[str, Any]:
    parameters: dict[str, Any] = {"me": eyes.key, "now": ctx.now()}
    if eyes.viewer is Viewer.PROFESSIONAL:
        parameters |= {
            "organization": eyes.organization,
            "readable": eyes.role.readable_array,
            "team_only": eyes.role.care_team_only,
            "emergency_role": eyes.role.emergency,
            "purpose": eyes.purpose.value,
        }
    if eyes.space is not None:
        parameters |= {"shard": shard_of(eyes.space), "patient": eyes.space, "person": eyes.person}
    return parameters


def seen_as_scope(ctx: Context, type: str, viewpoint: Viewpoint) -> Scope:
    """What a citizen sees of the space and this professional would see too."""
    eyes, theirs, facts = Eyes.of(ctx), viewpoint.eyes, viewpoint.facts
    if eyes.space is None:
        raise ValueError("only a citizen looks at a space as somebody else")
    if shelf_of(type) is Shelf.OPEN:
        return Scope(SEAL, "open", predicate("open"), _parameters(ctx, eyes))
    form: Form = "citizen_as" if eyes.own else "delegate_as"
    seen = sight(facts, theirs, eyes.space)
    parameters = _parameters(ctx, eyes) | {
        "seer": theirs.key,
        "seer_organization": theirs.organization,
        "own_words": seen.own_words and bool(theirs.key or theirs.organization),
        "enters": seen.enters,
        "readable": _readable(theirs.role, facts, seen.sees_masked),
        "sees_masked": seen.sees_masked,
        "kept_documents": list(facts.kept_documents),
    }
    return Scope(SEAL, form, predicate(form, narrow=True), parameters)


def identity_scope(states: tuple[str, ...]) -> Scope:
    """Every Patient whose space is in one of these states: only for looking somebody up by exact identity."""
    parameters = {"patient_type": type_number("Patient"), "known_states": list(states)}
    return Scope(SEAL, "identity", predicate("identity"), parameters)


def door_scope() -> Scope:
    """Everything that still exists: for the door itself, to read what it has already permitted an action on."""
    return Scope(SEAL, "door", predicate("system"))
