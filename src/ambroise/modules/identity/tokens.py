"""Secrets made here: session and device tokens, one-time codes, TOTP."""

from __future__ import annotations

import hashlib
import hmac
import io
import secrets
from datetime import datetime
from typing import Protocol
from uuid import UUID

import pyotp
from argon2.low_level import Type, hash_secret_raw
from pyotp.totp import TOTP

from ambroise.modules.identity.model import DeviceToken, SessionToken, TotpEnrolment

_STEP_SECONDS = 30
_RECOVERY_LENGTH = 10
_RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class Sealer(Protocol):
    """Encrypts small secrets at rest; `purpose` binds a box to what it is for."""

    def seal(self, purpose: str, content: bytes) -> bytes: ...

    def unseal(self, purpose: str, box: bytes) -> bytes: ...


def new_session_token() -> SessionToken:
    """256 bits that only the browser keeps."""
    return SessionToken(secrets.token_urlsafe(32))


def new_device_token() -> DeviceToken:
    return DeviceToken(secrets.token_urlsafe(24))


def digest(token: str) -> bytes:
    """What the database keeps of a token. The token is random and long, so a plain hash cannot be reversed."""
    return hashlib.sha256(token.encode()).digest()


def form_token(token: str) -> str:
    """The value that every form of a session carries against forged requests: derived, so nothing more is stored."""
    return hmac.new(token.encode(), b"ambroise form", hashlib.sha256).hexdigest()[:43]


def new_recovery_codes(count: int = 8) -> list[str]:
    """One-time codes as `xxxxx-xxxxx`, easy to copy on paper: no letter that looks like another."""
    pick = secrets.choice
    return ["-".join("".join(pick(_RECOVERY_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(count)]


def device_digest(device: str, account: UUID) -> bytes:
    """What is kept of a browser's token for one account: several people may share a browser."""
    return digest(f"device {device} {account}")


def looks_like_a_recovery_code(code: str) -> bool:
    """Whether this is worth the 25 ms that checking a recovery code takes."""
    return len(_bare(code)) == _RECOVERY_LENGTH


def recovery_digest(account: UUID, code: str) -> bytes:
    """What is kept of a recovery code, whatever the case and the dashes typed: argon2id, with the account as salt.

    49 random bits would not resist who stole the database if they were hashed fast.
    """
    return hash_secret_raw(
        _bare(code).encode(),
        account.bytes,
        time_cost=2,
        memory_cost=19 * 1024,
        parallelism=1,
        hash_len=32,
        type=Type.ID,
    )


def _bare(code: str) -> str:
    return "".join(character for character in code.lower() if character.isalnum())


def new_totp_secret() -> str:
    return pyotp.random_base32(32)


def enrolment(secret: str, sign_in_name: str, issuer: str) -> TotpEnrolment:
    """What to show to somebody who sets an authenticator up."""
    import segno

    uri = TOTP(secret).provisioning_uri(name=sign_in_name, issuer_name=issuer)
    out = io.BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", xmldecl=False, svgns=True, scale=4, border=2, omitsize=True)
    return TotpEnrolment(secret=secret, uri=uri, qr_svg=out.getvalue().decode())


def matching_step(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """The time step whose code this is, one step of drift allowed each way and never a step used before."""
    totp = TOTP(secret)
    present = int(now.timestamp()) // _STEP_SECONDS
    digits = "".join(character for character in code if character.isdigit())
    for step in (present, present - 1, present + 1):
        if step > after and hmac.compare_digest(totp.generate_otp(step), digits):
            return step
    return None
