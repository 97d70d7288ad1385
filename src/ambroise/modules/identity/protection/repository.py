"""The SQL of devices, of alerts and of second factors."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.modules.identity.protection.model import Alert, AlertKind, CodesBy, Device


async def knows(reader: Reader, device: bytes) -> bool:
    return bool(await reader.fetch_value("select exists (select from account_device where token_hash = %s)", (device,)))


async def trusts(reader: Reader, device: bytes, now: datetime) -> bool:
    return bool(
        await reader.fetch_value(
            "select exists (select from account_device where token_hash = %s and trusted_until > %s)", (device, now)
        )
    )


async def knows_any(reader: Reader, account: UUID) -> bool:
    return bool(await reader.fetch_value("select exists (select from account_device where account = %s)", (account,)))


async def remember(
    tx: Transaction,
    device: bytes,
    id: UUID,
    account: UUID,
    agent: str,
    network: str,
    now: datetime,
    trusted_until: datetime | None,
) -> None:
    """Keep a browser, or note that it came again; the trust given before stays."""
    await tx.execute(
        """
        insert into account_device as d (token_hash, id, account, agent, network, first_seen_at, seen_at, trusted_until)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (token_hash) do update
        set agent = excluded.agent, network = excluded.network, seen_at = excluded.seen_at,
          trusted_until = coalesce(excluded.trusted_until, d.trusted_until)
        """,
        (device, id, account, agent, network, now, now, trusted_until),
    )


async def devices(reader: Reader, account: UUID, present: bytes | None) -> list[Device]:
    rows = await reader.fetch_all(
        """
        select id, agent, network, first_seen_at, seen_at, trusted_until, token_hash is not distinct from %s
        from account_device
        where account = %s
        order by seen_at desc, id
        limit 50
        """,
        (present, account),
    )
    return [Device(*row) for row in rows]


async def tie_session(tx: Transaction, token_hash: bytes, device: bytes) -> None:
    """Note from which device a session was opened."""
    await tx.execute("update session set device = %s where token_hash = %s", (device, token_hash))


async def close_sessions_of(tx: Transaction, account: UUID, device: UUID, now: datetime) -> None:
    await tx.execute(
        """
        update session
        set closed_at = %s
        where account = %s
          and closed_at is null
          and device = (select token_hash from account_device where id = %s and account = %s)
        """,
        (now, account, device, account),
    )


async def forget(tx: Transaction, account: UUID, device: UUID) -> bool:
    return await tx.execute("delete from account_device where id = %s and account = %s", (device, account)) == 1


async def forget_all(tx: Transaction, account: UUID, but: bytes | None) -> int:
    return await tx.execute(
        "delete from account_device where account = %s and token_hash is distinct from %s", (account, but)
    )


async def trust_no_more(tx: Transaction, account: UUID) -> None:
    """Every browser is asked for a code again."""
    await tx.execute("update account_device set trusted_until = null where account = %s", (account,))


async def codes_by(reader: Reader, account: UUID) -> CodesBy | None:
    kept = await reader.fetch_value("select codes_by from account where id = %s", (account,))
    return None if kept is None else CodesBy(kept)


async def set_codes_by(tx: Transaction, account: UUID, by: CodesBy | None) -> None:
    await tx.execute("update account set codes_by = %s where id = %s", (by and by.value, account))


async def drop_totp(tx: Transaction, account: UUID) -> None:
    await tx.execute(
        "update account set totp_secret = null, totp_confirmed_at = null, totp_last_step = 0 where id = %s", (account,)
    )


async def drop_password(tx: Transaction, account: UUID) -> None:
    await tx.execute("update account set password_hash = null where id = %s", (account,))


async def recovery_codes_left(reader: Reader, account: UUID) -> int:
    return await reader.fetch_value(
        "select count(*)::int from account_recovery_code where account = %s and used_at is null", (account,)
    )


async def put_alert(tx: Transaction, alert: Alert, token_hash: bytes, former_contacts: bytes | None) -> None:
    await tx.execute(
        """
        insert into account_alert (id, account, kind, agent, network, token_hash, raised_at, former_contacts)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            alert.id, alert.account, alert.kind.value, alert.agent, alert.network, token_hash, alert.raised_at,
            former_contacts,
        ),
    )  # fmt: skip


async def former_contacts(reader: Reader, alert: UUID) -> bytes | None:
    box = await reader.fetch_value("select former_contacts from account_alert where id = %s", (alert,))
    return None if box is None else bytes(box)


async def alerts(reader: Reader, account: UUID, since: datetime) -> list[Alert]:
    """The warnings that wait for an answer, the latest first."""
    rows = await reader.fetch_all(
        f"""
        select {_ALERT}
        from account_alert
        where account = %s
          and answered_at is null
          and raised_at > %s
        order by raised_at desc, id
        limit 20
        """,
        (account, since),
    )
    return [_alert(row) for row in rows]


async def alert_of_token(reader: Reader, token_hash: bytes, since: datetime) -> Alert | None:
    """The warning of a letter, whose answer may still change to "it was not me"."""
    row = await reader.fetch_one(
        f"select {_ALERT} from account_alert where token_hash = %s and raised_at > %s and not disowned",
        (token_hash, since),
    )
    return None if row is None else _alert(row)


async def answer(tx: Transaction, account: UUID, alert: UUID, now: datetime, *, disowned: bool) -> bool:
    answered = await tx.execute(
        "update account_alert set answered_at = %s, disowned = %s where id = %s and account = %s",
        (now, disowned, alert, account),
    )
    return answered == 1


async def sweep(tx: Transaction, alerts_before: datetime, devices_before: datetime) -> None:
    """Forget warnings and browsers older than these instants."""
    await tx.execute("delete from account_alert where raised_at < %s", (alerts_before,))
    await tx.execute("delete from account_device where seen_at < %s", (devices_before,))


_ALERT = "id, account, kind, agent, network, raised_at"


def _alert(row: Any) -> Alert:
    return Alert(row[0], row[1], AlertKind(row[2]), *row[3:])
