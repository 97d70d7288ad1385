"""The endpoints that software calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.oauth import metadata
from ambroise.interfaces.oauth.hub import HUB
from ambroise.interfaces.oauth.wire import address_of, bearer, certificate_of, endpoint, form, json, presented
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import (
    ACCESS_TOKEN,
    PUBLISHED_FIRST,
    REALM,
    Client,
    Grant,
    Tokens,
    read,
    redirection,
)

_KEPT_SECONDS = int(PUBLISHED_FIRST.total_seconds())


def routes(provider: Provider) -> Sequence[BaseRoute]:
    """Discovery, keys, tokens, what tokens say and are worth."""

    async def discovery(request: Request) -> Response:
        issuer = provider.ground.issuer_at(address_of(request))
        return json(metadata.document(issuer, provider.ground.secure_address(issuer)), keep=_KEPT_SECONDS)

    async def certs(request: Request) -> Response:
        return json(provider.ground.jose.jwks(), keep=_KEPT_SECONDS)

    async def token(request: Request) -> Response:
        fields = await form(request)
        shown = presented(request, fields)
        client = await provider.clients.authenticate(shown)
        issuer = provider.ground.issuer_at(address_of(request))
        given = await _granted(provider, client, fields, issuer, shown.holder(client))
        return json({**_as_json(given), **_hub(provider, given, issuer)})

    async def push(request: Request) -> Response:
        fields = await form(request)
        client = await provider.clients.authenticate(presented(request, fields))
        if "request_uri" in fields:
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Push the parameters themselves.")
        given = {name: [value] for name, value in fields.items()}
        redirect_uri = redirection(client, given)
        asked = read(client, redirect_uri, given, provider.ground.issuer_at(address_of(request)))
        uri, lasts = await provider.signing_on.push(asked)
        return json({"request_uri": uri, "expires_in": lasts}, 201)

    async def backchannel(request: Request) -> Response:
        fields = await form(request)
        client = await provider.clients.authenticate(presented(request, fields))
        pending = await provider.decoupled.ask(client, fields, provider.ground.issuer_at(address_of(request)))
        answer = {"auth_req_id": pending.reference, "expires_in": pending.expires_in, "interval": pending.interval}
        return json(answer)

    async def user_info(request: Request) -> Response:
        fields = await form(request) if request.method == "POST" and request.headers.get("content-type") else None
        certificate = certificate_of(request)
        holder = certificate.thumbprint if certificate else None
        return json(await provider.tokens.user_info(bearer(request, fields), holder))

    async def introspect(request: Request) -> Response:
        fields = await form(request)
        client = await provider.clients.authenticate(presented(request, fields))
        return json(await provider.tokens.introspect(client, _needed(fields, "token")))

    async def revoke(request: Request) -> Response:
        fields = await form(request)
        client = await provider.clients.authenticate(presented(request, fields))
        await provider.tokens.revoke(client, _needed(fields, "token"))
        return Response(status_code=200, headers={"cache-control": "no-store"})

    return [
        *(endpoint(REALM + name, discovery, "GET") for name in metadata.DISCOVERY),
        endpoint(REALM + metadata.TOKEN, token, "POST"),
        endpoint(REALM + metadata.USER_INFO, user_info, "GET", "POST"),
        endpoint(REALM + metadata.INTROSPECT, introspect, "POST"),
        endpoint(REALM + metadata.REVOKE, revoke, "POST"),
        endpoint(REALM + metadata.PUSH, push, "POST"),
        endpoint(REALM + metadata.CIBA, backchannel, "POST"),
        endpoint(REALM + metadata.CERTS, certs, "GET"),
    ]


async def _granted(
    provider: Provider, client: Client, fields: dict[str, str], issuer: str, holder: str | None
) -> Tokens:
    match fields.get("grant_type"):
        case Grant.CODE:
            code, back = _needed(fields, "code"), fields.get("redirect_uri")
            return await provider.tokens.by_code(client, code, back, fields.get("code_verifier"), holder)
        case Grant.REFRESH:
            refresh = _needed(fields, "refresh_token")
            return await provider.tokens.by_refresh(client, refresh, fields.get("scope"), holder)
        case Grant.CLIENT:
            return await provider.tokens.for_client(client, fields.get("scope"), issuer, holder)
        case Grant.CIBA:
            return await provider.decoupled.poll(client, _needed(fields, "auth_req_id"), holder)
        case Grant.EXCHANGE:
            return await provider.exchanging.exchange(client, fields, holder)
        case None:
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Send grant_type.")
        case _:
            known = ", ".join(grant.value for grant in Grant)
            raise Refusal(Kind.INVALID, "UNSUPPORTED_GRANT_TYPE", f"Send a grant_type among {known}.")


def _needed(fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", f"Send {name}.")
    return fields[name]


def _hub(provider: Provider, given: Tokens, issuer: str) -> dict[str, str]:
    """Where the context of the session is followed (FHIRcast 3, §2.1), for who may."""
    if given.session is None or not any(scope.startswith("fhircast/") for scope in given.scopes):
        return {}
    address = issuer.removesuffix(REALM) + HUB
    return {"hub.url": address, "hub.topic": provider.casting.topic(UUID(given.session))}


def _as_json(given: Tokens) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "access_token": given.access,
        "token_type": "Bearer",
        "expires_in": given.expires_in,
        "scope": " ".join(given.scopes),
        "refresh_token": given.refresh,
        "refresh_expires_in": given.refresh_expires_in,
        "id_token": given.id_token,
        "session_state": given.session,
        "issued_token_type": ACCESS_TOKEN if given.exchanged else None,
        "not-before-policy": 0 if given.session else None,
        **given.opened.answer(),
    }
    return {name: value for name, value in answer.items() if value is not None}
