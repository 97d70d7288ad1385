"""The word to the treating doctor after an emergency access (CSP R. 1111-48): at once, by mail, of one's patients.

The mail names nobody and says nothing of health: it says that a patient's record was opened in emergency, when and in
which way, and where the doctor reads whose it was. It goes to the secure mailbox that the directory knows. What became
of it stands in the delivery log beside what the patient was told, and that the doctor was told in the patient's trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.outbox import Event
from ambroise.modules.directory import api as directory
from ambroise.modules.letters.api import Channel as LetterChannel
from ambroise.modules.letters.api import Kind as LetterKind
from ambroise.modules.letters.api import Letters
from ambroise.modules.notification.model import Code
from ambroise.modules.notification.repositories import outgoing
from ambroise.modules.notification.repositories.outgoing import Pending
from ambroise.modules.notification.wishes import Channel
from ambroise.trust.access.emergency import Emergency, emergencies_around, emergencies_of
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.audit.entry import Entry, PatientEvent, record
from ambroise.trust.context import Context, Professional, System

_SHOWN: Final = timedelta(days=30)


class Traced(PatientEvent):
    """What telling somebody else than the patient leaves in the patient's trace."""

    TREATING_TOLD = "treating_told"


class TreatingWord(Struct, frozen=True):
    """Tells treating doctors."""

    letters: Letters
    clock: Clock

    async def emergency_opened(self, tx: Transaction, event: Event) -> None:
        """Write to every treating doctor but the one who opened it; once each, however often this runs."""
        if event.patient is None:
            return
        emergency = UUID(event.payload["emergency"])
        opened = next((one for one in await emergencies_of(tx, event.patient) if one.id == emergency), None)
        if opened is None:
            return
        for doctor in await _treating(tx, event.patient, self.clock):
            if doctor.id != opened.party.id:
                await self._tell(tx, opened, doctor)

    async def _tell(self, tx: Transaction, opened: Emergency, doctor: Party) -> None:
        log = _line(opened, doctor, self.clock)
        if any(one.person == log.person for one in await outgoing.of_notice(tx, opened.id)):
            return
        await outgoing.add(tx, [log])
        mailbox = await directory.mailbox_of(tx, doctor.id)
        if LetterChannel.MAIL not in self.letters.channels or mailbox is None:
            await outgoing.settle(tx, [log], "failed", self.clock.now(), reason="no_address")
        else:
            details = {"at": opened.opened.isoformat()}
            letter = await self.letters.write(tx, LetterChannel.MAIL, mailbox, LetterKind.TREATING_WORD, details)
            await outgoing.settle(tx, [log], "handed", self.clock.now(), message=letter)
        ctx = Context(System("notification"), self.clock, channel="job")
        said = {"party": doctor.id, "party_name": doctor.name, "by": "mail" if mailbox else "portal"}
        await record(tx, ctx, Entry("U", Traced.TREATING_TOLD, opened.patient, details=said))


async def emergencies_for(reader: Reader, ctx: Context) -> Sequence[Emergency]:
    """The emergency accesses of the last thirty days to the records of those whom the caller treats, newest first."""
    if not isinstance(ctx.actor, Professional):
        return []
    return await emergencies_around(reader, Party.of(ctx.actor), ctx.now(), ctx.now() - _SHOWN)


async def _treating(reader: Reader, patient: UUID, clock: Clock) -> list[Party]:
    grants = await grants_of(reader, patient)
    return [one.party for one in grants if one.state == "treating" and one.in_force(clock.now())]


def _line(opened: Emergency, doctor: Party, clock: Clock) -> outgoing.Delivery:
    """The line of the delivery log. A doctor has no space: their national identifier makes the id of a person."""
    person = uuid5(NAMESPACE_URL, f"urn:oid:1.2.250.1.71.4.2.1:{doctor.id}")
    pending = Pending(opened.patient, opened.id, Code.EMERGENCY_ACCESS.value, False)
    waiting = outgoing.waiting(person, pending, Channel.MAIL, clock.now(), clock.now())
    # Handed from its birth: the teller of citizens takes what waits.
    return replace(waiting, state="handed")
