"""Lines that say the same thing, put together: nothing is lost, what the person said stands first."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from ambroise.modules.profile.model import Item, Section

_DATED = frozenset({Section.VACCINATIONS, Section.STAYS})


def grouped(items: Iterable[Item]) -> Sequence[Item]:
    """One line for each thing said, the others beside it; the newest first within what nobody groups."""
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        groups.setdefault(key_of(item), []).append(item)
    found = [_one(members) for members in groups.values()]
    return sorted(found, key=lambda one: (one.active, one.start or one.recorded, one.recorded), reverse=True)


def key_of(item: Item) -> tuple[str, ...]:
    """What two lines have in common when they say the same."""
    if item.section is Section.MEASURES:
        figures = tuple(f"{name}={value}" for name, value in sorted(item.details.items()))
        return (item.section, item.start, *figures)
    if item.section in (Section.CONTACTS, Section.NETWORK, Section.TARGETS, Section.HABITS):
        return (item.section, item.id)
    what = f"{item.code.system}|{item.code.code}" if item.code else folded(item.name)
    day = item.start if item.section in _DATED else ""
    kin = item.details.get("relation", "") if item.section is Section.FAMILY else ""
    return (item.section, what, day, kin)


def folded(text: str) -> str:
    """Words without accents, case nor spaces around: how two spellings are compared."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(bare.lower().split())


def _one(members: list[Item]) -> Item:
    members.sort(key=lambda one: (one.own, one.origin.by == "professional", one.recorded), reverse=True)
    first = members[0]
    return replace(first, same=tuple(members[1:])) if len(members) > 1 else first
