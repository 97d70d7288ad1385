"""What the store takes and gives: permits and scopes, labels, stored resources."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntFlag
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, final
from uuid import UUID

import msgspec
from psycopg import sql

from ambroise.fhir.store.seal import SEAL, Seal

Column = Literal[
    "shard",
    "type",
    "id",
    "version",
    "updated",
    "deleted",
    "patient",
    "kind",
    "flags",
    "author",
    "author_organization",
    "source",
    "date_low",
    "date_high",
    "terms",
]


class Flags(IntFlag):
    """What the access rules must know of a resource without opening it."""

    MASKED = 1
    INVISIBLE_PATIENT = 2
    INVISIBLE_REPRESENTATIVES = 4
    DELETED = 8
    ARCHIVED = 16
    SIGNATURE = 32
    SUPERSEDED = 64
    PATIENT_AUTHORED = 128
    OPERATIONAL = 256


NO_FLAGS: Final = Flags(0)
_FLAGS: Final = tuple(Flags(value) for value in range(512))


def flags_of(value: int) -> Flags:
    """The flags written as `value`, without the cost of building an enum member each time."""
    return _FLAGS[value] if 0 <= value < 512 else Flags(value)


class Label(msgspec.Struct, frozen=True):
    """What access is decided on: whose record, which sort of document, its flags, its author, its source document."""

    patient: UUID | None = None
    kind: int = 0
    flags: Flags = NO_FLAGS
    author: int = 0
    author_organization: int = 0
    source: UUID | None = None


class Stored(msgspec.Struct, frozen=True):
    """One version of one resource. `id` is the logical id shown to clients, `key` the store's own; `body` is JSON."""

    type: str
    id: str
    key: UUID
    version: int
    updated: datetime
    deleted: bool
    label: Label
    body: bytes


class Peeked(msgspec.Struct, frozen=True):
    """What there is behind an id, without its content."""

    type: str
    id: str
    key: UUID
    version: int
    updated: datetime
    deleted: bool
    label: Label


class Closed(msgspec.Struct, frozen=True):
    """What there is behind an id, with its content folded up: only a permit opens it."""

    peeked: Peeked
    packed: bytes


@final
class Permit:
    """The right to do one thing, made by the access rules. `rule` names the rule that gave it.

    A permit that names a patient is good for that patient's resources only.
    """

    __slots__ = ("action", "patient", "rule")

    action: str
    patient: UUID | None
    rule: str

    def __init__(self, seal: Seal, action: str, patient: UUID | None, rule: str) -> None:
        _require(seal)
        object.__setattr__(self, "action", action)
        object.__setattr__(self, "patient", patient)
        object.__setattr__(self, "rule", rule)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a permit does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a permit does not change")

    def __repr__(self) -> str:
        return f"Permit({self.action}, {self.patient}, {self.rule})"


class ScopeRow:
    """The row that a scope's predicate speaks of: `row["flags"]` is a column, `row.parameter("me")` a bound value."""

    __slots__ = ("_alias", "_prefix")

    def __init__(self, alias: str, prefix: str) -> None:
        self._alias = alias
        self._prefix = prefix

    def __getitem__(self, column: Column) -> sql.Identifier:
        return sql.Identifier(self._alias, column)

    def parameter(self, name: str) -> sql.Placeholder:
        return sql.Placeholder(self._prefix + name)


ScopeBuilder = Callable[[ScopeRow], sql.Composable]


@final
class Scope:
    """Which rows the asker may see, as a predicate; made by the access rules only. `rule` names the rule behind it.

    `build` writes the predicate and must depend on nothing but itself: statements are cached by it, so a module-level
    function (or a frozen value with `__call__`) is prepared once and for all, and values go in `parameters`.
    """

    __slots__ = ("build", "parameters", "rule")

    build: ScopeBuilder
    parameters: Mapping[str, Any]
    rule: str

    def __init__(
        self,
        seal: Seal,
        rule: str,
        build: ScopeBuilder,
        parameters: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        _require(seal)
        object.__setattr__(self, "rule", rule)
        object.__setattr__(self, "build", build)
        object.__setattr__(self, "parameters", parameters)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a scope does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a scope does not change")

    def __repr__(self) -> str:
        return f"Scope({self.rule})"

    def predicate(self, alias: str = "r", prefix: str = "scope_") -> sql.Composed:
        """The predicate over the resource row called `alias`, in brackets; its placeholders start with `prefix`."""
        return sql.Composed([sql.SQL("("), self.build(ScopeRow(alias, prefix)), sql.SQL(")")])

    def bound(self, prefix: str = "scope_") -> dict[str, Any]:
        """The values of the predicate's placeholders."""
        return {prefix + name: value for name, value in self.parameters.items()}


class ScopeFor(Protocol):
    """Gives the scope of the rows of one type.

    `patient` is the record that those rows are confined to by the statement itself; None when they may be anybody's.
    """

    def __call__(self, type: str, patient: UUID | None) -> Scope: ...


def _require(seal: Seal) -> None:
    if seal is not SEAL:
        raise TypeError("only ambroise.trust.access makes permits and scopes")
