"""The codes that notices carry: long enough to be kept by a plain hash, and to be tried by nobody."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_code() -> str:
    """A code of 79 bits, written in four groups of four."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def digest(code: str) -> bytes:
    """What is kept of a code, however it was typed."""
    return hashlib.sha256(code.strip().upper().encode()).digest()


def proof_digest(code: str) -> bytes:
    """The same code once it served, when it fetches the proof alone."""
    return hashlib.sha256(b"proof " + code.strip().upper().encode()).digest()
