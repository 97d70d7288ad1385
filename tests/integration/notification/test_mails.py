"""What people are told by mail: once, in words that say nothing of health, when it suits them, until they refuse it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from ambroise.kernel.outbox import backlog
from ambroise.modules.letters.api import Letters
from ambroise.modules.notification.api import Cadence, Channel, Code, Kind, Rhythm, delete, notify
from tests.integration.notification.conftest import Town
from tests.integration.record.test_feed_checks import LETTER


def body(mail: EmailMessage, sort: str) -> str:
    part = mail.get_body((sort,))
    assert isinstance(part, EmailMessage)
    return part.get_content()


async def test_a_deposit_is_told_by_one_mail_that_says_nothing_of_it_and_can_be_refused(town: Town) -> None:
    world, holder = town.world, town.world.patient
    await town.account(holder, "ana@exemple.fr")
    async with world.database.transaction() as tx:
        await town.wishing.set_rhythm(tx, world.citizen, Rhythm(language="en"))
    await world.submit(world.author, LETTER)
    await town.work()
    await town.work()
    (mail,) = town.mails.taken
    assert (town.mails.to, mail["Subject"]) == (
        ["ana@exemple.fr"],
        "Ambroise. There is something new in your documents",
    )
    assert mail["Message-ID"].endswith("@exemple.fr>")
    for said in (body(mail, "plain"), body(mail, "html")):
        assert "https://ambroise.exemple/notifications" in said
        for word in ("Lettre", "letter", "Muller", "PAT-TROIS", "DOMINIQUE", "279035121518989"):
            assert word not in said
    assert await town.states(holder) == [("AJOUT_DOCUMENT", "mail", "sent", None)]

    link = mail["List-Unsubscribe"].strip("<>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (token,) = parse_qs(urlsplit(link).query)["cle"]
    async with world.database.transaction() as tx:
        assert (await town.wishing.refuse(tx, token)).kinds == {Kind.DOCUMENTS}
        await notify(tx, holder, world.clock.now(), Code.DOCUMENT_ADDED)
        await notify(tx, holder, world.clock.now(), Code.EMERGENCY_ACCESS)
    await town.work()
    assert len(town.mails.taken) == 2
    assert town.mails.taken[1]["List-Unsubscribe"] is None, "an emergency is always told"
    assert "opened in an emergency" in body(town.mails.taken[1], "plain")


async def test_a_night_waits_for_the_morning_and_a_digest_for_its_hour_but_an_emergency_for_nothing(
    town: Town,
) -> None:
    world, holder = town.world, town.world.patient
    await town.account(holder, "ana@exemple.fr")
    rhythm = Rhythm(zone="America/Martinique", quiet_from=time(22), quiet_until=time(7))

    async def tell(*codes: Code) -> int:
        before = len(town.mails.taken)
        async with world.database.transaction() as tx:
            for code in codes:
                await notify(tx, holder, world.clock.now(), code)
        await town.work()
        return len(town.mails.taken) - before

    async with world.database.transaction() as tx:
        await town.wishing.set_rhythm(tx, world.citizen, rhythm)
    world.clock.set(datetime(2026, 3, 15, 4, tzinfo=UTC))  # Midnight in Martinique.
    assert await tell(Code.DOCUMENT_ADDED, Code.REPORT_CLOSED) == 0
    assert await tell(Code.EMERGENCY_ACCESS) == 1
    world.clock.set(datetime(2026, 3, 15, 11, tzinfo=UTC))
    assert await tell() == 1, "what waited goes together"
    async with world.database.transaction() as tx:
        await town.wishing.set_rhythm(tx, world.citizen, replace(rhythm, cadence=Cadence.DAILY))
    assert await tell(Code.DOCUMENT_ADDED) == 0
    world.clock.set(datetime(2026, 3, 15, 12, 1, tzinfo=UTC))
    assert await tell(Code.DOCUMENT_ADDED) == 1, "eight in the morning, there"


async def test_a_refusal_for_good_ends_a_mail_and_a_refusal_for_now_loses_none_and_doubles_none(town: Town) -> None:
    world, holder = town.world, town.world.patient
    await town.account(holder, "ana@exemple.fr")

    async def tell() -> None:
        async with world.database.transaction() as tx:
            await notify(tx, holder, world.clock.now(), Code.DOCUMENT_ADDED)
        await town.work()

    town.mails.answer = "451 try later"
    await tell()
    assert await town.states(holder) == [("AJOUT_DOCUMENT", "mail", "handed", None)]
    async with world.database.reader() as reader:
        assert (await backlog(reader, world.clock.now())).later == 1
    town.mails.answer = "250 taken"
    world.clock.move(timedelta(minutes=1))
    await town.work()
    await town.work()
    assert len(town.mails.taken) == 1
    town.mails.answer = "550 no such mailbox"
    await tell()
    tries = town.mails.tries
    world.clock.move(timedelta(days=1))
    await town.work()
    assert town.mails.tries == tries
    assert [state[2:] for state in await town.states(holder)] == [("sent", None), ("failed", "refused")]


async def test_a_crash_after_the_server_took_a_mail_repeats_it_under_the_same_name(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMTP's own limit (RFC 1047): the one way to a double, which servers drop by its Message-ID."""
    world, holder = town.world, town.world.patient
    await town.account(holder, "ana@exemple.fr")
    async with world.database.transaction() as tx:
        await notify(tx, holder, world.clock.now(), Code.DOCUMENT_ADDED)
    async with world.database.transaction() as tx:
        await town.teller.work(tx)
    with monkeypatch.context() as patched:
        patched.setattr(Letters, "sent", _dies)
        await town.delivery.deliver_all()
    world.clock.move(timedelta(minutes=1))
    await town.delivery.deliver_all()
    assert len({mail["Message-ID"] for mail in town.mails.taken}) == 1
    assert await town.states(holder) == [("AJOUT_DOCUMENT", "mail", "sent", None)]


