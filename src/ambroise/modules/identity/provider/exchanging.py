"""Token exchange (RFC 8693), as APIs of the "espace de confiance" want it: the token of a sign-on for one of an API.

The client shows its certificate; the token that it gets works with that certificate alone (RFC 8705). The token of the
sign-on is exchanged once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity.provider import minting
from ambroise.modules.identity.provider.asking import known_scopes
from ambroise.modules.identity.provider.claims import FAMILY, LIMITED
from ambroise.modules.identity.provider.ground import Ground, refuse
from ambroise.modules.identity.provider.model import API_LASTS, OPENID, Client, Family, Grant, Tokens
from ambroise.modules.identity.provider.repositories import clients, families
from ambroise.modules.identity.provider.tokens import TokenService
from ambroise.modules.identity.tokens import digest

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type.
_KNOWN_TYPES = (ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt")


class Exchanging(Struct, frozen=True):
    """The use case of exchanging tokens."""

    ground: Ground
    tokens: TokenService

    async def exchange(self, client: Client, given: dict[str, str], holder: str | None) -> Tokens:
        """An API token for the access token of a sign-on. Raises INVALID_CLIENT, INVALID_REQUEST, INVALID_SCOPE."""
        if Grant.EXCHANGE not in client.grants:
            refuse("UNAUTHORIZED_CLIENT", "This client was not registered for token exchange.")
        if holder is None:
            refuse(
                "INVALID_CLIENT",
                "Exchange tokens on the mTLS port, with the certificate of the client.",
                Kind.UNAUTHENTICATED,
            )
        claims = self._subject(given)
        scopes = known_scopes(client, given.get("scope", ""))
        if not scopes or OPENID in scopes:
            refuse("INVALID_SCOPE", "Send scope: the business scopes registered for this client.")
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            source = await self.tokens.live_family(tx, UUID(claims[FAMILY]))
            ends = datetime.fromtimestamp(claims["exp"], UTC)
            if source is None or not await clients.use_assertion(tx, digest(f"exchanged {claims['jti']}"), ends):
                refuse("INVALID_REQUEST", "The subject_token ended, or was exchanged already: refresh it first.")
            family = self._family(source, client, scopes, now)
            await families.insert(tx, family, now)
            details = {"sid": str(family.sign_on), "from": source.client, "scopes": list(scopes)}
            await self.ground.trace(
                tx, family.account, "token_exchanged", client.id, situation=family.situation, channel="partner",
                details=details,
            )  # fmt: skip
        return minting.for_api(self.ground, family, holder, now)

    def _subject(self, given: dict[str, str]) -> dict[str, Any]:
        """The claims of the token to exchange."""
        if given.get("subject_token_type") not in _KNOWN_TYPES:
            refuse("INVALID_REQUEST", f"Send subject_token_type={ACCESS_TOKEN}.")
        if given.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            refuse("INVALID_REQUEST", f"Only {ACCESS_TOKEN} is given.")
        if given.get("subject_issuer", "psc") != "psc" or "actor_token" in given:
            refuse("INVALID_REQUEST", "Send a subject_token of this provider, without actor_token.")
        try:
            claims = self.tokens.access(given.get("subject_token", ""), None)
        except Refusal:
            claims = {}
        if LIMITED in claims:
            # Business scopes know nothing of the limits of a launch.
            refuse("INVALID_REQUEST", "A token of SMART App Launch is not exchanged.")
        if FAMILY not in claims:
            refuse("INVALID_REQUEST", "The subject_token is not a living access token of a sign-on of this provider.")
        return claims

    def _family(self, source: Family, client: Client, scopes: tuple[str, ...], now: datetime) -> Family:
        ends = min(now + API_LASTS, source.ends_at)
        return replace(source, id=new_id(), client=client.id, scopes=scopes, nonce=None, ends_at=ends)
