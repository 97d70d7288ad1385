"""Signed tokens (JWS, ES256): making ours, reading what is said to be ours.

Signing goes straight to the curve: the general library takes three times as long, and a busy provider does little else.
Reading goes through the library, with the one algorithm that we use: `none`, HS256 with a public key, and keys carried
by the token itself are all refused.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.errors import JoseError
from msgspec import Struct

from ambroise.kernel.crypto import SigningKeys

ALGORITHM = "ES256"
ACCESS = "at+jwt"
ID = "JWT"
LOGOUT = "logout+jwt"
# A new key is published before it signs, for the time that clients keep the former set (`Cache-Control` of the JWKS).
PUBLISHED_FIRST = timedelta(minutes=10)

_ECDSA = ECDSA(SHA256())


class NotOurs(Exception):
    """A token that we did not sign, or not for this use."""


class _Signer(Struct, frozen=True):
    """The key of the moment. `heads`: the first part of a token, by its type."""

    since: int
    kid: str
    key: EllipticCurvePrivateKey
    heads: dict[str, str]


class Jose:
    """Signs with the key of the moment, verifies with every key of the folder."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys
        self._last: _Signer | None = None

    def sign(self, claims: Mapping[str, Any], type: str, now: datetime) -> str:
        """The compact form of a token of this type (header `typ`)."""
        signer = self._signer(now)
        head = signer.heads.get(type)
        if head is None:
            head = signer.heads[type] = _b64(orjson.dumps({"alg": ALGORITHM, "typ": type, "kid": signer.kid}))
        signed = f"{head}.{_b64(orjson.dumps(claims))}"
        r, s = decode_dss_signature(signer.key.sign(signed.encode(), _ECDSA))
        return f"{signed}.{_b64(r.to_bytes(32) + s.to_bytes(32))}"

    def _signer(self, now: datetime) -> _Signer:
        """The folder of keys is asked once in a second at most, for to ask costs a fifth of a signature."""
        second, last = int(now.timestamp()), self._last
        if last is not None and last.since == second:
            return last
        key = self._keys.signer_at(now - PUBLISHED_FIRST)
        private = key.private_key
        assert private is not None  # noqa: S101 - the folder holds the keys that sign.
        self._last = _Signer(second, str(key.kid), private, {})
        return self._last

    def read(self, token: str, type: str) -> dict[str, Any]:
        """The claims of a token that we signed as this type; whether they hold is for the caller. Raises NotOurs."""
        try:
            found = jwt.decode(token, self._keys.all, algorithms=[ALGORITHM])
        except (JoseError, ValueError) as error:
            raise NotOurs from error
        if str(found.header.get("typ", "")).lower() != type.lower():
            raise NotOurs
        return dict(found.claims)

    def jwks(self) -> dict[str, Any]:
        """The public keys, those that another process added included."""
        self._keys.all.refresh()
        return self._keys.jwks()


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
