"""The SQL of subscriptions to the context of a session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction


async def insert(tx: Transaction, endpoint: bytes, family: UUID, events: Sequence[str], ends: datetime) -> None:
    await tx.execute(
        "insert into cast_subscription (endpoint_hash, family, events, expires_at) values (%s, %s, %s, %s)",
        (endpoint, family, list(events), ends),
    )


async def follow(tx: Transaction, sign_on: UUID, ends: datetime) -> None:
    """Have the sessions of the portal that came from a sign-on know that software follows them."""
    await tx.execute(
        """
        update session n
        set followed_until = greatest(n.followed_until, %s)
        from portal_session p
        where p.token_hash = n.token_hash and p.sign_on = %s and n.closed_at is null
        """,
        (ends, sign_on),
    )


async def followed(reader: Reader, token: bytes, portal: str, now: datetime) -> tuple[UUID, UUID | None, bool] | None:
    """What a session of the portal was given, if software follows it; the patient in context, and whether the portal
    opened that one."""
    row = await reader.fetch_one(
        """
        select f.id, c.patient, coalesce(c.client = f.client, false)
        from portal_session p
        join oauth_family f on f.sign_on = p.sign_on and f.client = %s
        left join shared_context c on c.sign_on = p.sign_on and c.expires_at > %s
        where p.token_hash = %s
          and exists (
            select
            from cast_subscription s
            join oauth_family g on g.id = s.family
            where g.sign_on = p.sign_on and g.revoked_at is null and s.expires_at > %s
          )
        order by f.created_at desc
        limit 1
        """,
        (portal, now, token, now),
    )
    return None if row is None else (row[0], row[1], row[2])


async def find(reader: Reader, endpoint: bytes, now: datetime) -> tuple[UUID, tuple[str, ...], datetime] | None:
    """The family, the events and the end of a subscription that lasts."""
    row = await reader.fetch_one(
        "select family, events, expires_at from cast_subscription where endpoint_hash = %s and expires_at > %s",
        (endpoint, now),
    )
    return None if row is None else (row[0], tuple(row[1]), row[2])


async def remove(tx: Transaction, endpoint: bytes, family: UUID) -> bool:
    """End a subscription of this family."""
    done = await tx.execute(
        "delete from cast_subscription where endpoint_hash = %s and family = %s", (endpoint, family)
    )
    return done == 1


async def tell(tx: Transaction, channel: str, said: str) -> None:
    """Say something to every process, once this is committed."""
    await tx.fetch_value("select pg_notify(%s, %s)", (channel, said))


async def sweep(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from cast_subscription where expires_at < %s", (before,))
