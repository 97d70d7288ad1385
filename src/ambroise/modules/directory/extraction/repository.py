"""The SQL of imports: batches of rows in one statement a table, what was seen, what departed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString

import orjson
from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.db import Row as Line
from ambroise.modules.directory.extraction.lines import BadLine, Rows

_MOST_REFUSALS = 1000


class Import(Struct, frozen=True):
    """One reading of a file: where it stands, and what it did."""

    number: int
    kind: str
    file: str
    sha256: str
    size: int
    position: int
    line: int
    accepted: int
    refused: int
    departed: int
    returned: int
    started_at: datetime
    finished_at: datetime | None


_IMPORT: LiteralString = """
  number, kind, file, sha256, size, position, line, accepted, refused, departed, returned, started_at, finished_at
"""


async def begin(tx: Transaction, kind: str, file: str, sha256: str, size: int, now: datetime) -> Import:
    """The unfinished import of this very file, or a new one."""
    row = await tx.fetch_one(
        f"select {_IMPORT} from directory_import where kind = %s and sha256 = %s and finished_at is null",
        (kind, sha256),
    )
    if row is None:
        row = await tx.fetch_one(
            f"""
            insert into directory_import (kind, file, sha256, size, started_at)
            values (%s, %s, %s, %s, %s)
            returning {_IMPORT}
            """,
            (kind, file, sha256, size, now),
        )
    return _import(row)


async def by_number(reader: Reader, number: int) -> Import:
    """One import."""
    return _import(await reader.fetch_one(f"select {_IMPORT} from directory_import where number = %s", (number,)))


async def latest(reader: Reader, limit: int = 20) -> list[Import]:
    """The last imports, newest first."""
    rows = await reader.fetch_all(f"select {_IMPORT} from directory_import order by number desc limit %s", (limit,))
    return [_import(row) for row in rows]


def advance(tx: Transaction, number: int, position: int, line: int, accepted: int, refused: int) -> None:
    """Say how far an import is."""
    tx.enqueue(
        """
        update directory_import
        set position = %s, line = %s, accepted = accepted + %s, refused = refused + %s
        where number = %s
        """,
        (position, line, accepted, refused, number),
    )


def refuse(tx: Transaction, number: int, refused_before: int, bad: Sequence[tuple[int, BadLine]]) -> None:
    """Keep the bad lines, the first thousand of a file."""
    for line, error in bad[: max(0, _MOST_REFUSALS - refused_before)]:
        tx.enqueue(
            """
            insert into directory_import_refusal (import, line, code, about)
            values (%s, %s, %s, %s)
            on conflict do nothing
            """,
            (number, line, error.code, error.about or None),
        )


async def refusals(reader: Reader, number: int) -> list[tuple[int, str, str | None]]:
    """The bad lines that were kept: number, code, identifier."""
    rows = await reader.fetch_all(
        "select line, code, about from directory_import_refusal where import = %s order by line", (number,)
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def write(tx: Transaction, rows: Rows, number: int, now: datetime) -> list[str]:
    """Write a batch; the national identifiers of the people who are back in activity."""
    returned = await _returned(tx, rows.professionals)
    _write(tx, _ORGANIZATIONS, rows.organizations.values(), number, now)
    _write(tx, _PROFESSIONALS, rows.professionals.values(), number, now)
    _write(tx, _SITUATIONS, rows.situations.values(), number, now)
    _write(tx, _SKILLS, rows.skills.values(), number)
    _write(tx, _ENTRIES, rows.entries.values(), number)
    _write(tx, _MAILBOXES, rows.mailboxes.values(), number)
    _write(tx, _SERVICES, rows.services.values(), number, now)
    _write(tx, _DEVICES, rows.devices.values(), number, now)
    return returned


async def departures(reader: Reader, number: int) -> tuple[int, int]:
    """How many people of the register this import did not see, and how many the register holds."""
    row = await reader.fetch_one(
        """
        select count(*) filter (where seen is distinct from %s), count(*)
        from directory_professional
        where source = 'extraction'
          and active
        """,
        (number,),
    )
    return (row[0], row[1]) if row else (0, 0)


async def depart(tx: Transaction, number: int, now: datetime) -> list[str]:
    """Take those whom this import did not see out of activity; their national identifiers."""
    rows = await tx.fetch_all(
        """
        update directory_professional
        set active = false, ended_at = %s, updated_at = %s
        where source = 'extraction'
          and active
          and seen is distinct from %s
        returning id_nat
        """,
        (now, now, number),
    )
    await tx.execute(
        """
        update directory_situation s
        set active = false, updated_at = %s
        from directory_professional p
        where p.id_nat = s.professional
          and p.source = 'extraction'
          and s.active
          and s.seen is distinct from %s
        """,
        (now, number),
    )
    await tx.execute(
        """
        delete from directory_entry e
        using directory_professional p
        where p.id_nat = e.professional
          and p.source = 'extraction'
          and e.seen is distinct from %s
        """,
        (number,),
    )
    return [row[0] for row in rows]


async def drop_unseen(tx: Transaction, kind: str, number: int) -> int:
    """Remove what a whole file of skills or mailboxes no longer holds; how many lines."""
    match kind:
        case "mailbox":
            return await tx.execute("delete from directory_mailbox where seen is distinct from %s", (number,))
        case "service":
            return await tx.execute(
                "update directory_service set active = false where active and seen is distinct from %s", (number,)
            )
        case "device":
            return await tx.execute(
                "update directory_device set status = 'inactive' where status = 'active' and seen is distinct from %s",
                (number,),
            )
        case _:
            return 0


def finish(tx: Transaction, number: int, departed: int, returned: int, now: datetime) -> None:
    """Close an import."""
    tx.enqueue(
        """
        update directory_import
        set finished_at = %s, departed = %s, returned = returned + %s
        where number = %s
        """,
        (now, departed, returned, number),
    )


def count_returned(tx: Transaction, number: int, returned: int) -> None:
    """Count people who are back."""
    tx.enqueue("update directory_import set returned = returned + %s where number = %s", (returned, number))


async def _returned(tx: Transaction, professionals: Iterable[str]) -> list[str]:
    rows = await tx.fetch_all(
        "select id_nat from directory_professional where id_nat = any(%s) and not active", (list(professionals),)
    )
    return [row[0] for row in rows]


def _write(tx: Transaction, sql: LiteralString, rows: Iterable[dict[str, Any]], *params: Any) -> None:
    listed = list(rows)
    if listed:
        tx.enqueue(sql, (*params, orjson.dumps(listed).decode()))


_ORGANIZATIONS: LiteralString = """
insert into directory_organization (
  id_nat, name, facility, address_line, postal_code, city, commune, country, phone, email, siret, siren, finess_legal,
  technical_id, source, seen, updated_at
)
select x.id_nat, x.name, x.facility, x.address_line, x.postal_code, x.city, x.commune, x.country, x.phone, x.email,
  x.siret, x.siren, x.finess_legal, x.technical_id, 'extraction', a.seen, a.at
