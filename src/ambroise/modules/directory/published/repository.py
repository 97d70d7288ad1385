"""The SQL of the published directory: one page of a search, what it includes, one resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

from psycopg.sql import SQL

from ambroise.kernel.db import Reader
from ambroise.modules.directory.published.query import Search

Fields = dict[str, Any]

# The columns of each type become one JSON object, with what hangs on the row.
_SELECT: Final[Mapping[str, LiteralString]] = {
    "Practitioner": """
      select p.id_nat as id, jsonb_build_object(
        'id', p.id_nat, 'rpps', p.rpps, 'family', p.family, 'given', p.given, 'sex', p.sex, 'title', p.title,
        'civility', p.civility, 'category', p.category, 'profession', p.profession,
        'profession_system', p.profession_system, 'specialty', p.specialty, 'label', p.label, 'phone', p.phone,
        'active', p.active, 'source', p.source, 'test', p.test_identity, 'updated', p.updated_at,
        'skills', coalesce((
          select jsonb_agg(jsonb_build_array(k.kind, k.code, k.label) order by k.kind, k.code)
          from directory_skill k
          where k.professional = p.id_nat
        ), '[]'),
        'mailboxes', coalesce((
          select jsonb_agg(jsonb_build_array(m.address, m.kind, m.service) order by m.address)
          from directory_mailbox m
          where m.professional = p.id_nat
        ), '[]')
      )
      from directory_professional p
    """,
    "PractitionerRole": """
      select s.professional || '-' || s.organization as id, jsonb_build_object(
        'id', s.professional || '-' || s.organization, 'professional', s.professional, 'organization', s.organization,
        'name', p.given || ' ' || p.family, 'mode', s.mode, 'genre', s.genre, 'function', s.function,
        'section', s.section, 'authority', s.authority, 'role_title', s.role_title, 'active', s.active and p.active,
        'source', p.source, 'test', p.test_identity, 'updated', s.updated_at,
        'mailboxes', coalesce((
          select jsonb_agg(jsonb_build_array(m.address, m.kind, m.service) order by m.address)
          from directory_mailbox m
          where m.professional = s.professional and m.organization = s.organization
        ), '[]')
      )
      from directory_situation s
      join directory_professional p on p.id_nat = s.professional
    """,
    "Organization": """
      select o.id_nat as id, jsonb_build_object(
        'id', o.id_nat, 'name', o.name, 'facility', o.facility, 'line', o.address_line, 'postal', o.postal_code,
        'city', o.city, 'commune', o.commune, 'phone', o.phone, 'email', o.email, 'siret', o.siret, 'siren', o.siren,
        'finess_legal', o.finess_legal, 'active', o.active, 'source', o.source, 'test', o.test_identity,
        'updated', o.updated_at,
        'parent', (
          select e.id_nat from directory_organization e where e.id_nat = '1' || o.finess_legal and e.id_nat <> o.id_nat
        ),
        'mailboxes', coalesce((
          select jsonb_agg(jsonb_build_array(m.address, m.kind, m.service) order by m.address)
          from directory_mailbox m
          where m.organization = o.id_nat and m.professional is null
        ), '[]')
      )
      from directory_organization o
    """,
    "HealthcareService": """
      select h.id, jsonb_build_object(
        'id', h.id, 'organization', h.organization, 'kind', h.kind, 'category', h.category, 'type', h.type,
        'characteristic', h.characteristic, 'label', h.label, 'active', h.active, 'updated', h.updated_at
      )
      from directory_service h
    """,
    "Device": """
      select d.id, jsonb_build_object(
        'id', d.id, 'organization', d.organization, 'type', d.type, 'manufacturer', d.manufacturer, 'model', d.model,
        'status', d.status, 'updated', d.updated_at
      )
      from directory_device d
    """,
}
_KEY: Final[Mapping[str, LiteralString]] = {
    "Practitioner": "p.id_nat",
    "PractitionerRole": "s.professional || '-' || s.organization",
    "Organization": "o.id_nat",
    "HealthcareService": "h.id",
    "Device": "d.id",
}
# The order of pages follows a primary key: a role's two columns, not their text.
_ORDER: Final[Mapping[str, LiteralString]] = {**_KEY, "PractitionerRole": "s.professional, s.organization"}
_AFTER: Final[Mapping[str, LiteralString]] = {
    **{type: f"{column} > %s" for type, column in _KEY.items()},
    "PractitionerRole": "(s.professional, s.organization) > (%s, %s)",
}
_FROM: Final[Mapping[str, LiteralString]] = {
    "Practitioner": "directory_professional p",
    "PractitionerRole": "directory_situation s",
    "Organization": "directory_organization o",
    "HealthcareService": "directory_service h",
    "Device": "directory_device d",
}
_REFERRED: Final[Mapping[str, LiteralString]] = {
    "PractitionerRole:practitioner": "s.professional = any(%s)",
    "PractitionerRole:organization": "s.organization = any(%s)",
    "HealthcareService:organization": "h.organization = any(%s)",
    "Device:organization": "d.organization = any(%s)",
}


async def page(reader: Reader, search: Search) -> list[Fields]:
    """One resource more than the page holds, so that one knows whether there is a next one."""
    conditions = [SQL(sql) for sql, _ in search.conditions]
    params = [value for _, values in search.conditions for value in values]
    if search.after is not None:
        conditions.append(SQL(_AFTER[search.type]))
        params += search.after.split("-", 1) if search.type == "PractitionerRole" else [search.after]
    rows = await reader.fetch_all(
        SQL("{} where {} order by {} limit %s").format(
            SQL(_SELECT[search.type]),
            SQL(" and ").join(conditions or [SQL("true")]),
            SQL(_ORDER[search.type]),
        ),
        (*params, search.count + 1),
        prepare=False,
    )
    return [row[1] for row in rows]


async def total(reader: Reader, search: Search) -> int:
    """How many resources a search finds."""
    conditions = [SQL(sql) for sql, _ in search.conditions]
    params = [value for _, values in search.conditions for value in values]
    return await reader.fetch_value(
        SQL("select count(*) from {} where {}").format(
            SQL(_FROM[search.type]), SQL(" and ").join(conditions or [SQL("true")])
        ),
        params,
        prepare=False,
    )


async def by_ids(reader: Reader, type: str, ids: Sequence[str]) -> list[Fields]:
    """The resources of these ids, in order."""
    if type == "PractitionerRole":
        parts = [one.partition("-") for one in ids]
        rows = await reader.fetch_all(
            SQL("{} where (s.professional, s.organization) in (select * from unnest(%s::text[], %s::text[]))").format(
                SQL(_SELECT[type])
            ),
            ([part[0] for part in parts], [part[2] for part in parts]),
        )
    else:
        rows = await reader.fetch_all(
            SQL("{} where {} = any(%s) order by 1").format(SQL(_SELECT[type]), SQL(_KEY[type])), (list(ids),)
        )
    return [row[1] for row in rows]


async def referring(reader: Reader, reference: str, ids: Sequence[str], limit: int) -> list[Fields]:
    """The resources that refer to these by `Type:parameter`."""
    type = reference.partition(":")[0]
    rows = await reader.fetch_all(
        SQL("{} where {} order by 1 limit %s").format(SQL(_SELECT[type]), SQL(_REFERRED[reference])),
        (list(ids), limit),
    )
    return [row[1] for row in rows]
