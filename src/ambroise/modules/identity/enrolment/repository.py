"""The SQL of enrolments, of proven contacts and of cards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of


async def insert(
    tx: Transaction, token_hash: bytes, id: UUID, step: str, patient: UUID, sealed: bytes, now: datetime, ends: datetime
) -> None:
    await tx.execute(
        """
        insert into enrolment (token_hash, id, step, patient, sealed, begun_at, ends_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        (token_hash, id, step, patient, sealed, now, ends),
    )


async def find(reader: Reader, token_hash: bytes) -> Row | None:
    return await reader.fetch_one(
        "select id, step, patient, sends, ends_at, sealed from enrolment where token_hash = %s", (token_hash,)
    )


async def hold(tx: Transaction, token_hash: bytes) -> Row | None:
    """The enrolment of a token, locked until the end of the transaction."""
    return await tx.fetch_one(
        "select id, step, patient, sends, ends_at, sealed from enrolment where token_hash = %s for update",
        (token_hash,),
    )


async def write(tx: Transaction, id: UUID, step: str, sends: int, sealed: bytes) -> None:
    await tx.execute("update enrolment set step = %s, sends = %s, sealed = %s where id = %s", (step, sends, sealed, id))


async def delete(tx: Transaction, id: UUID) -> None:
    await tx.execute("delete from enrolment where id = %s", (id,))


async def put_contact(tx: Transaction, account: UUID, channel: str, sealed: bytes, now: datetime) -> None:
    await tx.execute(
        """
        insert into account_contact (account, channel, sealed, verified_at)
        values (%s, %s, %s, %s)
        on conflict (account, channel) do update set sealed = excluded.sealed, verified_at = excluded.verified_at
        """,
        (account, channel, sealed, now),
    )


async def drop_contacts(tx: Transaction, account: UUID) -> None:
    await tx.execute("delete from account_contact where account = %s", (account,))


async def contacts(reader: Reader, account: UUID) -> list[Row]:
    return await reader.fetch_all(
        "select channel, sealed from account_contact where account = %s order by channel", (account,)
    )


async def has_card(reader: Reader, patient: UUID, serial_hash: bytes) -> bool:
    return bool(
        await reader.fetch_value(
            "select exists (select from vital_card where shard = %s and patient = %s and serial_hash = %s)",
            (shard_of(patient), patient, serial_hash),
        )
    )


async def put_cards(tx: Transaction, cards: Iterable[tuple[UUID, bytes]]) -> None:
    await tx.execute_many(
        """
        insert into vital_card (shard, patient, serial_hash)
        values (%s, %s, %s)
        on conflict do nothing
        """,
        [(shard_of(patient), patient, serial) for patient, serial in cards],
    )


async def names_taken(reader: Reader, names: list[str]) -> set[str]:
    rows = await reader.fetch_all("select sign_in_name from account where sign_in_name = any(%s)", (names,))
    return {row[0] for row in rows}


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from enrolment where ends_at < %s", (before,))