from (select %s::bigint as seen, %s::timestamptz as at) a,
  json_to_recordset(%s::json) as x (id_nat text, name text, facility text, address_line text, postal_code text,
    city text, commune text, country text, phone text, email text, siret text, siren text, finess_legal text,
    technical_id text)
order by x.id_nat
on conflict (id_nat) do update set
  name = excluded.name, facility = coalesce(excluded.facility, directory_organization.facility),
  address_line = excluded.address_line, postal_code = excluded.postal_code, city = excluded.city,
  commune = excluded.commune, country = excluded.country,
  phone = coalesce(excluded.phone, directory_organization.phone),
  email = coalesce(excluded.email, directory_organization.email), siret = excluded.siret, siren = excluded.siren,
  finess_legal = excluded.finess_legal, technical_id = excluded.technical_id, active = true, seen = excluded.seen,
  updated_at = case
    when (directory_organization.name, directory_organization.address_line, directory_organization.postal_code,
          directory_organization.city, directory_organization.phone, directory_organization.email)
      is distinct from (excluded.name, excluded.address_line, excluded.postal_code, excluded.city, excluded.phone,
                        excluded.email)
    then excluded.updated_at else directory_organization.updated_at end
"""
_PROFESSIONALS: LiteralString = """
insert into directory_professional (
  id_nat, rpps, family, given, sex, title, civility, category, profession, profession_system, specialty, label, phone,
  search, name_key, source, seen, updated_at
)
select x.id_nat, x.rpps, x.family, x.given, x.sex, x.title, x.civility, x.category, x.profession, x.profession_system,
  x.specialty, x.label, x.phone, x.search, x.name_key, 'extraction', a.seen, a.at
from (select %s::bigint as seen, %s::timestamptz as at) a,
  json_to_recordset(%s::json) as x (id_nat text, rpps text, family text, given text, sex text, title text,
    civility text, category text, profession text, profession_system text, specialty text, label text, phone text,
    search text, name_key text)
order by x.id_nat
on conflict (id_nat) do update set
  family = excluded.family, given = excluded.given, name_key = excluded.name_key,
  sex = coalesce(excluded.sex, directory_professional.sex),
  title = coalesce(excluded.title, directory_professional.title), civility = excluded.civility,
  category = excluded.category, profession = excluded.profession, profession_system = excluded.profession_system,
  specialty = excluded.specialty, label = excluded.label,
  phone = coalesce(excluded.phone, directory_professional.phone),
  search = case when directory_professional.seen = excluded.seen and position(excluded.search in
    directory_professional.search) = 0 then directory_professional.search || excluded.search else excluded.search end,
  source = 'extraction', seen = excluded.seen, active = true, ended_at = null,
  updated_at = case
    when (directory_professional.family, directory_professional.given, directory_professional.profession,
          directory_professional.specialty, directory_professional.active)
      is distinct from (excluded.family, excluded.given, excluded.profession, excluded.specialty, true)
    then excluded.updated_at else directory_professional.updated_at end
