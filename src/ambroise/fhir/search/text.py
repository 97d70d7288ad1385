"""SQL under construction: constant text on one side, values on the other.

Every piece of text is a `LiteralString`, so that the type checker proves that no value ever becomes part of it.
"""

from functools import lru_cache
from typing import Any, Final, LiteralString, cast
from uuid import UUID

import msgspec
from psycopg import sql

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.types import Scope, ScopeBuilder, ScopeFor, ScopeRow

_CACHED: Final = 2048


@lru_cache(256)
def _counted(stem: LiteralString, number: int) -> LiteralString:
    """A name made of a constant and a count: the only text that is not written out in the source."""
    return cast(LiteralString, f"{stem}{number}")


@lru_cache(_CACHED)
def _predicate(build: ScopeBuilder, alias: LiteralString, prefix: LiteralString) -> LiteralString:
    return cast(LiteralString, build(ScopeRow(alias, prefix)).as_string(None))


class Select(msgspec.Struct, frozen=True):
    """A statement, its values by the names of its placeholders, and the order of its rows by those of its columns."""

    text: LiteralString
    values: dict[str, Any]
    order: LiteralString = ""


class Builder:
    """The values, aliases and scopes of one statement."""

    def __init__(self, scope_for: ScopeFor) -> None:
        self.values: dict[str, Any] = {}
        self._scope_for = scope_for
        self._scopes: dict[tuple[str, UUID | None], tuple[Scope, LiteralString]] = {}
        self._aliases = 0

    def bind(self, value: Any) -> LiteralString:
        """The placeholder of a value."""
        name = _counted("p", len(self.values))
        self.values[name] = value
        return "%(" + name + ")s"

    def alias(self) -> LiteralString:
        """A name for one more table."""
        self._aliases += 1
        return _counted("t", self._aliases)

    def rows(self, type: str, alias: LiteralString, patient: UUID | None) -> LiteralString:
        """The rows of a type that exist and that the asker may see. Every statement and sub-select starts with it."""
        scope, prefix = self._scope(type, patient)
        return (
            f"{alias}.type = {self.bind(type_number(type))} and not {alias}.deleted"
            f" and ({_predicate(scope.build, alias, prefix)})"
        )

    def _scope(self, type: str, patient: UUID | None) -> tuple[Scope, LiteralString]:
        found = self._scopes.get((type, patient))
        if found is None:
            scope = self._scope_for(type, patient)
            prefix = _counted("s", len(self._scopes)) + "_"
            found = self._scopes[type, patient] = (scope, prefix)
            self.values.update(scope.bound(prefix))
        return found


def statement(text: LiteralString) -> sql.SQL:
    """The text as psycopg takes it."""
    return sql.SQL(text)
