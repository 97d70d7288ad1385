"""Acknowledgements: ACK with MSA, and one ERR for each thing to say (HL7 2.5, chapter 2.9 and 2.15).

A sender that fills MSH-15 or MSH-16 gets the enhanced mode: the accept acknowledgement, the one of the application, or
both, in this order. Without them it gets the original mode: one acknowledgement of the application.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from ambroise.interfaces.hl7v2.failures import INTERNAL, NAMES, hl7_code, is_rejection
from ambroise.interfaces.hl7v2.message import CHARSETS, Delimiters, Segment
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id

_OURS: Final = Delimiters()
_PLACE: Final = re.compile(r"[A-Z][A-Z0-9]{2}\^\d+(\^\d+)*")
_WANTED: Final = {"AL": ("A", "E", "R"), "ER": ("E", "R"), "SU": ("A",), "NE": (), "": ()}
"""Table 0155: for which outcomes an acknowledgement is wanted."""


class Note(Struct, frozen=True):
    """One ERR. `severity` is E, W or I (table 0516), `code` of table 0357, `ours` a code of ours, `text` what to do."""

    severity: str
    code: str
    ours: str
    text: str
    place: str = ""
    detail: str = ""

    def segment(self) -> str:
        """The line."""
        said = [_OURS.escaped(part) for part in (self.ours, self.detail, self.text)]
        code = f"{self.code}^{NAMES[self.code]}^HL70357"
        return f"ERR||{self.place}|{code}|{self.severity}|{said[0]}^^L||{said[1]}|{said[2]}"


class Outcome(Struct, frozen=True):
    """How a message ended: A (taken), E (its content is refused) or R (rejected), and what there is to say."""

    letter: str
    notes: tuple[Note, ...] = ()


def taken(*notes: Note) -> Outcome:
    """The message did what it says."""
    return Outcome("A", notes)


def refused(refusal: Refusal) -> Outcome:
    """The message did nothing, and why."""
    place = refusal.element if refusal.element and _PLACE.fullmatch(refusal.element) else ""
    detail = "" if place else refusal.element or ""
    note = Note("E", hl7_code(refusal), refusal.code, refusal.diagnostics or refusal.code, place, detail)
    return Outcome("R" if is_rejection(refusal) else "E", (note,))


def failed() -> Outcome:
    """The message did nothing, by a fault of ours."""
    text = "Something went wrong here and nothing was kept: send the message again later."
    return Outcome("R", (Note("E", INTERNAL, "INTERNAL_ERROR", text),))


def acknowledgements(header: Segment | None, outcome: Outcome, now: datetime) -> list[bytes]:
    """What is answered to a message, in order; `header` is its MSH, None when it could not be read."""
    accept, application = (header.text(place).upper() for place in (15, 16)) if header is not None else ("", "")
    if not accept and not application:
        return [_ack(header, "A", outcome, now)]
    answers: list[bytes] = []
    if outcome.letter in _WANTED.get(accept, ("A", "E", "R")):
        answers.append(_ack(header, "C", outcome, now))
    if outcome.letter in _WANTED.get(application, ("A", "E", "R")):
        answers.append(_ack(header, "A", outcome, now))
    return answers


def _ack(header: Segment | None, mode: str, outcome: Outcome, now: datetime) -> bytes:
    """One acknowledgement: who sent becomes who receives."""

    def said(place: int, component: int = 1) -> str:
        return _OURS.escaped(header.text(place, component)) if header is not None else ""

    def whole(place: int) -> str:
        parts = [said(place, number) for number in (1, 2, 3)]
        return "^".join(parts).rstrip("^")

    event = said(9, 2)
    charset = said(18) if said(18) in CHARSETS else "UNICODE UTF-8"
    first = [
        "MSH",
        "^~\\&",
        whole(5) or "AMBROISE",
        whole(6),
        whole(3),
        whole(4),
        now.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000"),
        "",
        f"ACK^{event}^ACK" if event else "ACK",
        new_id().hex[:20].upper(),
        said(11) or "P",
        said(12) or "2.5",
        *("",) * 4,
        said(17) or "FRA",
        charset,
    ]
    lines = ["|".join(first), f"MSA|{mode}{outcome.letter}|{said(10)}", *(note.segment() for note in outcome.notes)]
    return ("\r".join(lines) + "\r").encode(CHARSETS[charset], "replace")
