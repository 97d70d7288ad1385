"""The tables of the directory. Writes leave with the next statement of the transaction, or with its commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ambroise.kernel.db import Reader, Transaction
from ambroise.modules.directory.model import Found, ProfessionalEntry, Situation, Structure, words

_STRUCTURE = (
    "o.id_nat, o.name, o.facility, o.setting, o.address_line, o.postal_code, o.city, o.phone, o.email, o.test_identity"
)
_PROFESSIONAL = (
    "p.rpps, p.family, p.given, p.profession, p.profession_system, p.specialty, p.label, p.sex, p.title, p.phone,"
    " p.test_identity"
)


def put_structure(tx: Transaction, structure: Structure, resource: str) -> None:
    """Write a structure, or write it over."""
    tx.enqueue(
        """
        insert into directory_organization
          (id_nat, name, facility, setting, address_line, postal_code, city, phone, email, test_identity, resource)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (id_nat) do update set
          name = excluded.name, facility = excluded.facility, setting = excluded.setting,
          address_line = excluded.address_line, postal_code = excluded.postal_code, city = excluded.city,
          phone = excluded.phone, email = excluded.email
        """,
        (
            structure.id_nat,
            structure.name,
            structure.facility,
            structure.setting,
            structure.address_line,
            structure.postal_code,
            structure.city,
            structure.phone,
            structure.email,
            structure.test_identity,
            resource,
        ),
    )


def put_professional(tx: Transaction, entry: ProfessionalEntry, structures: Sequence[Structure], resource: str) -> None:
    """Write a professional with the words he or she is found by, or write over."""
    places = (f"{s.name} {s.city or ''} {s.postal_code or ''}" for s in structures)
    text = " ".join((entry.family, entry.given, entry.label or "", entry.rpps, *places))
    search = "".join(f" {word}" for word in dict.fromkeys(words(text)))
    tx.enqueue(
        """
        insert into directory_professional
          (id_nat, rpps, family, given, sex, title, profession, profession_system, specialty, label, phone,
           test_identity, search, resource)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (id_nat) do update set
          family = excluded.family, given = excluded.given, sex = excluded.sex, title = excluded.title,
          profession = excluded.profession, profession_system = excluded.profession_system,
          specialty = excluded.specialty, label = excluded.label, phone = excluded.phone, search = excluded.search
        """,
        (
            entry.id_nat,
            entry.rpps,
            entry.family,
            entry.given,
            entry.sex,
            entry.title,
            entry.profession,
            entry.profession_system,
            entry.specialty,
            entry.label,
            entry.phone,
            entry.test_identity,
            search,
            resource,
        ),
    )


def put_situation(tx: Transaction, professional: str, rank: int, situation: Situation, resource: str) -> None:
    """Write a situation of exercise, or write it over."""
    tx.enqueue(
        """
        insert into directory_situation (professional, organization, rank, role_title, resource)
        values (%s, %s, %s, %s, %s)
        on conflict (professional, organization) do update set
          rank = excluded.rank, role_title = excluded.role_title
        """,
        (professional, situation.organization, rank, situation.role_title, resource),
    )


async def structure(reader: Reader, id_nat: str) -> tuple[Structure, str] | None:
    """A structure and the id of its Organization."""
    row = await reader.fetch_one(
        f"select {_STRUCTURE}, o.resource from directory_organization o where o.id_nat = %s", (id_nat,)
    )
    return (Structure(*row[:-1]), row[-1]) if row else None


async def resources_of(reader: Reader, id_nat: str) -> tuple[str | None, dict[str, str]]:
    """The id of the Practitioner of a professional, if known, and those of the PractitionerRole by structure."""
    rows = await reader.fetch_all(
        """
        select p.resource, s.organization, s.resource
        from directory_professional p
        left join directory_situation s on s.professional = p.id_nat
        where p.id_nat = %s
        order by s.rank
        """,
        (id_nat,),
    )
    practitioner = rows[0][0] if rows else None
    return practitioner, {organization: resource for _, organization, resource in rows if organization}


async def situations(reader: Reader, rpps: str) -> list[Found]:
    """A professional in each situation, the usual one first; one line without structure when there is none."""
    rows = await reader.fetch_all(
        f"""
        select {_PROFESSIONAL}, s.role_title, {_STRUCTURE}
        from directory_professional p
        left join directory_situation s on s.professional = p.id_nat
        left join directory_organization o on o.id_nat = s.organization
        where p.rpps = %s
        order by s.rank, s.organization
        """,
        (rpps,),
    )
    return [_found(row) for row in rows]


async def search(reader: Reader, text: str, profession: str | None, city: str | None, limit: int) -> list[Found]:
    """Professionals all of whose searched words begin a word of theirs, by name."""
    patterns = [f"% {word}%" for word in words(text)]
    rows = await reader.fetch_all(
        f"""
        select {_PROFESSIONAL}, s.role_title, {_STRUCTURE}
        from directory_professional p
        left join lateral (
          select * from directory_situation s where s.professional = p.id_nat order by s.rank limit 1
        ) s on true
        left join directory_organization o on o.id_nat = s.organization
        where p.search like all (%s)
          and (%s::text is null or p.profession = %s)
          and (%s::text is null or o.city = %s)
        order by p.family, p.given, p.rpps
        limit %s
        """,
        (patterns, profession, profession, city, city, limit),
    )
    return [_found(row) for row in rows]


async def search_structures(reader: Reader, text: str, limit: int) -> list[Structure]:
    """Structures whose name or town holds every searched word, by name."""
    patterns = [f"%{word}%" for word in words(text)]
    rows = await reader.fetch_all(
        f"""
        select {_STRUCTURE}
        from directory_organization o
        where concat_ws(' ', lower(o.name), lower(o.city), o.id_nat) like all (%s)
        order by o.name, o.id_nat
        limit %s
        """,
        (patterns, limit),
    )
    return [Structure(*row) for row in rows]


def _found(row: tuple[Any, ...]) -> Found:
    entry = ProfessionalEntry(*row[:11])
    structure = Structure(*row[12:]) if row[12] is not None else None
    return Found(entry, structure, row[11])
