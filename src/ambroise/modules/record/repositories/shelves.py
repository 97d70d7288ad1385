"""The SQL of folders and pins: which documents of a space its holder keeps where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import shard_of


class Folder(Struct, frozen=True):
    """A folder and how many documents were put into it."""

    id: UUID
    name: str
    count: int = 0


class Place(Struct, frozen=True):
    """Where a document is kept."""

    folder: UUID | None
    pinned: bool


async def folders(reader: Reader, patient: UUID) -> list[Folder]:
    """The folders of a space, by name."""
    rows = await reader.fetch_all(
        """
        select f.id, f.name, count(s.document)
        from record_folder f
        left join record_shelf s on s.shard = f.shard and s.patient = f.patient and s.folder = f.id
        where f.shard = %s
          and f.patient = %s
        group by f.id, f.name
        order by lower(f.name), f.id
        """,
        (shard_of(patient), patient),
    )
    return [Folder(row[0], row[1], row[2]) for row in rows]


async def places(reader: Reader, patient: UUID, documents: Sequence[str]) -> Mapping[str, Place]:
    """Where these documents are kept."""
    rows = await reader.fetch_all(
        """
        select document, folder, pinned
        from record_shelf
        where shard = %s
          and patient = %s
          and document = any(%s::uuid[])
        order by document
        """,
        (shard_of(patient), patient, list(documents)),
    )
    return {str(row[0]): Place(row[1], row[2]) for row in rows}


async def shelved(reader: Reader, patient: UUID) -> Mapping[UUID, UUID]:
    """The folder of each document that is in one."""
    rows = await reader.fetch_all(
        """
        select document, folder
        from record_shelf
        where shard = %s
          and patient = %s
          and folder is not null
        order by document
        """,
        (shard_of(patient), patient),
    )
    return {document: folder for document, folder in rows}


async def inside(reader: Reader, patient: UUID, folder: UUID) -> list[str]:
    """The documents of a folder."""
    rows = await reader.fetch_all(
        "select document from record_shelf where shard = %s and patient = %s and folder = %s order by document",
        (shard_of(patient), patient, folder),
    )
    return [str(row[0]) for row in rows]


async def pinned(reader: Reader, patient: UUID) -> list[str]:
    """The documents that are pinned."""
    rows = await reader.fetch_all(
        "select document from record_shelf where shard = %s and patient = %s and pinned order by document desc",
        (shard_of(patient), patient),
    )
    return [str(row[0]) for row in rows]


async def add_folder(tx: Transaction, patient: UUID, id: UUID, name: str) -> None:
    """Write a folder."""
    await tx.execute(
        "insert into record_folder (shard, patient, id, name) values (%s, %s, %s, %s)",
        (shard_of(patient), patient, id, name),
    )


async def remove_folder(tx: Transaction, patient: UUID, folder: UUID) -> None:
    """Remove a folder, its documents put nowhere."""
    key = (shard_of(patient), patient, folder)
    await tx.execute("update record_shelf set folder = null where shard = %s and patient = %s and folder = %s", key)
    await tx.execute("delete from record_folder where shard = %s and patient = %s and id = %s", key)


async def put(tx: Transaction, patient: UUID, documents: Sequence[UUID], folder: UUID | None) -> None:
    """Put documents into a folder, or out of any."""
    await tx.execute_many(
        """
        insert into record_shelf (shard, patient, document, folder)
        values (%s, %s, %s, %s)
        on conflict (shard, patient, document) do update set folder = excluded.folder
        """,
        [(shard_of(patient), patient, document, folder) for document in documents],
    )


async def pin(tx: Transaction, patient: UUID, document: UUID, pinned: bool) -> None:
    """Pin a document, or take the pin off."""
    await tx.execute(
        """
        insert into record_shelf (shard, patient, document, pinned)
        values (%s, %s, %s, %s)
        on conflict (shard, patient, document) do update set pinned = excluded.pinned
        """,
        (shard_of(patient), patient, document, pinned),
    )


async def forget(tx: Transaction, patient: UUID, document: UUID) -> None:
    """Take a document that was withdrawn off the shelves."""
    tx.enqueue(
        "delete from record_shelf where shard = %s and patient = %s and document = %s",
        (shard_of(patient), patient, document),
    )
