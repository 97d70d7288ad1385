"""What a letter is: a kind, an address, few details."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class Channel(StrEnum):
    MAIL = "mail"
    SMS = "sms"


class Kind(StrEnum):
    """What a letter tells."""

    ENROLMENT_CODE = "enrolment_code"
    CONTACT_CODE = "contact_code"
    SIGN_IN_CODE = "sign_in_code"
    RECOVERY_CODE = "recovery_code"
    ACCOUNT_OPENED = "account_opened"
    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - what is told, not a secret.
    FACTOR_CHANGED = "factor_changed"
    NOTICES = "notices"
    TREATING_WORD = "treating_word"
    """To a doctor: the record of a patient whom they treat was opened in emergency."""
    SPACE_NOTICE = "space_notice"
    SPACE_OBJECTED = "space_objected"
    SPACE_OPENED = "space_opened"
    SPACE_CLOSED = "space_closed"
    SPACE_SUSPENDED = "space_suspended"
    SPACE_BACK = "space_back"
    SPACE_DELETION = "space_deletion"


class Letter(Struct, frozen=True):
    """One message; `address` and `details` are empty once a real instance sent it."""

    id: UUID
    channel: Channel
    kind: Kind
    language: str
    address: str
    details: Mapping[str, str]
    written_at: datetime
    sent_at: datetime | None


class Mail(Struct, frozen=True):
    """A mail as it is handed over. `refuse`: the link that refuses such mails in one click (RFC 8058)."""

    id: str
    to: str
    subject: str
    text: str
    html: str | None = None
    refuse: str | None = None
    comes_back_to: str | None = None
    """Where it comes back when nobody takes it; to its sender without one."""


class Outcome(StrEnum):
    """What became of a letter."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    """The reader's server said that it will never take it (RFC 5321, 4.2.1: an answer 5yz)."""
    HELD = "held"
    """It was not sent: earlier mails to this address came back."""


class GivingBack(Struct, frozen=True):
    """An address to which nothing is sent, since mails to it came back. `status`: the last one told (RFC 3463)."""

    since: datetime
    status: str


class Attachment(Struct, frozen=True):
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes
