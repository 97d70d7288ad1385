"""Dates as SQL: the principal date in columns of the row, the time of the last change, and the others in their table.

Stored and asked intervals are half-open. R4 compares them by their limits: `gt` asks for something after the end of the
value, `lt` for something before its start, `eq` for what lies inside it, `ge` and `le` for either.
"""

from datetime import datetime
from typing import Final, LiteralString

from ambroise.fhir.search.query import DateRange, Filter, Presence
from ambroise.fhir.search.text import Builder
from ambroise.fhir.store.entries import array, date_text
from ambroise.fhir.store.index import microseconds
from ambroise.fhir.store.layout import LAST_UPDATED, layout

_MILLISECOND: Final = "interval '1 millisecond'"


def date_predicate(filter: Filter, alias: LiteralString, builder: Builder) -> LiteralString:
    """The predicate of a date parameter on the row called `alias`."""
    if filter.parameter.code == LAST_UPDATED:
        return _last_updated(filter, alias, builder)
    if filter.parameter.number == layout(filter.type).principal:
        return _principal(filter, alias, builder)
    return _other(filter, alias, builder)


def _last_updated(filter: Filter, alias: LiteralString, builder: Builder) -> LiteralString:
    low: LiteralString = f"{alias}.updated"
    high: LiteralString = f"({alias}.updated + {_MILLISECOND})"
    return _either(
        [
            _compare(value, low, high, _instants(value, builder))
            if isinstance(value, DateRange)
            else ("false" if value == Presence(True) else "true")
            for value in filter.values
        ]
    )


def _principal(filter: Filter, alias: LiteralString, builder: Builder) -> LiteralString:
    low: LiteralString = f"{alias}.date_low"
    high: LiteralString = f"{alias}.date_high"
    there: LiteralString = f"{high} > '-infinity'"
    found: list[LiteralString] = []
    for value in filter.values:
        if isinstance(value, DateRange):
            found.append(f"({there} and {_compare(value, low, high, _instants(value, builder))})")
        else:
            found.append(f"{high} = '-infinity'" if value == Presence(True) else there)
    return _either(found)


def _other(filter: Filter, alias: LiteralString, builder: Builder) -> LiteralString:
    if filter.modifier == "missing":
        return missing_predicate(filter, alias, builder)
    x = builder.alias()
    number = filter.parameter.number
    wanted: list[LiteralString] = [
        _compare(
            value,
            f"{x}.low",
            f"{x}.high",
            (builder.bind(microseconds(value.low)), builder.bind(microseconds(value.high))),
        )
        for value in filter.values
        if isinstance(value, DateRange)
    ]
    return (
        f"exists (select from resource_range {x} where {x}.shard = {alias}.shard and {x}.id = {alias}.id"
        f" and {x}.parameter = {builder.bind(number)} and {_either(wanted)})"
    )


def missing_predicate(filter: Filter, alias: LiteralString, builder: Builder) -> LiteralString:
    """`:missing` for what has no column of its own: a parameter that others make up is there when one of them is."""
    numbers = layout(filter.type).numbers(filter.parameter)
    there: LiteralString = f"{alias}.present && {builder.bind(array(numbers))}::smallint[]"
    return _either([f"not {there}" if value == Presence(True) else there for value in filter.values])


def _instants(value: DateRange, builder: Builder) -> tuple[LiteralString, LiteralString]:
    return _instant(value.low, builder), _instant(value.high, builder)


def _instant(moment: datetime, builder: Builder) -> LiteralString:
    return f"{builder.bind(date_text(moment))}::timestamptz"


def _compare(
    value: DateRange, low: LiteralString, high: LiteralString, asked: tuple[LiteralString, LiteralString]
) -> LiteralString:
    """Compare a stored interval with the one asked for. What an index can use is said even where it is implied."""
    start, end = asked
    inside: LiteralString = f"({low} >= {start} and {low} < {end} and {high} <= {end})"
    match value.prefix:
        case "eq":
            return inside
        case "ne":
            return f"not {inside}"
        case "gt":
            return f"{high} > {end}"
        case "ge":
            return f"({high} > {end} or {inside})"
        case "lt":
            return f"{low} < {start}"
        case "le":
            return f"({low} < {end} and ({low} < {start} or {inside}))"
        case "sa":
            return f"{low} >= {end}"
        case "eb":
            return f"({low} < {start} and {high} <= {start})"
        case "ap":
            return f"({low} < {end} and {high} > {start})"


def _either(predicates: list[LiteralString]) -> LiteralString:
    return predicates[0] if len(predicates) == 1 else "(" + " or ".join(predicates) + ")"
