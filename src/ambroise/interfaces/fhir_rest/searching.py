"""Searches as Bundles: what was found as the store holds it, and links that say what was really searched."""

from collections.abc import Sequence

from ambroise.fhir.json import encode
from ambroise.fhir.search import Ignored, Query
from ambroise.interfaces.fhir_rest import bundles
from ambroise.interfaces.fhir_rest.bundles import Link, bundle, outcome_entry
from ambroise.interfaces.fhir_rest.http import Pairs
from ambroise.interfaces.fhir_rest.links import CURSOR, query_string
from ambroise.interfaces.fhir_rest.outcome import outcome
from ambroise.interfaces.fhir_rest.shaping import Shape, answer_pairs
from ambroise.kernel.errors import Issue
from ambroise.trust.gateway import SearchResult

IGNORED = "SEARCH_PARAMETER_IGNORED"


def search_bundle(base: str, type_: str, result: SearchResult, asked: Pairs) -> bytes:
    """The searchset of one page; `asked` are the parameters of the request, for those that only shape the answer."""
    url, kept = f"{base}/{type_}", answer_pairs(asked)
    links: list[Link] = [("self", _url(url, result.applied, kept))]
    if result.next_cursor is not None:
        links.append(("next", _url(url, query_string([(CURSOR, result.next_cursor)]), kept)))
    return bundle("searchset", search_entries(base, result), links=links, total=result.total)


def search_entries(base: str, result: SearchResult) -> list[bytes]:
    """The entries of a page: matches, what they include, and what was left out of the search."""
    shape = shape_of_query(result.query)
    whole = shape.whole
    entries = bundles.search_entries(
        base,
        (
            (f"{stored.type}/{stored.id}", stored.body if whole else shape.apply(stored.type, stored.body), mode)
            for stored, mode in result.entries
        ),
    )
    if result.ignored:
        entries.append(outcome_entry(encode(outcome(_warnings(result.ignored)))))
    return entries


def shape_of_query(query: Query) -> Shape:
    """The form of the resources that a search asked for; behind a cursor, that of its first page."""
    return Shape("false" if query.summary is None else query.summary.value, query.elements)


def _url(url: str, query: str, kept: Pairs) -> str:
    whole = "&".join(part for part in (query, query_string(kept)) if part)
    return f"{url}?{whole}" if whole else url


def _warnings(ignored: Sequence[Ignored]) -> list[Issue]:
    """One warning for each parameter that was passed over, as `Prefer: handling=lenient` allows."""
    return [
        Issue("warning", "not-supported", f"`{each.parameter}` was left out: {each.diagnostics}", None, IGNORED)
        for each in ignored
    ]
