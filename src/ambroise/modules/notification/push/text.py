"""Bytes in the text of the web: base64url without padding (RFC 4648, 5)."""

from __future__ import annotations

import base64


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of a text, with or without padding. Raises ValueError."""
    if not text.isascii():
        raise ValueError("base64url is ASCII")
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
