"""HL7 v2 messages in their usual form (ER7): segments, fields, repetitions, components (HL7 2.5 and 2.6, chapter 2).

Reading is lazy: a message is cut in segments and fields, and deeper only where something is asked, so that the base64
of a document is looked at once. Nothing is cut in more parts than a message of ours has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ambroise.interfaces.hl7v2.failures import failure

CHARSETS: Final = {
    "": "ascii",
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/15": "iso8859-15",
    "UNICODE UTF-8": "utf-8",
}
"""The codes of table 0211 that France uses; nothing said is ASCII."""

_MOST_SEGMENTS: Final = 5_000
_MOST_PARTS: Final = 500
_MOST_ESCAPES: Final = 20_000
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_ESCAPED: Final = re.compile(r"X(?:[0-9A-Fa-f]{2})+")


class Delimiters(Struct, frozen=True):
    """What separates the parts of one message, as its MSH says."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    def unescaped(self, text: str) -> str:
        """A text as it was meant. Raises HL7_MALFORMED when it is made of little else than escapes."""
        if self.escape not in text:
            return text
        parts = cut(text, self.escape, _MOST_ESCAPES)
        plain = parts[0]
        rest = iter(range(1, len(parts)))
        for place in rest:
            meant = self._meant(parts[place]) if place + 1 < len(parts) else None
            if meant is None:
                plain += self.escape + parts[place]
                continue
            plain += meant + parts[place + 1]
            next(rest, None)
        return plain

    def escaped(self, text: str) -> str:
        """A text that can stand in a field: what would separate is escaped, and lines become spaces."""
        flat = " ".join(text.split())
        names = {self.field: "F", self.component: "S", self.subcomponent: "T", self.repetition: "R", self.escape: "E"}
        return "".join(f"{self.escape}{names[sign]}{self.escape}" if sign in names else sign for sign in flat)

    def _meant(self, name: str) -> str | None:
        signs = {
            "F": self.field,
            "S": self.component,
            "T": self.subcomponent,
            "R": self.repetition,
            "E": self.escape,
            ".br": "\n",
            "H": "",
            "N": "",
        }
        if _ESCAPED.fullmatch(name):
            return bytes.fromhex(name[1:]).decode("latin-1")
        return signs.get(name)


class Field(Struct, frozen=True):
    """A field, or one repetition of it."""

    raw: str
    delimiters: Delimiters

    def each(self) -> Iterator[Field]:
        """Its repetitions."""
        for one in cut(self.raw, self.delimiters.repetition):
            yield Field(one, self.delimiters)

    def part(self, component: int, sub: int = 1) -> str:
        """A component of the first repetition, or one part of it, from 1; nothing where there is none."""
        text = self.raw
        for separator, place in (
            (self.delimiters.repetition, 1),
            (self.delimiters.component, component),
            (self.delimiters.subcomponent, sub),
        ):
            parts = cut(text, separator)
            text = parts[place - 1] if place <= len(parts) else ""
        return self.delimiters.unescaped(text).strip()

    def data(self, component: int) -> str:
        """A component as it stands, for the base64 of a document: its own signs are no separators of ours."""
        parts = cut(self.raw, self.delimiters.component)
        return parts[component - 1] if component <= len(parts) else ""


class Segment(Struct, frozen=True):
    """One line of a message; `number` counts the segments of its name, from 1."""

    name: str
    number: int
    fields: tuple[str, ...]
    delimiters: Delimiters

    def field(self, place: int) -> Field:
        """A field by its number in the standard; empty where there is none."""
        raw = self.fields[place] if place < len(self.fields) else ""
        return Field("" if raw == '""' else raw, self.delimiters)

    def text(self, place: int, component: int = 1, sub: int = 1) -> str:
        """One part of a field."""
        return self.field(place).part(component, sub)

    def at(self, place: int) -> str:
        """Where a field is, as ERR-2 writes it."""
        return f"{self.name}^{self.number}^{place}"


