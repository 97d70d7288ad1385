"""The SQL of families of tokens: codes, refresh tokens, what is live."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.modules.identity.provider.model import Family, Means
from ambroise.modules.identity.provider.smart import Opened
from ambroise.modules.identity.repository import ACCOUNT_COLUMNS, ACCOUNT_WIDTH, account_of_row

_FAMILY = f"""
  {ACCOUNT_COLUMNS}, f.id, f.client, f.sign_on, n.means, f.issuer, f.scopes, f.situation, f.nonce,
  n.authenticated_at, f.ends_at, f.patient, f.encounter
"""
# The columns of a family after those of its account, with whether it is live.
_WIDTH = ACCOUNT_WIDTH + 13
# A family is live while nothing revoked it and the session that it comes from lasts.
_LIVE = "f.revoked_at is null and n.closed_at is null and n.ends_at > %s and a.suspended_at is null"


class Code(Struct, frozen=True):
    """An authorization code, as it was given."""

    family: Family
    redirect_uri: str
    challenge: str | None
    expires_at: datetime
    used: bool


async def insert(tx: Transaction, family: Family, now: datetime) -> None:
    await tx.execute(
        """
        insert into oauth_family (id, client, sign_on, issuer, scopes, situation, nonce, created_at, ends_at,
          patient, encounter)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            family.id, family.client, family.sign_on, family.issuer, list(family.scopes), family.situation,
            family.nonce, now, family.ends_at, family.opened.patient, family.opened.encounter,
        ),
    )  # fmt: skip


async def find(reader: Reader, id: UUID, now: datetime) -> Family | None:
    """A family, live or not."""
    row = await reader.fetch_one(
        f"""
        select {_FAMILY}, {_LIVE}
        from oauth_family f
        join sign_on n on n.id = f.sign_on
        join account a on a.id = n.account
        where f.id = %s
        """,
        (now, id),
    )
    return None if row is None else _family(row)


async def is_live(reader: Reader, id: UUID, now: datetime) -> bool:
    return bool(
        await reader.fetch_value(
            f"""
            select {_LIVE}
            from oauth_family f
            join sign_on n on n.id = f.sign_on
            join account a on a.id = n.account
            where f.id = %s
            """,
            (now, id),
        )
    )


async def revoke(tx: Transaction, id: UUID, why: str, now: datetime) -> bool:
    """End a family; false when it had ended."""
    done = await tx.execute(
        "update oauth_family set revoked_at = %s, revoked_why = %s where id = %s and revoked_at is null",
        (now, why, id),
    )
    return done == 1


async def to_tell(reader: Reader, sign_on: UUID) -> list[tuple[str, str]]:
    """The clients to tell that a session ended, with the issuer that each knows."""
    rows = await reader.fetch_all(
        """
        select distinct f.client, f.issuer
        from oauth_family f
        join oauth_client c on c.id = f.client
        where f.sign_on = %s and c.backchannel_logout_uri is not null
        order by 1, 2
        """,
        (sign_on,),
    )
    return [(client, issuer) for client, issuer in rows]


async def insert_code(
    tx: Transaction, code: bytes, family: UUID, redirect_uri: str, challenge: str | None, ends: datetime
) -> None:
    await tx.execute(
        """
        insert into oauth_code (code_hash, family, redirect_uri, challenge, expires_at)
        values (%s, %s, %s, %s, %s)
        """,
        (code, family, redirect_uri, challenge, ends),
    )


async def use_code(tx: Transaction, code: bytes, now: datetime) -> Code | None:
    """Take a code, marking it used: `used` says whether somebody had before."""
    row = await tx.fetch_one(
        f"""
        with before as (
          select family, redirect_uri, challenge, expires_at, used_at is not null as used
          from oauth_code
          where code_hash = %s
          for update
        ), taken as (
          update oauth_code set used_at = %s where code_hash = %s and used_at is null
        )
        select {_FAMILY}, {_LIVE}, b.redirect_uri, b.challenge, b.expires_at, b.used
        from before b
        join oauth_family f on f.id = b.family
        join sign_on n on n.id = f.sign_on
        join account a on a.id = n.account
        """,
        (code, now, code, now),
    )
    return None if row is None else Code(_family(row), *row[_WIDTH:])


async def insert_refresh(tx: Transaction, token: bytes, family: UUID, now: datetime, ends: datetime) -> None:
    tx.enqueue(
        "insert into oauth_refresh (token_hash, family, issued_at, expires_at) values (%s, %s, %s, %s)",
        (token, family, now, ends),
    )


async def rotate(
    spending: Reader, token: bytes, client: str, successor: bytes, now: datetime, ends: datetime, idle: datetime
) -> Family | None:
    """Use a refresh token of this client and put its successor, in one statement; None when it cannot be used."""
    row = await spending.fetch_one(
        f"""
        with spent as (
          update oauth_refresh r
          set used_at = %s
          from oauth_family f
          join sign_on n on n.id = f.sign_on
          join account a on a.id = n.account
          where r.token_hash = %s and r.used_at is null and r.expires_at > %s and f.id = r.family and f.client = %s
            and n.idle_ends_at > %s and {_LIVE}
          returning {_FAMILY}, true, f.id as of_family, f.ends_at as at_latest, n.id as of_sign_on
        ), replaced as (
          insert into oauth_refresh (token_hash, family, issued_at, expires_at)
          select %s, of_family, %s, least(%s, at_latest)
          from spent
        ), kept_alive as (
          update sign_on
          set idle_ends_at = %s
          where id = (select of_sign_on from spent)
        )
        select spent.*
        from spent
        """,
        (now, token, now, client, now, now, successor, now, ends, idle),
    )
    return None if row is None else _family(row)


async def refresh(reader: Reader, token: bytes, now: datetime) -> tuple[Family, bool, datetime] | None:
    """The family of a refresh token, whether it was used, when it expires."""
    row = await reader.fetch_one(
        f"""
        select {_FAMILY}, {_LIVE} and n.idle_ends_at > %s, r.used_at is not null, r.expires_at
        from oauth_refresh r
        join oauth_family f on f.id = r.family
        join sign_on n on n.id = f.sign_on
        join account a on a.id = n.account
        where r.token_hash = %s
        """,
        (now, now, token),
    )
    return None if row is None else (_family(row), row[_WIDTH], row[_WIDTH + 1])


def _family(row: Row) -> Family:
    id, client, sign_on, means, issuer, scopes, situation, nonce, since, ends, patient, encounter, live = row[
        ACCOUNT_WIDTH:_WIDTH
    ]
    return Family(
        id=id, client=client, sign_on=sign_on, account=account_of_row(row), means=Means(means), issuer=issuer,
        scopes=tuple(scopes), situation=situation, nonce=nonce, authenticated_at=since,
        ends_at=ends, opened=Opened(patient, encounter), live=live,
    )  # fmt: skip
