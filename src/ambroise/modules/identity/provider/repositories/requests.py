"""The SQL of requests to sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from ambroise.kernel.db import Reader, Transaction


async def insert(
    tx: Transaction,
    reference: bytes,
    client: str,
    asked: dict[str, Any],
    now: datetime,
    ends: datetime,
    *,
    pushed: bool = False,
) -> None:
    await tx.execute(
        """
        insert into sign_on_request (reference_hash, client, asked, pushed, created_at, expires_at)
        values (%s, %s, %s::jsonb, %s, %s, %s)
        """,
        (reference, client, orjson.dumps(asked).decode(), pushed, now, ends),
    )


async def find(reader: Reader, reference: bytes, now: datetime) -> tuple[dict[str, Any], bytes | None, datetime] | None:
    """What was asked, the browser that began it, and when."""
    row = await reader.fetch_one(
        """
        select asked, browser, created_at
        from sign_on_request
        where reference_hash = %s and expires_at > %s and not pushed
        """,
        (reference, now),
    )
    return None if row is None else (row[0], bytes(row[1]) if row[1] is not None else None, row[2])


async def take_pushed(tx: Transaction, reference: bytes, client: str, now: datetime) -> dict[str, Any] | None:
    """What a client pushed, once."""
    return await tx.fetch_value(
        """
        delete from sign_on_request
        where reference_hash = %s and client = %s and pushed and expires_at > %s
        returning asked
        """,
        (reference, client, now),
    )


async def bind(tx: Transaction, reference: bytes, browser: bytes) -> bool:
    """Bind a request to the first browser that shows it; whether it is this one's."""
    bound = await tx.execute(
        "update sign_on_request set browser = %s where reference_hash = %s and coalesce(browser, %s) = %s",
        (browser, reference, browser, browser),
    )
    return bound == 1


async def take(tx: Transaction, reference: bytes) -> bool:
    """End a request; false when it was answered already."""
    return await tx.execute("delete from sign_on_request where reference_hash = %s", (reference,)) == 1


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from sign_on_request where expires_at < %s", (before,))
