"""The entries of a batch or transaction, read and checked before any of them runs."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct, field

from ambroise.interfaces.fhir_rest.references import Links
from ambroise.kernel.errors import Kind, Refusal

Json = Any
Method = Literal["DELETE", "POST", "PUT", "PATCH", "GET", "HEAD"]
_ORDER: Final[Mapping[str, int]] = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
MAX_ENTRIES: Final = 5000
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class Target(Struct, frozen=True):
    """Where a request goes: `[segments]?[query]`, relative to the base."""

    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> str | None:
        return self.segments[0] if self.segments else None

    @property
    def id(self) -> str | None:
        return self.segments[1] if len(self.segments) > 1 else None

    @property
    def path(self) -> str:
        return "/".join(self.segments)


class Entry(Struct, dict=True):
    """One request of a Bundle, at its place."""

    number: int
    method: Method
    target: Target
    full_url: str | None
    resource: dict[str, Json] | None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_none_exist: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def expression(self) -> str:
        return f"Bundle.entry[{self.number}]"

    @property
    def creates(self) -> bool:
        """A plain or conditional create; a POST on a search or an operation is not one."""
        return self.method == "POST" and len(self.target.segments) == 1

    @cached_property
    def links(self) -> Links:
        """The links that its resource holds to others."""
        return Links(self.resource or {})


def target_of(url: str, base: str) -> Target:
    """The target of a request url, absolute under our base or relative to it."""
    if url.startswith(base):
        url = url[len(base) :]
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        raise Refusal(Kind.INVALID, "ENTRY_URL_ELSEWHERE", f"`{url[:200]}` is not on this server ({base}).")
    segments = tuple(unquote(segment) for segment in parts.path.split("/") if segment)
    return Target(segments, tuple(parse_qsl(parts.query, keep_blank_values=True)))


def read_entries(bundle: dict[str, Json], base: str) -> list[Entry]:
    """The entries in the order of the Bundle; refuses the whole Bundle when one cannot be understood."""
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        raise _malformed("Bundle.entry", "`entry` must be a list.")
    items = cast("list[Json]", listed)
    if len(items) > MAX_ENTRIES:
        raise Refusal(
            Kind.TOO_LARGE, "TOO_MANY_ENTRIES", f"A Bundle holds at most {MAX_ENTRIES} entries; here are {len(items)}."
        )
    entries = [_entry(number, item, base) for number, item in enumerate(items)]
    _refuse_repeated_full_urls(entries)
    return entries


def in_transaction_order(entries: list[Entry]) -> list[Entry]:
    """DELETE, POST, PUT and PATCH, GET: the order in which R4 runs a transaction, the Bundle's order within each."""
    return sorted(entries, key=lambda entry: _ORDER[entry.method])


def refuse_overlaps(entries: list[Entry]) -> None:
    """Refuse a transaction that changes one resource twice: the result would depend on an order nobody promises."""
    seen: dict[tuple[str, ...], int] = {}
    for entry in entries:
        if entry.method not in ("PUT", "PATCH", "DELETE") or len(entry.target.segments) != 2:
            continue
        first = seen.setdefault(entry.target.segments, entry.number)
        if first != entry.number:
            raise Refusal(
                Kind.INVALID,
                "ENTRIES_OVERLAP",
                f"Entries {first} and {entry.number} both change {entry.target.path}; keep one of them.",
                element=entry.expression,
            )


def _entry(number: int, item: Json, base: str) -> Entry:
    where = f"Bundle.entry[{number}]"
    if not isinstance(item, dict):
        raise _malformed(where, "An entry is an object.")
    fields = cast("dict[str, Json]", item)
    asked = fields.get("request")
    if not isinstance(asked, dict):
        raise _malformed(f"{where}.request", "Each entry of a batch or transaction needs a `request`.")
    request = cast("dict[str, Json]", asked)
    method = request.get("method")
    if not isinstance(method, str) or method not in _ORDER:
        raise _malformed(f"{where}.request.method", f"`method` must be one of {', '.join(_ORDER)}.")
    url = request.get("url")
    if not isinstance(url, str):
        raise _malformed(f"{where}.request.url", "`url` says where the request goes, such as `Patient/123`.")
    return Entry(
        number=number,
        method=cast("Method", method),
        target=target_of(url, base),
        full_url=_text(fields, "fullUrl", where),
        resource=_resource(fields.get("resource"), method, url, where),
        if_match=_text(request, "ifMatch", where),
        if_none_match=_text(request, "ifNoneMatch", where),
        if_modified_since=_text(request, "ifModifiedSince", where),
        if_none_exist=_text(request, "ifNoneExist", where),
    )


def _resource(resource: Json, method: str, url: str, where: str) -> dict[str, Json] | None:
    # A POST on `_search` or on an operation may come without a body.
    optional = method not in _WITH_BODY or "_search" in url or "$" in url
    if resource is None and optional:
        return None
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise _malformed(f"{where}.resource", f"A {method} on `{url[:200]}` needs a resource.")
    return cast("dict[str, Json]", resource)


def _text(fields: dict[str, Json], name: str, where: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise _malformed(f"{where}.{name}", f"`{name}` is a string.")
    return value


def _refuse_repeated_full_urls(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.full_url is None or entry.method in ("GET", "HEAD"):
            continue
        if entry.full_url in seen:
            raise _malformed(f"{entry.expression}.fullUrl", f"`{entry.full_url[:200]}` names two entries.")
        seen.add(entry.full_url)


def _malformed(expression: str, diagnostics: str) -> Refusal:
    return Refusal(Kind.INVALID, "BUNDLE_MALFORMED", diagnostics, element=expression)
