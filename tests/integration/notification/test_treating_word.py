"""After an emergency access the treating doctor is told at once, of nobody by name, once, and traced."""

import pytest

from ambroise.interfaces.web.letters import Postman
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.letters.api import LETTER_WRITTEN, Smtp
from ambroise.modules.notification.api import TreatingWord, emergencies_for
from ambroise.trust.access import grants
from ambroise.trust.access.people import Party
from ambroise.trust.context import Professional, Purpose
from ambroise.trust.gateway import EMERGENCY_OPENED
from tests.integration.notification.conftest import Town


@pytest.fixture
def delivery(town: Town) -> Delivery:
    """What the worker does with the events of an emergency."""
    word = TreatingWord(town.teller.letters, town.world.clock)
    smtp = Smtp(town.mails.url, "Ambroise <ambroise@exemple.fr>")
    subscriptions = Subscriptions()
    subscriptions.on(EMERGENCY_OPENED, word.emergency_opened)
    subscriptions.on(EMERGENCY_OPENED, word.emergency_opened)
    subscriptions.on(LETTER_WRITTEN, Postman(town.teller.letters, smtp, "https://ambroise.exemple").post)
    subscriptions.on(LETTER_WRITTEN, town.teller.letter_left)
    return Delivery(town.world.database, subscriptions, town.world.clock)


async def opened(town: Town, number: int) -> None:
    world = town.world
    ctx = world.professional(number, purpose=Purpose.BREAK_GLASS, reason="Inconscient")
    async with world.database.transaction() as tx:
        await world.gateway.open_emergency(tx, ctx, world.patient)


async def logged(town: Town) -> list[tuple[str, str | None]]:
    async with town.world.database.reader() as reader:
        return await reader.fetch_all("select state, reason from notification_delivery order by made_at, id")


async def test_the_treating_doctor_is_told_once_in_the_secure_mailbox_and_the_patient_reads_it(
    town: Town, delivery: Delivery
) -> None:
    world = town.world
    treating = world.professional(1)
    assert isinstance(treating.actor, Professional)
    async with world.database.transaction() as tx:
        await grants.declare_treating(tx, world.citizen, world.patient, Party.of(treating.actor))
    await opened(town, 2)
    await delivery.deliver_all()
    assert await logged(town) == [("failed", "no_address")], "the directory knows no mailbox: the page alone tells"
    async with world.database.transaction() as tx:
        await tx.execute(
            "insert into directory_mailbox (address, kind, professional) values (%s, 'PER', %s)",
            ("dr.un@pro.mssante.example", treating.actor.id),
        )
    await opened(town, 3)
    await opened(town, 1)
    await delivery.deliver_all()
    assert town.mails.to == ["dr.un@pro.mssante.example"], "nobody is told of their own access"
    (mail,) = town.mails.taken
    words = mail.get_content()
    assert "/pro/patients#urgences" in words
    assert not {"PAT-TROIS", "Dr 3", "Inconscient", str(world.patient)} & set(words.split())
    assert await logged(town) == [("failed", "no_address"), ("sent", None)]
    async with world.database.reader() as reader:
        shown = await emergencies_for(reader, treating)
        others = await emergencies_for(reader, world.professional(4))
        traced = await reader.fetch_all(
            "select details ->> 'party', details ->> 'by' from trace where event = 'treating_told' order by xid, id"
        )
    assert sorted(one.party.name for one in shown) == ["Dr 2", "Dr 3"]
    assert others == []
    assert traced == [(treating.actor.id, "portal"), (treating.actor.id, "mail")]
