"""R4 search: parameters to a typed query, to one SQL statement in which every row is under the asker's scope."""

from ambroise.fhir.search.many import alike, as_one, shared_out
from ambroise.fhir.search.parse import pairs_of, parse
from ambroise.fhir.search.query import Ignored, Query, Summary, Total, canonical
from ambroise.fhir.search.run import Mode, Page, SearchResult, is_one_page, one_page, search
from ambroise.fhir.search.text import Select
from ambroise.fhir.store.types import ScopeFor

__all__ = [
    "Ignored",
    "Mode",
    "Page",
    "Query",
    "ScopeFor",
    "SearchResult",
    "Select",
    "Summary",
    "Total",
    "alike",
    "as_one",
    "canonical",
    "is_one_page",
    "one_page",
    "pairs_of",
    "parse",
    "search",
    "shared_out",
]
