"""The link of a mail by which its reader refuses such mails, in one click and without signing in (RFC 8058).

It carries whose mails, about which space and of which kinds, under our seal: it opens nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.modules.notification.model import Kind
from ambroise.modules.notification.push.text import b64, unb64

_KINDS: Final = tuple(Kind)
_SEAL: Final = 16
_SIZE: Final = 33 + _SEAL


class Refusing(Struct, frozen=True):
    """Whose mails, about which space, of which kinds."""

    person: UUID
    space: UUID
    kinds: frozenset[Kind]


def written(key: bytes, person: UUID, space: UUID, kinds: Collection[Kind]) -> str:
    """The token of a link."""
    flags = sum(1 << _KINDS.index(kind) for kind in kinds)
    said = person.bytes + space.bytes + bytes([flags])
    return b64(said + _seal(key, said))


def read(key: bytes, token: str) -> Refusing:
    """What a link says. Raises LINK_UNKNOWN."""
    try:
        content = unb64(token)
    except ValueError:
        raise _unknown() from None
    said, seal = content[:-_SEAL], content[-_SEAL:]
    if len(content) != _SIZE or not hmac.compare_digest(seal, _seal(key, said)):
        raise _unknown()
    kinds = frozenset(kind for place, kind in enumerate(_KINDS) if said[32] >> place & 1)
    return Refusing(UUID(bytes=said[:16]), UUID(bytes=said[16:32]), kinds)


def _seal(key: bytes, said: bytes) -> bytes:
    return hmac.new(key, b"refuse" + said, hashlib.sha256).digest()[:_SEAL]


def _unknown() -> Refusal:
    return Refusal(Refused.NOT_FOUND, "LINK_UNKNOWN", "This link is not one of ours, or is cut off.")
