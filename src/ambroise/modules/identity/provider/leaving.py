"""Leaving: the session ends, every token that came from it with it, and each client is told (back-channel logout)."""

from __future__ import annotations

import asyncio
import urllib.request
from datetime import timedelta
from email.message import Message
from typing import IO, Any, NoReturn
from urllib.parse import urlencode
from uuid import UUID, uuid4

import orjson
from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import Event, emit
from ambroise.modules.identity.provider import jose
from ambroise.modules.identity.provider.ground import Ground, seconds
from ambroise.modules.identity.provider.jose import NotOurs
from ambroise.modules.identity.provider.model import Client
from ambroise.modules.identity.provider.repositories import casts, clients, contexts, families, portals, signons
from ambroise.modules.identity.provider.sharing import CAST, LEFT

CLIENT_TO_TELL = "provider.client_to_tell"
_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TOLD_WITHIN_SECONDS = 4
_TOKEN_LASTS = timedelta(minutes=2)


class Leave(Struct, frozen=True):
    """What a client asks when it sends somebody to leave (OpenID RP-Initiated Logout), already checked."""

    client: Client | None
    session: UUID | None
    back: str | None
    state: str | None


class Leaving(Struct, frozen=True):
    """The use cases of leaving."""

    ground: Ground

    async def read(self, given: dict[str, str]) -> Leave:
        """What is asked. Raises LOGOUT_HINT_INVALID, INVALID_CLIENT, REDIRECT_URI_UNKNOWN: nobody is sent anywhere."""
        hint = self._hint(given["id_token_hint"]) if "id_token_hint" in given else {}
        named = given.get("client_id") or hint.get("aud")
        if hint and hint.get("aud") != named:
            _refuse("LOGOUT_HINT_INVALID", "The id_token_hint was given to another client.")
        client = None
        if named is not None:
            async with self.ground.database.reader() as reader:
                client = await clients.find(reader, str(named))
            if client is None:
                _refuse("INVALID_CLIENT", "No client has this client_id.")
        back = given.get("post_logout_redirect_uri")
        if back is not None and (client is None or back not in client.post_logout_uris):
            _refuse(
                "REDIRECT_URI_UNKNOWN",
                "The post_logout_redirect_uri is not one that the client registered; send id_token_hint or client_id.",
            )
        return Leave(client, UUID(hint["sid"]) if hint else None, back, given.get("state"))

    async def leave(self, session: UUID, client: str | None) -> bool:
        """End a session and all that came from it; the clients are told soon. False when it had ended."""
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            account = await signons.holder(tx, session)
            if account is None or not await signons.close(tx, session, now):
                return False
            patient = await contexts.purge(tx, session)
            left = {"sign_on": str(session), "event": LEFT, "id": uuid4().hex, "patient": str(patient or "")}
            await casts.tell(tx, CAST, orjson.dumps(left).decode())
            await portals.close(tx, session, now)
            for told, issuer in await families.to_tell(tx, session):
                told_of = {"client": told, "issuer": issuer, "sid": str(session), "sub": self.ground.subject(account)}
                await emit(tx, CLIENT_TO_TELL, told_of)
            details = {"sid": str(session)}
            await self.ground.trace(tx, account, "signed_out", client or "ambroise", details=details)
        return True

    async def tell(self, tx: Transaction, event: Event) -> None:
        """Tell one client that a session ended. Raises when it does not hear: it is told again later."""
        client = await clients.find(tx, event.payload["client"])
        if client is None or client.backchannel_logout_uri is None:
            return
        token = self.logout_token(client.id, event.payload)
        await asyncio.to_thread(_post, client.backchannel_logout_uri, {"logout_token": token})

    def logout_token(self, client: str, ended: Any) -> str:
        """The token that says that a session ended (OpenID Back-Channel Logout §2.4)."""
        now = self.ground.clock.now()
        claims: dict[str, Any] = {
            "iss": ended["issuer"],
            "aud": client,
            "sub": ended["sub"],
            "sid": ended["sid"],
            "iat": seconds(now),
            "exp": seconds(now + _TOKEN_LASTS),
            "jti": uuid4().hex,
            "events": {_EVENT: {}},
        }
        return self.ground.jose.sign(claims, jose.LOGOUT, now)

    def _hint(self, token: str) -> dict[str, Any]:
        """The claims of an id_token that we gave, expired or not."""
        try:
            claims = self.ground.jose.read(token, jose.ID)
        except NotOurs:
            _refuse("LOGOUT_HINT_INVALID", "The id_token_hint is not an id_token of this provider.")
        if claims.get("iss") not in self.ground.issuers:
            _refuse("LOGOUT_HINT_INVALID", "The id_token_hint is of another issuer.")
        return claims


class _Stay(urllib.request.HTTPRedirectHandler):
    """Never goes where an answer says."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


# No proxy of the environment, no redirection: the address that the operator registered, and nothing else.
_OPENER = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def _post(address: str, fields: dict[str, str]) -> None:
    """Send a form. Raises when the answer is not a success."""
    sent = urllib.request.Request(  # noqa: S310 - registered addresses are http(s).
        address, urlencode(fields).encode(), {"content-type": "application/x-www-form-urlencoded"}
    )
    with _OPENER.open(sent, timeout=_TOLD_WITHIN_SECONDS) as answer:
        answer.read(1024)


def _refuse(code: str, what: str) -> NoReturn:
    raise Refusal(Kind.INVALID, code, what)
