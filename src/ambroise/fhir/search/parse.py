"""From the parameters of a request to a query, or to a refusal that names the parameter and what would work."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from ambroise.fhir.definitions import SearchParameter, is_resource_type, resource_types, search_parameters, shape
from ambroise.fhir.search.names import clause
from ambroise.fhir.search.query import Clause, Ignored, Include, Query, Sort, Summary, Total
from ambroise.fhir.search.refusals import unknown_parameter, unreadable, unsupported_parameter
from ambroise.fhir.search.values import Reading
from ambroise.kernel.errors import Refusal

MOST: Final = 1000
"""No page has more matches, whatever `_count` says."""

# They say how to answer, not what to search: the way in reads them.
_OF_THE_ANSWER: Final = frozenset({"_format", "_pretty"})


class _Draft:
    """What has been understood so far."""

    def __init__(self, type: str, reading: Reading) -> None:
        self.type = type
        self.reading = reading
        self.clauses: list[Clause] = []
        self.sort: tuple[Sort, ...] = ()
        self.count: int | None = None
        self.total: Total | None = None
        self.summary: Summary | None = None
        self.elements: tuple[str, ...] = ()
        self.includes: list[Include] = []
        self.revincludes: list[Include] = []
        self.cursor: str | None = None
        self.pairs: list[tuple[str, str]] = []
        self.ignored: list[Ignored] = []


def pairs_of(query: str) -> list[tuple[str, str]]:
    """The parameters of a query string or of a form, in their order."""
    return parse_qsl(query, keep_blank_values=True)


def parse(
    type: str,
    pairs: Iterable[tuple[str, str]],
    *,
    lenient: bool = False,
    bases: Sequence[str] = (),
    now: datetime | None = None,
) -> Query:
    """The query of these parameters on a resource type.

    What cannot be used is refused (INVALID), naming the parameter; when `lenient` it is left out, as `ignored` tells.
    `bases` are the addresses under which clients write references to this server.
    """
    draft = _Draft(type, Reading(now or datetime.now(UTC), bases))
    for name, value in pairs:
        if name in _OF_THE_ANSWER:
            continue
        try:
            _read(draft, name, value)
        except Refusal as refusal:
            if not lenient:
                raise
            draft.ignored.append(Ignored(name, value, refusal.diagnostics))
        else:
            draft.pairs.append((name, value))
    return _finished(draft)


def _read(draft: _Draft, name: str, value: str) -> None:
    bare, _, modifier = name.partition(":")
    control = _CONTROLS.get(bare)
    if control is None:
        draft.clauses.append(clause(draft.type, name, value, draft.reading))
    elif modifier and bare not in ("_include", "_revinclude"):
        raise unknown_parameter(draft.type, name, _CONTROLS)
    else:
        control(draft, modifier, value)


def _finished(draft: _Draft) -> Query:
    if draft.cursor is not None and len(draft.pairs) > 1:
        raise unreadable("_cursor", "_cursor", "a page link as it came, with nothing added")
    return Query(
        type=draft.type,
        clauses=tuple(draft.clauses),
        sort=draft.sort,
        count=draft.count,
        total=draft.total,
        summary=draft.summary,
        elements=draft.elements,
        includes=tuple(draft.includes),
        revincludes=tuple(draft.revincludes),
        cursor=draft.cursor,
        pairs=tuple(draft.pairs),
        ignored=tuple(draft.ignored),
        now=draft.reading.now,
        bases=draft.reading.bases,
    )


def _count(draft: _Draft, modifier: str, value: str) -> None:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise unreadable("_count", value, "a number of entries, 0 or more")
    draft.count = min(int(value), MOST)


def _total(draft: _Draft, modifier: str, value: str) -> None:
    draft.total = _member(Total, "_total", value)


def _summary(draft: _Draft, modifier: str, value: str) -> None:
    draft.summary = _member(Summary, "_summary", value)


_Word = TypeVar("_Word", Total, Summary)


def _member(words: type[_Word], name: str, value: str) -> _Word:
    try:
        return words(value)
    except ValueError:
        known = [word.value for word in words]
        raise unreadable(name, value, f"one of {', '.join(known)}", known) from None


def _sort(draft: _Draft, modifier: str, value: str) -> None:
    known = search_parameters(draft.type)
    keys: list[Sort] = []
    for part in value.split(","):
        name = part.removeprefix("-")
        parameter = known.get(name)
        if parameter is None:
            raise unknown_parameter(draft.type, name or value, known)
        if not sortable(parameter):
            able = ", ".join(sorted(code for code, found in known.items() if sortable(found)))
            raise unsupported_parameter(draft.type, f"_sort={part}", f"sort by one of {able}")
        keys.append(Sort(parameter, part.startswith("-")))
    draft.sort = tuple(keys)


def sortable(parameter: SearchParameter) -> bool:
    """Whether lists can be ordered by it: what is stored as a value, and not as a hash."""
    return parameter.code == "_id" or parameter.type in ("date", "string", "number", "quantity")


def _elements(draft: _Draft, modifier: str, value: str) -> None:
    known = {key for element in shape(draft.type).elements for key, _ in element.keys} | {
        element.name for element in shape(draft.type).elements
    }
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    for name in names:
        if name.partition(".")[0] not in known:
            raise unreadable("_elements", name, f"elements of {draft.type}", known)
    if not names:
        raise unreadable("_elements", value, f"elements of {draft.type}")
    draft.elements = names


def _include(draft: _Draft, modifier: str, value: str) -> None:
    draft.includes.append(_inclusion(draft, "_include", modifier, value))


def _revinclude(draft: _Draft, modifier: str, value: str) -> None:
    draft.revincludes.append(_inclusion(draft, "_revinclude", modifier, value))


def _inclusion(draft: _Draft, name: str, modifier: str, value: str) -> Include:
    if modifier not in ("", "iterate", "recurse"):
        raise unreadable(name, f"{name}:{modifier}", "no modifier, or :iterate")
    parts = value.split(":")
    if value == "*" and name == "_include":
        return Include(draft.type, None, None, bool(modifier))
    if len(parts) not in (2, 3):
        raise unreadable(name, value, "Type:parameter or Type:parameter:Target")
    source, code = parts[:2]
    target = parts[2] if len(parts) == 3 and parts[2] else None
    for kind in (source, target):
        if kind is not None and not is_resource_type(kind):
            raise unreadable(name, kind, "a resource type", resource_types())
    if code == "*" and name == "_include":
        return Include(source, None, target, bool(modifier))
    references = {c: p for c, p in search_parameters(source).items() if p.type == "reference"}
    parameter = references.get(code)
    if parameter is None:
        raise unknown_parameter(source, code, references)
    return Include(source, parameter, target, bool(modifier))


def _cursor(draft: _Draft, modifier: str, value: str) -> None:
    draft.cursor = value


_CONTROLS: Final[Mapping[str, Callable[[_Draft, str, str], None]]] = MappingProxyType(
    {
        "_count": _count,
        "_total": _total,
        "_summary": _summary,
        "_sort": _sort,
        "_elements": _elements,
        "_include": _include,
        "_revinclude": _revinclude,
        "_cursor": _cursor,
    }
)
