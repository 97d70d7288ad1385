"""The face of identity: accounts, signing in, sessions."""

from __future__ import annotations

from ambroise.modules.identity.model import (
    Account,
    AccountKind,
    DeviceToken,
    Draft,
    Emergency,
    NewAccount,
    NotSignedIn,
    Origin,
    PasswordHash,
    Session,
    SessionToken,
    SignedIn,
    SignInProblem,
    Situation,
    TotpEnrolment,
)
from ambroise.modules.identity.passwords import Weakness, hash_password, weakness
from ambroise.modules.identity.service import Identity
from ambroise.modules.identity.tokens import Sealer, form_token

__all__ = [
    "Account",
    "AccountKind",
    "DeviceToken",
    "Draft",
    "Emergency",
    "Identity",
    "NewAccount",
    "NotSignedIn",
    "Origin",
    "PasswordHash",
    "Sealer",
    "Session",
    "SessionToken",
    "SignInProblem",
    "SignedIn",
    "Situation",
    "TotpEnrolment",
    "Weakness",
    "form_token",
    "hash_password",
    "weakness",
]
