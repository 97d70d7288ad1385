"""Search over several types at once (`[base]?_type=A,B`): each type in turn, pages that run from one into the next."""

from typing import Final

from ambroise.fhir.definitions import is_resource_type, resource_types
from ambroise.interfaces.fhir_rest.bundles import Link, bundle
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.fhir_rest.http import Pairs
from ambroise.interfaces.fhir_rest.limits import require
from ambroise.interfaces.fhir_rest.links import CURSOR, with_query
from ambroise.interfaces.fhir_rest.routing import unknown_type
from ambroise.interfaces.fhir_rest.searching import search_entries
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context
from ambroise.trust.gateway import SearchResult

MOST_TYPES: Final = 20
USUAL_COUNT: Final = 50


class Everywhere:
    """Searches of the system level."""

    def __init__(self, criteria: Criteria) -> None:
        self._criteria = criteria

    async def search(self, reader: Reader, ctx: Context, pairs: Pairs, base: str, *, lenient: bool) -> bytes:
        """One page: what is left of the type where the last page ended, then the next types until the page is full."""
        types = _types(pairs)
        place, inner = _place(pairs, len(types))
        asked = [(name, value) for name, value in pairs if name not in ("_type", CURSOR)]
        entries: list[bytes] = []
        totals: list[int | None] = []
        room = _count(pairs)
        while place < len(types):
            result = await self._page(reader, ctx, types[place], asked, inner, base, lenient=lenient)
            entries += search_entries(base, result)
            totals.append(result.total)
            room -= sum(mode == "match" for _, mode in result.entries)
            place, inner = (place, result.next_cursor) if result.next_cursor else (place + 1, None)
            if room <= 0 and not _counting(pairs):
                break
        whole = place == len(types) and len(totals) == len(types)
        total = sum(each for each in totals if each is not None) if whole and None not in totals else None
        return bundle("searchset", entries, links=_links(pairs, base, types, place, inner), total=total)

    async def _page(
        self, reader: Reader, ctx: Context, type_: str, asked: Pairs, inner: str | None, base: str, *, lenient: bool
    ) -> SearchResult:
        require(ctx, "s", type_)
        pairs = asked if inner is None else [(CURSOR, inner)]
        return await self._criteria.page(reader, ctx, type_, pairs, base=base, lenient=lenient)


def _types(pairs: Pairs) -> list[str]:
    listed = [name for key, value in pairs if key == "_type" for name in value.split(",") if name]
    if not listed:
        raise Refusal(
            Kind.INVALID,
            "SEARCH_PARAMETER_MISSING",
            "A search over several types names them: `?_type=Observation,Condition&…`.",
            element="_type",
        )
    for name in listed:
        if not is_resource_type(name):
            refusal = unknown_type(name)
            raise Refusal(Kind.INVALID, refusal.code, refusal.diagnostics, element="_type")
    unique = list(dict.fromkeys(listed))
    if len(unique) > MOST_TYPES:
        text = f"Name at most {MOST_TYPES} of the {len(resource_types())} types at once."
        raise Refusal(Kind.INVALID, "SEARCH_VALUE_INVALID", text, element="_type")
    return unique


def _place(pairs: Pairs, types: int) -> tuple[int, str | None]:
    """Where the page starts: the place of a type, and the cursor inside that type."""
    cursor = next((value for name, value in reversed(pairs) if name == CURSOR), None)
    if cursor is None:
        return 0, None
    number, _, inner = cursor.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 4 and int(number) < types):
        text = "This page link is not one that this server gave; start again from the first page."
        raise Refusal(Kind.INVALID, "CURSOR_UNKNOWN", text, element=CURSOR)
    return int(number), inner or None


def _links(pairs: Pairs, base: str, types: list[str], place: int, inner: str | None) -> list[Link]:
    links: list[Link] = [("self", with_query(base, pairs))]
    if place < len(types) and not _counting(pairs):
        kept = [(name, value) for name, value in pairs if name != CURSOR]
        following = with_query(base, [*kept, (CURSOR, f"{place}.{inner or ''}")])
        links.append(("next", following))
    return links


def _count(pairs: Pairs) -> int:
    text = next((value for name, value in reversed(pairs) if name == "_count"), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else USUAL_COUNT


def _counting(pairs: Pairs) -> bool:
    """Whether only the total is wanted: then every type is counted."""
    return ("_summary", "count") in pairs or ("_count", "0") in pairs
