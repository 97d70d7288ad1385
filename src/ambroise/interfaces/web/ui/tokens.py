"""The value in every form that shows it was drawn for this browser."""

from __future__ import annotations

import base64
import hmac
import os

from ambroise.modules.identity.api import form_token


def drawn(cookie: str) -> str:
    """A form's token for the holder of this cookie, never twice the same text, so that compression tells nothing."""
    value = form_token(cookie).encode()
    mask = os.urandom(len(value))
    return base64.urlsafe_b64encode(mask + _xor(mask, value)).decode()


def genuine(cookie: str, sent: str) -> bool:
    """Whether this token was drawn for the holder of this cookie."""
    value = form_token(cookie).encode()
    try:
        raw = base64.urlsafe_b64decode(sent.encode())
    except ValueError:
        return False
    if len(raw) != 2 * len(value):
        return False
    return hmac.compare_digest(_xor(raw[: len(value)], raw[len(value) :]), value)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))
