"""Who may read, or is kept from it: one line for each person or place, with what the directory says of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from ambroise.interfaces.web.citizen.views import Person
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import name_of
from ambroise.kernel.db import Reader
from ambroise.modules.directory import api as directory
from ambroise.trust.access.grants import Grant
from ambroise.trust.access.people import Party
from ambroise.trust.audit.history import TraceLine
from ambroise.trust.context import Professional


def parties(grants: Sequence[Grant], lines: Sequence[TraceLine]) -> Sequence[Person]:
    """One line for each person or place: the strongest grant wins, a block above all."""
    order = {"blocked": 0, "treating": 1, "administrator": 2, "authorised": 3}
    seen: dict[str, datetime] = {}
    for line in lines:
        for id in (line.actor_id, line.organization):
            if id:
                seen.setdefault(id, line.at)
    found: dict[str, Person] = {}
    present = {grant.party.id: grant.until for grant in grants if grant.via == "presence"}
    teams = {grant.party.id: grant.team for grant in grants if grant.via == "care_team"}
    for grant in sorted(grants, key=lambda one: (order[one.state], one.via == "presence")):
        if grant.party.id in found:
            continue
        found[grant.party.id] = Person(
            id=grant.party.id,
            name=grant.party.name,
            kind=grant.party.kind,
            state=_state(grant),
            since=grant.since,
            last_access=seen.get(grant.party.id),
            present_until=present.get(grant.party.id),
            recorded_by=proper(grant.recorded_name) if grant.recorded_by.startswith("professional:") else "",
            team=teams.get(grant.party.id),
        )
    return sorted(found.values(), key=lambda one: (one.state == "blocked", one.name))


def _state(grant: Grant) -> Literal["authorised", "treating", "administrator", "care_team", "presence", "blocked"]:
    if grant.state == "authorised" and grant.via in ("care_team", "presence"):
        return grant.via
    return grant.state


async def described(reader: Reader, person: Person) -> Person:
    """The person with what the directory says of their work and town."""
    if person.kind == "organization":
        structure = await directory.structure(reader, person.id)
        return replace(person, about=structure.city or "") if structure else person
    actor = await professional(reader, Party(person.id, person.name))
    if actor is None:
        return person
    role = name_of(actor.profession_system, actor.profession, actor.specialty)
    about = said(role[:1].upper() + role[1:], actor.organization_name or "")
    return replace(person, name=proper(person.name or actor.name), about=about)


async def professional(reader: Reader, party: Party) -> Professional | None:
    known = await directory.situations(reader, party.id[1:])
    return known[0] if known else None


def said(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
