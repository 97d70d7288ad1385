"""ADT of PAM France: what the patient chose about the record (ZFA), recorded for the structure that collected it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ambroise.interfaces.hl7v2.acknowledging import Note, Outcome, taken
from ambroise.interfaces.hl7v2.failures import failure
from ambroise.interfaces.hl7v2.message import Message, Segment
from ambroise.interfaces.hl7v2.patients import identified
from ambroise.interfaces.hl7v2.profile import patient_of
from ambroise.interfaces.hl7v2.sender import Peer, context_of, in_charge
from ambroise.interfaces.services import Services
from ambroise.modules.consent.api import Collected, Collecting, Matter
from ambroise.trust.audit.entry import Event

EVENTS: Final = frozenset(
    {f"A{number:02}" for number in (*range(1, 9), *range(11, 17), 21, 22, 25, 26, 27, 28, 31, 38, *range(52, 56))}
    | {"Z99"}
)
"""Every movement and update that a hospital's system tells of (IHE ITI TF-2, 3.30 and 3.31); merging and linking
identities (A24, A37, A40, A47) is the desk's."""

_ANSWERS: Final = {
    Matter.FEEDING: (9, {"INO": True, "IO": False}),
    Matter.CONSULTATION: (11, {"IC": True, "INC": False}),
}
"""Informed and not opposed, informed and opposed; informed and consenting, informed and not. The date follows each."""
_NOT_COLLECTED: Final = ("", "NA")
_TOLD: Final = {
    (Matter.FEEDING, True): "FEEDING_ALLOWED",
    (Matter.FEEDING, False): "FEEDING_OPPOSED",
    (Matter.CONSULTATION, True): "CONSENT_RECORDED",
    (Matter.CONSULTATION, False): "REFUSAL_RECORDED",
}
_TIME: Final = re.compile(r"(\d{8})(\d{4})?(\d{2})?(?:\.\d+)?([+-]\d{4})?")
_FRANCE: Final = ZoneInfo("Europe/Paris")
_SKEW: Final = timedelta(hours=1)


class Choices:
    """The use case of a movement."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._collecting = Collecting(services.gateway)

    async def take(self, peer: Peer, message: Message) -> Outcome:
        """Record what the patient chose, all of it or nothing; the movement itself is not kept."""
        said = patient_of(message)
        segment = message.first("ZFA")
        if segment is None:
            text = "There is no ZFA: movements are not kept here, only what the patient chose about the record."
            return taken(Note("W", "0", "NOTHING_TO_RECORD", text))
        answers = self._answers(segment)
        ctx = await context_of(self._services, peer, in_charge(message), "PV1^1^7")
        notes: list[Note] = []
        async with self._services.database.transaction() as tx:
            patient = await identified(tx, ctx, said, self._services.gateway, Event.AUTHORISED)
            for answer in answers:
                new = await self._collecting.record(tx, ctx, patient, answer)
                notes.append(_note(segment, answer, new=new))
        return taken(*notes, *_warnings(segment, notes))

    def _answers(self, segment: Segment) -> list[Collected]:
        """What was collected. Refuses codes that are not known, and choices without a date or of later than now."""
        found: list[Collected] = []
        for matter, (place, codes) in _ANSWERS.items():
            code = segment.text(place)
            if code in _NOT_COLLECTED:
                continue
            if code not in codes:
                text = f"ZFA-{place} is {', '.join(codes)} or NA, not {code[:20]}."
                raise failure("HL7_ZFA", text, segment.at(place))
            at = _instant(segment, place + 1)
            if at > self._services.clock.now() + _SKEW:
                text = f"ZFA-{place + 1} is of later than now: set the clock of the machine that sends."
                raise failure("HL7_DATE", text, segment.at(place + 1))
            found.append(Collected(matter, codes[code], at))
        return found


def _instant(segment: Segment, place: int) -> datetime:
    """A date and time, of France when it says no offset."""
    said = segment.text(place)
    if not said:
        text = f"Say when the choice was collected (ZFA-{place}): an older one must not undo a later one."
        raise failure("HL7_FIELD_MISSING", text, segment.at(place))
    match = _TIME.fullmatch(said)
    try:
        day, time, seconds, offset = match.groups() if match else ("", "", "", "")
        read = datetime.strptime(f"{day}{time or '0000'}{seconds or '00'}{offset or ''}", _format(offset))
        return (read if read.tzinfo else read.replace(tzinfo=_FRANCE)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise failure("HL7_DATE", f"ZFA-{place} is a date and time, YYYYMMDDHHMMSS.", segment.at(place)) from None


def _format(offset: str | None) -> str:
    return "%Y%m%d%H%M%S%z" if offset else "%Y%m%d%H%M%S"


def _note(segment: Segment, answer: Collected, *, new: bool) -> Note:
    place = segment.at(_ANSWERS[answer.matter][0])
    if not new:
        text = "This choice, or a later one, was told before: nothing changed."
        return Note("I", "0", "KNOWN_ALREADY", text, place)
    return Note("I", "0", _TOLD[answer.matter, answer.allowed], "Recorded for the structure that sends.", place)


def _warnings(segment: Segment, notes: list[Note]) -> list[Note]:
    found: list[Note] = []
    if not notes:
        text = "Nothing was collected (NA): nothing changed."
        found.append(Note("I", "0", "NOTHING_COLLECTED", text, segment.at(9)))
    for place in (6, 7):
        if segment.text(place).upper() == "Y":
            text = "The patient says in the space what is refused in an emergency: nothing was recorded of it."
            found.append(Note("W", "0", "EMERGENCY_CHOICE_NOT_KEPT", text, segment.at(place)))
    return found
