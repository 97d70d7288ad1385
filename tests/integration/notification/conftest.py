"""People with accounts, a real mail server, and the worker's part of telling."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import pytest

from ambroise.interfaces.web.letters import Postman
from ambroise.interfaces.web.notices import push_words
from ambroise.kernel.crypto import ApplicationSecret
from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.api import AccountKind, Identity, KeySealer, NewAccount
from ambroise.modules.letters.api import LETTER_RETURNED, LETTER_WRITTEN, Letters, Smtp
from ambroise.modules.letters.api import Channel as LetterChannel
from ambroise.modules.notification.api import PUSH_DUE, Pusher, PushServices, Teller, Vapid, Wishing
from ambroise.modules.relations.api import Mediation, Relations
from tests.integration.record.conftest import World, world
from tests.integration.relations.conftest import Family
from tests.support.mail import MailServer, mail_server

__all__ = ["mail_server", "world"]

SECRET = ApplicationSecret(b"s" * 32)


@dataclass
class Town:
    """The world, its people, and what tells them."""

    world: World
    family: Family
    identity: Identity
    mails: MailServer
    letters: Letters
    wishing: Wishing
    teller: Teller
    delivery: Delivery
    addresses: dict[UUID, str] = field(default_factory=dict[UUID, str])

    async def account(self, person: UUID, address: str) -> None:
        """Let somebody have an account and a mail address."""
        self.addresses[person] = address
        async with self.world.database.transaction() as tx:
            await self.identity.create_account(tx, NewAccount(AccountKind.CITIZEN, address, "Alix FICTIF", person))

    async def work(self) -> None:
        """What the worker does until nothing is due."""
        async with self.world.database.transaction() as tx:
            await self.teller.work(tx)
        await self.delivery.deliver_all()

    async def states(self, person: UUID) -> list[tuple[str, str, str, str | None]]:
        """What was sent to somebody, oldest first."""
        async with self.world.database.reader() as reader:
            sent = await self.wishing.sent(reader, self.family.of(person))
        return [(one.code, one.channel.value, one.state, one.reason) for one in reversed(sent)]


@pytest.fixture
def town(world: World, mail_server: MailServer) -> Town:
    clock, database = world.clock, world.database
    letters = Letters.over(
        clock, SECRET, channels=frozenset({LetterChannel.MAIL}), demonstration=False, bounces="retours@ambroise.exemple"
    )
    pusher = Pusher(Vapid.of(SECRET, "mailto:ambroise@exemple.fr"), PushServices((), local=True), clock)
    wishing = Wishing(clock, SECRET.derive("notification"), pusher)
    addresses: dict[UUID, str] = {}

    async def mail_of(tx: Transaction, person: UUID) -> str | None:
        return addresses.get(person)

    teller = Teller(database, clock, letters, mail_of, wishing.key, push_words, pusher)
    smtp = Smtp(mail_server.url, "Ambroise <ambroise@exemple.fr>")
    subscriptions = Subscriptions()
    subscriptions.on(LETTER_WRITTEN, Postman(letters, smtp, "https://ambroise.exemple").post)
    subscriptions.on(LETTER_WRITTEN, teller.letter_left)
    subscriptions.on(LETTER_RETURNED, teller.letter_returned)
    subscriptions.on(PUSH_DUE, teller.push)
    return Town(
        world,
        Family(world, Relations(world.gateway), Mediation(world.gateway)),
        Identity(database, clock, KeySealer(SECRET), demonstration=False),
        mail_server,
        letters,
        wishing,
        teller,
        Delivery(database, subscriptions, clock),
        addresses,
    )
