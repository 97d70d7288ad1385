"""Mails that come back by SMTP: told in the log and to the holder; nothing more is sent until the address is read."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from ambroise.interfaces.bounces.listener import Listener
from ambroise.modules.letters.api import LARGEST, Channel
from ambroise.modules.notification.api import Code, notices, notify
from tests.integration.notification.conftest import Town
from tests.unit.letters.test_returns import report

GONE = report("Action: failed", "Status: 5.1.1")
FULL = report("Action: failed", "Status: 5.2.2")


@pytest.fixture
async def port(town: Town) -> AsyncIterator[int]:
    one = socket.create_server(("127.0.0.1", 0))
    async with Listener(town.world.database, town.letters, [one]):
        yield one.getsockname()[1]


async def hand_over(port: int, recipient: str, content: bytes = GONE) -> tuple[int, bytes]:
    """What the server of SMTP says to a mail, as another mail server would hand it over."""

    def talk() -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
            server.ehlo()
            server.mail("")
            code, said = server.rcpt(recipient)
            return server.data(content) if code == 250 else (code, said)

    return await asyncio.to_thread(talk)


async def tell(town: Town, code: Code = Code.DOCUMENT_ADDED) -> list[tuple[str, str | None]]:
    """Tell the holder something; what became of all that was sent by mail so far."""
    town.world.clock.move(timedelta(minutes=1))
    async with town.world.database.transaction() as tx:
        await notify(tx, town.world.patient, town.world.clock.now(), code)
    await town.work()
    return await ends(town)


async def ends(town: Town) -> list[tuple[str, str | None]]:
    return [(state, reason) for _, channel, state, reason in await town.states(town.world.patient) if channel == "mail"]


async def centre(town: Town) -> list[str]:
    async with town.world.database.reader() as reader:
        return [one.code for one in await notices(reader, town.world.citizen, count=50)]


async def test_an_address_that_is_gone_is_paused_told_and_written_to_again_once_it_is_read(
    town: Town, port: int
) -> None:
    await town.account(town.world.patient, "ana@exemple.fr")
    assert await tell(town) == [("sent", None)]
    (path,) = town.mails.return_paths
    assert path.startswith("retours+")
    assert path.endswith("@ambroise.exemple")

    # Nobody makes one up, uses the server for another purpose, or sends more than a bounce has.
    forged = path[:12] + ("b" if path[12] == "a" else "a") + path[13:]
    assert [(await hand_over(port, one))[0] for one in (forged, "ana@exemple.fr", "retours@ambroise.exemple")] == [
        550
    ] * 3
    assert (await hand_over(port, path, b"a line of a mail\r\n" * (LARGEST // 16)))[0] == 552
    assert (await hand_over(port, path, report("Action: delayed", "Status: 4.4.1")))[0] == 250
    await town.work()
    assert await ends(town) == [("sent", None)]

    assert (await hand_over(port, path.upper()))[0] == 250
    await town.work()
    assert await ends(town) == [("failed", "returned")]
    assert (await centre(town)).count("MAIL_REVENU") == 1
    assert await tell(town) == [("failed", "returned"), ("failed", "held")]
    assert await tell(town, Code.EMERGENCY_ACCESS) == [("failed", "returned"), ("failed", "held"), ("failed", "held")]
    assert len(town.mails.taken) == 1, "nothing more is sent there"

    # The same bounce once more changes nothing; an address that its holder proves to read is written to again.
    async with town.world.database.transaction() as tx:
        await town.letters.reads(tx, Channel.MAIL, "Ana@exemple.fr")
    assert (await hand_over(port, path))[0] == 250
    await town.work()
    assert (await tell(town))[-1] == ("sent", None)
    assert (await centre(town)).count("MAIL_REVENU") == 1


async def test_a_box_that_stays_full_is_paused_after_the_third_mail_and_another_address_is_not(
    town: Town, port: int
) -> None:
    await town.account(town.world.patient, "ana@exemple.fr")
    for number in range(3):
        assert (await tell(town))[-1] == ("sent", None), f"mail {number} leaves"
        await hand_over(port, town.mails.return_paths[-1], FULL)
        await town.work()
    assert (await tell(town))[-1] == ("failed", "held")
    town.addresses[town.world.patient] = "ana@autre.exemple"
    assert (await tell(town))[-1] == ("sent", None)
    town.addresses[town.world.patient] = "ana@exemple.fr"
    town.world.clock.move(timedelta(days=366))
    async with town.world.database.transaction() as tx:
        await town.letters.sweep(tx)
    assert (await tell(town))[-1] == ("sent", None), "tried again after a year"


async def test_a_reader_whom_the_server_refuses_at_once_is_paused_too_unless_the_fault_may_be_ours(town: Town) -> None:
    await town.account(town.world.patient, "ana@exemple.fr")
    town.mails.refusal = "554 5.7.1 Relay access denied"
    for _ in range(4):
        assert (await tell(town))[-1] == ("failed", "refused")
    assert "MAIL_REVENU" not in await centre(town)
    town.mails.refusal = "550 5.1.1 <ana@exemple.fr>: Recipient address rejected"
    assert (await tell(town))[-1] == ("failed", "refused")
    assert (await centre(town)).count("MAIL_REVENU") == 1
    town.mails.refusal = None
    assert (await tell(town))[-1] == ("failed", "held")


async def test_more_connections_than_a_mail_server_needs_are_turned_away(town: Town, port: int) -> None:
    kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(51)]
    said = [await asyncio.wait_for(reader.readline(), 10) for reader, _ in kept]
    for _, writer in kept:
        writer.close()
    assert [one[:3] for one in said] == [b"220"] * 50 + [b"421"]


async def test_what_a_failure_of_the_server_says_tells_nothing_and_loses_no_bounce(
    town: Town, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.account(town.world.patient, "ana@exemple.fr")
    await tell(town)

    async def fails(*_: object) -> None:
        raise ConnectionError("the database at 10.0.0.7 is away")

    with monkeypatch.context() as patched:
        patched.setattr(type(town.letters), "returned", fails)
        assert await hand_over(port, town.mails.return_paths[0]) == (451, b"4.3.0 Try again later")
    assert (await hand_over(port, town.mails.return_paths[0]))[0] == 250
