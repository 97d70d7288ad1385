"""The HL7 v2 data types inside XDS metadata: CX, XCN, XON, CE, TS, and PID fields (IHE ITI TF-3, table 4.2.3.1.7-2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

_TS: Final = re.compile(r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2}))?)?)?)?)?")
_ESCAPE: Final = re.compile(r"\\[STRFE]\\")
_SIGNS: Final = re.compile(r"[\\^&~|]")
_ESCAPES: Final = {"\\S\\": "^", "\\T\\": "&", "\\R\\": "~", "\\F\\": "|", "\\E\\": "\\"}


class Cx(Struct, frozen=True):
    """An identifier with the authority (an OID) that gives it, and its type (NH for an INS, PI for a local one)."""

    value: str
    authority: str
    type: str = ""

    @classmethod
    def parse(cls, written: str) -> Cx | None:
        """`value^^^&OID&ISO^type`; None when it is not of this form."""
        parts = components(written)
        authority = oid_of(_at(parts, 3))
        return cls(_at(parts, 0), authority, _at(parts, 4)) if _at(parts, 0) and authority else None

    def __str__(self) -> str:
        return f"{escaped(self.value)}^^^&{self.authority}&ISO" + (f"^{self.type}" if self.type else "")


class Xcn(Struct, frozen=True):
    """A person or a machine: `kind` is D for a person, U for a machine; `type` is IDNPS, RI, NH…"""

    id: str
    family: str = ""
    given: str = ""
    suffix: str = ""
    prefix: str = ""
    authority: str = ""
    kind: str = ""
    type: str = ""

    @classmethod
    def parse(cls, written: str) -> Xcn:
        """Fields 1, 2, 3, 5, 6, 9, 10 and 13 of an XCN."""
        parts = components(written)
        return cls(
            id=_at(parts, 0),
            family=_at(parts, 1).partition("&")[0],
            given=_at(parts, 2),
            suffix=_at(parts, 4),
            prefix=_at(parts, 5),
            authority=oid_of(_at(parts, 8)),
            kind=_at(parts, 9),
            type=_at(parts, 12),
        )

    def __str__(self) -> str:
        authority = f"&{self.authority}&ISO" if self.authority else ""
        names = [self.id, self.family, self.given, "", self.suffix, self.prefix, "", ""]
        return "^".join([*map(escaped, names), authority, self.kind, "", "", self.type]).rstrip("^")


class Xon(Struct, frozen=True):
    """A structure: its name, and its identifier under an authority."""

    name: str
    id: str = ""
    authority: str = ""

    @classmethod
    def parse(cls, written: str) -> Xon:
        """Fields 1, 6 and 10 of an XON."""
        parts = components(written)
        return cls(_at(parts, 0), _at(parts, 9) or _at(parts, 2), oid_of(_at(parts, 5)))

    def __str__(self) -> str:
        if not self.id:
            return escaped(self.name)
        return f"{escaped(self.name)}^^^^^&{self.authority}&ISO^IDNST^^^{escaped(self.id)}"


class Ce(Struct, frozen=True):
    """A code in one text: `code^label^system`."""

    code: str
    display: str = ""
    system: str = ""

    @classmethod
    def parse(cls, written: str) -> Ce:
        parts = components(written)
        return cls(_at(parts, 0), _at(parts, 1), oid_of(_at(parts, 2)))

    def __str__(self) -> str:
        return "^".join(map(escaped, (self.code, self.display, self.system))).rstrip("^")


class Pid(Struct, frozen=True):
    """The patient as the sender knew them, from the fields of a PID segment."""

    family: str = ""
    given: Sequence[str] = ()
    birth_date: str = ""
    sex: str = ""

    @classmethod
    def parse(cls, lines: Sequence[str]) -> Pid:
        """Values such as `PID-5|NOM^Prénom^Autres prénoms^^^^L`."""
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition("|")
            fields.setdefault(name.strip(), value.partition("~")[0])
        names = components(fields.get("PID-5", ""))
        given = [one for one in (_at(names, 1), *_at(names, 2).split()) if one]
        return cls(_at(names, 0).partition("&")[0], given, fields.get("PID-7", ""), fields.get("PID-8", "").strip())


def components(written: str) -> list[str]:
    """The components of a field, as people wrote them."""
    return [_unescaped(part.strip()) for part in written.split("^")]


def oid_of(written: str) -> str:
    """The OID of `&OID&ISO`, or an OID alone."""
    parts = written.split("&")
    return parts[1].strip() if len(parts) > 1 else written.strip()


def escaped(text: str) -> str:
    """A text that is one component."""
    if _SIGNS.search(text) is None:
        return text
    back = {character: escape for escape, character in _ESCAPES.items()}
    return "".join(back.get(character, character) for character in text)


def fhir_time(written: str) -> str | None:
    """The FHIR dateTime of a TS (UTC), as precise, hours alone becoming a whole second; None when it is none."""
    found = _TS.fullmatch(written.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = found.groups()
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    if hour is not None:
        return moment.isoformat(timespec="seconds")
    return "-".join(part for part in (year, month, day) if part is not None)


def hl7_time(written: str) -> str:
    """The TS (UTC) of a FHIR dateTime, to the second at most."""
    if "T" not in written:
        return written.replace("-", "")
    moment = datetime.fromisoformat(written)
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES[found[0]], text) if "\\" in text else text


def _at(parts: Sequence[str], number: int) -> str:
    return parts[number] if number < len(parts) else ""
