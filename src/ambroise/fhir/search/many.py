"""Many runs of one statement as one: starting a statement costs PostgreSQL more than the twenty rows of a page.

Statements of one text differ by their values only. These become the columns of a table, and the statement a lateral
join on it. A limit that cuts nothing hides from the planner how many runs there are: one plan does for any number.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, LiteralString, cast
from uuid import UUID

import orjson

from ambroise.fhir.search.text import Select, statement
from ambroise.kernel.db import Params, Row, Statement

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s(?:::([a-z]+(?:\[\])?))?")
_TYPES: Final[Mapping[type[Any], str]] = MappingProxyType(
    {bool: "boolean", int: "bigint", str: "text", UUID: "uuid", datetime: "timestamptz"}
)
_Types = tuple[str, ...]


def alike(selects: Sequence[Select]) -> list[list[int]]:
    """The places of the statements that can run as one."""
    groups: dict[tuple[str, _Types | int], list[int]] = {}
    for place, one in enumerate(selects):
        groups.setdefault((one.text, _types(one) or place), []).append(place)
    return list(groups.values())


def as_one(selects: Sequence[Select]) -> tuple[Statement, Params]:
    """The statement that runs them all; they are alike. `shared_out` reads its rows."""
    first, types = selects[0], _types(selects[0])
    if len(selects) == 1 or types is None:
        return statement(first.text), first.values
    values = [{"place": place, **one.values} for place, one in enumerate(selects)]
    return statement(_joined(first.text, first.order, tuple(first.values), types)), {
        "runs": orjson.dumps(values).decode(),
        "count": len(selects),
    }


def shared_out(rows: Sequence[Row], runs: int) -> Sequence[Sequence[Row]]:
    """The rows of each run."""
    if runs == 1:
        return [rows]
    found: list[list[Row]] = [[] for _ in range(runs)]
    for row in rows:
        place: int = row[0]
        found[place].append(row[1:])
    return found


def _types(one: Select) -> _Types | None:
    """The types of its values; None when some cannot be a column here."""
    types = [_TYPES.get(cast(type[Any], type(value))) for value in one.values.values()]
    return None if None in types else cast(_Types, tuple(types))


@lru_cache(256)
def _joined(text: LiteralString, order: LiteralString, names: tuple[str, ...], types: _Types) -> LiteralString:
    columns = dict(zip(names, types, strict=True))
    for name, written in _PLACEHOLDER.findall(text):
        if written and columns[name] == "text":
            # An array or an instant that was written out: read once for its run rather than at each row.
            columns[name] = written
    table = ", ".join([f"{name} {type}" for name, type in columns.items()])
    inner = _PLACEHOLDER.sub(lambda found: _column(found, columns), text)
    whole = (
        f"select q.place, x.* from (select * from json_to_recordset(%(runs)s::json) as v (place integer, {table})"
        f" limit %(count)s) q cross join lateral ({inner}) x order by q.place{order and ', '}{order}"
    )
    return cast(LiteralString, whole)


def _column(found: re.Match[str], columns: dict[str, str]) -> str:
    name, written = found[1], found[2]
    return f"q.{name}" if written in (None, columns[name]) else f"q.{name}::{written}"
