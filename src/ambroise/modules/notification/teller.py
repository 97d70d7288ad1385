"""From notices to what people receive: who is told, by which channel, when, and what became of it.

Three steps, each safe to run twice. `hand_out` turns new notices into deliveries, by what each person chose.
`hand_over` takes what is due, all about one space to one person in one message, and gives it to the mails or to the
browsers. Then the outbox carries the message, and its end is written on its deliveries in the transaction that ends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Refusal
from ambroise.kernel.outbox import MAX_ATTEMPTS, Event, emit
from ambroise.modules.identity.api import having_account
from ambroise.modules.letters.api import Channel as LetterChannel
from ambroise.modules.letters.api import Kind as LetterKind
from ambroise.modules.letters.api import Letters, Outcome
from ambroise.modules.notification import refusing, repository
from ambroise.modules.notification.model import Code, Kind, kind_of
from ambroise.modules.notification.push.sending import Outcome as Pushed
from ambroise.modules.notification.push.sending import Pusher
from ambroise.modules.notification.repositories import browsers, outgoing
from ambroise.modules.notification.repositories.outgoing import Delivery, Pending
from ambroise.modules.notification.repositories.wishes import wishes_of
from ambroise.modules.notification.timing import due_at
from ambroise.modules.notification.wishes import Channel, Wishes, may_refuse, urgent
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.relations import RelationFact, relations_around
from ambroise.trust.access.spaces import space_of

PUSH_DUE: Final = "notification.push"
_TOGETHER: Final = 200
_URGENT: Final = 0
_MOST_ROUNDS: Final = 500
"""How much one run of the job does: the next comes seconds later."""
_ENDED: Final = frozenset({SpaceState.DECEASED, SpaceState.PURGED})
_BY_LETTER: Final = frozenset(
    code.value
    for code in (
        Code.SPACE_OPENED,
        Code.SPACE_CLOSED,
        Code.SPACE_SUSPENDED,
        Code.SPACE_BACK,
        Code.SPACE_DELETION,
    )
)
"""What the holder gets a letter of its own about."""

MailOf = Callable[[Transaction, UUID], Awaitable[str | None]]
"""The mail address of a person, None when nobody knows one."""
Words = Callable[[str, Kind, bool], tuple[str, str]]
"""Title and sentence of a message to a browser, by language, kind, and whether it is about somebody else's space."""


