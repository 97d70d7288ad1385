"""Letters leave by a real SMTP server, and a real instance forgets what it sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller

from ambroise.interfaces.web.letters import Postman, words_of
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Refusal
from ambroise.kernel.outbox import Delivery, Subscriptions, backlog
from ambroise.modules.letters.api import LETTER_WRITTEN, Attachment, Channel, Kind, Letter, Letters, Smtp

ALL = frozenset(Channel)


class Kept:
    """What a mail server received."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default))
        self.messages.append((envelope.rcpt_tos, message))
        return "250 taken"


@pytest.fixture
def server() -> Iterator[tuple[Controller, Kept]]:
    kept = Kept()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield controller, kept
    controller.stop()


def letters_of(clock: FixedClock, channels: frozenset[Channel] = ALL) -> Letters:
    return Letters.over(clock, ApplicationSecret(b"s" * 32), channels=channels, demonstration=False)


def delivery_of(database: Database, clock: FixedClock, letters: Letters, port: int) -> Delivery:
    smtp = Smtp(f"smtp://127.0.0.1:{port}", "ambroise@exemple.fr", "sms.exemple.fr")
    subscriptions = Subscriptions()
    subscriptions.on(LETTER_WRITTEN, Postman(letters, smtp, "https://ambroise.exemple").post)
    return Delivery(database, subscriptions, clock)


async def write(database: Database, letters: Letters, channel: Channel, address: str, **more: str) -> UUID:
    async with database.transaction() as tx:
        return await letters.write(tx, channel, address, Kind.ENROLMENT_CODE, {"code": "123456"}, **more)


async def test_a_mail_and_an_sms_reach_a_real_server_in_the_language_of_the_person(
    database: Database, clock: FixedClock, server: tuple[Controller, Kept]
) -> None:
    controller, kept = server
    letters = letters_of(clock)
    await write(database, letters, Channel.MAIL, "ana@exemple.fr", language="en")
    await write(database, letters, Channel.SMS, "+33612345678")
    assert await delivery_of(database, clock, letters, controller.port).deliver_all() == 2
    (mail_to, mail), (sms_to, sms) = kept.messages
    assert (mail_to, sms_to) == (["ana@exemple.fr"], ["33612345678@sms.exemple.fr"])
    assert mail["Subject"] == "Ambroise. Your code to open your health space"
    assert "123456" in mail.get_content()
    assert "Votre code est 123456." in sms.get_content()
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_a_mail_takes_its_attachment_with_it(
    database: Database, clock: FixedClock, server: tuple[Controller, Kept]
) -> None:
    controller, kept = server
    letters = letters_of(clock)

    async def attach(tx: Transaction, letter: Letter) -> Attachment:
        return Attachment("preuve.pdf", "application/pdf", b"%PDF-1.7")

    smtp = Smtp(f"smtp://127.0.0.1:{controller.port}", "ambroise@exemple.fr")
    subscriptions = Subscriptions()
    subscriptions.on(LETTER_WRITTEN, Postman(letters, smtp, "https://ambroise.exemple", attach).post)
    await write(database, letters, Channel.MAIL, "ana@exemple.fr")
    await Delivery(database, subscriptions, clock).deliver_all()
    ((_, mail),) = kept.messages
    (part,) = mail.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("preuve.pdf", "application/pdf")
    assert part.get_content() == b"%PDF-1.7"


async def test_a_real_instance_forgets_the_address_and_the_code_once_sent(
    database: Database, clock: FixedClock, server: tuple[Controller, Kept]
) -> None:
    controller, _ = server
    letters = letters_of(clock)
    id = await write(database, letters, Channel.MAIL, "ana@exemple.fr")
    async with database.transaction() as tx:
        waiting = await letters.waiting(tx, id)
        assert waiting is not None
        assert "123456" in words_of(waiting, "").text
    await delivery_of(database, clock, letters, controller.port).deliver_all()
    async with database.transaction() as tx:
        assert await letters.waiting(tx, id) is None
        assert await tx.fetch_value("select sealed is null and sent_at is not null from letter") is True
        assert await letters.latest(tx) == []


async def test_a_server_that_is_away_makes_the_letter_wait(database: Database, clock: FixedClock) -> None:
    letters = letters_of(clock)
    id = await write(database, letters, Channel.MAIL, "ana@exemple.fr")
    await delivery_of(database, clock, letters, 1).deliver_one()
    async with database.transaction() as tx:
        assert await letters.waiting(tx, id) is not None
        assert (await backlog(tx, clock.now())).later == 1


async def test_a_channel_that_is_not_set_up_promises_nothing(database: Database, clock: FixedClock) -> None:
    letters = letters_of(clock, frozenset({Channel.MAIL}))
    with pytest.raises(Refusal, match="LETTERS_UNAVAILABLE") as refused:
        await write(database, letters, Channel.SMS, "+33612345678")
    assert refused.value.code == "LETTERS_UNAVAILABLE"


async def test_letters_leave_after_thirty_days(database: Database, clock: FixedClock) -> None:
    letters = letters_of(clock)
    await write(database, letters, Channel.MAIL, "ana@exemple.fr")
    clock.move(timedelta(days=31))
    async with database.transaction() as tx:
        assert await letters.sweep(tx) == 1


@pytest.mark.parametrize("address", ["http://exemple.fr", "smtp:", "exemple.fr:25"])
def test_an_address_that_is_no_mail_server_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValueError, match="smtp"):
        Smtp(address, "a@exemple.fr")
