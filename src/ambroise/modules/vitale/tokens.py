"""Tokens of a card: compact JWS (RFC 7515) signed ES256, by the instance or by the telephone. Pure.

    by the instance  {alg, typ, kid: "s.<key>"}      {j: showing, e: last second}
    by a telephone   {alg, typ, kid: "d.<device>"}   {n: milliseconds, m: proof of the code, r: challenge, a: 1}

They carry no identity: whoever photographs one learns nothing. `n` is the telephone's clock and its counter at once:
each token has a greater one than all before it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.util import urlsafe_b64encode
from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal

TYPE: Final = "vitale+jws"
_ALGORITHM: Final = "ES256"
_LONGEST: Final = 1024
_PROOF: Final = 16


class ByInstance(Struct, frozen=True):
    """A token made here, its signature right: which showing it is, until when."""

    showing: UUID
    expires_at: datetime


class ByDevice(Struct, frozen=True):
    """A token of a telephone, its signature right. `opens`: the person lets the reader into the record."""

    counter: int
    made_at: datetime
    proof: str
    reader: UUID | None
    opens: bool


class Unread(Struct, frozen=True):
    """A token whose signature is still to be checked: who should have signed it."""

    text: str
    device: UUID | None


def sign_showing(showing: UUID, expires_at: datetime, key: ECKey) -> str:
    """The token of one showing."""
    header = {"alg": _ALGORITHM, "typ": TYPE, "kid": f"s.{key.kid}"}
    payload = orjson.dumps({"j": showing.hex, "e": int(expires_at.timestamp())})
    return jws.serialize_compact(header, payload, key, algorithms=[_ALGORITHM])


def opened(token: str) -> Unread:
    """Who should have signed a token. Raises VITALE_TOKEN_MALFORMED."""
    if len(token) > _LONGEST or token.count(".") != 2:
        raise _malformed()
    try:
        header = cast(Mapping[str, Any], jws.extract_compact(token.encode()).headers())
        kid = str(header["kid"])
        if header.get("typ") != TYPE or header.get("alg") != _ALGORITHM:
            raise _malformed()
        if kid.startswith("s."):
            return Unread(token, None)
        if not kid.startswith("d."):
            raise _malformed()
        return Unread(token, UUID(hex=kid[2:]))
    except (JoseError, ValueError, KeyError, AttributeError, TypeError):
        raise _malformed() from None


def by_instance(token: Unread, keys: KeySet) -> ByInstance:
    """What a token made here says. Raises VITALE_SIGNATURE."""

    def key(given: Any) -> Any:
        return keys.get_by_kid(str(given.headers()["kid"])[2:])

    said = _verified(token, key)
    try:
        return ByInstance(UUID(hex=said["j"]), datetime.fromtimestamp(int(said["e"]), UTC))
    except (KeyError, ValueError, TypeError, OverflowError):
        raise _malformed() from None


def by_device(token: Unread, public_key: Mapping[str, Any], seed: bytes) -> ByDevice:
    """What a telephone's token says. Raises VITALE_SIGNATURE for another key or another secret code."""
    said = _verified(token, ECKey.import_key(dict(public_key)))
    try:
        counter = said["n"]
        reader = UUID(hex=said["r"]) if "r" in said else None
        opens = said.get("a") == 1
        if not isinstance(counter, int) or isinstance(counter, bool) or not 0 < counter < 1 << 53:
            raise _malformed()
        made = ByDevice(counter, datetime.fromtimestamp(counter / 1000, UTC), str(said["m"]), reader, opens)
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        raise _malformed() from None
    if not hmac.compare_digest(proof_of(seed, made.counter, made.reader, made.opens), made.proof):
        raise _forged()
    return made


def proof_of(seed: bytes, counter: int, reader: UUID | None, opens: bool) -> str:
    """The proof that the secret code unlocked the telephone for this very token."""
    text = f"{counter}.{reader.hex if reader else ''}.{int(opens)}"
    return urlsafe_b64encode(hmac.new(seed, text.encode(), hashlib.sha256).digest()[:_PROOF]).decode()


def public_key_of(sent: object) -> dict[str, str]:
    """The public P-256 key that a telephone registers. Raises VITALE_KEY, also for a private one."""
    given: Mapping[Any, Any] = cast(Mapping[Any, Any], sent) if isinstance(sent, Mapping) else {}
    kept = {name: str(given.get(name, "")) for name in ("kty", "crv", "x", "y")}
    try:
        if kept["kty"] != "EC" or kept["crv"] != "P-256" or "d" in given:
            raise ValueError
        key = ECKey.import_key(dict(kept))
        key.public_key.public_numbers()
    except (JoseError, ValueError, TypeError):
        raise Refusal(Kind.UNPROCESSABLE, "VITALE_KEY", "Send a public P-256 key, as a JWK.") from None
    return kept


def _verified(token: Unread, key: Any) -> dict[str, Any]:
    try:
        payload = jws.deserialize_compact(token.text, key, algorithms=[_ALGORITHM]).payload
    except (JoseError, ValueError):
        raise _forged() from None
    try:
        said = orjson.loads(payload)
    except ValueError:
        raise _malformed() from None
    if not isinstance(said, dict):
        raise _malformed()
    return cast(dict[str, Any], said)


def _malformed() -> Refusal:
    return Refusal(Kind.INVALID, "VITALE_TOKEN_MALFORMED", "This is not a token of an e-carte Vitale.")


def _forged() -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, "VITALE_SIGNATURE", "The token was not signed by a card that is known here.")


__all__ = [
    "TYPE",
    "ByDevice",
    "ByInstance",
    "Unread",
    "by_device",
    "by_instance",
    "opened",
    "proof_of",
    "public_key_of",
    "sign_showing",
]
