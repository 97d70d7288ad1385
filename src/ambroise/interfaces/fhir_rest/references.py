"""References inside a Bundle: the names that its entries give each other, replaced by the ids they receive here."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, cast

Json = Any
_LINK_KEYS: Final = frozenset({"reference", "url", "valueUri", "valueUrl"})
"""Where a link to another entry may stand. An identifier may look the same (a uniqueId as urn:uuid): left alone."""
_RESTFUL: Final = re.compile(
    r"^(?P<base>https?://.+/)?(?P<local>[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/.+)?$"
)
_CONDITIONAL: Final = re.compile(r"^(?P<type>[A-Z][A-Za-z]+)\?(?P<query>.+)$")
_NARRATIVE_LINK: Final = re.compile(r'(?P<before>(?:href|src)=")(?P<url>urn:(?:uuid|oid):[^"]+)(?=")')


def names_of(full_url: str | None, given: str) -> dict[str, str]:
    """What other entries may call the one of this address, each with the `Type/id` it received."""
    if full_url is None:
        return {}
    names = {full_url: given}
    restful = _RESTFUL.match(full_url)
    if restful is not None:
        names[restful["local"]] = given
    return names


class Links:
    """The places in a resource that hold a link, found in one walk and rewritten in place as often as need be."""

    def __init__(self, resource: dict[str, Json]) -> None:
        self._resource = resource
        self._places = _places(resource)

    def rewrite(self, given: Mapping[str, str]) -> None:
        """Replace every link to an entry of the Bundle by the id that this entry received."""
        for holder, key, value in self._present():
            target, mark, fragment = value.partition("#") if value.startswith("urn:") else (value, "", "")
            if target in given:
                holder[key] = given[target] + mark + fragment
        _rewrite_narrative(self._resource, given)

    def unresolved(self) -> str | None:
        """A reference to an entry that the Bundle does not have, once the others were rewritten."""
        left = (value for _, key, value in self._present() if key == "reference" and value.startswith("urn:uuid:"))
        return next(left, None)

    async def rewrite_conditional(self, find: Callable[[str, str], Awaitable[str]]) -> None:
        """Replace every `Type?query` reference by the one resource that `find(type, query)` designates."""
        for holder, key, type_, query in self._conditional():
            holder[key] = await find(type_, query)

    def as_logical(self) -> None:
        """Turn `Patient?identifier=system|value` into a reference by identifier, which says the same.

        For resources whose owner resolves the patient itself, with its own refusals.
        """
        for holder, key, type_, query in self._conditional():
            name, _, wanted = query.partition("=")
            if type_ == "Patient" and name == "identifier" and "&" not in wanted:
                system, bar, number = wanted.replace("%7C", "|").replace("%7c", "|").partition("|")
                del holder[key]
                holder["type"] = "Patient"
                holder["identifier"] = {"system": system, "value": number} if bar else {"value": system}

    def _present(self) -> Iterator[tuple[dict[str, Json], str, str]]:
        for holder, key in self._places:
            value = holder.get(key)
            if isinstance(value, str):
                yield holder, key, value

    def _conditional(self) -> Iterator[tuple[dict[str, Json], str, str, str]]:
        for holder, key, value in self._present():
            if key == "reference" and "?" in value and (conditional := _CONDITIONAL.match(value)):
                yield holder, key, conditional["type"], conditional["query"]


def _places(value: Json) -> list[tuple[dict[str, Json], str]]:
    """Every place that holds a link: (object, key)."""
    found: list[tuple[dict[str, Json], str]] = []
    waiting: list[Json] = [value]
    while waiting:
        here = waiting.pop()
        if type(here) is list:
            waiting.extend(cast("list[Json]", here))
        elif type(here) is dict:
            fields = cast("dict[str, Json]", here)
            for key, inner in fields.items():
                kind = type(inner)
                if kind is str:
                    if key in _LINK_KEYS:
                        found.append((fields, key))
                elif kind is dict or kind is list:
                    waiting.append(inner)
    return found


def _rewrite_narrative(resource: dict[str, Json], given: Mapping[str, str]) -> None:
    text: Json = resource.get("text")
    div: Json = text.get("div") if isinstance(text, dict) else None
    if isinstance(div, str) and "urn:" in div:
        text["div"] = _NARRATIVE_LINK.sub(lambda link: link["before"] + given.get(link["url"], link["url"]), div)
