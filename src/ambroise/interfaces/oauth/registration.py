"""Registering a client by API (RFC 7591), for who operates the instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ambroise.interfaces.authentication import Authenticator
from ambroise.interfaces.oauth.metadata import REGISTER
from ambroise.interfaces.oauth.wire import body, endpoint, holder_of, json
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import (
    OPENID,
    REALM,
    SCOPE_ALL,
    Client,
    ClientAuthentication,
    Grant,
    NewClient,
)
from ambroise.trust.context import Context, Operator, System

_LARGEST = 64 * 1024
_DUTY = "administration"
_METHODS = {
    "client_secret_basic": ClientAuthentication.SECRET,
    "client_secret_post": ClientAuthentication.SECRET,
    "none": ClientAuthentication.NONE,
    "private_key_jwt": ClientAuthentication.ASSERTION,
    "tls_client_auth": ClientAuthentication.CERTIFICATE,
}


def registration_route(provider: Provider, authenticator: Authenticator) -> Route:
    """The registration endpoint: it takes the token of an operator, `ambroise token --as system` for instance."""

    async def register(request: Request) -> Response:
        ctx = await authenticator.context(request.headers.get("authorization"), holder_of(request), "partner")
        _check_operator(ctx)
        new = _new_client(await _metadata(request))
        async with provider.ground.database.transaction() as tx:
            made = await provider.clients.register(tx, ctx, new)
        secret = {"client_secret": made.secret, "client_secret_expires_at": 0} if made.secret else {}
        return json({**described(made.client), **secret}, 201)

    return endpoint(REALM + REGISTER, register, "POST")


def described(client: Client) -> dict[str, Any]:
    """A client in the words of RFC 7591, without its secret."""
    method = "client_secret_basic" if client.authentication is ClientAuthentication.SECRET else client.authentication
    return {
        "client_id": client.id,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_uris),
        **({"backchannel_logout_uri": client.backchannel_logout_uri} if client.backchannel_logout_uri else {}),
        "token_endpoint_auth_method": str(method),
        **({"launch_uri": client.launch_uri} if client.launch_uri else {}),
        **({"tls_client_auth_subject_dn": client.tls_subject} if client.tls_subject else {}),
        "grant_types": sorted(client.grants),
        "response_types": ["code"] if Grant.CODE in client.grants else [],
        "scope": " ".join(sorted(client.scopes)),
        "client_id_issued_at": int(client.created_at.timestamp()),
    }


def _check_operator(ctx: Context) -> None:
    actor = ctx.actor
    if isinstance(actor, System) or (isinstance(actor, Operator) and _DUTY in actor.duties):
        return
    raise Refusal(Kind.FORBIDDEN, "ACCESS_DENIED", "Only an operator in charge of administration registers clients.")


async def _metadata(request: Request) -> Mapping[str, Any]:
    try:
        sent = orjson.loads(await body(request, _LARGEST))
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise Refusal(Kind.INVALID, "INVALID_CLIENT_METADATA", "Send JSON: the metadata of the client.")
    return sent


def _new_client(sent: Mapping[str, Any]) -> NewClient:
    method = _text(sent, "token_endpoint_auth_method") or "client_secret_basic"
    grants = _texts(sent, "grant_types") or (Grant.CODE.value, Grant.REFRESH.value)
    if method not in _METHODS or not set(grants) <= {grant.value for grant in Grant}:
        raise Refusal(Kind.INVALID, "INVALID_CLIENT_METADATA", "An authentication method or a grant is not known here.")
    people = frozenset({OPENID, SCOPE_ALL}) if {Grant.CODE, Grant.CIBA} & set(grants) else frozenset[str]()
    keys = sent.get("jwks")
    return NewClient(
        name=_text(sent, "client_name") or "",
        redirect_uris=_texts(sent, "redirect_uris"),
        post_logout_uris=_texts(sent, "post_logout_redirect_uris"),
        backchannel_logout_uri=_text(sent, "backchannel_logout_uri"),
        authentication=_METHODS[method],
        grants=frozenset(Grant(grant) for grant in grants),
        scopes=frozenset((_text(sent, "scope") or "").split()) or people,
        jwks=keys if isinstance(keys, dict) else None,
        tls_subject=_text(sent, "tls_client_auth_subject_dn"),
        launch_uri=_text(sent, "launch_uri"),
    )


def _text(sent: Mapping[str, Any], name: str) -> str | None:
    value = sent.get(name)
    if value is not None and not isinstance(value, str):
        raise Refusal(Kind.INVALID, "INVALID_CLIENT_METADATA", f"{name} is a string.")
    return value


def _texts(sent: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = sent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refusal(Kind.INVALID, "INVALID_CLIENT_METADATA", f"{name} is a list of strings.")
    return tuple(value)
