"""The browsers that asked to be told: kept sealed, by person."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ambroise.kernel.crypto.envelope import seal, unseal
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.notification.push.sending import Browser

MOST: Final = 10
"""How many browsers one person keeps; the oldest leaves."""


class Kept(Struct, frozen=True):
    """A browser of somebody, by the name of its device."""

    id: UUID
    name: str
    added_at: datetime


async def keep(tx: Transaction, key: bytes, person: UUID, browser: Browser, name: str, now: datetime) -> None:
    """Keep a browser, once; its keys may have changed."""
    id = new_id(shard_of(person))
    digest = hashlib.sha256(browser.endpoint.encode()).digest()
    sealed = seal(key, digest, msgspec.json.encode(browser))
    await tx.execute(
        """
        insert into notification_browser (shard, person, id, digest, sealed, name, added_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, person, digest) do update
        set sealed = excluded.sealed, name = excluded.name, added_at = excluded.added_at
        """,
        (shard_of(person), person, id, digest, sealed, name, now),
    )
    await tx.execute(
        """
        delete from notification_browser
        where shard = %s and person = %s and id not in (
          select id
          from notification_browser
          where shard = %s and person = %s
          order by added_at desc, id desc
          limit %s
        )
        """,
        (shard_of(person), person, shard_of(person), person, MOST),
    )


async def of_person(reader: Reader, person: UUID) -> list[Kept]:
    rows = await reader.fetch_all(
        "select id, name, added_at from notification_browser where shard = %s and person = %s order by added_at, id",
        (shard_of(person), person),
    )
    return [Kept(*row) for row in rows]


async def opened(reader: Reader, key: bytes, person: UUID) -> dict[UUID, Browser]:
    """The browsers of somebody, to send to."""
    rows = await reader.fetch_all(
        "select id, digest, sealed from notification_browser where shard = %s and person = %s order by added_at, id",
        (shard_of(person), person),
    )
    return {id: msgspec.json.decode(unseal(key, bytes(digest), bytes(box)), type=Browser) for id, digest, box in rows}


async def having(reader: Reader, people: Collection[UUID]) -> set[UUID]:
    """Which of these people have a browser to tell."""
    rows = await reader.fetch_all(
        """
        select distinct b.person
        from notification_browser b
        join unnest(%s::smallint[], %s::uuid[]) as one (shard, person) using (shard, person)
        """,
        ([shard_of(one) for one in people], list(people)),
    )
    return {person for (person,) in rows}


async def forget(tx: Transaction, person: UUID, id: UUID) -> bool:
    """Forget a browser; whether it was there."""
    return bool(
        await tx.execute(
            "delete from notification_browser where shard = %s and person = %s and id = %s",
            (shard_of(person), person, id),
        )
    )