"""
_SITUATIONS: LiteralString = """
insert into directory_situation (
  professional, organization, rank, role_title, mode, genre, function, sector, section, authority, seen, updated_at
)
select x.professional, x.organization, 0, x.role_title, x.mode, x.genre, x.function, x.sector, x.section, x.authority,
  a.seen, a.at
from (select %s::bigint as seen, %s::timestamptz as at) a,
  json_to_recordset(%s::json) as x (professional text, organization text, role_title text, mode text, genre text,
    function text, sector text, section text, authority text)
order by x.professional, x.organization
on conflict (professional, organization) do update set
  role_title = coalesce(directory_situation.role_title, excluded.role_title), mode = excluded.mode,
  genre = excluded.genre, function = excluded.function, sector = excluded.sector, section = excluded.section,
  authority = excluded.authority, active = true, seen = excluded.seen,
  updated_at = case
    when (directory_situation.mode, directory_situation.genre, directory_situation.function, directory_situation.active)
      is distinct from (excluded.mode, excluded.genre, excluded.function, true)
    then excluded.updated_at else directory_situation.updated_at end
"""
# A skill of somebody whom the register does not hold is passed over: the file of activities comes first.
_SKILLS: LiteralString = """
insert into directory_skill (professional, kind, code, label, seen)
select x.professional, x.kind, x.code, x.label, a.seen
from (select %s::bigint as seen) a,
  json_to_recordset(%s::json) as x (professional text, kind text, code text, label text)
where exists (select from directory_professional p where p.id_nat = x.professional)
order by x.professional, x.kind, x.code
on conflict (professional, kind, code) do update set label = excluded.label, seen = excluded.seen
"""
_ENTRIES: LiteralString = """
insert into directory_entry (
  professional, organization, specialty, profession, name_key, given_key, city_key, postal, seen
)
select x.professional, x.organization, x.specialty, x.profession, x.name_key, x.given_key, x.city_key, x.postal, a.seen
from (select %s::bigint as seen) a,
  json_to_recordset(%s::json) as x (professional text, organization text, specialty text, profession text,
    name_key text, given_key text, city_key text, postal text)
order by x.professional, x.organization, x.specialty
on conflict (professional, organization, specialty) do update set
  profession = excluded.profession, name_key = excluded.name_key, given_key = excluded.given_key,
  city_key = excluded.city_key,
  postal = excluded.postal, seen = excluded.seen
"""
_MAILBOXES: LiteralString = """
insert into directory_mailbox (address, kind, professional, organization, service, seen)
select x.address, x.kind, x.professional, x.organization, x.service, a.seen
from (select %s::bigint as seen) a,
  json_to_recordset(%s::json) as x (address text, kind text, professional text, organization text, service text)
order by x.address
on conflict (address) do update set
  kind = excluded.kind, professional = excluded.professional, organization = excluded.organization,
  service = excluded.service, seen = excluded.seen
"""
_SERVICES: LiteralString = """
insert into directory_service (id, organization, kind, category, type, characteristic, label, seen, updated_at)
select x.id, x.organization, x.kind, x.category, x.type, x.characteristic, x.label, a.seen, a.at
from (select %s::bigint as seen, %s::timestamptz as at) a,
  json_to_recordset(%s::json) as x (id text, organization text, kind text, category text, type text,
    characteristic text, label text)
where exists (select from directory_organization o where o.id_nat = x.organization)
order by x.id
on conflict (id) do update set
  organization = excluded.organization, kind = excluded.kind, category = excluded.category, type = excluded.type,
  characteristic = excluded.characteristic, label = excluded.label, active = true, seen = excluded.seen,
  updated_at = excluded.updated_at
"""
_DEVICES: LiteralString = """
insert into directory_device (id, organization, type, manufacturer, model, status, seen, updated_at)
select x.id, x.organization, x.type, x.manufacturer, x.model, x.status, a.seen, a.at
from (select %s::bigint as seen, %s::timestamptz as at) a,
  json_to_recordset(%s::json) as x (id text, organization text, type text, manufacturer text, model text, status text)
where exists (select from directory_organization o where o.id_nat = x.organization)
order by x.id
on conflict (id) do update set
  organization = excluded.organization, type = excluded.type, manufacturer = excluded.manufacturer,
  model = excluded.model, status = excluded.status, seen = excluded.seen, updated_at = excluded.updated_at
"""


def _import(row: Line | None) -> Import:
    if row is None:
        raise LookupError("there is no such import")
    return Import(*row)