class Teller(Struct, frozen=True):
    """Tells people outside the portal. `key` seals what is kept for it; `say` knows languages."""

    database: Database
    clock: Clock
    letters: Letters
    mail_of: MailOf
    key: bytes
    say: Words
    pusher: Pusher | None = None

    async def work(self, tx: Transaction) -> None:
        """Hand out and hand over what waits, in transactions of their own: what is done stays done."""
        for step in (self.hand_out, self.hand_over):
            for _ in range(_MOST_ROUNDS):
                async with self.database.transaction() as own:
                    if not await step(own):
                        break

    async def hand_out(self, tx: Transaction) -> int:
        """Turn new notices into deliveries; how many notices."""
        notices = await outgoing.take_pending(tx, _TOGETHER)
        if not notices:
            return 0
        around = await self._around(tx, {one.patient for one in notices})
        people = {one.patient for one in notices} | {fact.person for facts in around.values() for fact in facts}
        told = await having_account(tx, people)
        wishes = await wishes_of(tx, told)
        pushed = await browsers.having(tx, told) if self.pusher is not None else set[UUID]()
        deliveries = [
            delivery
            for notice in notices
            for person in _readers(notice, around.get(notice.patient, ()))
            if person in told
            for delivery in self._deliveries(notice, person, wishes[person], pushed)
        ]
        if deliveries:
            await outgoing.add(tx, deliveries)
        return len(notices)

    async def hand_over(self, tx: Transaction) -> int:
        """Give the next message to the channel that carries it; how many deliveries it stands for."""
        due = await outgoing.take_due(tx, self.clock.now())
        if not due:
            return 0
        person, space, channel = due[0].person, due[0].patient, due[0].channel
        wishes = (await wishes_of(tx, [person]))[person]
        left = await self._still_told(tx, due, wishes)
        if left and channel is Channel.MAIL:
            await self._mail(tx, person, space, left, wishes)
        elif left:
            message = await emit(tx, PUSH_DUE, {"person": str(person), "space": str(space)}, patient=person)
            await outgoing.settle(tx, left, "handed", self.clock.now(), message=message)
        return len(due)

    async def letter_left(self, tx: Transaction, event: Event) -> None:
        """Note what became of a mail, right after the outbox tried it."""
        letter = UUID(event.payload["letter"])
        outcome = await self.letters.outcome(tx, letter)
        if outcome is Outcome.SENT:
            await outgoing.end_message(tx, letter, "sent", self.clock.now(), None)
        elif outcome is Outcome.REFUSED:
            await outgoing.end_message(tx, letter, "failed", self.clock.now(), "refused")
        elif outcome is Outcome.HELD:
            await outgoing.end_message(tx, letter, "failed", self.clock.now(), "held")

    async def letter_returned(self, tx: Transaction, event: Event) -> None:
        """Note that a mail came back; once no more are sent, tell so in the portal whom it was for."""
        letter, now = UUID(event.payload["letter"]), self.clock.now()
        people = await outgoing.came_back(tx, letter, now, "returned")
        since = event.payload["paused"]
        if since is None:
            return
        for person in sorted(await having_account(tx, people)):
            once = f"mail returned {since}"
            await repository.insert(tx, person, now, Code.MAIL_RETURNED.value, None, {}, True, once, _URGENT)

    async def push(self, tx: Transaction, event: Event) -> None:
        """Send one message to every browser of a person. Raises to be tried again when none takes it now."""
        person, space = UUID(event.payload["person"]), UUID(event.payload["space"])
        codes = await outgoing.codes_of_message(tx, event.id)
        if not codes:
            return
        if self.pusher is None:
            await outgoing.end_message(tx, event.id, "failed", self.clock.now(), "no_browser")
            return
        outcomes = await self._send(tx, self.pusher, person, space, codes)
        if Pushed.TAKEN in outcomes:
            await outgoing.end_message(tx, event.id, "sent", self.clock.now(), None)
        elif Pushed.LATER in outcomes and event.attempts + 1 < MAX_ATTEMPTS:
            raise PushLater
        else:
            reason = "no_browser" if set(outcomes) <= {Pushed.GONE} else "refused"
            await outgoing.end_message(tx, event.id, "failed", self.clock.now(), reason)

    async def _send(
        self, tx: Transaction, pusher: Pusher, person: UUID, space: UUID, codes: Sequence[str]
    ) -> list[Pushed]:
        wishes = (await wishes_of(tx, [person]))[person]
        kinds = sorted({kind_of(code) for code in codes}, key=list(Kind).index)
        kind = next((one for one in kinds if urgent(one)), kinds[0])
        title, body = self.say(wishes.rhythm.language, kind, space != person)
        message = msgspec.json.encode({"title": title, "body": body, "url": "/notifications", "tag": kind.value})
        outcomes: list[Pushed] = []
        for id, browser in (await browsers.opened(tx, self.key, person)).items():
            outcome = await pusher.send(browser, message, topic=kind.value, urgent=urgent(kind))
            if outcome is Pushed.GONE:
                await browsers.forget(tx, person, id)
            outcomes.append(outcome)
        return outcomes

    async def _around(self, reader: Reader, spaces: Collection[UUID]) -> Mapping[UUID, Sequence[RelationFact]]:
        """Who acts in these spaces now; a mediator helps on the spot and is told of nothing."""
        around: defaultdict[UUID, list[RelationFact]] = defaultdict(list)
        for fact in await relations_around(reader, spaces):
            if fact.kind != "mediator" and fact.in_force(self.clock.now()):
                around[fact.patient].append(fact)
        return around

    def _deliveries(
        self, notice: Pending, person: UUID, wishes: Wishes, pushed: Collection[UUID]
    ) -> Iterator[Delivery]:
        kind, now = kind_of(notice.code), self.clock.now()
        for channel in self._channels(notice, person, pushed):
            if wishes.wants(notice.patient, kind, channel):
                due = due_at(wishes.rhythm, now, urgent=urgent(kind))
                yield outgoing.waiting(person, notice, channel, now, due)

    def _channels(self, notice: Pending, person: UUID, pushed: Collection[UUID]) -> Iterator[Channel]:
        mailed = notice.code == Code.MAIL_RETURNED or (notice.code in _BY_LETTER and person == notice.patient)
        if LetterChannel.MAIL in self.letters.channels and not mailed:
            yield Channel.MAIL
        if person in pushed:
            yield Channel.PUSH

    async def _still_told(self, tx: Transaction, due: Sequence[Delivery], wishes: Wishes) -> list[Delivery]:
        """What may still be told at the very last moment; the rest is held back, with why."""
        person, space, channel = due[0].person, due[0].patient, due[0].channel
        known = await space_of(tx, space)
        acts = any(fact.person == person for fact in (await self._around(tx, [space])).get(space, ()))
        if (person != space and not acts) or (known is not None and known.state in _ENDED):
            await outgoing.settle(tx, due, "cancelled", self.clock.now(), reason="not_theirs")
            return []
        there = await outgoing.still_there(tx, space, [one.notice for one in due], holder=person == space)
        held: defaultdict[str, list[Delivery]] = defaultdict(list)
        left: list[Delivery] = []
        for one in due:
            if one.notice not in there:
                held["deleted"].append(one)
            elif not wishes.wants(space, kind_of(one.code), channel):
                held["not_wanted"].append(one)
            else:
                left.append(one)
        for reason, deliveries in held.items():
            await outgoing.settle(tx, deliveries, "cancelled", self.clock.now(), reason=reason)
        return left

    async def _mail(
        self, tx: Transaction, person: UUID, space: UUID, deliveries: Sequence[Delivery], wishes: Wishes
    ) -> None:
        address = await self._address(tx, person)
        if address is None:
            await outgoing.settle(tx, deliveries, "failed", self.clock.now(), reason="no_address")
            return
        refusable = {kind for one in deliveries if may_refuse(kind := kind_of(one.code), Channel.MAIL)}
        details = {
            "codes": ",".join(one.code for one in deliveries),
            "other": "yes" if space != person else "",
            "refuse": refusing.written(self.key, person, space, refusable) if refusable else "",
        }
        letter = await self.letters.write(
            tx, LetterChannel.MAIL, address, LetterKind.NOTICES, details, language=wishes.rhythm.language
        )
        await outgoing.settle(tx, deliveries, "handed", self.clock.now(), message=letter)

    async def _address(self, tx: Transaction, person: UUID) -> str | None:
        """Where to write to somebody; nowhere once the operator took the mail server away."""
        if LetterChannel.MAIL not in self.letters.channels:
            return None
        try:
            return await self.mail_of(tx, person)
        except Refusal:
            return None


class PushLater(Exception):
    """No browser took the message now; the outbox tries again later."""


def _readers(notice: Pending, around: Sequence[RelationFact]) -> list[UUID]:
    """Whom a notice is told to: the holder, and who acts for them unless it is hidden from these."""
    if notice.hidden_from_representatives:
        return [notice.patient]
    return list(dict.fromkeys([notice.patient, *(fact.person for fact in around)]))
