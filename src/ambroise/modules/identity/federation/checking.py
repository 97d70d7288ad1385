"""Judging what a partner signed (OpenID Connect Core §3.1.3.7, Back-Channel Logout §2.6)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from ambroise.modules.identity.federation.model import Invalid
from ambroise.modules.identity.federation.opening import LARGEST, opened
from ambroise.modules.identity.federation.remote import Remote

_LEEWAY: Final = timedelta(seconds=30)
# An ID token was made for us a moment ago.
_OLDEST: Final = timedelta(minutes=10)
_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_DIGESTS: Final = {"256": hashlib.sha256, "384": hashlib.sha384}


async def id_token(remote: Remote, token: str, *, nonce: str, access: str, now: datetime) -> dict[str, Any]:
    """The claims of an ID token that was made for us, in this very sign-in. Raises Invalid."""
    header, claims = await _signed(remote, token)
    _addressed(remote, claims)
    _in_time(claims, now)
    _texts(claims, "sub")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise Invalid("nonce")
    if "at_hash" in claims and claims["at_hash"] != _half(access, header["alg"]):
        raise Invalid("at_hash")
    if remote.partner.acr_accepted and claims.get("acr") not in remote.partner.acr_accepted:
        raise Invalid("acr")
    return claims


async def user_info(remote: Remote, type: str, body: bytes, subject: str) -> dict[str, Any]:
    """What UserInfo says, in JSON or signed, of this very subject. Raises Invalid."""
    if type == "application/jwt":
        _, claims = await _signed(remote, body.decode("ascii", "replace").strip())
        _addressed(remote, claims)
    elif type == "application/json":
        claims = _object(body)
    else:
        raise Invalid("userinfo content type")
    # OpenID Connect Core §5.3.2: another subject means that tokens were swapped.
    if claims.get("sub") != subject:
        raise Invalid("userinfo sub")
    return claims


async def logout_token(remote: Remote, token: str, now: datetime) -> dict[str, Any]:
    """The claims of a token that says that a session ended. Raises Invalid."""
    header, claims = await _signed(remote, token)
    if str(header.get("typ", "logout+jwt")).lower() not in ("logout+jwt", "jwt"):
        raise Invalid("typ")
    _addressed(remote, claims)
    _in_time(claims, now, expires=False)
    _texts(claims, "jti")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(cast("dict[str, Any]", events).get(_LOGOUT_EVENT), dict):
        raise Invalid("events")
    # §2.4: a nonce is forbidden, so that no ID token passes for a logout token.
    if "nonce" in claims:
        raise Invalid("nonce")
    if not any(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "sid")):
        raise Invalid("sub")
    return claims


async def _signed(remote: Remote, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and claims of a token signed by the partner, encrypted or not, by an algorithm that we asked for."""
    token = opened(remote.partner, token)
    if len(token) > LARGEST or token.count(".") != 2:
        raise Invalid("form")
    header = _object(_decoded(token.partition(".")[0]))
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in remote.partner.algorithms:
        raise Invalid("alg")
    key = await remote.key(str(algorithm), kid if isinstance(kid, str) else None)
    if key is None:
        raise Invalid("kid")
    try:
        found = jwt.decode(token, key, algorithms=[str(algorithm)])
    except (JoseError, ValueError) as error:
        raise Invalid("signature") from error
    return dict(found.header), dict(found.claims)


def _addressed(remote: Remote, claims: Mapping[str, Any]) -> None:
    """From this issuer, to us and to nobody else whom we do not know."""
    if claims.get("iss") != remote.partner.issuer:
        raise Invalid("iss")
    own, said = remote.partner.client_id, claims.get("aud")
    audience: list[Any] = cast("list[Any]", said) if isinstance(said, list) else [said]
    if own not in audience:
        raise Invalid("aud")
    if claims.get("azp", own) != own or (len(audience) > 1 and "azp" not in claims):
        raise Invalid("azp")


def _in_time(claims: Mapping[str, Any], now: datetime, *, expires: bool = True) -> None:
    at = now.timestamp()
    if expires or "exp" in claims:
        _number(claims, "exp")
        if claims["exp"] <= at - _LEEWAY.total_seconds():
            raise Invalid("exp")
    _number(claims, "iat")
    if not at - _OLDEST.total_seconds() <= claims["iat"] <= at + _LEEWAY.total_seconds():
        raise Invalid("iat")


def _number(claims: Mapping[str, Any], name: str) -> None:
    if isinstance(claims.get(name), bool) or not isinstance(claims.get(name), (int, float)):
        raise Invalid(name)


def _texts(claims: Mapping[str, Any], name: str) -> None:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise Invalid(name)


def _half(access: str, algorithm: str) -> str:
    """`at_hash` of an access token (Core §3.1.3.6)."""
    digest = _DIGESTS[algorithm[-3:]](access.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise Invalid("form") from error


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("form") from error
