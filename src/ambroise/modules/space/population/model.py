"""One line of an insurer's file, and what makes it acceptable. Pure."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Ins, Sex, Traits, birth_date_of, check_ins, normal_name
from ambroise.modules.space.model import Channel

_MAIL: Final = re.compile(r"[^@\s;]{1,64}@[^@\s;]{1,190}\.[^@\s;.]{2,63}")
_PLACE: Final = re.compile(r"\d{5}|2[AB]\d{3}")


class Table(Struct, frozen=True):
    """The documented format: which header holds what."""

    delimiter: str
    headers: Mapping[str, str]
    required: frozenset[str]


@lru_cache(maxsize=1)
def table() -> Table:
    """The format of the data table."""
    raw = tomllib.loads((files("ambroise.modules.space") / "data" / "population.toml").read_text("utf-8"))
    columns: Mapping[str, Mapping[str, Any]] = raw["columns"]
    return Table(
        raw["delimiter"],
        {name: column["header"] for name, column in columns.items()},
        frozenset(name for name, column in columns.items() if column["required"]),
    )


class Person(Struct, frozen=True):
    """Somebody whose space is to open."""

    ins: Ins
    traits: Traits
    used_name: str | None = None
    used_first_name: str | None = None
    mail: str | None = None
    phone: str | None = None
    address: str | None = None
    postal_code: str | None = None
    city: str | None = None
    card: str | None = None

    @property
    def channel(self) -> Channel:
        """How this person is told: by e-mail, else by post (R. 1111-28)."""
        return Channel.MAIL if self.mail else Channel.POST


class Refused(Struct, frozen=True):
    """A line that was not taken, and why: a code, and the header it is about."""

    line: int
    code: str
    element: str


class Population(Struct, frozen=True):
    """One file: how far it was read, and what came of it."""

    id: UUID
    name: str
    size: int
    notified_on: date
    position: int
    line: int
    entered: int
    known: int
    refused: int
    by_mail: int
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of the file was read."""
        return 100 if self.finished_at else min(99, self.position * 100 // max(self.size, 1))


class Reader:
    """Reads the lines of one file, whose headers it was given."""

    def __init__(self, header: str, *, oid: str, demonstration: bool) -> None:
        names = [name.strip().lower() for name in _split(header.lstrip("\ufeff"))]
        self._at = {name: names.index(title) for name, title in table().headers.items() if title in names}
        missing = sorted(table().headers[name] for name in table().required - self._at.keys())
        if missing:
            raise Refusal(
                Kind.UNPROCESSABLE,
                "POPULATION_COLUMNS",
                f"The first line of the file names its columns; these are missing: {', '.join(missing)}.",
                element=missing[0],
                data={"missing": missing},
            )
        self._count = len(names)
        self._oid = oid
        self._demonstration = demonstration

    def read(self, number: int, line: str) -> Person | Refused:
        """The person of a line, or why it is refused."""
        values = _split(line)
        if len(values) != self._count:
            return Refused(number, "COLUMN_COUNT", "")
        try:
            return self._person(values)
        except _Wrong as wrong:
            return Refused(number, wrong.code, table().headers[wrong.column])

    def _person(self, values: Sequence[str]) -> Person:
        mail, address = self._value(values, "mail"), self._value(values, "address")
        if mail is not None and not _MAIL.fullmatch(mail):
            raise _Wrong("MAIL_INVALID", "mail")
        if mail is None and (address is None or self._value(values, "city") is None):
            raise _Wrong("CONTACT_MISSING", "mail")
        return Person(
            ins=self._ins(values),
            traits=self._traits(values),
            used_name=self._value(values, "used_name"),
            used_first_name=self._value(values, "used_first_name"),
            mail=mail,
            phone=self._value(values, "phone"),
            address=address,
            postal_code=self._value(values, "postal_code"),
            city=self._value(values, "city"),
            card=self._value(values, "card"),
        )

    def _ins(self, values: Sequence[str]) -> Ins:
        ins = Ins((self._value(values, "matricule") or "").replace(" ", ""), self._value(values, "oid") or self._oid)
        try:
            check_ins(ins, demonstration=self._demonstration)
        except Refusal as refusal:
            raise _Wrong("INS_INVALID", "oid" if "oid" in str(refusal.data["problem"]) else "matricule") from None
        return ins

    def _traits(self, values: Sequence[str]) -> Traits:
        place = self._value(values, "birth_place")
        if place is not None and not _PLACE.fullmatch(place):
            raise _Wrong("BIRTH_PLACE_INVALID", "birth_place")
        given = self._value(values, "given_names")
        try:
            sex = Sex(self._value(values, "sex") or "")
        except ValueError:
            raise _Wrong("SEX_INVALID", "sex") from None
        try:
            born = birth_date_of(self._value(values, "birth_date") or "")
        except ValueError:
            raise _Wrong("BIRTH_DATE_INVALID", "birth_date") from None
        return Traits(
            birth_name=self._name(values, "birth_name"),
            first_given=self._name(values, "first_name"),
            given_names=given.upper() if given else None,
            birth_date=born,
            sex=sex,
            birth_place=place,
        )

    def _name(self, values: Sequence[str], column: str) -> str:
        try:
            name = normal_name(self._value(values, column) or "")
        except ValueError:
            name = ""
        if not name:
            raise _Wrong("NAME_INVALID", column)
        return name

    def _value(self, values: Sequence[str], column: str) -> str | None:
        at = self._at.get(column)
        return values[at].strip() or None if at is not None else None


class _Wrong(Exception):
    """What a line has wrong."""

    def __init__(self, code: str, column: str) -> None:
        super().__init__(code)
        self.code = code
        self.column = column


def _split(line: str) -> list[str]:
    if '"' not in line:
        return line.split(table().delimiter)
    return next(iter(csv.reader([line], delimiter=table().delimiter)))
