"""The SQL of federation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction


async def insert_request(
    tx: Transaction, state_hash: bytes, partner: str, browser: bytes, sealed: bytes, now: datetime, ends: datetime
) -> None:
    await tx.execute(
        """
        insert into federation_request (state_hash, partner, browser, sealed, created_at, expires_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (state_hash, partner, browser, sealed, now, ends),
    )


async def take_request(tx: Transaction, state_hash: bytes, partner: str, browser: bytes, now: datetime) -> bytes | None:
    """What was kept of a sign-in under way, given once, to the browser that began it, for the partner it went to."""
    kept = await tx.fetch_value(
        """
        delete from federation_request
        where state_hash = %s and partner = %s and browser = %s and expires_at > %s
        returning sealed
        """,
        (state_hash, partner, browser, now),
    )
    return None if kept is None else bytes(kept)


async def linked(reader: Reader, issuer: str, subject_hash: bytes) -> UUID | None:
    """The account of a subject."""
    return await reader.fetch_value(
        "select account from federation_link where issuer = %s and subject_hash = %s", (issuer, subject_hash)
    )


async def link(tx: Transaction, issuer: str, subject_hash: bytes, account: UUID, now: datetime) -> bool:
    """Link a subject to an account; false when this account already has another subject there."""
    made = await tx.execute(
        """
        insert into federation_link (issuer, subject_hash, account, linked_at, used_at)
        values (%s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        (issuer, subject_hash, account, now, now),
    )
    return made == 1


async def links_of(reader: Reader, account: UUID) -> list[tuple[str, datetime, datetime]]:
    """The issuers that an account is linked to, since when, and when each was last used."""
    rows = await reader.fetch_all(
        "select issuer, linked_at, used_at from federation_link where account = %s order by linked_at, issuer",
        (account,),
    )
    return [(issuer, linked, used) for issuer, linked, used in rows]


async def unlink(tx: Transaction, issuer: str, account: UUID) -> bool:
    """Forget who an account is to an issuer; false when it was not linked."""
    return await tx.execute("delete from federation_link where issuer = %s and account = %s", (issuer, account)) == 1


async def close_others(tx: Transaction, issuer: str, account: UUID, kept: UUID, now: datetime) -> int:
    """End the sessions of an account that came from an issuer, save this one."""
    return await tx.execute(
        """
        update session n
        set closed_at = %s
        from federation_session f
        where f.token_hash = n.token_hash
          and f.issuer = %s
          and n.account = %s
          and n.id <> %s
          and n.closed_at is null
        """,
        (now, issuer, account, kept),
    )


async def sign_ons_by(reader: Reader, issuer: str, account: UUID) -> list[UUID]:
    """The sign-ons of an account, still open, that came from an issuer."""
    rows = await reader.fetch_all(
        """
        select n.id
        from federation_sign_on f
        join sign_on n on n.id = f.sign_on
        where f.issuer = %s and n.account = %s and n.closed_at is null
        """,
        (issuer, account),
    )
    return [row[0] for row in rows]


async def use_link(tx: Transaction, issuer: str, subject_hash: bytes, now: datetime) -> None:
    await tx.execute(
        "update federation_link set used_at = %s where issuer = %s and subject_hash = %s", (now, issuer, subject_hash)
    )


async def note_session(
    tx: Transaction,
    token_hash: bytes,
    partner: str,
    issuer: str,
    subject_hash: bytes,
    sid_hash: bytes | None,
    sealed: bytes,
) -> None:
    await tx.execute(
        """
        insert into federation_session (token_hash, partner, issuer, subject_hash, sid_hash, sealed)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (token_hash, partner, issuer, subject_hash, sid_hash, sealed),
    )


async def note_sign_on(
    tx: Transaction, sign_on: UUID, issuer: str, subject_hash: bytes, sid_hash: bytes | None
) -> None:
    await tx.execute(
        "insert into federation_sign_on (sign_on, issuer, subject_hash, sid_hash) values (%s, %s, %s, %s)",
        (sign_on, issuer, subject_hash, sid_hash),
    )


async def sign_ons_of(reader: Reader, issuer: str, subject_hash: bytes | None, sid_hash: bytes | None) -> list[UUID]:
    """The sign-ons, still open, of a subject or of one session of the partner."""
    rows = await reader.fetch_all(
        """
        select f.sign_on
        from federation_sign_on f
        join sign_on n on n.id = f.sign_on
        where f.issuer = %s
          and (%s::bytea is null or f.subject_hash = %s)
          and (%s::bytea is null or f.sid_hash = %s)
          and n.closed_at is null
        """,
        (issuer, subject_hash, subject_hash, sid_hash, sid_hash),
    )
    return [row[0] for row in rows]


async def origin_of(reader: Reader, token_hash: bytes) -> tuple[str, bytes] | None:
    """The partner that a session came from, and its id_token, sealed."""
    row = await reader.fetch_one("select partner, sealed from federation_session where token_hash = %s", (token_hash,))
    return None if row is None else (row[0], bytes(row[1]))


async def hear(tx: Transaction, issuer: str, jti_hash: bytes, until: datetime) -> bool:
    """Whether this logout token was not heard yet."""
    heard = await tx.execute(
        """
        insert into federation_logout (issuer, jti_hash, expires_at)
        values (%s, %s, %s)
        on conflict do nothing
        """,
        (issuer, jti_hash, until),
    )
    return heard == 1


async def close_sessions(
    tx: Transaction, issuer: str, subject_hash: bytes | None, sid_hash: bytes | None, now: datetime
) -> list[UUID]:
    """End the sessions of a subject, or of one session of the partner; whose they were."""
    rows = await tx.fetch_all(
        """
        update session n
        set closed_at = %s
        from federation_session f
        where f.token_hash = n.token_hash
          and f.issuer = %s
          and (%s::bytea is null or f.subject_hash = %s)
          and (%s::bytea is null or f.sid_hash = %s)
          and n.closed_at is null
        returning n.account
        """,
        (now, issuer, subject_hash, subject_hash, sid_hash, sid_hash),
    )
    return [row[0] for row in rows]


async def sweep(tx: Transaction, now: datetime) -> None:
    """Forget requests and logout tokens whose time is over."""
    await tx.execute("delete from federation_request where expires_at < %s", (now,))
    await tx.execute("delete from federation_logout where expires_at < %s", (now,))
