"""The portal of professionals as a client of the provider: one sign-on for the portal and for other software.

It asks as any client does (code, PKCE, state bound to the browser), in process; leaving either ends both.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import tokens
from ambroise.modules.identity.model import SignedIn
from ambroise.modules.identity.provider.api import Provider
from ambroise.modules.identity.provider.ground import REALM
from ambroise.modules.identity.provider.model import OPENID, PORTAL, REQUEST_LASTS, Asked
from ambroise.modules.identity.provider.repositories import portals, signons
from ambroise.modules.identity.service import Identity

ENTER: Final = "/connexion/pro/portail"
BACK: Final = "/connexion/pro/portail/retour"
_SEALED: Final = "portal"


class Portal(Struct, frozen=True):
    """The use cases of the portal's own sign-on."""

    provider: Provider
    identity: Identity

    async def begin(self, browser: str, address: str, following: str) -> str:
        """Ask the provider who somebody is; the reference of the request."""
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        issuer = self.provider.ground.issuer_at(address)
        back = issuer.removesuffix(REALM) + BACK
        kept = json.dumps({"verifier": verifier, "back": back, "next": following}).encode()
        async with self.identity.database.transaction() as tx:
            ends = self.identity.clock.now() + REQUEST_LASTS
            sealed = self.identity.sealer.seal(_SEALED, kept)
            await portals.insert(tx, tokens.digest(state), tokens.digest(browser), sealed, ends)
        nonce = secrets.token_urlsafe(16)
        return await self.provider.signing_on.begin(Asked(PORTAL, back, (OPENID,), state, nonce, issuer, challenge))

    async def enter(self, state: str, code: str, browser: str) -> tuple[SignedIn, str]:
        """Open a session of the portal for a code, and where to go. Raises SIGN_ON_ENDED."""
        now, digest = self.identity.clock.now(), tokens.digest(state)
        async with self.identity.database.transaction() as tx:
            sealed = await portals.take(tx, digest, tokens.digest(browser), now)
            client = await self.provider.clients.known(tx, PORTAL)
        if sealed is None:
            raise Refusal(Kind.GONE, "SIGN_ON_ENDED", "This sign-in is over, or began in another browser: start again.")
        kept = json.loads(self.identity.sealer.unseal(_SEALED, sealed))
        given = await self.provider.tokens.by_code(client, code, kept["back"], kept["verifier"])
        sign_on = UUID(given.session)
        async with self.identity.database.transaction() as tx:
            account = await signons.holder(tx, sign_on)
            if account is None:
                raise Refusal(Kind.GONE, "SIGN_ON_ENDED", "This sign-on ended: start again.")
            signed = await self.identity.enter(tx, account)
            await portals.note(tx, tokens.digest(signed.token), sign_on)
        return signed, kept["next"]

    async def leave(self, token: str) -> bool:
        """End the sign-on that a session of the portal came from, everywhere; false when it came from none."""
        async with self.identity.database.reader() as reader:
            sign_on = await portals.sign_on_of(reader, tokens.digest(token))
        if sign_on is None:
            return False
        await self.provider.leaving.leave(sign_on, PORTAL)
        return True
