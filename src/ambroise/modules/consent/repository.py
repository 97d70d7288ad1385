"""The SQL of requests for consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.consent.model import Request, State
from ambroise.trust.access.people import Party

_COLUMNS: Final[LiteralString] = (
    "id, patient, actor_id, actor_name, actor_role, actor_specialty, organization_name, reason, asked_at, expires_at,"
    " answer, answered_at"
)


async def insert(tx: Transaction, made: Request, *, silent: bool) -> None:
    """Write a new request."""
    await tx.execute(
        """
        insert into consent_request (shard, patient, id, actor, actor_id, actor_name, actor_role, actor_specialty,
          organization_name, reason, asked_at, expires_at, silent)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(made.patient),
            made.patient,
            made.id,
            made.party.key,
            made.party.id,
            made.party.name,
            "|".join(made.role),
            made.specialty,
            made.organization_name,
            made.reason,
            made.asked_at,
            made.expires_at,
            silent,
        ),
    )


async def hold(tx: Transaction, actor: int) -> None:
    """Let one professional ask once at a time, so that the limits hold."""
    await tx.execute("select pg_advisory_xact_lock(%s)", (actor,))


async def latest(reader: Reader, patient: UUID, actor: int) -> Request | None:
    """The last request of one professional to one patient."""
    row = await reader.fetch_one(
        f"select {_COLUMNS} from consent_request where shard = %s and patient = %s and actor = %s"
        " order by asked_at desc, id desc limit 1",
        (shard_of(patient), patient, actor),
    )
    return _request(row) if row else None


async def sent(reader: Reader, actor: int, since: datetime, count: int) -> list[Request]:
    """What one professional asked since an instant, newest first."""
    rows = await reader.fetch_all(
        f"select {_COLUMNS} from consent_request where actor = %s and asked_at > %s"
        " order by asked_at desc, id limit %s",
        (actor, since, count),
    )
    return [_request(row) for row in rows]


async def count_sent(reader: Reader, actor: int, since: datetime) -> int:
    """How many requests one professional sent since an instant."""
    return await reader.fetch_value(
        "select count(*) from consent_request where actor = %s and asked_at > %s", (actor, since)
    )


async def waiting(reader: Reader, patient: UUID, now: datetime) -> list[Request]:
    """The requests that a patient has not answered, newest first."""
    rows = await reader.fetch_all(
        f"select {_COLUMNS} from consent_request where shard = %s and patient = %s"
        " and not silent and answer is null and expires_at > %s order by asked_at desc, id",
        (shard_of(patient), patient, now),
    )
    return [_request(row) for row in rows]


async def lock(tx: Transaction, patient: UUID, id: UUID) -> Request | None:
    """One request that its patient may know of, locked until the transaction ends."""
    row = await tx.fetch_one(
        f"select {_COLUMNS} from consent_request where shard = %s and patient = %s and id = %s and not silent"
        " for update",
        (shard_of(patient), patient, id),
    )
    return _request(row) if row else None


async def answer(tx: Transaction, found: Request, answer: State | None, at: datetime | None, by: str | None) -> None:
    """Write the answer to a request, or take it back."""
    await tx.execute(
        "update consent_request set answer = %s, answered_at = %s, answered_by = %s"
        " where shard = %s and patient = %s and id = %s",
        (answer.value if answer else None, at, by, shard_of(found.patient), found.patient, found.id),
    )


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove every request to a space that is purged, and when its choices were collected."""
    await tx.execute("delete from consent_request where shard = %s and patient = %s", (shard_of(patient), patient))
    await tx.execute("delete from consent_collected where shard = %s and patient = %s", (shard_of(patient), patient))


async def remember(tx: Transaction, patient: UUID, organization: int, matter: str, at: datetime) -> bool:
    """Note when a structure collected a choice; false when it told that one, or a later one, before."""
    touched = await tx.execute(
        """
        insert into consent_collected (shard, patient, organization, matter, collected_at)
        values (%s, %s, %s, %s, %s)
        on conflict (shard, patient, organization, matter) do update
        set collected_at = excluded.collected_at
        where consent_collected.collected_at < excluded.collected_at
        """,
        (shard_of(patient), patient, organization, matter, at),
    )
    return touched == 1


def _request(row: Sequence[Any]) -> Request:
    system, _, code = str(row[4]).partition("|")
    return Request(
        id=row[0],
        patient=row[1],
        party=Party(row[2], row[3]),
        role=(system, code),
        specialty=row[5],
        organization_name=row[6],
        reason=row[7],
        asked_at=row[8],
        expires_at=row[9],
        answer=State(row[10]) if row[10] else None,
        answered_at=row[11],
    )
