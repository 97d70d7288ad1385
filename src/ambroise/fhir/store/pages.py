"""Page links: where a list goes on, sealed so that nobody reads or forges them."""

import base64
import binascii
import os
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ambroise.kernel.errors import Kind, Refusal

_NONCE: Final = 12
_LONGEST: Final = 8192


class PageSeal:
    """Seals the state of a list into a cursor and opens it again. Every process needs the same 32-byte secret."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, purpose: str, state: Any) -> str:
        """An opaque cursor; `purpose` says which sort of list it belongs to."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, msgspec.msgpack.encode(state), purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, purpose: str, cursor: str) -> Any:
        """The state that was sealed for this purpose. Refuses a cursor that we did not make (CURSOR_UNKNOWN)."""
        try:
            if len(cursor) > _LONGEST:
                raise ValueError("too long")
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            return msgspec.msgpack.decode(self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()))
        except (ValueError, binascii.Error, InvalidTag, UnicodeEncodeError, msgspec.MsgspecError) as error:
            raise Refusal(
                Kind.INVALID,
                "CURSOR_UNKNOWN",
                "This page link is not one that this server gave; start again from the first page.",
                element="_cursor",
            ) from error
