"""The SQL of passkeys and of their challenges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.modules.identity.passkeys.model import Challenge, Kept, Passkey, Purpose
from ambroise.modules.identity.passkeys.wire import NewKey

_PASSKEY = "id, account, name, synced, created_at, used_at"


async def put_challenge(
    tx: Transaction,
    reference: bytes,
    purpose: Purpose,
    challenge: bytes,
    account: UUID | None,
    browser: bytes,
    expires: datetime,
) -> None:
    await tx.execute(
        """
        insert into passkey_challenge (reference_hash, purpose, challenge, account, browser, expires_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (reference, purpose.value, challenge, account, browser, expires),
    )


async def take_challenge(
    tx: Transaction, reference: bytes, purpose: Purpose, browser: bytes, now: datetime
) -> Challenge | None:
    """The challenge of a reference, once, whatever becomes of its answer."""
    row = await tx.fetch_one(
        """
        delete from passkey_challenge
        where reference_hash = %s
        returning challenge, account, purpose = %s and browser = %s and expires_at > %s
        """,
        (reference, purpose.value, browser, now),
    )
    return None if row is None or not row[2] else Challenge(bytes(row[0]), row[1])


async def sweep(tx: Transaction, before: datetime) -> int:
    """Forget the challenges that nobody answered, and the codes that nobody typed; how many."""
    codes = await tx.execute("delete from passkey_invitation where expires_at < %s", (before,))
    codes += await tx.execute("delete from operator_vouching where expires_at < %s", (before,))
    return codes + await tx.execute("delete from passkey_challenge where expires_at < %s", (before,))


async def insert(tx: Transaction, id: UUID, account: UUID, name: str, key: NewKey, now: datetime) -> bool:
    """Keep a passkey; false when somebody has, or had, this very one."""
    kept = await tx.execute(
        """
        insert into passkey (id, account, credential, public_key, sign_count, synced, name, created_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (credential) do nothing
        """,
        (id, account, key.credential, key.public_key, key.sign_count, key.synced, name, now),
    )
    return kept == 1


async def of_account(reader: Reader, account: UUID) -> list[Passkey]:
    rows = await reader.fetch_all(
        f"select {_PASSKEY} from passkey where account = %s and revoked_at is null order by created_at, id", (account,)
    )
    return [_passkey(row) for row in rows]


async def hold(tx: Transaction, account: UUID) -> list[Passkey]:
    """The passkeys of an account, which nobody else changes before the end of the transaction."""
    await tx.fetch_one("select id from account where id = %s for update", (account,))
    return await of_account(tx, account)


async def credentials_of(reader: Reader, account: UUID) -> Sequence[bytes]:
    rows = await reader.fetch_all(
        "select credential from passkey where account = %s and revoked_at is null order by created_at, id", (account,)
    )
    return [bytes(row[0]) for row in rows]


async def find(reader: Reader, credential: bytes) -> Kept | None:
    row = await reader.fetch_one(
        f"""
        select {_PASSKEY}, credential, public_key, sign_count, revoked_at is not null
        from passkey
        where credential = %s
        """,
        (credential,),
    )
    return None if row is None else Kept(_passkey(row), bytes(row[6]), bytes(row[7]), row[8], row[9])


async def note_use(tx: Transaction, id: UUID, before: int, count: int, now: datetime) -> bool:
    """Note a use; false when another use came in between, or the passkey was revoked."""
    noted = await tx.execute(
        """
        update passkey
        set sign_count = %s, used_at = %s
        where id = %s
          and sign_count = %s
          and revoked_at is null
        """,
        (count, now, id, before),
    )
    return noted == 1


async def rename(tx: Transaction, account: UUID, id: UUID, name: str) -> bool:
    named = await tx.execute(
        "update passkey set name = %s where id = %s and account = %s and revoked_at is null", (name, id, account)
    )
    return named == 1


async def revoke(tx: Transaction, account: UUID, id: UUID, now: datetime) -> bool:
    revoked = await tx.execute(
        "update passkey set revoked_at = %s where id = %s and account = %s and revoked_at is null", (now, id, account)
    )
    return revoked == 1


async def revoke_all(tx: Transaction, account: UUID, now: datetime) -> None:
    await tx.execute("update passkey set revoked_at = %s where account = %s and revoked_at is null", (now, account))


def _passkey(row: Row) -> Passkey:
    return Passkey(row[0], row[1], row[2], row[3], row[4], row[5])


async def put_invitation(
    tx: Transaction, account: UUID, code: bytes, by: str, now: datetime, expires: datetime
) -> None:
    """Keep a code in place of the one before."""
    await tx.execute(
        """
        insert into passkey_invitation (account, code_hash, given_by, given_at, expires_at)
        values (%s, %s, %s, %s, %s)
        on conflict (account) do update
        set code_hash = excluded.code_hash, ticket_hash = null, browser = null, given_by = excluded.given_by,
          given_at = excluded.given_at, expires_at = excluded.expires_at
        """,
        (account, code, by, now, expires),
    )


async def open_invitation(
    tx: Transaction, account: UUID, code: bytes, ticket: bytes, browser: bytes, now: datetime, expires: datetime
) -> bool:
    """Change a code into a ticket, once."""
    opened = await tx.execute(
        """
        update passkey_invitation
        set code_hash = null, ticket_hash = %s, browser = %s, expires_at = %s
        where account = %s
          and code_hash = %s
          and expires_at > %s
        """,
        (ticket, browser, expires, account, code, now),
    )
    return opened == 1


async def invited(reader: Reader, ticket: bytes, browser: bytes, now: datetime) -> UUID | None:
    """Whom a ticket invites, in the browser that has it."""
    return await reader.fetch_value(
        "select account from passkey_invitation where ticket_hash = %s and browser = %s and expires_at > %s",
        (ticket, browser, now),
    )


async def end_invitation(tx: Transaction, account: UUID) -> None:
    await tx.execute("delete from passkey_invitation where account = %s", (account,))


async def vouched_by(tx: Transaction, account: UUID, now: datetime) -> str | None:
    """Who vouched for an operator, for this transaction alone."""
    return await tx.fetch_value(
        "select vouched_by from operator_vouching where account = %s and expires_at > %s for update", (account, now)
    )


async def put_vouching(tx: Transaction, account: UUID, by: str, name: str, expires: datetime) -> None:
    """Keep who vouched first, in place of a vouching that is over."""
    await tx.execute(
        """
        insert into operator_vouching (account, vouched_by, name, expires_at)
        values (%s, %s, %s, %s)
        on conflict (account) do update
        set vouched_by = excluded.vouched_by, name = excluded.name, expires_at = excluded.expires_at
        """,
        (account, by, name, expires),
    )


async def end_vouching(tx: Transaction, account: UUID) -> None:
    """A vouching has served."""
    await tx.execute("delete from operator_vouching where account = %s", (account,))
