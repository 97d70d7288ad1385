"""Making tokens: what each says, for how long, and its signature."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import datetime
from typing import Any

from ambroise.kernel.ids import random_id
from ambroise.modules.identity.provider import jose
from ambroise.modules.identity.provider.claims import FAMILY, LIMITED, ORGANIZATION, ROLE, RPPS
from ambroise.modules.identity.provider.ground import Ground, seconds
from ambroise.modules.identity.provider.model import (
    ACCESS_LASTS,
    ASSURANCE,
    OPENID,
    REFRESH_LASTS,
    Client,
    Family,
    Tokens,
)
from ambroise.modules.identity.provider.smart import FHIR_USER, NOBODY


def tokens(
    ground: Ground,
    family: Family,
    scopes: tuple[str, ...],
    refresh: str | None,
    now: datetime,
    holder: str | None,
    user: str | None,
) -> Tokens:
    """The tokens of a family: `user` is its claim `fhirUser`, `holder` the certificate that they are bound to."""
    ends = min(now + ACCESS_LASTS, family.ends_at)
    common = _common(ground, family, now, ends)
    access = _access_token(ground, family, scopes, [family.issuer, ground.audience], common, now, holder)
    id_claims: dict[str, Any] = {**common, "aud": family.client, "typ": "ID", "at_hash": _half_hash(access)}
    if family.nonce is not None:
        id_claims["nonce"] = family.nonce
    if user is not None:
        id_claims[FHIR_USER] = user
    return Tokens(
        access=access,
        expires_in=_lasts(now, ends),
        scopes=scopes,
        refresh=refresh,
        refresh_expires_in=_lasts(now, min(now + REFRESH_LASTS, family.ends_at)) if refresh else None,
        id_token=ground.jose.sign(id_claims, jose.ID, now) if OPENID in scopes else None,
        session=str(family.sign_on),
        opened=family.opened if family.limited else NOBODY,
    )


def for_client(
    ground: Ground, client: Client, scopes: tuple[str, ...], issuer: str, now: datetime, holder: str | None
) -> Tokens:
    """The token of a client acting by itself."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": issuer,
        "sub": client.id,
        "client_id": client.id,
        "azp": client.id,
        "typ": "Bearer",
        "scope": " ".join(scopes),
        "iat": seconds(now),
        "exp": seconds(now + ACCESS_LASTS),
        "jti": random_id().hex,
        **_bound(holder),
    }
    return Tokens(ground.jose.sign(claims, jose.ACCESS, now), _lasts(now, now + ACCESS_LASTS), scopes)


def for_api(ground: Ground, family: Family, holder: str, now: datetime) -> Tokens:
    """A token for the APIs alone, bound to a certificate: by exchange."""
    common = _common(ground, family, now, family.ends_at)
    access = _access_token(ground, family, family.scopes, [ground.audience], common, now, holder)
    return Tokens(access, _lasts(now, family.ends_at), family.scopes, exchanged=True)


def _access_token(
    ground: Ground,
    family: Family,
    scopes: tuple[str, ...],
    audience: list[str],
    common: dict[str, Any],
    now: datetime,
    holder: str | None,
) -> str:
    situation = family.account.situations[family.situation : family.situation + 1]
    organization = situation[0].organization if situation else None
    claims: dict[str, Any] = {
        **common,
        "aud": audience,
        "typ": "Bearer",
        "scope": " ".join(scopes),
        "jti": random_id().hex,
        "client_id": family.client,
        FAMILY: str(family.id),
        ROLE: "professional",
        RPPS: (family.account.professional or " ")[1:],
        **({ORGANIZATION: organization} if organization else {}),
        **({LIMITED: {"patient": str(family.opened.patient or "")}} if family.limited else {}),
        **_bound(holder),
    }
    return ground.jose.sign(claims, jose.ACCESS, now)


def _common(ground: Ground, family: Family, now: datetime, ends: datetime) -> dict[str, Any]:
    assurance, session = ASSURANCE[family.means], str(family.sign_on)
    return {
        "iss": family.issuer,
        "sub": ground.subject(family.account),
        "azp": family.client,
        "iat": seconds(now),
        "exp": seconds(ends),
        "auth_time": seconds(family.authenticated_at),
        "acr": assurance.acr,
        "amr": list(assurance.amr),
        "sid": session,
        "session_state": session,
        "preferred_username": family.account.professional,
    }


def _bound(holder: str | None) -> dict[str, Any]:
    return {"cnf": {"x5t#S256": holder}} if holder is not None else {}


def _half_hash(token: str) -> str:
    """`at_hash`: the left half of the SHA-256, in base64url."""
    return urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def _lasts(now: datetime, ends: datetime) -> int:
    return max(0, int((ends - now).total_seconds()))
