"""From clauses to SQL predicates on a row of `resource`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, LiteralString
from uuid import UUID

from ambroise.fhir.search.binding import PATIENT, Bound, in_records, owns
from ambroise.fhir.search.dates import date_predicate, missing_predicate
from ambroise.fhir.search.query import (
    AllOf,
    AnyOf,
    Chain,
    Clause,
    Filter,
    Has,
    NumberRange,
    Presence,
    Target,
    Text,
    Token,
    TypedIdentifier,
    Value,
)
from ambroise.fhir.search.text import Builder
from ambroise.fhir.store import terms
from ambroise.fhir.store.entries import array
from ambroise.fhir.store.folding import fold
from ambroise.fhir.store.index import LONGEST_TEXT, display_line, in_one_line, line_of
from ambroise.fhir.store.keys import as_key
from ambroise.fhir.store.layout import ID, layout
from ambroise.kernel.ids import shard_of

_LAST: Final = "\U0010ffff"
_SPECIAL: Final = re.compile(r"[\\.^$*+?()\[\]{}|]")
_NO_KEYS: Final[Mapping[str, Sequence[UUID]]] = MappingProxyType({})


class Compiler:
    """Writes the predicates of one search.

    `bound` is the record that the whole search stays in, if one is sure: a chain that leads from it to a type that
    lives in records then stays in it too, so that one shard answers. `keys` are those of logical ids looked up before,
    as `Type/id`.
    """

    def __init__(self, builder: Builder, bound: Bound | None, keys: Mapping[str, Sequence[UUID]] = _NO_KEYS) -> None:
        self._builder = builder
        self._bound = bound
        self._keys = keys

    def where(self, type: str, alias: LiteralString, clauses: Iterable[Clause]) -> LiteralString:
        """The rows of `type` that match every clause: those of the bound record if there is one."""
        parts: list[LiteralString] = []
        if self._bound is not None and in_records(type):
            parts.append(self._in_record(alias, self._bound))
        parts.append(self._builder.rows(type, alias, self._bound.patient if self._bound else None))
        parts.extend(self.predicate(clause, alias) for clause in clauses)
        return " and ".join(parts)

    def predicate(self, clause: Clause, alias: LiteralString) -> LiteralString:
        """The predicate of one clause on the row called `alias`."""
        match clause:
            case Filter():
                return self._filter(clause, alias)
            case Chain():
                return _any_of([self._chain(clause, target, inner, alias) for target, inner in clause.targets])
            case Has():
                return self._has(clause, alias)
            case AllOf(clauses):
                return "(" + " and ".join([self.predicate(each, alias) for each in clauses]) + ")"
            case AnyOf(clauses):
                return _any_of([self.predicate(each, alias) for each in clauses])

    def _in_record(self, alias: LiteralString, bound: Bound) -> LiteralString:
        bind = self._builder.bind
        return f"{alias}.shard = {bind(bound.shard)} and {alias}.patient = {bind(bound.patient)}"

    # Filters

    def _filter(self, filter: Filter, alias: LiteralString) -> LiteralString:
        if filter.parameter.code == ID:
            return self._ids(filter, alias)
        if filter.parameter.type == "date":
            return date_predicate(filter, alias, self._builder)
        if filter.modifier == "missing":
            return self._missing(filter, alias)
        return _FILTERS[filter.parameter.type](self, filter, alias)

    def _missing(self, filter: Filter, alias: LiteralString) -> LiteralString:
        return missing_predicate(filter, alias, self._builder)

    def _has_term(self, alias: LiteralString, wanted: Iterable[int]) -> LiteralString:
        return f"{alias}.terms && {self._builder.bind(array(sorted(set(wanted))))}::bigint[]"

    def _ids(self, filter: Filter, alias: LiteralString) -> LiteralString:
        if filter.modifier == "missing":
            return "false" if filter.values == (Presence(True),) else "true"
        ids = [value.code for value in filter.values if isinstance(value, Token) and value.code]
        bind = self._builder.bind
        found: list[UUID] = []
        for id in ids:
            known = self._keys.get(f"{filter.type}/{id}") or self._certain_keys(filter.type, id)
            if known is None:
                handles = array(terms.handle(f"{filter.type}/{each}") for each in ids)
                return f"{alias}.handle = any({bind(handles)}::bigint[])"
            found.extend(known)
        shards = array({shard_of(key) for key in found})
        return f"{alias}.shard = any({bind(shards)}::smallint[]) and {alias}.id = any({bind(found)}::uuid[])"

    def _certain_keys(self, type: str, id: str) -> list[UUID] | None:
        """The id of a Patient is its key whenever it has the form of one."""
        key = as_key(id) if type == PATIENT else None
        return None if key is None else [key]

    def _token(self, filter: Filter, alias: LiteralString) -> LiteralString:
        numbers = layout(filter.type).numbers(filter.parameter)
        if filter.modifier == "text":
            return self._displayed(filter, numbers, alias)
        found = self._has_term(
            alias, (term for number in numbers for value in filter.values for term in _token_terms(number, value))
        )
        return f"not {found}" if filter.modifier == "not" else found

    def _displayed(self, filter: Filter, numbers: tuple[int, ...], alias: LiteralString) -> LiteralString:
        patterns = [
            f"%{_like(display_line(number, value.text))}%"
            for number in numbers
            for value in filter.values
            if isinstance(value, Text)
        ]
        return f"coalesce({alias}.displays like any({self._builder.bind(patterns)}::text[]), false)"

    def _uri(self, filter: Filter, alias: LiteralString) -> LiteralString:
        number = filter.parameter.number
        texts = [value.text for value in filter.values if isinstance(value, Text)]
        match filter.modifier:
            case "below":
                return self._has_term(alias, (terms.below(number, text) for text in texts))
            case "above":
                above = {form for text in texts for each in terms.ancestors(text) for form in (each, each + "/")}
                return self._has_term(alias, (terms.uri(number, each) for each in (*above, *texts)))
            case _:
                return self._has_term(alias, (terms.uri(number, text) for text in texts))

    def _reference(self, filter: Filter, alias: LiteralString) -> LiteralString:
        number = filter.parameter.number
        if filter.modifier == "identifier":
            return self._has_term(alias, (term for value in filter.values for term in _token_terms(number, value)))
        stored = layout(filter.type).narrows.get(number, number)
        return self._has_term(
            alias,
            (
                terms.reference(stored, target)
                for value in filter.values
                if isinstance(value, Target)
                for target in value.targets
            ),
        )

    def _string(self, filter: Filter, alias: LiteralString) -> LiteralString:
        bind = self._builder.bind
        plan = layout(filter.type)
        if plan.inside:
            lines = "|".join([_line(plan.numbers(filter.parameter), filter.modifier, value) for value in filter.values])
            # Most rows do not have the text at all, which is known for a fifth of what the expression costs.
            anywhere = [f"%{_like(_folded(value))}%" for value in filter.values]
            has: LiteralString = f"{alias}.displays like any({bind(anywhere)}::text[])"
            return f"coalesce({has} and {alias}.displays ~ {bind(lines)}, false)"
        x = self._builder.alias()
        numbers = bind(array(plan.numbers(filter.parameter)))
        wanted: list[LiteralString] = []
        for value in filter.values:
            text, folded = _text(value), _folded(value)
            match filter.modifier:
                case "exact":
                    written = bind(text.replace("\x00", " "))
                    wanted.append(f"({x}.text = {bind(folded)} and coalesce({x}.original, {x}.text) = {written})")
                case "contains":
                    wanted.append(f"{x}.text like {bind(f'%{_like(folded)}%')}")
                case _:
                    wanted.append(f"({x}.text >= {bind(folded)} and {x}.text < {bind(folded + _LAST)})")
        return (
            f"exists (select from resource_text {x} where {x}.shard = {alias}.shard and {x}.id = {alias}.id"
            f" and {x}.parameter = any({numbers}::smallint[]) and {_any_of(wanted)})"
        )

    def _numbers(self, filter: Filter, alias: LiteralString) -> LiteralString:
        bind = self._builder.bind
        x = self._builder.alias()
        numbers = bind(array(layout(filter.type).numbers(filter.parameter)))
        wanted: list[LiteralString] = [
            self._number(value, x) for value in filter.values if isinstance(value, NumberRange)
        ]
        return (
            f"exists (select from resource_range {x} where {x}.shard = {alias}.shard and {x}.id = {alias}.id"
            f" and {x}.parameter = any({numbers}::smallint[]) and {_any_of(wanted)})"
        )

    def _number(self, wanted: NumberRange, x: LiteralString) -> LiteralString:
        bind = self._builder.bind
        match wanted.prefix:
            case "eq":
                found = f"{x}.low >= {bind(wanted.low)} and {x}.high < {bind(wanted.high)}"
            case "ne":
                found = f"not ({x}.low >= {bind(wanted.low)} and {x}.high < {bind(wanted.high)})"
            case "gt":
                found = f"{x}.high > {bind(wanted.value)}"
            case "ge":
                found = f"{x}.high >= {bind(wanted.value)}"
            case "lt":
                found = f"{x}.low < {bind(wanted.value)}"
            case "le":
                found = f"{x}.low <= {bind(wanted.value)}"
            case "sa":
                found = f"{x}.low > {bind(wanted.value)}"
            case "eb":
                found = f"{x}.high < {bind(wanted.value)}"
            case "ap":
                found = f"{x}.low <= {bind(wanted.high)} and {x}.high >= {bind(wanted.low)}"
        if wanted.code is None:
            return f"({found})"
        unit = bind(array([terms.unit(wanted.system or "", wanted.code)]))
        return f"({found} and {x}.units @> {unit}::bigint[])"

    # Chains

    def _chain(self, chain: Chain, target: str, inner: Clause, alias: LiteralString) -> LiteralString:
        bind, b = self._builder.bind, self._builder.alias()
        number = layout(chain.type).narrows.get(chain.parameter.number, chain.parameter.number)
        mask = bind(terms.reference_mask(number))
        if target == PATIENT and owns(chain.type, chain.parameter):
            return (
                f"exists (select from resource {b} where {b}.shard = {alias}.shard and {b}.id = {alias}.patient"
                f" and {self.where(target, b, (inner,))} and {alias}.terms @> array[{b}.handle # {mask}])"
            )
        # A Patient mentioned in a record need not be the one whose record it is.
        free = Compiler(self._builder, None) if target == PATIENT else self
        return (
            f"{alias}.terms && array(select {b}.handle # {mask} from resource {b}"
            f" where {free.where(target, b, (inner,))})"
        )

    def _has(self, has: Has, alias: LiteralString) -> LiteralString:
        bind, b = self._builder.bind, self._builder.alias()
        number = layout(has.source).narrows.get(has.parameter.number, has.parameter.number)
        mask = bind(terms.reference_mask(number))
        where = self.where(has.source, b, (has.clause,))
        if has.type == PATIENT and owns(has.source, has.parameter):
            return (
                f"exists (select from resource {b} where {b}.shard = {alias}.shard and {b}.patient = {alias}.id"
                f" and {where} and {b}.terms @> array[{alias}.handle # {mask}])"
            )
        if self._bound is not None and in_records(has.source):
            return f"exists (select from resource {b} where {where} and {b}.terms @> array[{alias}.handle # {mask}])"
        return f"{alias}.handle in (select unnest({b}.terms) # {mask} from resource {b} where {where})"


_FILTERS: Final[Mapping[str, Callable[[Compiler, Filter, LiteralString], LiteralString]]] = MappingProxyType(
    {
        "token": Compiler._token,  # pyright: ignore[reportPrivateUsage]
        "uri": Compiler._uri,  # pyright: ignore[reportPrivateUsage]
        "reference": Compiler._reference,  # pyright: ignore[reportPrivateUsage]
        "string": Compiler._string,  # pyright: ignore[reportPrivateUsage]
        "number": Compiler._numbers,  # pyright: ignore[reportPrivateUsage]
        "quantity": Compiler._numbers,  # pyright: ignore[reportPrivateUsage]
    }
)


def _any_of(predicates: list[LiteralString]) -> LiteralString:
    return predicates[0] if len(predicates) == 1 else "(" + " or ".join(predicates) + ")"


def _token_terms(number: int, value: Value) -> list[int]:
    if isinstance(value, TypedIdentifier):
        return [terms.of_type(number, value.system, value.code, value.value)]
    if not isinstance(value, Token):
        return []
    if value.code is None:
        return [terms.any_code_of(number, value.system or "")]
    if value.system is None:
        return [terms.code_in_any_system(number, value.code)]
    if value.system == "":
        return [terms.code_without_system(number, value.code)]
    return [terms.system_and_code(number, value.system, value.code)]


def _line(numbers: Iterable[int], modifier: str | None, value: Value) -> str:
    """The regular expression of a line of `displays` that holds a text asked for."""
    text, folded = _text(value), _folded(value)
    match modifier:
        case "exact":
            original = "" if folded == text else f"\x1e{_literal(in_one_line(text))}"
            sought = f"{_literal(folded)}{original}(\n|$)"
        case "contains":
            sought = f"[^\n\x1e]*{_literal(folded)}"
        case _:
            sought = _literal(folded)
    return f"{line_of(numbers)}{sought}"


def _text(value: Value) -> str:
    return value.text[:LONGEST_TEXT] if isinstance(value, Text) else ""


def _folded(value: Value) -> str:
    return fold(_text(value))[:LONGEST_TEXT]


def _literal(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
