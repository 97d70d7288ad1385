"""Reading the published directory: search and read, for any signed-in caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory.published import repository
from ambroise.modules.directory.published.parameters import INCLUDES, TYPES
from ambroise.modules.directory.published.query import Search, search_of
from ambroise.modules.directory.published.resources import resource

Json = dict[str, Any]
_MOST_INCLUDED: Final = 1000


class PublishedPage(Struct, frozen=True):
    """One page: the matches, what they include, where the next page begins, and the total if it was asked."""

    search: Search
    matches: list[Json]
    included: list[Json]
    next: str | None
    total: int | None


async def search_published(reader: Reader, type: str, pairs: Sequence[tuple[str, str]]) -> PublishedPage:
    """One page of a search. Refuses RESOURCE_TYPE_UNKNOWN, SEARCH_PARAMETER_UNKNOWN, SEARCH_VALUE_INVALID."""
    _check(type)
    search = search_of(type, pairs)
    rows = await repository.page(reader, search) if search.count else []
    more = len(rows) > search.count
    rows = rows[: search.count]
    included = await _included(reader, search, rows)
    total = await repository.total(reader, search) if search.total else None
    return PublishedPage(
        search,
        [_shown(search, resource(type, row)) for row in rows],
        included,
        str(rows[-1]["id"]) if more else None,
        total,
    )


async def read_published(reader: Reader, type: str, id: str) -> Json:
    """One resource, out of activity included. Refuses NOT_FOUND."""
    _check(type)
    rows = await repository.by_ids(reader, type, [id])
    if not rows:
        raise Refusal(Kind.NOT_FOUND, "RESOURCE_NOT_FOUND", f"The directory has no {type} of this id.")
    return resource(type, rows[0])


async def _included(reader: Reader, search: Search, rows: list[dict[str, Any]]) -> list[Json]:
    columns = {"practitioner": "professional", "organization": "organization", "partof": "parent"}
    found: list[Json] = []
    for name in sorted(search.include):
        target = INCLUDES[search.type][name]
        ids = sorted({str(row[columns[name]]) for row in rows if row.get(columns[name])})
        if ids:
            found += [resource(target, one) for one in await repository.by_ids(reader, target, ids)]
    ids = [str(row["id"]) for row in rows]
    for reference in sorted(search.revinclude):
        if ids:
            listed = await repository.referring(reader, reference, ids, _MOST_INCLUDED)
            found += [resource(reference.partition(":")[0], one) for one in listed]
    return found


def _shown(search: Search, made: Json) -> Json:
    if not search.elements:
        return made
    return {name: value for name, value in made.items() if name in {"resourceType", "id", "meta", *search.elements}}


def _check(type: str) -> None:
    if type not in TYPES:
        raise Refusal(Kind.NOT_FOUND, "RESOURCE_TYPE_UNKNOWN", f"The directory publishes {', '.join(TYPES)}.")
