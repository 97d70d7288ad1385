"""The address to which a mail comes back when nobody takes it: one of its own for each mail, under our seal.

A bounce of any form then says which mail it is about (VERP), and who did not receive that mail cannot make its
address: nobody stops somebody else's mails by pretending that they came back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final
from uuid import UUID

from msgspec import Struct

_SEAL: Final = 10
_TOKEN: Final = 42
"""Letters of a token: 26 bytes in base32, which servers may lower or raise the case of (RFC 5321, 2.4 says not to)."""
LONGEST_LOCAL: Final = 64 - _TOKEN - 1
"""What a local part may have before the token (RFC 5321, 4.5.3.1.1)."""


class ReturnPath(Struct, frozen=True):
    """Where our mails come back: `local+token@domain`."""

    key: bytes
    local: str
    domain: str

    @classmethod
    def over(cls, key: bytes, address: str) -> ReturnPath:
        """Below one address. Raises ValueError when tokens do not fit beside it."""
        local, at, domain = address.rpartition("@")
        if not at or not local or not domain or len(local) > LONGEST_LOCAL or not address.isascii():
            raise ValueError(f"write local@domain, with at most {LONGEST_LOCAL} letters before the @")
        return cls(key, local.lower(), domain.lower())

    def of(self, letter: UUID) -> str:
        """The address to which one letter comes back."""
        token = base64.b32encode(letter.bytes + self._seal(letter.bytes)).decode().rstrip("=").lower()
        return f"{self.local}+{token}@{self.domain}"

    def letter(self, recipient: str) -> UUID | None:
        """Which letter comes back to this address; None for any address that we did not make."""
        local, _, domain = recipient.rpartition("@")
        own, _, token = local.lower().partition("+")
        if own != self.local or domain.lower() != self.domain or len(token) != _TOKEN or not token.isascii():
            return None
        try:
            said = base64.b32decode(token.upper() + "=" * (-_TOKEN % 8))
        except binascii.Error:
            return None
        letter, seal = said[:16], said[16:]
        return UUID(bytes=letter) if hmac.compare_digest(seal, self._seal(letter)) else None

    def _seal(self, letter: bytes) -> bytes:
        return hmac.new(self.key, b"return" + letter, hashlib.sha256).digest()[:_SEAL]
