"""The people who care for somebody, picked in the national directory: their place and telephone are read there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ambroise.interfaces.web.citizen.profile.forms import NetworkForm
from ambroise.interfaces.web.identities.searching import Line, line_of
from ambroise.kernel.db import Reader
from ambroise.modules.directory import api as directory
from ambroise.modules.profile.api import Item

_RPPS = "8"
"""What a national identifier begins with when the rest is an RPPS (PS_IdNat)."""


async def picked(reader: Reader, rpps: str) -> NetworkForm | None:
    """The form filled with a professional of the directory; None when it has no such one."""
    line = await _line(reader, rpps)
    if line is None:
        return None
    about = ", ".join(part for part in (line.about, line.structure) if part)
    return NetworkForm(name=line.name, about=about[:200], id=_RPPS + line.rpps)


async def offices(reader: Reader, items: Sequence[Item]) -> Mapping[str, Line]:
    """Where each line of the network is found now, by its id; only who was picked in the directory."""
    found: dict[str, Line] = {}
    for item in items:
        number = item.details.get("id", "")
        line = await _line(reader, number[1:]) if number.startswith(_RPPS) else None
        if line is not None:
            found[item.id] = line
    return found


async def known(reader: Reader, id: str) -> bool:
    """Whether the directory has the professional that a form names."""
    return id.startswith(_RPPS) and await _line(reader, id[1:]) is not None


async def _line(reader: Reader, rpps: str) -> Line | None:
    if not (rpps.isdecimal() and len(rpps) == 11):
        return None
    exercises = await directory.exercises(reader, rpps)
    return line_of(exercises[0]) if exercises else None