class Message(Struct, frozen=True):
    """A message that was read. The first segment is its MSH."""

    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next((one for one in self.segments if one.name == name), None)

    def all(self, name: str) -> list[Segment]:
        """The segments of a name."""
        return [one for one in self.segments if one.name == name]


def read_header(content: bytes) -> Segment | None:
    """The MSH of anything that begins like a message, to answer it; None when it does not."""
    line = re.split(rb"[\r\n]", content[:4096], maxsplit=1)[0]
    try:
        return _header(line.decode(_charset_of(line) or "latin-1", "replace"))
    except Exception:
        return None


def read(content: bytes) -> Message:
    """A message. Raises a Refusal HL7_… that says what is wrong with it."""
    line = re.split(rb"[\r\n]", content[:65536], maxsplit=1)[0]
    if not line.startswith(b"MSH"):
        raise failure("HL7_MALFORMED", "A message begins with its MSH segment.", "MSH^1")
    codec = _charset_of(line)
    if codec is None:
        known = ", ".join(name for name in CHARSETS if name)
        raise failure("HL7_CHARSET", f"MSH-18 is one of {known}.", "MSH^1^18")
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        text = f"The byte {error.start} is not of the character set that MSH-18 says ({codec})."
        raise failure("HL7_CHARSET", text, "MSH^1^18") from None
    return _message(text)


def _message(text: str) -> Message:
    lines = [line for line in cut(_lines(text), "\r", _MOST_SEGMENTS) if line.strip()]
    header = _header(lines[0])
    separators = header.delimiters
    segments, counts = [header], {"MSH": 1}
    for line in lines[1:]:
        name = line[:3]
        if not _NAME.fullmatch(name) or (len(line) > 3 and line[3] != separators.field):
            raise failure("HL7_MALFORMED", f"Segment {len(segments) + 1} does not begin with the name of a segment.")
        if name == "MSH":
            raise failure("HL7_MALFORMED", "A frame holds one message: send each in its own.", "MSH^2")
        counts[name] = counts.get(name, 0) + 1
        segments.append(Segment(name, counts[name], tuple(cut(line, separators.field)), separators))
    return Message(tuple(segments))


def _lines(text: str) -> str:
    """Segments end with CR; files on disk often have LF."""
    return text.replace("\r\n", "\r").replace("\n", "\r")


def _header(line: str) -> Segment:
    """MSH, whose second field says what separates the parts of all others."""
    if not line.startswith("MSH") or len(line) < 8:
        raise failure("HL7_MALFORMED", "A message begins with MSH and its separators, MSH|^~\\&.", "MSH^1")
    sign = line[3]
    signs = line[4:].partition(sign)[0]
    if len(signs) not in (4, 5) or len({sign, *signs}) != len(signs) + 1 or _is_text(sign + signs):
        raise failure("HL7_MALFORMED", "MSH-2 has four separators, all different, such as ^~\\&.", "MSH^1^2")
    delimiters = Delimiters(sign, signs[0], signs[1], signs[2], signs[3])
    fields = cut(line, sign)
    # MSH-1 is the separator itself, and MSH-2 is not to be cut.
    return Segment("MSH", 1, ("MSH", sign, "", *fields[2:]), delimiters)


def _is_text(signs: str) -> bool:
    return any(sign.isalnum() or sign.isspace() or not sign.isprintable() for sign in signs)


def _charset_of(line: bytes) -> str | None:
    """The codec that the MSH asks for, None when there is no such one here."""
    sign = line[3:4]
    fields = line.split(sign, 20) if sign else []
    said = fields[17] if len(fields) > 17 else b""
    repetition = re.split(rb"[~^]", said, maxsplit=1)[0]
    return CHARSETS.get(repetition.decode("ascii", "replace").strip())


def cut(text: str, separator: str, most: int = _MOST_PARTS) -> list[str]:
    """The parts of a text. Raises HL7_MALFORMED when there are more than any message has."""
    parts = text.split(separator, most)
    if len(parts) > most:
        raise failure("HL7_MALFORMED", f"There are more than {most} parts between separators {separator!r}.")
    return parts
