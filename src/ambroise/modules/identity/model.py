"""Accounts, sessions and the rules about them: no clock, no SQL, no HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from msgspec import Struct, field

from ambroise.trust.context import Professional, Relation

PasswordHash = NewType("PasswordHash", str)
SessionToken = NewType("SessionToken", str)
DeviceToken = NewType("DeviceToken", str)

DEFAULT_PROFESSION_SYSTEM = "1.2.250.1.71.1.2.7"


class AccountKind(StrEnum):
    CITIZEN = "citizen"
    PROFESSIONAL = "professional"
    OPERATOR = "operator"


class Situation(Struct, frozen=True):
    """One situation of exercise of a professional."""

    profession: str
    profession_system: str = DEFAULT_PROFESSION_SYSTEM
    specialty: str | None = None
    organization: str | None = None
    organization_name: str | None = None
    role_title: str | None = None


class NewAccount(Struct, frozen=True):
    """What it takes to let somebody sign in. `password` is hashed; None: only the demonstration list opens it."""

    kind: AccountKind
    sign_in_name: str
    display_name: str
    patient: UUID | None = None
    professional: str | None = None
    situations: tuple[Situation, ...] = ()
    duties: frozenset[str] = frozenset()
    password: PasswordHash | None = None
    demonstration: bool = False
    demonstration_rank: int | None = None
    demonstration_note: str | None = None


class Account(Struct, frozen=True):
    id: UUID
    kind: AccountKind
    sign_in_name: str
    display_name: str
    patient: UUID | None = None
    professional: str | None = None
    situations: tuple[Situation, ...] = ()
    duties: frozenset[str] = frozenset()
    has_second_factor: bool = False
    has_passkey: bool = False
    demonstration: bool = False
    demonstration_note: str | None = None

    def as_professional(self, number: int = 0) -> Professional:
        """The professional of this account in one of their situations; the usual one when the number is unknown."""
        if self.professional is None:
            raise ValueError("not the account of a professional")
        situation = self.situations[number] if number < len(self.situations) else self.situations[0]
        return Professional(
            id=self.professional,
            rpps=self.professional[1:],
            name=self.display_name,
            profession=situation.profession,
            profession_system=situation.profession_system,
            specialty=situation.specialty,
            organization=situation.organization,
            organization_name=situation.organization_name,
            role_title=situation.role_title,
        )


class Emergency(Struct, frozen=True):
    """An emergency access open in a session."""

    patient: UUID
    purpose: str
    reason: str
    opened_at: datetime
    ends_at: datetime


class Session(Struct, frozen=True):
    """A browser that signed in. `live` is false once it ended: such a session only serves to keep a draft."""

    id: UUID
    account: Account
    complete: bool
    situation: int
    opened_at: datetime
    ends_at: datetime
    live: bool = True
    acting_for: UUID | None = None
    relation: Relation | None = None
    secret: bool = False
    emergencies: tuple[Emergency, ...] = ()
    means: str | None = None
    proven_at: datetime | None = None
    followed_until: datetime | None = None

    def emergency_for(self, patient: UUID) -> Emergency | None:
        """The emergency access that this session holds on a patient, if any."""
        return next((emergency for emergency in self.emergencies if emergency.patient == patient), None)


class Lifetime(Struct, frozen=True):
    """How long a session lasts without use, and at most."""

    idle: timedelta
    most: timedelta


LIFETIMES: dict[AccountKind, Lifetime] = {
    AccountKind.CITIZEN: Lifetime(timedelta(minutes=30), timedelta(hours=12)),
    AccountKind.PROFESSIONAL: Lifetime(timedelta(minutes=30), timedelta(hours=4)),
    AccountKind.OPERATOR: Lifetime(timedelta(minutes=15), timedelta(hours=8)),
}
# Between the password and the second factor.
HALF_OPEN = Lifetime(timedelta(minutes=10), timedelta(minutes=10))
EMERGENCY_LASTS = timedelta(hours=1)
DRAFT_KEPT = timedelta(hours=24)


class SignInMeans(StrEnum):
    """With what somebody showed who they are, for the session and the trace."""

    PASSWORD = "password"  # noqa: S105 - the name of a means.
    CODE = "password_and_code"
    TRUSTED_BROWSER = "password_and_trusted_browser"
    PASSKEY = "passkey"
    PASSWORD_AND_PASSKEY = "password_and_passkey"  # noqa: S105 - the name of a means.
    PROVIDER = "other_provider"
    HANDED_CODE = "handed_code"
    DEMONSTRATION = "demonstration"


class SignInProblem(StrEnum):
    """Why nobody was signed in. A wrong name and a wrong password look the same."""

    WRONG = "SIGN_IN_WRONG"
    WAIT = "SIGN_IN_WAIT"
    SUSPENDED = "ACCOUNT_SUSPENDED"
    CODE_WRONG = "CODE_WRONG"
    PASSKEY_REFUSED = "PASSKEY_REFUSED"
    PASSKEY_ASKED = "PASSKEY_ASKED"


class NotSignedIn(Struct, frozen=True):
    problem: SignInProblem
    wait: timedelta = timedelta()


class SignedIn(Struct, frozen=True):
    """A session was opened, complete or waiting for the second factor."""

    token: SessionToken
    account: Account
    complete: bool
    device: DeviceToken | None = None


class Origin(Struct, frozen=True):
    """Where an attempt comes from: the network address, the token that the browser kept, what it says of itself."""

    address: str = ""
    device: str | None = None
    agent: str = ""
    language: str = "fr"


class TotpEnrolment(Struct, frozen=True):
    """What an authenticator needs: the secret in base32, its `otpauth:` address, and that address as a QR code."""

    secret: str
    uri: str
    qr_svg: str


class Draft(Struct, frozen=True):
    path: str
    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    saved_at: datetime | None = None
