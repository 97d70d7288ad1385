"""The SQL of clients and of what people agreed to tell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.modules.identity.provider.model import PORTAL, Client, ClientAuthentication, Grant, Listed

_CLIENT = """
  id, name, authentication, secret_hash, redirect_uris, post_logout_uris, backchannel_logout_uri, grants, scopes,
  created_at, jwks, tls_subject, launch_uri
"""


async def insert(tx: Transaction, client: Client, registered_by: str) -> None:
    await tx.execute(
        """
        insert into oauth_client (id, name, authentication, secret_hash, redirect_uris, post_logout_uris,
          backchannel_logout_uri, grants, scopes, registered_by, created_at, jwks, tls_subject, launch_uri)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)
        """,
        (
            client.id, client.name, client.authentication.value, client.secret_hash, list(client.redirect_uris),
            list(client.post_logout_uris), client.backchannel_logout_uri, sorted(client.grants), sorted(client.scopes),
            registered_by, client.created_at, orjson.dumps(client.jwks).decode() if client.jwks else None,
            client.tls_subject, client.launch_uri,
        ),
    )  # fmt: skip


async def find(reader: Reader, id: str) -> Client | None:
    """A client that was not disabled."""
    row = await reader.fetch_one(
        f"select {_CLIENT} from oauth_client where id = %s and disabled_at is null",
        (id,),
    )
    return None if row is None else _client(row)


async def public_redirections(reader: Reader) -> list[str]:
    """Where public clients that work come back to: those that run in a browser or on a telephone."""
    rows = await reader.fetch_all(
        """
        select distinct unnest(redirect_uris) as uri
        from oauth_client
        where disabled_at is null and authentication = 'none'
        order by uri
        """
    )
    return [uri for (uri,) in rows]


async def everyone(reader: Reader) -> list[Client]:
    """Every client, by name."""
    rows = await reader.fetch_all(
        f"select {_CLIENT} from oauth_client where disabled_at is null and id <> %s order by name, id", (PORTAL,)
    )
    return [_client(row) for row in rows]


async def listed(reader: Reader) -> list[Listed]:
    """Every client, suspended ones included, by name."""
    rows = await reader.fetch_all(
        f"select {_CLIENT}, disabled_at from oauth_client where id <> %s order by name, id", (PORTAL,)
    )
    return [Listed(_client(row), row[13]) for row in rows]


async def renew_secret(tx: Transaction, id: str, secret_hash: bytes) -> bool:
    done = await tx.execute(
        "update oauth_client set secret_hash = %s where id = %s and authentication = 'client_secret'", (secret_hash, id)
    )
    return done == 1


async def enable(tx: Transaction, id: str) -> bool:
    done = await tx.execute(
        "update oauth_client set disabled_at = null where id = %s and disabled_at is not null", (id,)
    )
    return done == 1


async def end_families(tx: Transaction, client: str, now: datetime, why: str) -> int:
    """End everything that this client was given."""
    return await tx.execute(
        "update oauth_family set revoked_at = %s, revoked_why = %s where client = %s and revoked_at is null",
        (now, why, client),
    )


async def disable(tx: Transaction, id: str, now: datetime) -> bool:
    done = await tx.execute("update oauth_client set disabled_at = %s where id = %s and disabled_at is null", (now, id))
    return done == 1


async def use_assertion(tx: Transaction, assertion: bytes, ends: datetime) -> bool:
    """Spend an assertion; false when it was spent."""
    done = await tx.execute(
        "insert into oauth_assertion (assertion_hash, expires_at) values (%s, %s) on conflict do nothing",
        (assertion, ends),
    )
    return done == 1


async def sweep_assertions(tx: Transaction, before: datetime) -> int:
    return await tx.execute("delete from oauth_assertion where expires_at < %s", (before,))


async def consented(reader: Reader, account: UUID, client: str, scopes: Sequence[str]) -> bool:
    """Whether this person agreed that this client be told at least this."""
    return bool(
        await reader.fetch_value(
            "select exists (select from oauth_consent where account = %s and client = %s and scopes @> %s::text[])",
            (account, client, list(scopes)),
        )
    )


async def consent(tx: Transaction, account: UUID, client: str, scopes: Sequence[str], now: datetime) -> None:
    await tx.execute(
        """
        insert into oauth_consent as c (account, client, scopes, given_at)
        values (%s, %s, %s, %s)
        on conflict (account, client) do update
        set scopes = array(select distinct unnest(c.scopes || excluded.scopes) order by 1), given_at = excluded.given_at
        """,
        (account, client, sorted(scopes), now),
    )


def _client(row: Row) -> Client:
    return Client(
        id=row[0], name=row[1], authentication=ClientAuthentication(row[2]),
        secret_hash=bytes(row[3]) if row[3] is not None else None, redirect_uris=tuple(row[4]),
        post_logout_uris=tuple(row[5]), backchannel_logout_uri=row[6],
        grants=frozenset(Grant(name) for name in row[7]), scopes=frozenset(row[8]), created_at=row[9],
        jwks=row[10], tls_subject=row[11], launch_uri=row[12],
    )  # fmt: skip
