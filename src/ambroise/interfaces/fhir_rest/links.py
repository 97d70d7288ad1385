"""The URLs that we write: of resources, of pages, of the search that was really made."""

from collections.abc import Iterable
from urllib.parse import quote

CURSOR = "_cursor"


def query_string(pairs: Iterable[tuple[str, str]]) -> str:
    """Parameters as a query string; what URLs may hold as it is stays readable."""
    return "&".join(f"{quote(name, safe=':-._~')}={quote(value, safe=':,/-._~')}" for name, value in pairs)


def with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """The URL with these parameters."""
    query = query_string(pairs)
    return f"{url}?{query}" if query else url


def full_url(base: str, type_: str, id: str) -> str:
    """The absolute URL of a resource."""
    return f"{base}/{type_}/{id}"
