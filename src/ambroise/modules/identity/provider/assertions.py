"""Proof by a signed assertion (private_key_jwt, RFC 7523): the client signs who it is, for us, once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from ambroise.modules.identity.provider.ground import refuse

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "PS256", "RS256")
_LEEWAY = timedelta(seconds=10)
_LONGEST = timedelta(minutes=5)
_LARGEST = 8192
_RSA_BITS = 2048


def key_set(jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The public keys of a client, as they are kept. Raises INVALID_CLIENT_METADATA."""
    try:
        keys = KeySet.import_key_set(cast("Any", jwks)).keys
    except (JoseError, ValueError, KeyError, TypeError):
        refuse("INVALID_CLIENT_METADATA", "The keys are not a JWK set.")
    for key in keys:
        fits = (isinstance(key, ECKey) and key.curve_name == "P-256") or (
            isinstance(key, RSAKey) and key.public_key.key_size >= _RSA_BITS
        )
        if not fits:
            refuse("INVALID_CLIENT_METADATA", "Give keys on the curve P-256, or RSA of 2048 bits or more.")
        if key.is_private:
            refuse("INVALID_CLIENT_METADATA", "Give the public keys only: the private ones never leave the client.")
    if not keys:
        refuse("INVALID_CLIENT_METADATA", "Give at least one key.")
    return {"keys": [key.as_dict(private=False) for key in keys]}


def named(assertion: str) -> str | None:
    """The client that an assertion names, before anything is proved."""
    try:
        body = assertion.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        subject = claims["sub"]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
    return subject if isinstance(subject, str) else None


def proved(
    jwks: Mapping[str, Any], assertion: str, client: str, audiences: frozenset[str], now: datetime
) -> tuple[str, datetime] | None:
    """The `jti` of a good assertion and when it ends; None when it proves nothing."""
    if len(assertion) > _LARGEST:
        return None
    try:
        keys = KeySet.import_key_set(cast("Any", dict(jwks)))
        claims = jwt.decode(assertion, keys, algorithms=list(ALGORITHMS)).claims
        ends = datetime.fromtimestamp(float(claims["exp"]), UTC)
        begins = datetime.fromtimestamp(float(claims.get("nbf", claims.get("iat", 0))), UTC)
    except (JoseError, ValueError, KeyError, TypeError, OverflowError):
        return None
    aud = claims.get("aud")
    meant = {aud} if isinstance(aud, str) else set(cast("list[str]", aud)) if isinstance(aud, list) else set[str]()
    jti = claims.get("jti")
    good = (
        claims.get("iss") == client
        and claims.get("sub") == client
        and isinstance(jti, str)
        and meant & audiences
        and begins - _LEEWAY <= now < ends + _LEEWAY
        and ends - now <= _LONGEST
    )
    return (str(jti), ends) if good else None
