"""The SQL of accounts and sessions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.modules.identity.model import (
    Account,
    AccountKind,
    Emergency,
    NewAccount,
    Session,
    SignInMeans,
    Situation,
)

_SITUATIONS = """
  coalesce((
    select array_agg(array[profession, profession_system, specialty, organization, organization_name, role_title]
      order by number)
    from account_situation s
    where s.account = a.id
  ), '{}')
"""
_ACCOUNT = """
  a.id, a.kind, a.sign_in_name, a.display_name, a.patient, a.professional, a.duties,
  array[
    a.totp_confirmed_at is not null,
    exists (select from passkey k where k.account = a.id and k.revoked_at is null)
  ],
  a.demonstration, a.demonstration_note,
"""
ACCOUNT_COLUMNS = f"{_ACCOUNT} {_SITUATIONS}"
"""What `account_of_row` reads, from `account a`: the first `ACCOUNT_WIDTH` columns of a row."""
ACCOUNT_WIDTH = 11


class Credentials(Struct, frozen=True):
    """What the sign-in needs to check somebody."""

    account: Account
    password_hash: str | None
    totp_secret: bytes | None
    totp_last_step: int
    suspended: bool


class Failures(Struct, frozen=True):
    count: int
    last_at: datetime


async def insert_account(tx: Transaction, id: UUID, new: NewAccount, now: datetime) -> None:
    await tx.execute(
        """
        insert into account (id, kind, sign_in_name, display_name, patient, professional, duties, password_hash,
          demonstration, demonstration_rank, demonstration_note, created_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            id, new.kind.value, new.sign_in_name, new.display_name, new.patient, new.professional, sorted(new.duties),
            new.password, new.demonstration, new.demonstration_rank, new.demonstration_note, now,
        ),
    )  # fmt: skip
    if new.situations:
        await tx.execute_many(
            """
            insert into account_situation (account, number, profession, profession_system, specialty, organization,
              organization_name, role_title)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    id, number, s.profession, s.profession_system, s.specialty,
                    s.organization, s.organization_name, s.role_title,
                )
                for number, s in enumerate(new.situations)
            ],
        )  # fmt: skip


async def credentials(reader: Reader, *, name: str | None = None, account: UUID | None = None) -> Credentials | None:
    row = await reader.fetch_one(
        f"""
        select {_ACCOUNT} {_SITUATIONS}, a.password_hash, a.totp_secret, a.totp_last_step, a.suspended_at is not null
        from account a
        where a.sign_in_name = %s or a.id = %s
        """,
        (name, account),
    )
    if row is None:
        return None
    return Credentials(account_of_row(row), row[11], row[12], row[13], row[14])


async def find_account(reader: Reader, patient: UUID | None, professional: str | None) -> Account | None:
    row = await reader.fetch_one(
        f"select {_ACCOUNT} {_SITUATIONS} from account a where a.patient = %s or a.professional = %s",
        (patient, professional),
    )
    return None if row is None else account_of_row(row)


async def having_account(reader: Reader, people: Collection[UUID]) -> set[UUID]:
    """Which of these citizens (by Patient) have an account."""
    rows = await reader.fetch_all(
        "select patient from account where patient = any(%s) and suspended_at is null", (list(people),)
    )
    return {patient for (patient,) in rows}


async def demonstration_accounts(reader: Reader, kind: AccountKind, words: str, count: int) -> list[Account]:
    rows = await reader.fetch_all(
        f"""
        select {_ACCOUNT} {_SITUATIONS}
        from account a
        where a.demonstration and a.kind = %s and a.suspended_at is null
          and (a.display_name ilike %s or a.sign_in_name ilike %s)
        order by a.demonstration_rank nulls last, a.display_name, a.id
        limit %s
        """,
        (kind.value, f"%{_like(words)}%", f"%{_like(words)}%", count),
    )
    return [account_of_row(row) for row in rows]


async def has_demonstration_accounts(reader: Reader) -> bool:
    return bool(await reader.fetch_value("select exists (select from account where demonstration)"))


async def set_password(tx: Transaction, account: UUID, kept: str) -> None:
    await tx.execute("update account set password_hash = %s where id = %s", (kept, account))


async def set_totp_secret(tx: Transaction, account: UUID, sealed: bytes) -> None:
    await tx.execute(
        "update account set totp_secret = %s, totp_confirmed_at = null, totp_last_step = 0 where id = %s",
        (sealed, account),
    )


async def confirm_totp(tx: Transaction, account: UUID, now: datetime) -> None:
    await tx.execute("update account set totp_confirmed_at = %s where id = %s", (now, account))


async def use_totp_step(tx: Transaction, account: UUID, step: int) -> bool:
    """Whether this step was still unused; two requests with the same code cannot both pass."""
    used = await tx.execute(
        "update account set totp_last_step = %s where id = %s and totp_last_step < %s", (step, account, step)
    )
    return used == 1


async def replace_recovery_codes(tx: Transaction, account: UUID, hashes: list[bytes]) -> None:
    await tx.execute("delete from account_recovery_code where account = %s", (account,))
    await tx.execute_many(
        "insert into account_recovery_code (account, code_hash) values (%s, %s)", [(account, code) for code in hashes]
    )


async def use_recovery_code(tx: Transaction, account: UUID, code: bytes, now: datetime) -> bool:
    used = await tx.execute(
        "update account_recovery_code set used_at = %s where account = %s and code_hash = %s and used_at is null",
        (now, account, code),
    )
    return used == 1


async def failures(reader: Reader, keys: list[bytes]) -> dict[bytes, Failures]:
    rows = await reader.fetch_all("select key, failures, last_at from sign_in_failure where key = any(%s)", (keys,))
    return {bytes(key): Failures(count, last_at) for key, count, last_at in rows}


async def add_failure(tx: Transaction, key: bytes, now: datetime, forget_before: datetime) -> None:
    await tx.execute(
        """
        insert into sign_in_failure as f (key, failures, last_at)
        values (%s, 1, %s)
        on conflict (key) do update
        set failures = case when f.last_at < %s then 1 else f.failures + 1 end, last_at = excluded.last_at
        """,
        (key, now, forget_before),
    )


async def take_failure_back(tx: Transaction, key: bytes, before: Failures | None) -> None:
    """Undo one `add_failure`; what others counted meanwhile stays, and so does the moment of theirs."""
    if before is None:
        await tx.execute("delete from sign_in_failure where key = %s and failures <= 1", (key,))
    await tx.execute(
        """
        update sign_in_failure
        set failures = failures - 1, last_at = case when failures = %s + 1 then %s else last_at end
        where key = %s
        """,
        (before.count if before else 0, before.last_at if before else None, key),
    )


async def clear_failures(tx: Transaction, key: bytes) -> None:
    await tx.execute("delete from sign_in_failure where key = %s", (key,))


async def insert_session(
    tx: Transaction,
    token_hash: bytes,
    id: UUID,
    account: UUID,
    complete: bool,
    now: datetime,
    idle: datetime,
    end: datetime,
    means: SignInMeans,
) -> None:
    await tx.execute(
        """
        insert into session (token_hash, id, account, complete, opened_at, seen_at, idle_ends_at, ends_at, means,
          proven_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (token_hash, id, account, complete, now, now, idle, end, means.value, now if complete else None),
    )


async def renew_session(
    tx: Transaction, session: UUID, token_hash: bytes, means: SignInMeans, now: datetime, idle: datetime
) -> bool:
    """Give a session a new token, its holder having shown a means again; false when it ended meanwhile."""
    renewed = await tx.execute(
        """
        update session
        set token_hash = %s, means = %s, proven_at = %s, seen_at = %s, idle_ends_at = %s
        where id = %s
          and complete
          and closed_at is null
        """,
        (token_hash, means.value, now, now, idle, session),
    )
    return renewed == 1


async def session(reader: Reader, token_hash: bytes, now: datetime) -> tuple[Session, datetime] | None:
    """The session of a token, ended or not, and when it was last seen."""
    row = await reader.fetch_one(
        f"""
        select {_ACCOUNT} {_SITUATIONS}, n.id, n.complete, n.situation, n.opened_at, least(n.ends_at, n.idle_ends_at),
          n.closed_at is null and n.idle_ends_at > %s and n.ends_at > %s and a.suspended_at is null,
          n.acting_for, n.relation, n.secret, n.seen_at,
          coalesce((
            select jsonb_agg(
              jsonb_build_array(e.patient, e.purpose, e.reason, e.opened_at, e.ends_at) order by e.opened_at
            )
            from session_emergency e
            where e.session = n.id and e.ends_at > %s
          ), '[]'),
          n.means, n.proven_at, n.followed_until
        from session n
        join account a on a.id = n.account
        where n.token_hash = %s
        """,
        (now, now, now, token_hash),
    )
    if row is None:
        return None
    return Session(
        id=row[11], account=account_of_row(row), complete=row[12], situation=row[13], opened_at=row[14],
        ends_at=row[15], live=row[16], acting_for=row[17], relation=row[18], secret=row[19],
        emergencies=tuple(_emergency(item) for item in row[21]), means=row[22], proven_at=row[23],
        followed_until=row[24],
    ), row[20]  # fmt: skip


async def suspend_departed(tx: Transaction, professionals: Sequence[str], at: datetime) -> int:
    """Suspend the accounts of professionals (PS_IdNat) who left the directory; how many."""
    return await tx.execute(
        """
        update account
        set suspended_at = %s, suspended_for = 'departed'
        where professional = any(%s)
          and suspended_at is null
        """,
        (at, list(professionals)),
    )


async def restore_departed(tx: Transaction, professionals: Sequence[str]) -> int:
    """Give back the accounts that were suspended because their professional had left; how many."""
    return await tx.execute(
        """
        update account
        set suspended_at = null, suspended_for = null
        where professional = any(%s)
          and suspended_for = 'departed'
        """,
        (list(professionals),),
    )


async def touch_session(tx: Transaction, token_hash: bytes, now: datetime, idle: datetime) -> None:
    await tx.execute(
        "update session set seen_at = %s, idle_ends_at = %s where token_hash = %s", (now, idle, token_hash)
    )


async def close_session(tx: Transaction, token_hash: bytes, now: datetime) -> None:
    await tx.execute("update session set closed_at = %s where token_hash = %s and closed_at is null", (now, token_hash))


async def carry_sessions(tx: Transaction, step: timedelta) -> int:
    """Carry open sessions with the clock of a demonstration; how many."""
    return await tx.execute(
        """
        update session
        set seen_at = seen_at + %(step)s, idle_ends_at = idle_ends_at + %(step)s, ends_at = ends_at + %(step)s
        where closed_at is null
        """,
        {"step": step},
    )


async def delete_account_of(tx: Transaction, patient: UUID) -> int:
    return await tx.execute("delete from account where patient = %s", (patient,))


async def close_sessions(tx: Transaction, account: UUID, now: datetime, except_id: UUID | None) -> int:
    return await tx.execute(
        "update session set closed_at = %s where account = %s and closed_at is null and id is distinct from %s",
        (now, account, except_id),
    )


async def set_space(tx: Transaction, session: UUID, acting_for: UUID | None, relation: str | None) -> None:
    await tx.execute("update session set acting_for = %s, relation = %s where id = %s", (acting_for, relation, session))


async def set_situation(tx: Transaction, session: UUID, number: int) -> None:
    await tx.execute("update session set situation = %s where id = %s", (number, session))


async def put_emergency(tx: Transaction, session: UUID, emergency: Emergency) -> None:
    await tx.execute(
        """
        insert into session_emergency (session, patient, purpose, reason, opened_at, ends_at)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (session, patient) do update
        set purpose = excluded.purpose, reason = excluded.reason, opened_at = excluded.opened_at,
          ends_at = excluded.ends_at
        """,
        (session, emergency.patient, emergency.purpose, emergency.reason, emergency.opened_at, emergency.ends_at),
    )


async def end_emergency(tx: Transaction, session: UUID, patient: UUID) -> None:
    await tx.execute("delete from session_emergency where session = %s and patient = %s", (session, patient))


async def put_draft(tx: Transaction, account: UUID, path: str, sealed: bytes, now: datetime) -> None:
    await tx.execute(
        """
        insert into session_draft (account, path, sealed, saved_at)
        values (%s, %s, %s, %s)
        on conflict (account, path) do update set sealed = excluded.sealed, saved_at = excluded.saved_at
        """,
        (account, path, sealed, now),
    )


async def take_draft(tx: Transaction, account: UUID, path: str) -> tuple[bytes, datetime] | None:
    row = await tx.fetch_one(
        "delete from session_draft where account = %s and path = %s returning sealed, saved_at", (account, path)
    )
    return None if row is None else (bytes(row[0]), row[1])


async def sweep(tx: Transaction, before: datetime) -> int:
    """Forget sessions that ended, drafts and failures older than this instant."""
    await tx.execute("delete from session_draft where saved_at < %s", (before,))
    await tx.execute("delete from sign_in_failure where last_at < %s", (before,))
    return await tx.execute("delete from session where least(ends_at, idle_ends_at, closed_at) < %s", (before,))


def account_of_row(row: Row) -> Account:
    """The account at the beginning of a row."""
    return Account(
        id=row[0], kind=AccountKind(row[1]), sign_in_name=row[2], display_name=row[3], patient=row[4],
        professional=row[5], duties=frozenset(row[6]), has_second_factor=row[7][0], has_passkey=row[7][1],
        demonstration=row[8], demonstration_note=row[9],
        situations=tuple(Situation(*values) for values in row[10]),
    )  # fmt: skip


def _emergency(item: list[Any]) -> Emergency:
    patient, purpose, reason, opened, ends = item
    return Emergency(UUID(patient), purpose, reason, datetime.fromisoformat(opened), datetime.fromisoformat(ends))


def _like(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
