"""References inside a Bundle: the names that its entries give each other, replaced by the ids they receive here."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, cast

from ambroise.interfaces.fhir_rest.entries import Entry

Json = Any
_LINK_KEYS: Final = frozenset({"reference", "url", "valueUri", "valueUrl"})
"""Where a link to another entry may stand. An identifier may look the same (a uniqueId as urn:uuid): left alone."""
_RESTFUL: Final = re.compile(
    r"^(?P<base>https?://.+/)?(?P<local>[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/.+)?$"
)
_CONDITIONAL: Final = re.compile(r"^(?P<type>[A-Z][A-Za-z]+)\?(?P<query>.+)$")
_NARRATIVE_LINK: Final = re.compile(r'(?P<before>(?:href|src)=")(?P<url>urn:(?:uuid|oid):[^"]+)(?=")')


def names_of(entry: Entry, given: str) -> dict[str, str]:
    """What other entries may call this one, each with the `Type/id` it received."""
    if entry.full_url is None:
        return {}
    names = {entry.full_url: given}
    restful = _RESTFUL.match(entry.full_url)
    if restful is not None:
        names[restful["local"]] = given
    return names


def rewrite(resource: dict[str, Json], given: Mapping[str, str]) -> None:
    """Replace, in place, every link to an entry of the Bundle by the id that this entry received."""
    for holder, key, value in _links(resource):
        target, mark, fragment = value.partition("#") if value.startswith("urn:") else (value, "", "")
        if target in given:
            holder[key] = given[target] + mark + fragment
    _rewrite_narrative(resource, given)


async def rewrite_conditional(resource: dict[str, Json], find: Callable[[str, str], Awaitable[str]]) -> None:
    """Replace, in place, every `Type?query` reference by the one resource that `find(type, query)` designates."""
    for holder, key, value in _links(resource):
        if key == "reference" and (conditional := _CONDITIONAL.match(value)):
            holder[key] = await find(conditional["type"], conditional["query"])


def as_logical(resource: dict[str, Json]) -> None:
    """Turn, in place, `Patient?identifier=system|value` into a reference by identifier, which says the same.

    For resources whose owner resolves the patient itself, with its own refusals.
    """
    for holder, key, value in _links(resource):
        conditional = _CONDITIONAL.match(value) if key == "reference" else None
        if conditional is None or conditional["type"] != "Patient":
            continue
        name, _, wanted = conditional["query"].partition("=")
        if name == "identifier" and "&" not in wanted:
            system, bar, number = wanted.replace("%7C", "|").replace("%7c", "|").partition("|")
            del holder[key]
            holder["type"] = "Patient"
            holder["identifier"] = {"system": system, "value": number} if bar else {"value": system}


def _links(value: Json) -> Iterator[tuple[dict[str, Json], str, str]]:
    """Every place that holds a link: (object, key, url). The list is made first, so that places may be rewritten."""
    found: list[tuple[dict[str, Json], str, str]] = []
    waiting: list[Json] = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting.extend(cast("list[Json]", here))
        elif isinstance(here, dict):
            fields = cast("dict[str, Json]", here)
            for key, inner in fields.items():
                if isinstance(inner, dict | list):
                    waiting.append(inner)
                elif key in _LINK_KEYS and isinstance(inner, str):
                    found.append((fields, key, inner))
    return iter(found)


def _rewrite_narrative(resource: dict[str, Json], given: Mapping[str, str]) -> None:
    text: Json = resource.get("text")
    div: Json = text.get("div") if isinstance(text, dict) else None
    if isinstance(div, str) and "urn:" in div:
        text["div"] = _NARRATIVE_LINK.sub(lambda link: link["before"] + given.get(link["url"], link["url"]), div)
