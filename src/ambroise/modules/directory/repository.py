"""The tables of the directory. Writes leave with the next statement of the transaction, or with its commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg.sql import SQL, Composed

from ambroise.kernel.db import Reader, Transaction
from ambroise.modules.directory.model import Criteria, Found, ProfessionalEntry, Situation, Structure, key, words

_STRUCTURE = (
    "o.id_nat, o.name, o.facility, o.setting, o.address_line, o.postal_code, o.city, o.phone, o.email, o.test_identity"
)
_PROFESSIONAL = (
    "coalesce(p.rpps, ''), p.family, p.given, p.profession, p.profession_system, p.specialty, p.label, p.sex, p.title,"
    " p.phone, p.test_identity, p.id_nat"
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
          phone = excluded.phone, email = excluded.email, resource = excluded.resource
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
           test_identity, search, resource, name_key)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (id_nat) do update set
          family = excluded.family, given = excluded.given, sex = excluded.sex, title = excluded.title,
          profession = excluded.profession, profession_system = excluded.profession_system,
          specialty = excluded.specialty, label = excluded.label, phone = excluded.phone, search = excluded.search,
          resource = excluded.resource, name_key = excluded.name_key, active = true, ended_at = null
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
            key(f"{entry.family} {entry.given}"),
        ),
    )


def put_situation(tx: Transaction, professional: str, rank: int, situation: Situation, resource: str) -> None:
    """Write a situation of exercise, or write it over."""
    tx.enqueue(
        """
        insert into directory_situation (professional, organization, rank, role_title, resource)
        values (%s, %s, %s, %s, %s)
        on conflict (professional, organization) do update set
          rank = excluded.rank, role_title = excluded.role_title, resource = excluded.resource, active = true
        """,
        (professional, situation.organization, rank, situation.role_title, resource),
    )


def put_entries(tx: Transaction, entry: ProfessionalEntry, structures: Sequence[Structure]) -> None:
    """Write the lines that a professional is found by, in place of the former ones."""
    tx.enqueue("delete from directory_entry where professional = %s", (entry.id_nat,))
    for place in structures or (None,):
        tx.enqueue(
            """
            insert into directory_entry
              (professional, organization, specialty, profession, name_key, given_key, city_key, postal)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            on conflict do nothing
            """,
            (
                entry.id_nat,
                place.id_nat if place else "",
                entry.specialty or "",
                entry.profession,
                key(f"{entry.family} {entry.given}"),
                key(f"{entry.given} {entry.family}"),
                key(place.city or "") if place else "",
                (place.postal_code or "") if place else "",
            ),
        )


async def structure(reader: Reader, id_nat: str) -> tuple[Structure, str | None] | None:
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
    return practitioner, {organization: resource for _, organization, resource in rows if organization and resource}


async def situations(reader: Reader, rpps: str) -> list[Found]:
    """A professional in each situation, the usual one first; one line without structure when there is none."""
    rows = await reader.fetch_all(
        f"""
        select {_PROFESSIONAL}, s.role_title, {_STRUCTURE}
        from directory_professional p
        left join directory_situation s on s.professional = p.id_nat
        left join directory_organization o on o.id_nat = s.organization
        where p.rpps = %s
          and p.active
          and (s.professional is null or s.active)
        order by s.rank, s.organization
        """,
        (rpps,),
    )
    return [_found(row) for row in rows]


async def mailbox_of(reader: Reader, id_nat: str) -> str | None:
    """The personal secure mailbox of a professional."""
    return await reader.fetch_value(
        "select address from directory_mailbox where professional = %s and kind = 'PER' order by address limit 1",
        (id_nat,),
    )


async def search(reader: Reader, text: str, profession: str | None, city: str | None, limit: int) -> list[Found]:
    """Professionals all of whose searched words begin a word of theirs, by name."""
    conditions: list[tuple[LiteralString, list[Any]]] = [("p.active", [])]
    # A number is looked for whole: hardly any would be the beginning of nobody's RPPS.
    if every := " & ".join(word if word.isdigit() else f"{word}:*" for word in words(text)):
        conditions.append(("to_tsvector('simple', p.search) @@ to_tsquery('simple', %s)", [every]))
    if profession is not None:
        conditions.append(("p.profession = %s", [profession]))
    if city is not None:
        conditions.append(("o.city = %s", [city]))
    rows = await reader.fetch_all(
        SQL(
            """
            select {}, s.role_title, {}
            from directory_professional p
            left join lateral (
              select * from directory_situation s where s.professional = p.id_nat and s.active order by s.rank limit 1
            ) s on true
            left join directory_organization o on o.id_nat = s.organization
            where {}
            order by p.family, p.given, p.rpps
            limit %s
            """
        ).format(
            SQL(_PROFESSIONAL), SQL(_STRUCTURE), SQL(" and ").join([SQL(condition) for condition, _ in conditions])
        ),
        (*(value for _, values in conditions for value in values), limit),
    )
    return [_found(row) for row in rows]


async def find(reader: Reader, wanted: Criteria, limit: int) -> list[Found]:
    """Professionals in activity who meet every criterion, each in each place, by name."""
    found, params = _found_lines(wanted, limit)
    rows = await reader.fetch_all(
        SQL(
            """
            with found as (select * from ({}) every order by name_key, professional, organization limit %s)
            select {}, s.role_title, {}
            from found f
            join directory_professional p on p.id_nat = f.professional
            left join directory_situation s on s.professional = f.professional and s.organization = f.organization
            left join directory_organization o on o.id_nat = f.organization
            order by f.name_key, f.professional, f.organization
            """
        ).format(found, SQL(_PROFESSIONAL), SQL(_STRUCTURE)),
        (*params, limit),
        # The best index depends on the very values: a generic plan would walk the names of a whole town.
        prepare=False,
    )
    return [_found(row) for row in rows]


def _found_lines(wanted: Criteria, limit: int) -> tuple[Composed, list[Any]]:
    """The lines to show, as one query for each way of reading the name: each walks an index in the order of names."""
    conditions, params = _conditions(wanted)
    queries: list[Composed] = []
    everything: list[Any] = []
    for name, values in _names(wanted.name):
        queries.append(_LINES.format(SQL(" and ").join([*conditions, name])))
        everything += [*params, *values, limit]
    return SQL(" union ").join(queries), everything


_LINES = SQL(
    """(
      select distinct on (e.name_key, e.professional, e.organization) e.name_key, e.professional, e.organization
      from directory_entry e
      where {}
      order by e.name_key, e.professional, e.organization
      limit %s
    )"""
)


def _names(text: str) -> list[tuple[SQL, list[Any]]]:
    """Ways of reading a name: as typed (« dupont mar »), and the first name said first (« marie dup »)."""
    name = key(text)
    if not name:
        return [(SQL("true"), [])]
    ways: list[tuple[SQL, list[Any]]] = [(SQL("e.name_key between %s and %s"), [*_range(name)])]
    if " " in name:
        ways.append((SQL("e.given_key between %s and %s"), [*_range(name)]))
    return ways


def _conditions(wanted: Criteria) -> tuple[list[SQL], list[Any]]:
    """What is asked besides the name."""
    asked: list[tuple[LiteralString, list[Any]]] = []
    if wanted.rpps:
        asked.append(("e.professional = %s", ["8" + wanted.rpps]))
    if wanted.finess:
        asked.append(("e.organization = %s", ["1" + wanted.finess]))
    if len(wanted.town) == 5 and wanted.town.isdigit():
        asked.append(("e.postal = %s", [wanted.town]))
    elif wanted.town.isdigit():
        asked.append(("e.postal between %s and %s", [wanted.town, wanted.town.ljust(5, "9")]))
    elif town := key(wanted.town):
        asked.append(("e.city_key = %s", [town]))
    if wanted.profession:
        asked.append(("e.profession = %s", [wanted.profession]))
    if wanted.specialty:
        asked.append(("e.specialty = %s", [wanted.specialty]))
    return [SQL(sql) for sql, _ in asked], [value for _, values in asked for value in values]


def _range(prefix: str) -> tuple[str, str]:
    """Every key that begins so: keys are words in the order of code points, and none holds U+FFFF."""
    return prefix, prefix + "\uffff"


async def count_by_profession(reader: Reader) -> dict[tuple[str, str], int]:
    """How many professionals there are of each profession, as (code system, code)."""
    rows = await reader.fetch_all(
        "select profession_system, profession, count(*) from directory_professional group by 1, 2"
    )
    return {(system, code): count for system, code, count in rows}


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
    entry = ProfessionalEntry(*row[:12])
    structure = Structure(*row[13:]) if row[13] is not None else None
    return Found(entry, structure, row[12])
