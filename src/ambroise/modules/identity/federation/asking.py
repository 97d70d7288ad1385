"""Our side of the code flow: sending somebody to a partner, redeeming the code, reading who it is."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey

from ambroise.kernel.clock import Clock
from ambroise.modules.identity.federation import checking, transport
from ambroise.modules.identity.federation.model import Invalid, Partner, Proof, Proven, Underway
from ambroise.modules.identity.federation.opening import opened, private_key
from ambroise.modules.identity.federation.remote import Remote
from ambroise.modules.identity.federation.transport import Unreachable

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LASTS: Final = timedelta(seconds=60)


def begun(partner: Partner, back: str, following: str, request: str) -> tuple[str, Underway]:
    """A new state, and what must come back with it."""
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    return secrets.token_urlsafe(32), Underway(partner.id, nonce, verifier, back, following, request)


async def address(remote: Remote, state: str, underway: Underway) -> str:
    """Where to send the browser. Raises Unreachable."""
    partner = remote.partner
    challenge = base64.urlsafe_b64encode(hashlib.sha256(underway.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        **partner.parameters,
        "response_type": "code",
        "client_id": partner.client_id,
        "redirect_uri": underway.back,
        "scope": " ".join(partner.scopes),
        "state": state,
        "nonce": underway.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"acr_values": " ".join(partner.acr_asked)} if partner.acr_asked else {}),
    }
    return _with((await remote.metadata()).authorization, asked)


async def proven(remote: Remote, code: str, underway: Underway, clock: Clock) -> Proven:
    """Who the partner says that this is, every check made. Raises Unreachable, Invalid."""
    partner, metadata = remote.partner, await remote.metadata()
    tokens = await _redeemed(remote, metadata.token, code, underway, clock)
    access, token = tokens.get("access_token"), tokens.get("id_token")
    if not isinstance(access, str) or not isinstance(token, str) or len(access) > 16_384:
        raise Invalid("tokens")
    # What is shown to the partner at the end is what it signed (OpenID Connect Core §3.1.2.1, id_token_hint).
    token = opened(partner, token)
    claims = await checking.id_token(remote, token, nonce=underway.nonce, access=access, now=clock.now())
    subject, amr = claims["sub"], claims.get("amr")
    told = await _user_info(remote, metadata.user_info, access, subject)
    sid = claims.get("sid")
    return Proven(
        partner=partner,
        subject=subject,
        sid=sid if isinstance(sid, str) else None,
        acr=str(claims["acr"]) if "acr" in claims else None,
        amr=tuple(str(one)[:40] for one in amr[:10]) if isinstance(amr, list) else (),  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        claims={**claims, **told},
        id_token=token,
    )


async def farewell(remote: Remote, id_token: str, back: str) -> str | None:
    """Where somebody ends the partner's own session (RP-Initiated Logout); None when it offers no such thing."""
    end = (await remote.metadata()).end_session
    if end is None:
        return None
    return _with(
        end, {"id_token_hint": id_token, "client_id": remote.partner.client_id, "post_logout_redirect_uri": back}
    )


async def _redeemed(remote: Remote, endpoint: str, code: str, underway: Underway, clock: Clock) -> dict[str, Any]:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": underway.back,
        "code_verifier": underway.verifier,
    }
    proof, headers = _who_we_are(remote.partner, endpoint, clock)
    answer = await transport.post(remote.partner, endpoint, {**fields, **proof}, headers)
    if answer.status == 400:
        raise Invalid("code")
    if answer.status != 200:
        raise Unreachable(f"its token endpoint answered {answer.status}")
    return answer.json()


async def _user_info(remote: Remote, endpoint: str | None, access: str, subject: str) -> dict[str, Any]:
    if endpoint is None:
        return {}
    answer = await transport.get(remote.partner, endpoint, {"authorization": f"Bearer {access}"})
    if answer.status != 200:
        raise Unreachable(f"its userinfo endpoint answered {answer.status}")
    return await checking.user_info(remote, answer.type, answer.body, subject)


def _who_we_are(partner: Partner, endpoint: str, clock: Clock) -> tuple[dict[str, str], Mapping[str, str]]:
    """The fields and headers that prove who we are. Secrets are read each time: changing one needs no restart."""
    if partner.proof is Proof.ASSERTION:
        fields = {
            "client_id": partner.client_id,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": _assertion(partner, endpoint, clock),
        }
        return fields, {}
    secret = partner.credential.read_text("utf-8").strip()
    if partner.proof is Proof.POST:
        return {"client_id": partner.client_id, "client_secret": secret}, {}
    # RFC 6749 §2.3.1: both parts are encoded as in a form before they are joined.
    pair = f"{quote(partner.client_id, safe='')}:{quote(secret, safe='')}"
    return {}, {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _assertion(partner: Partner, endpoint: str, clock: Clock) -> str:
    """A proof signed by our key, for this endpoint, good once and for a minute (RFC 7523)."""
    key = private_key(partner.credential.read_bytes())
    algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
    now = clock.now()
    claims = {
        "iss": partner.client_id,
        "sub": partner.client_id,
        "aud": endpoint,
        "jti": secrets.token_urlsafe(24),
        "iat": int(now.timestamp()),
        "exp": int((now + _ASSERTION_LASTS).timestamp()),
    }
    return jwt.encode({"alg": algorithm, "kid": key.thumbprint()}, claims, key, algorithms=[algorithm])


def _with(endpoint: str, parameters: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"
