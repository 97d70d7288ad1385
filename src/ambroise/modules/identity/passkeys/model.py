"""The words of passkeys: no clock, no SQL, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

# WebAuthn Level 2 §5.4 recommends 5 to 10 minutes when the person is to be verified.
CHALLENGE_LASTS: Final = timedelta(minutes=5)
# More would be a list that nobody reads.
MOST_PASSKEYS: Final = 20
LONGEST_NAME: Final = 60


class RelyingParty(Struct, frozen=True):
    """Whom passkeys are for (WebAuthn: relying party): a host name, and the one origin whose pages may use them."""

    id: str
    origin: str
    name: str

    @staticmethod
    def at(public_url: str, name: str = "Ambroise") -> RelyingParty | None:
        """The relying party of an instance; None where browsers know no passkey: a bare address, or no TLS."""
        parts = urlsplit(public_url)
        host = (parts.hostname or "").lower()
        if not host or _is_address(host) or (parts.scheme != "https" and host != "localhost"):
            return None
        return RelyingParty(host, f"{parts.scheme}://{parts.netloc.lower()}", name)


class Purpose(StrEnum):
    """What a challenge is for: its answer is good for nothing else."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    PROOF = "proof"
    SIGN_ON = "sign_on"


class Passkey(Struct, frozen=True):
    """A passkey of an account. `synced`: its holder's other devices may have it too."""

    id: UUID
    account: UUID
    name: str
    synced: bool
    created_at: datetime
    used_at: datetime | None


class Kept(Struct, frozen=True):
    """A passkey with what checks its answers; `revoked` ones answer nothing."""

    passkey: Passkey
    credential: bytes
    public_key: bytes
    sign_count: int
    revoked: bool


class Challenge(Struct, frozen=True):
    """A challenge taken back: it cannot be answered again."""

    value: bytes
    account: UUID | None


class Ceremony(Struct, frozen=True):
    """What a browser needs: the reference of the challenge, and the options of `navigator.credentials`, as JSON."""

    reference: str
    options: Mapping[str, Any]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
