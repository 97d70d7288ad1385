"""Use cases of the directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory import repository
from ambroise.modules.directory.model import (
    Criteria,
    Found,
    ProfessionalEntry,
    Situation,
    Structure,
    check_professional,
    check_structure,
)
from ambroise.modules.directory.resources import organization_resource, practitioner_resource, role_resource
from ambroise.trust.context import Context, Professional


class Created(Protocol):
    """What the door says of a resource it stored."""

    @property
    def id(self) -> str: ...


class ResourceDoor(Protocol):
    """The part of the gateway that the directory needs."""

    async def create(self, tx: Transaction, ctx: Context, resource: dict[str, Any], /) -> Created: ...


async def register_structure(tx: Transaction, ctx: Context, door: ResourceDoor, structure: Structure) -> str:
    """Add a structure to the directory; the id of its Organization. A known one is brought up to date."""
    check_structure(structure)
    known = await repository.structure(tx, structure.id_nat)
    if known is not None and known[1] is not None:
        repository.put_structure(tx, structure, known[1])
        return known[1]
    created = await door.create(tx, ctx, organization_resource(structure, fictitious=ctx.demonstration))
    repository.put_structure(tx, structure, created.id)
    return created.id


async def register(
    tx: Transaction, ctx: Context, door: ResourceDoor, entry: ProfessionalEntry, situations: Sequence[Situation]
) -> str:
    """Add a professional and his or her situations; the id of the Practitioner.

    The structures are known already: raises STRUCTURE_UNKNOWN otherwise. A known professional is brought up to date.
    """
    check_professional(entry)
    places = [await _known_structure(tx, situation.organization) for situation in situations]
    practitioner, roles = await repository.resources_of(tx, entry.id_nat)
    if practitioner is None:
        resource = practitioner_resource(entry, fictitious=ctx.demonstration)
        practitioner = (await door.create(tx, ctx, resource)).id
    repository.put_professional(tx, entry, [structure for structure, _ in places], practitioner)
    for rank, (situation, (_, organization)) in enumerate(zip(situations, places, strict=True)):
        role = roles.get(situation.organization)
        if role is None:
            resource = role_resource(entry, situation, practitioner, organization, fictitious=ctx.demonstration)
            role = (await door.create(tx, ctx, resource)).id
        repository.put_situation(tx, entry.id_nat, rank, situation, role)
    repository.put_entries(tx, entry, [structure for structure, _ in places])
    return practitioner


async def practitioner(reader: Reader, id_nat: str) -> str | None:
    """The id of the Practitioner of a professional (PS_IdNat), None when the directory has none."""
    return (await repository.resources_of(reader, id_nat))[0]


async def professional(reader: Reader, rpps: str, organization: str | None = None) -> Professional:
    """A professional as an actor, in the structure `organization` (Struct_IdNat or FINESS) or the usual one.

    Raises PROFESSIONAL_UNKNOWN, or SITUATION_UNKNOWN when that person does not practise there.
    """
    found = await repository.situations(reader, rpps)
    if not found:
        raise Refusal(Kind.NOT_FOUND, "PROFESSIONAL_UNKNOWN", "No professional of the directory has this RPPS.")
    if organization is None:
        return _actor(found[0])
    for line in found:
        if line.structure and organization in (line.structure.id_nat, line.structure.finess):
            return _actor(line)
    raise Refusal(Kind.NOT_FOUND, "SITUATION_UNKNOWN", "This professional does not practise in that structure.")


async def situations(reader: Reader, rpps: str) -> list[Professional]:
    """Every situation of a professional, the usual one first; empty when unknown."""
    return [_actor(line) for line in await repository.situations(reader, rpps)]


async def mailbox_of(reader: Reader, id_nat: str) -> str | None:
    """The personal mailbox of the secure health messaging that the directory knows of a professional."""
    return await repository.mailbox_of(reader, id_nat)


async def exercises(reader: Reader, rpps: str) -> list[Found]:
    """A professional with the structure of each situation, the usual one first; empty when unknown."""
    return await repository.situations(reader, rpps)


async def search(
    reader: Reader, text: str, *, profession: str | None = None, city: str | None = None, limit: int = 20
) -> list[Found]:
    """Professionals found by the beginning of any words of their name, profession, structure or town."""
    return await repository.search(reader, text, profession, city, limit)


async def find(reader: Reader, wanted: Criteria, *, limit: int = 20) -> list[Found]:
    """Professionals in activity by structured criteria, by name; nobody when nothing is asked."""
    return [] if wanted.empty else await repository.find(reader, wanted, limit)


async def count_by_profession(reader: Reader) -> dict[tuple[str, str], int]:
    """How many professionals there are of each profession, as (code system, code)."""
    return await repository.count_by_profession(reader)


async def structure(reader: Reader, id_nat: str) -> Structure | None:
    """A structure by its Struct_IdNat."""
    known = await repository.structure(reader, id_nat)
    return known[0] if known else None


async def search_structures(reader: Reader, text: str, *, limit: int = 20) -> list[Structure]:
    """Structures found by words of their name or town."""
    return await repository.search_structures(reader, text, limit)


async def _known_structure(tx: Transaction, id_nat: str) -> tuple[Structure, str]:
    known = await repository.structure(tx, id_nat)
    if known is None or known[1] is None:
        raise Refusal(Kind.UNPROCESSABLE, "STRUCTURE_UNKNOWN", "Register the structure before who practises in it.")
    return known[0], known[1]


def _actor(found: Found) -> Professional:
    entry, place = found.entry, found.structure
    return Professional(
        id=entry.id_nat,
        rpps=entry.rpps,
        name=entry.name,
        profession=entry.profession,
        profession_system=entry.profession_system,
        specialty=entry.specialty,
        organization=place.id_nat if place else None,
        organization_name=place.name if place else None,
        organization_setting=place.setting if place else None,
        role_title=found.role_title or entry.label,
    )