async def _dies(*_: object) -> None:
    raise ConnectionError("the process died")


async def test_who_acts_for_the_holder_is_told_too_until_that_ends_and_never_of_what_is_hidden(town: Town) -> None:
    world, holder = town.world, await town.family.person()
    carer = await town.family.carer(holder)
    await town.account(holder, "ana@exemple.fr")
    await town.account(carer, "paul@exemple.fr")
    await town.work()
    told = len(town.mails.taken)

    async def tell(code: Code, *, hidden: bool = False) -> list[str]:
        town.mails.to.clear()
        async with world.database.transaction() as tx:
            await notify(tx, holder, world.clock.now(), code, hidden_from_representatives=hidden)
        await town.work()
        return sorted(town.mails.to)

    assert await tell(Code.DOCUMENT_ADDED) == ["ana@exemple.fr", "paul@exemple.fr"]
    assert "personne que vous représentez ou que vous aidez" in body(town.mails.taken[-1], "plain") or (
        "personne que vous représentez ou que vous aidez" in body(town.mails.taken[-2], "plain")
    )
    assert await tell(Code.WITHHELD_DOCUMENT, hidden=True) == ["ana@exemple.fr"]
    async with world.database.transaction() as tx:
        choice = {(Kind.DOCUMENTS, Channel.MAIL): False, (Kind.EMERGENCIES, Channel.MAIL): False}
        await town.wishing.choose(tx, town.family.of(carer, holder, "carer"), choice)
    assert await tell(Code.DOCUMENT_ADDED) == ["ana@exemple.fr"]
    assert await tell(Code.EMERGENCY_ACCESS) == ["ana@exemple.fr", "paul@exemple.fr"]
    await town.family.do(town.family.relations.leave, town.family.of(carer), holder, "carer")
    assert "paul@exemple.fr" not in await tell(Code.DOCUMENT_ADDED)
    assert len(town.mails.taken) > told


async def test_what_was_deleted_before_its_digest_is_not_sent(town: Town) -> None:
    world, holder = town.world, town.world.patient
    await town.account(holder, "ana@exemple.fr")
    async with world.database.transaction() as tx:
        await town.wishing.set_rhythm(tx, world.citizen, Rhythm(cadence=Cadence.WEEKLY))
        await notify(tx, holder, world.clock.now(), Code.DOCUMENT_ADDED)
    await town.work()
    async with world.database.transaction() as tx:
        (id,) = [row[0] for row in await tx.fetch_all("select id from notification")]
        assert await delete(tx, world.citizen, id) == 1
    world.clock.move(timedelta(days=8))
    await town.work()
    assert town.mails.taken == []
    assert await town.states(holder) == [("AJOUT_DOCUMENT", "mail", "cancelled", "deleted")]


async def test_a_mail_server_that_was_taken_away_holds_nothing_else_up(town: Town) -> None:
    world, holder = town.world, town.world.patient
    await town.account(holder, "ana@exemple.fr")
    async with world.database.transaction() as tx:
        await notify(tx, holder, world.clock.now(), Code.DOCUMENT_ADDED)
    async with world.database.transaction() as tx:
        await town.teller.hand_out(tx)
    later = replace(town.teller, letters=replace(town.teller.letters, channels=frozenset()))
    async with world.database.transaction() as tx:
        await later.work(tx)
    assert await town.states(holder) == [("AJOUT_DOCUMENT", "mail", "failed", "no_address")]
