"""Opening an account: its steps, what is claimed, what is kept meanwhile. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct, field

from ambroise.modules.letters.api import Channel

LASTS: Final = timedelta(hours=1)
MOST_SENDS: Final = 5
MAJORITY: Final = 18
WITH_PHOTO_PREFIX: Final = "8025000002"
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", re.IGNORECASE)
_NIR: Final = re.compile(r"[12]\d{4}(\d{2}|2[AB])\d{6}(\d{2})?", re.IGNORECASE)
_MAIL: Final = re.compile(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_MOBILE: Final = re.compile(r"(?:\+33|0033|0)([67]\d{8})")


class Step(StrEnum):
    """How far an enrolment is."""

    IDENTIFIED = "identified"
    CODE_SENT = "code_sent"
    PROVEN = "proven"
    CONTACTS_OK = "contacts_ok"
    CREDENTIALS_OK = "credentials_ok"


class Claim(Struct, frozen=True):
    """Who somebody says they are: the number (NIR), the birth date, and either the card's serial or the names."""

    matricule: str
    birth_date: date | None
    card: str = ""
    birth_name: str = ""
    first_name: str = ""


class Enrolment(Struct, frozen=True):
    """One enrolment under way. `known` are the contacts that the insurer gave, `proven` those shown to be read."""

    id: UUID
    step: Step
    patient: UUID
    sends: int
    ends_at: datetime
    known: dict[Channel, str] = field(default_factory=dict[Channel, str])
    proven: dict[Channel, str] = field(default_factory=dict[Channel, str])
    sign_in_name: str = ""
    password: str = ""

    @property
    def masked(self) -> dict[Channel, str]:
        """The known contacts, as they may be shown to somebody who proved nothing yet."""
        return {channel: masked(channel, address) for channel, address in self.known.items()}


def masked(channel: Channel, address: str) -> str:
    """A contact that its holder recognises and nobody else learns."""
    if channel is Channel.SMS:
        return f"•• •• •• •• {address[-2:]}"
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain[:1]}•••.{domain.rpartition('.')[2]}"


def mail_of(text: str) -> str | None:
    """A mail address as it is kept, None when it is none."""
    mail = text.strip().lower()
    return mail if len(mail) <= 254 and _MAIL.fullmatch(mail) else None


def mobile_of(text: str) -> str | None:
    """A French mobile number as +336…, None when it is none."""
    found = _MOBILE.fullmatch(re.sub(r"[ .\-()]", "", text))
    return f"+33{found[1]}" if found else None


def serial_of(text: str) -> str | None:
    """The serial of a card: the 11 last digits of a card with photo, 8 to 13 digits of one without."""
    digits = re.sub(r"\D", "", text).removeprefix(WITH_PHOTO_PREFIX)
    return digits if 8 <= len(digits) <= 13 else None


def name_problem(name: str) -> str | None:
    """Why this cannot be a sign-in name: at least 8 characters, `.-_` as specials, no number of another use."""
    bare = re.sub(r"[._-]", "", name)
    if len(name) < 8 or len(name) > 64 or not _NAME.fullmatch(name):
        return "LOGIN_FORMAT"
    return "LOGIN_FORBIDDEN" if _NIR.fullmatch(bare) or _IBAN.fullmatch(bare) else None


def name_from(first: str, family: str) -> str:
    """A sign-in name to suggest."""
    plain = unicodedata.normalize("NFKD", f"{first}.{family}").encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z.]+", "-", plain).strip("-.").ljust(8, "0")[:40]


def is_minor(born: date, today: date) -> bool:
    """Whether somebody is under eighteen."""
    return (today.year - born.year - ((today.month, today.day) < (born.month, born.day))) < MAJORITY
