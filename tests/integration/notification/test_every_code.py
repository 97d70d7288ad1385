"""Every code, access and deposit: told by the portal, mail and browsers as its reader chose, and nothing of health."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel import log
from ambroise.kernel.ids import new_id
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.notification.api import (
    Cadence,
    Channel,
    Code,
    Kind,
    Notice,
    Rhythm,
    codes_of,
    kind_of,
    may_refuse,
    notices,
    notify,
)
from ambroise.modules.notification.teller import _BY_LETTER
from ambroise.modules.record.api import Handlers
from ambroise.trust.context import Professional, Purpose
from tests.integration.notification.conftest import Town
from tests.integration.notification.test_push import Service, service
from tests.integration.notification.test_visits import listed, look, read
from tests.integration.record.conftest import doctor
from tests.integration.record.test_feed_checks import LETTER, renumbered

__all__ = ["service"]

URGENT = frozenset({Kind.EMERGENCIES, Kind.SECURITY})
NOT_MAILED = _BY_LETTER | {Code.MAIL_RETURNED}
"""What the holder has a letter of its own about, and that mails come back."""
SUBJECT = new_id()
PERSON = ("PAT-TROIS", "DOMINIQUE", "Pat-Trois", "279035121518989", "28/03/1979", "1979-03-28")
SECRETS = (*PERSON, "Muller", "Oncologue", "Sérologie", "Dr 1", "Dr 2", "Inconscient", str(SUBJECT))
"""Who it is about, who did it and what it is about: all that a notice is given to make its sentence in the portal.

