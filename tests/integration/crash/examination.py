"""What is left after a crash: every acknowledged document whole and found once, and nothing half-written."""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg

from ambroise.fhir.definitions import type_number
from ambroise.modules.notification.api import Code
from tests.integration.crash.papers import Sending

_VALUES = {
    "document": type_number("DocumentReference"),
    "binary": type_number("Binary"),
    "list": type_number("List"),
    # What else it is told for, such as a measure that it brought, is beside this.
    "of_documents": [Code.DOCUMENT_ADDED, Code.DOCUMENT_CHANGED, Code.VACCINATION_ADDED],
}

_READERS = 8

# Each statement counts what may never be: one line for each way of being half-written.
_HALVES: dict[str, LiteralString] = {
    "a document without its unique id": """
        select count(*) from resource d where d.type = %(document)s and not exists (
          select from record_unique_id u where u.patient = d.patient and u.document = d.id)
    """,
    "a unique id without its document": """
        select count(*) from record_unique_id u where not exists (
          select from resource d where d.type = %(document)s and d.patient = u.patient and d.id = u.document)
    """,
    "a document without its Binary": """
        select count(*) from record_unique_id u where not exists (
          select from resource b where b.type = %(binary)s and b.id = u.binary_id and b.source = u.document)
    """,
    "a document without its bytes": """
        select count(*) from record_unique_id u where not exists (
          select from blob c where c.id = u.binary_id and c.sha256 = u.sha256)
    """,
    "bytes without their pieces": """
        select count(*) from blob c where (c.place is null) <> exists (
          select from blob_piece p where p.shard = c.shard and p.id = c.id)
    """,
    "a piece without its bytes": """
        select count(*) from blob_piece p where not exists (
          select from blob c where c.shard = p.shard and c.id = p.id)
    """,
    "bytes that are neither a Binary's nor the words of a document": """
        select count(*) from blob c where not exists (
          select from resource b where b.type = %(binary)s and b.shard = c.shard and b.id = c.id)
        and not exists (
          select from record_text t where t.shard = c.shard and t.text_id = c.id)
    """,
    "words of a document without their bytes": """
        select count(*) from record_text t where not exists (
          select from blob c where c.shard = t.shard and c.id = t.text_id)
    """,
    "a document without the List of its submission": """
        select count(*) from resource d where d.type = %(document)s and not exists (
          select from resource l where l.type = %(list)s and l.shard = d.shard and l.source = d.id)
    """,
    "an extracted resource without its document": """
        select count(*) from resource r where r.source is not null and not exists (
          select from resource d where d.type = %(document)s and d.shard = r.shard and d.id = r.source)
    """,
    "a document not traced exactly once as filed": """
        select count(*) from resource d where d.type = %(document)s and 1 <> (
          select count(*) from trace t
          where t.shard = d.shard and t.patient = d.patient and t.resource = d.id and t.resource_type = d.type
            and t.event = 'create')
    """,
    "a document not traced exactly once as extracted": """
        select count(*) from resource d where d.type = %(document)s and 1 <> (
          select count(*) from trace t
          where t.shard = d.shard and t.patient = d.patient and t.resource = d.id and t.event = 'extracted')
    """,
    "a trace of a filing without its document": """
        select count(*) from trace t
        where t.resource_type = %(document)s and t.event in ('create', 'extracted') and t.outcome = 0 and not exists (
          select from resource d where d.type = %(document)s and d.shard = t.shard and d.id = t.resource)
    """,
    "a document of which its holder was not told exactly once": """
        select count(*) from resource d where d.type = %(document)s and 1 <> (
          select count(*) from notification n
          where n.shard = d.shard and n.subject = d.id::text and n.code = any(%(of_documents)s))
    """,
    "an index entry without its resource": """
        select (select count(*) from resource_text i where not exists (
                  select from resource r where r.shard = i.shard and r.id = i.id))
             + (select count(*) from resource_range i where not exists (
                  select from resource r where r.shard = i.shard and r.id = i.id))
    """,
}


@dataclass(frozen=True)
class Found:
    """What is there after a crash."""

    documents: int
    in_doubt_kept: int
    objects: int
    orphans: int
    """Large contents on disk that no row names: left by what was cut off, and swept later by a job."""


def examine_rows(dsn: str, objects: Path) -> list[str]:
    """Everything half-written, in words; and every large content that a row names and that is not on disk."""
    problems: list[str] = []
    with psycopg.connect(dsn) as connection:
        for what, statement in _HALVES.items():
            row = connection.execute(statement, _VALUES).fetchone()
            if row and row[0]:
                problems.append(f"{row[0]} × {what}")
        for (place,) in connection.execute("select place from blob where place is not null"):
            if not (objects / place).is_file():
                problems.append(f"the large content {place} is not on disk")
    return problems


def take_stock(dsn: str, objects: Path, in_doubt: Iterable[Sending]) -> Found:
    """How many documents there are, and how many of those that nobody acknowledged."""
    with psycopg.connect(dsn) as connection:
        known = {unique_id for (unique_id,) in connection.execute("select unique_id from record_unique_id")}
        named = {place for (place,) in connection.execute("select place from blob where place is not null")}
    files = {str(path.relative_to(objects)) for path in objects.rglob("*") if path.is_file()}
    return Found(len(known), sum(one.unique_id in known for one in in_doubt), len(named), len(files - named))


async def examine_over_http(address: str, token: str, expected: Iterable[Sending], *, required: bool) -> list[str]:
    """Look each document up by its unique id and read its bytes: one of each, with the hash that was sent.

    One that is not `required` (nobody acknowledged it) may be absent, but not be half there.
    """
    waiting = iter(expected)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{address}/fhir/", headers=headers, timeout=60) as client:

        async def reader() -> list[str]:
            return [problem for sending in waiting for problem in await _examine_one(client, sending, required)]

        found = await asyncio.gather(*(reader() for _ in range(_READERS)))
    return [problem for problems in found for problem in problems]


async def _examine_one(client: httpx.AsyncClient, sending: Sending, required: bool) -> list[str]:
    found = await client.get(f"DocumentReference?identifier=urn:ietf:rfc:3986|{sending.unique_id}")
    entries = found.json().get("entry", [])
    if not entries and not required:
        return []
    if len(entries) != 1:
        return [f"{sending.unique_id} is found {len(entries)} times ({found.status_code})"]
    url = entries[0]["resource"]["content"][0]["attachment"]["url"]
    content = await client.get(url, headers={"accept": "*/*"})
    if hashlib.sha256(content.content).hexdigest() != sending.sha256:
        return [f"{sending.unique_id} has other bytes than those sent ({content.status_code})"]
    return []
