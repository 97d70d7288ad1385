"""The order of a list, and where its next page starts.

Every order ends with the key of the row, so that it is total; a page starts after the values of the last row before it,
whatever was written meanwhile.
"""

from collections.abc import Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec

from ambroise.fhir.search.query import Query, Sort
from ambroise.fhir.search.text import Builder
from ambroise.fhir.store.entries import array
from ambroise.fhir.store.index import line_of
from ambroise.fhir.store.layout import ID, LAST_UPDATED, layout

SHOWN: Final[tuple[LiteralString, ...]] = ("oa", "ob", "oc", "od", "oe", "of_", "og", "oh")
"""The names of the columns that show the keys."""
_FIRST: Final = "''"
_LAST: Final = "U&'\\+10FFFF'"


class Key(msgspec.Struct, frozen=True):
    """One expression of the order, how it is shown to the cursor, and the type it is read back as."""

    expression: LiteralString
    shown: LiteralString
    type: LiteralString
    descending: bool


def order_of(query: Query, builder: Builder, *, in_record: bool) -> list[Key]:
    """The keys of a query's order on the row `r`: the newest first when it asks for none."""
    if query.sort:
        return [_key(query.type, sort, builder) for sort in query.sort]
    if in_record and layout(query.type).principal >= 0:
        return [_principal(descending=True)]
    return [_last_updated(descending=True)]


def order_by(keys: Sequence[Key]) -> LiteralString:
    """The clause. The key of the row goes the way of the first expression, as the indexes do."""
    written: list[LiteralString] = [f"{key.expression} {_way(key)}" for key in keys]
    written.append(f"r.id {_way(keys[0])}")
    return ", ".join(written)


def order_of_shown(keys: Sequence[Key]) -> LiteralString:
    """The same order by what is shown of the keys; what is shown as null is less than anything."""
    written: list[LiteralString] = [
        f"{name} desc nulls last" if key.descending else f"{name} asc nulls first"
        for name, key in zip(SHOWN, keys, strict=False)
    ]
    written.append(f"id {_way(keys[0])}")
    return ", ".join(written)


def order_of_found(keys: Sequence[Key]) -> LiteralString:
    """The same order by columns that hold the expressions of the keys."""
    written: list[LiteralString] = [f"{name} {_way(key)}" for name, key in zip(SHOWN, keys, strict=False)]
    written.append(f"id {_way(keys[0])}")
    return ", ".join(written)


def after(keys: Sequence[Key], values: Sequence[str | None], id: UUID, builder: Builder) -> LiteralString:
    """The rows that come after those values."""
    sides: list[tuple[LiteralString, LiteralString, bool]] = [
        (key.expression, f"{builder.bind('-infinity' if value is None else value)}::{key.type}", key.descending)
        for key, value in zip(keys, values, strict=True)
    ]
    sides.append(("r.id", f"{builder.bind(id)}::uuid", keys[0].descending))
    if len({descending for _, _, descending in sides}) == 1:
        sign: LiteralString = "<" if sides[0][2] else ">"
        left = ", ".join([side[0] for side in sides])
        right = ", ".join([side[1] for side in sides])
        return f"({left}) {sign} ({right})"
    return _stepwise(sides)


def values_of(keys: Sequence[Key], row: Sequence[Any]) -> list[str | None]:
    """The values of the order in a row, given the part of it that shows them."""
    return [None if value is None else str(value) for value in row[: len(keys)]]


def _stepwise(sides: Sequence[tuple[LiteralString, LiteralString, bool]]) -> LiteralString:
    """Mixed ways: the first that differs decides."""
    steps: list[LiteralString] = []
    for position, (left, right, descending) in enumerate(sides):
        step: list[LiteralString] = [f"{one} = {other}" for one, other, _ in sides[:position]]
        sign: LiteralString = "<" if descending else ">"
        step.append(f"{left} {sign} {right}")
        steps.append(" and ".join(step))
    return "(" + " or ".join([f"({step})" for step in steps]) + ")"


def _way(key: Key) -> LiteralString:
    return "desc" if key.descending else "asc"


def _principal(*, descending: bool) -> Key:
    # -infinity cannot be read as a Python date: it is shown as null, and null is read back as -infinity.
    return Key("r.date_low", "nullif(r.date_low, '-infinity')", "timestamptz", descending)


def _last_updated(*, descending: bool) -> Key:
    return Key("r.updated", "r.updated", "timestamptz", descending)


def _key(type: str, sort: Sort, builder: Builder) -> Key:
    parameter = sort.parameter
    if parameter.code == ID:
        return Key("r.id", "r.id", "uuid", sort.descending)
    if parameter.code == LAST_UPDATED:
        return _last_updated(descending=sort.descending)
    if parameter.number == layout(type).principal:
        return _principal(descending=sort.descending)
    plan = layout(type)
    if parameter.type == "string" and plan.inside:
        return _text_inside(builder.bind(f"{line_of(plan.numbers(parameter))}([^\n\x1e]*)"), descending=sort.descending)
    numbers = builder.bind(array(plan.numbers(parameter)))
    if parameter.type == "string":
        return _text(numbers, descending=sort.descending)
    return _range(numbers, descending=sort.descending)


def _text(numbers: LiteralString, *, descending: bool) -> Key:
    """The first of several values when ascending, the last when descending; rows without any come last."""
    rows: LiteralString = (
        f"resource_text o where o.shard = r.shard and o.id = r.id and o.parameter = any({numbers}::smallint[])"
    )
    return _extreme_text(rows, descending=descending)


def _text_inside(line: LiteralString, *, descending: bool) -> Key:
    """The same for texts that stand in the row."""
    found: LiteralString = f"(select m[2] from regexp_matches(r.displays, {line}, 'g') m) o (text)"
    return _extreme_text(found, descending=descending)


def _extreme_text(rows: LiteralString, *, descending: bool) -> Key:
    extreme: LiteralString = "max" if descending else "min"
    missing: LiteralString = _FIRST if descending else _LAST
    expression: LiteralString = f'coalesce((select {extreme}(o.text) from {rows}), {missing}) collate "C"'
    return Key(expression, expression, "text", descending)


def _range(numbers: LiteralString, *, descending: bool) -> Key:
    extreme: LiteralString = "max" if descending else "min"
    missing: LiteralString = "-infinity" if descending else "infinity"
    expression: LiteralString = (
        f"coalesce((select {extreme}(o.low) from resource_range o where o.shard = r.shard and o.id = r.id"
        f" and o.parameter = any({numbers}::smallint[])), '{missing}'::numeric)"
    )
    return Key(expression, f"({expression})::text", "numeric", descending)