Each is longer, or has other signs, than what the random letters of a key or of a seal may happen to spell.
"""


class Told(Struct):
    """What came to the holder since the last look: the mails whole, the messages as the browser opens them."""

    portal: list[Notice]
    mails: list[str]
    pushed: list[dict[str, Any]]


class Holder:
    """Somebody who is told, with a mail address and a browser, and what carried the messages."""

    def __init__(self, town: Town, service: Service) -> None:
        self.town, self.service = town, service
        self._seen, self._mails, self._pushed = 0, 0, 0

    async def settle(self) -> None:
        async with self.town.world.database.transaction() as tx:
            await self.town.wishing.set_rhythm(tx, self.town.world.citizen, ALWAYS)
            await self.town.wishing.tell_browser(tx, self.town.world.citizen, self.service.browser(), "Téléphone")

    async def tell(self, *codes: Code) -> Told:
        world = self.town.world
        world.clock.move(timedelta(seconds=1))
        async with world.database.transaction() as tx:
            for code in codes:
                details = {"by": "Dr Oncologue Muller", "title": "Sérologie", "for": "DOMINIQUE PAT-TROIS"}
                await notify(tx, world.patient, world.clock.now(), code, subject=str(SUBJECT), details=details)
        return await self.look()

    async def look(self) -> Told:
        await self.town.work()
        async with self.town.world.database.reader() as reader:
            portal = await notices(reader, self.town.world.citizen, unread_only=False, count=500)
        told = Told(
            portal[: len(portal) - self._seen],
            [whole(mail) for mail in self.town.mails.taken[self._mails :]],
            [self.service.opened(body) | headers for headers, body in self._opened()],
        )
        self._seen, self._mails, self._pushed = len(portal), len(self.town.mails.taken), len(self.service.taken)
        said_nothing([*told.mails, *map(str, told.pushed)])
        return told

    def _opened(self) -> Iterator[tuple[dict[str, str], bytes]]:
        for headers, body in self.service.taken[self._pushed :]:
            assert not any(word.encode() in body for word in SECRETS)
            yield {f"header {name}": value for name, value in headers.items()}, body

    async def choose(self, kind: Kind, *, mail: bool, push: bool) -> None:
        async with self.town.world.database.transaction() as tx:
            chosen = {(kind, Channel.MAIL): mail, (kind, Channel.PUSH): push}
            await self.town.wishing.choose(tx, self.town.world.citizen, chosen)

    async def rhythm(self, rhythm: Rhythm) -> None:
        async with self.town.world.database.transaction() as tx:
            await self.town.wishing.set_rhythm(tx, self.town.world.citizen, rhythm)


ALWAYS = Rhythm(quiet_from=time(0), quiet_until=time(0))


def whole(mail: Any) -> str:
    """Every header and every part of a mail, decoded."""
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *map(str, parts)])


def said_nothing(texts: Sequence[str]) -> None:
    for text in texts:
        assert [word for word in SECRETS if word in text] == []
        assert [code for code in Code if code.value in text] == [], "a code would say what happened"


@pytest.fixture
async def holder(town: Town, service: Service) -> Holder:
    await town.account(town.world.patient, "ana@exemple.fr")
    one = Holder(town, service)
    await one.settle()
    return one


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """The log at its most talkative says nothing of it either."""
    log.configure(level="debug")
    yield
    log.configure(level="warning")
    said_nothing(capfd.readouterr().err.splitlines())


@pytest.mark.usefixtures("logged")
async def test_every_code_is_told_by_the_portal_by_mail_and_by_the_browser_and_says_nothing(holder: Holder) -> None:
    for code in Code:
        told = await holder.tell(code)
        assert [one.code for one in told.portal] == [code.value]
        assert len(told.mails) == (0 if code in NOT_MAILED else 1), code
        (pushed,) = told.pushed
        assert pushed["tag"] == kind_of(code).value
        assert pushed["header urgency"] == ("high" if kind_of(code) in URGENT else "normal")
        assert "List-Unsubscribe:" in "".join(told.mails) or kind_of(code) in URGENT, code
    async with holder.town.world.database.reader() as reader:
        ends = await reader.fetch_all("select state, count(*) from notification_delivery group by state")
    assert ends == [("sent", 2 * len(Code) - len(NOT_MAILED))], "the log has a line for each message, and no other"


@pytest.mark.usefixtures("logged")
async def test_each_kind_goes_where_its_reader_wants_it_and_always_to_the_portal(holder: Holder) -> None:
    for kind in (one for one in Kind if codes_of(one)):
        code = min(codes_of(kind) - NOT_MAILED)
        for mail, push in ((True, False), (False, True), (False, False)):
            await holder.choose(kind, mail=mail, push=push)
            told = await holder.tell(code)
            mailed = mail or not may_refuse(kind, Channel.MAIL)
            assert (len(told.portal), len(told.mails), len(told.pushed)) == (1, int(mailed), int(push)), kind


@pytest.mark.usefixtures("logged")
async def test_nights_and_digests_hold_back_all_but_what_is_urgent_and_then_tell_it_once(holder: Holder) -> None:
    clock = holder.town.world.clock
    every = [code for code in Code if code not in NOT_MAILED]
    later = [code for code in every if kind_of(code) not in URGENT]
    clock.set(datetime(2026, 3, 17, 1, tzinfo=UTC))  # Two in the morning of a Tuesday, in Paris.
    await holder.rhythm(Rhythm())
    told = await holder.tell(*every)
    assert len(told.portal) == len(every)
    assert (len(told.mails), len(told.pushed)) == (1, 1), "what is urgent, together"
    clock.set(datetime(2026, 3, 17, 6, 1, tzinfo=UTC))
    told = await holder.look()
    assert (len(told.mails), len(told.pushed)) == (1, 1), "the rest, when the night is over"
    for cadence, day in ((Cadence.DAILY, 18), (Cadence.WEEKLY, 23)):
        await holder.rhythm(replace(ALWAYS, cadence=cadence))
        for code in later[:3]:
            told = await holder.tell(code)
            assert (len(told.mails), len(told.pushed)) == (0, 0)
        urgent = await holder.tell(Code.EMERGENCY_ACCESS)
        assert (len(urgent.mails), len(urgent.pushed)) == (1, 1)
        clock.set(datetime(2026, 3, day, 7, 1, tzinfo=UTC))
        told = await holder.look()
        assert (len(told.mails), len(told.pushed)) == (1, 1), cadence


@pytest.mark.usefixtures("logged")
async def test_every_deposit_every_access_and_every_emergency_is_told(holder: Holder) -> None:
    town, world = holder.town, holder.town.world
    events = Subscriptions()
    for event, handler in Handlers(world.record, world.clock).table().items():
        events.on(event, handler)
    await look(town)

    deposited = []
    for number in range(2):
        one = await world.submit(world.author, renumbered(LETTER, str(number + 1).encode()))
        deposited.append(one.documents[0].document)
        told = await holder.look()
        assert ([one.code for one in told.portal], len(told.mails), len(told.pushed)) == (["AJOUT_DOCUMENT"], 1, 1)

    for number, code in ((1, "CONSULT_DOCUMENT"), (2, "ACCES_DMP_PS")):
        reader = world.professional(number)
        await world.authorise(reader)
        await listed(town, reader)
        if code == "CONSULT_DOCUMENT":
            await read(town, reader, deposited[0])
        await look(town)
        told = await holder.look()
        assert ([one.code for one in told.portal], len(told.mails), len(told.pushed)) == ([code], 1, 1)

    regulator = doctor("810000000004", "Dr 4", organization_setting="SAMU_SMUR")
    for ctx in (
        world.professional(3, purpose=Purpose.BREAK_GLASS, reason="Inconscient"),
        world.context(regulator, purpose=Purpose.CENTRE_15),
    ):
        async with world.database.transaction() as tx:
            await world.gateway.open_emergency(tx, ctx, world.patient)
        await Delivery(world.database, events, world.clock).deliver_all()
        told = await holder.look()
        assert ([one.code for one in told.portal], len(told.mails), len(told.pushed)) == (["ACCES_BRIS_GLACE"], 1, 1)
        assert isinstance(ctx.actor, Professional)
        assert told.portal[0].details["by"] == ctx.actor.name, "the portal alone says who"
