"""The SQL of the portal as a client of its own provider."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction


async def insert(tx: Transaction, state: bytes, browser: bytes, sealed: bytes, ends: datetime) -> None:
    await tx.execute(
        "insert into portal_request (state_hash, browser, sealed, expires_at) values (%s, %s, %s, %s)",
        (state, browser, sealed, ends),
    )


async def take(tx: Transaction, state: bytes, browser: bytes, now: datetime) -> bytes | None:
    """What was kept of a sign-in, once, for the browser that began it."""
    kept = await tx.fetch_value(
        """
        delete from portal_request
        where state_hash = %s and browser = %s and expires_at > %s
        returning sealed
        """,
        (state, browser, now),
    )
    return None if kept is None else bytes(kept)


async def note(tx: Transaction, token: bytes, sign_on: UUID) -> None:
    """Have a session of the portal come from a sign-on, and work where it does."""
    await tx.execute("insert into portal_session (token_hash, sign_on) values (%s, %s)", (token, sign_on))
    await tx.execute(
        """
        update session
        set situation = coalesce((select situation from sign_on where id = %s), 0),
          followed_until = (
            select max(s.expires_at)
            from cast_subscription s
            join oauth_family f on f.id = s.family
            where f.sign_on = %s
          )
        where token_hash = %s
        """,
        (sign_on, sign_on, token),
    )


async def sign_on_of(reader: Reader, token: bytes) -> UUID | None:
    """The sign-on that a session of the portal came from."""
    return await reader.fetch_value("select sign_on from portal_session where token_hash = %s", (token,))


async def close(tx: Transaction, sign_on: UUID, now: datetime) -> None:
    """End the sessions of the portal that came from a sign-on."""
    await tx.execute(
        """
        update session n
        set closed_at = %s
        from portal_session p
        where p.token_hash = n.token_hash and p.sign_on = %s and n.closed_at is null
        """,
        (now, sign_on),
    )


async def sweep(tx: Transaction, before: datetime) -> None:
    await tx.execute("delete from portal_request where expires_at < %s", (before,))
