"""Tokens: from an authorization to a code, from a code to tokens, from a refresh token to others; what they are worth.

Everything that one authorization gave is a family. A code or a refresh token that comes back a second time was stolen
by one of the two who hold it, and nobody knows which: the family ends (RFC 9700 §4.14).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind
from ambroise.kernel.ids import new_id
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.provider import jose, minting
from ambroise.modules.identity.provider.asking import known_scopes
from ambroise.modules.identity.provider.claims import FAMILY, OURS
from ambroise.modules.identity.provider.ground import REALM, Ground, refuse, seconds
from ambroise.modules.identity.provider.jose import NotOurs
from ambroise.modules.identity.provider.launching import Launching
from ambroise.modules.identity.provider.model import (
    ASSURANCE,
    CODE_LASTS,
    OPENID,
    REFRESH_LASTS,
    SIGN_ON_IDLE,
    Client,
    Family,
    Grant,
    Request,
    SignOn,
    Tokens,
)
from ambroise.modules.identity.provider.practice import other_ids, user_info
from ambroise.modules.identity.provider.repositories import clients, families, requests
from ambroise.modules.identity.provider.smart import FHIR, FHIR_USER, NOBODY, Opened, is_limited
from ambroise.modules.identity.tokens import digest

_GONE = "The code is unknown, expired or was used. Send the person to the authorization endpoint again."
_REFRESH_GONE = (
    "The refresh token is unknown, expired, revoked or was used. Send the person to the authorization endpoint again."
)


class TokenService(Struct, frozen=True):
    """The use cases of tokens."""

    ground: Ground
    launching: Launching

    async def authorize(self, request: Request, session: SignOn, chosen: UUID | None = None) -> str:
        """The code that answers a request, for a session whose situation is chosen. Consent is kept; a request is
        answered once. `chosen`: the patient whom the professional named. Raises Unmet when the patient whom it asks for
        cannot be given."""
        now = self.ground.clock.now()
        asked, situation = request.asked, session.situation or 0
        code = secrets.token_urlsafe(32)
        async with self.ground.database.transaction() as tx:
            opened = await self.launching.opened(tx, asked, session, situation, chosen)
            scopes = self.launching.granted(asked, opened)
            family = self._family(
                session, request.client.id, asked.issuer, scopes, situation, asked.nonce or None, opened
            )
            if not await requests.take(tx, digest(request.reference)):
                refuse("SIGN_ON_ENDED", "This request to sign in was answered already: start again.", Kind.GONE)
            await clients.consent(tx, session.account.id, request.client.id, asked.scopes, now)
            await families.insert(tx, family, now)
            await families.insert_code(
                tx, digest(code), family.id, asked.redirect_uri, asked.challenge, now + CODE_LASTS
            )
            details = {"sid": str(session.id), "scopes": list(scopes)}
            await self.ground.trace(
                tx, session.account, "client_entered", request.client.id, situation=situation, patient=opened.patient,
                details=details,
            )  # fmt: skip
        return code

    async def by_code(
        self, client: Client, code: str, redirect_uri: str | None, verifier: str | None, holder: str | None = None
    ) -> Tokens:
        """Tokens for a code (RFC 6749 §4.1.3). Raises INVALID_GRANT."""
        self._may(client, Grant.CODE)
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            found = await families.use_code(tx, digest(code), now)
            if found is not None and (found.used or found.family.client != client.id):
                await self._end(tx, found.family, "code_replayed")
            elif found is not None and _fits(found, redirect_uri, verifier, now):
                return await self._issue(tx, found.family, client, now, holder)
        refuse("INVALID_GRANT", _GONE)

    async def grant(
        self,
        tx: Transaction,
        session: SignOn,
        client: Client,
        issuer: str,
        scopes: tuple[str, ...],
        holder: str | None = None,
    ) -> Tokens:
        """The tokens of a sign-on without browser; who approved it agreed to it."""
        now = self.ground.clock.now()
        situation = session.situation or 0
        family = self._family(session, client.id, issuer, scopes, situation, None)
        await clients.consent(tx, session.account.id, client.id, scopes, now)
        await families.insert(tx, family, now)
        details = {"sid": str(session.id), "scopes": list(scopes)}
        await self.ground.trace(
            tx, session.account, "client_entered", client.id, situation=situation, channel="partner", details=details
        )
        return await self._issue(tx, family, client, now, holder)

    async def by_refresh(self, client: Client, token: str, scope: str | None, holder: str | None = None) -> Tokens:
        """Tokens for a refresh token, which is replaced. Raises INVALID_GRANT, INVALID_SCOPE."""
        self._may(client, Grant.REFRESH)
        now = self.ground.clock.now()
        successor = secrets.token_urlsafe(32)
        database = self.ground.database
        # Scopes that are too many are known once the token is spent, which must then be undone.
        async with database.alone() if scope is None else database.transaction() as spending:
            family = await families.rotate(
                spending, digest(token), client.id, digest(successor), now, now + REFRESH_LASTS, now + SIGN_ON_IDLE
            )
            if family is not None:
                scopes = _narrowed(family, scope)
                return minting.tokens(
                    self.ground, family, scopes, successor, now, holder, await self._user(spending, family, scopes)
                )
        async with database.transaction() as tx:
            await self._suspect(tx, digest(token), now)
        refuse("INVALID_GRANT", _REFRESH_GONE)

    async def for_client(self, client: Client, scope: str | None, issuer: str, holder: str | None = None) -> Tokens:
        """A token for a client acting by itself (RFC 6749 §4.4): it opens nothing that belongs to somebody."""
        self._may(client, Grant.CLIENT)
        scopes = known_scopes(client, scope or "")
        if scopes is None or OPENID in scopes or is_limited(scopes):
            refuse("INVALID_SCOPE", "Ask for scopes registered for this client; those of people are not for it.")
        return minting.for_client(self.ground, client, scopes, issuer, self.ground.clock.now(), holder)

    # What a token is worth

    async def user_info(self, token: str, holder: str | None = None) -> dict[str, Any]:
        """What the holder of an access token may be told of its professional. Raises INVALID_TOKEN."""
        claims = self.access(token, holder)
        async with self.ground.database.reader() as reader:
            family = await self._live(reader, claims)
            if family is None or OPENID not in family.scopes:
                refuse("INVALID_TOKEN", "The access token ended; refresh it.", Kind.UNAUTHENTICATED)
            return await self.told(reader, family)

    async def told(self, reader: Reader, family: Family) -> dict[str, Any]:
        """UserInfo for a family."""
        account = family.account
        found = await directory.exercises(reader, (account.professional or " ")[1:])
        subject = self.ground.subject(account)
        return user_info(account, found, family.situation, family.scopes, ASSURANCE[family.means], subject)

    async def introspect(self, client: Client, token: str) -> dict[str, Any]:
        """What a token is worth (RFC 7662), in the words of Pro Santé Connect; a dead one says nothing more."""
        if client.public:
            refuse("INVALID_CLIENT", "A public client cannot introspect tokens.", Kind.UNAUTHENTICATED)
        now = self.ground.clock.now()
        try:
            claims = self.ground.jose.read(token, jose.ACCESS)
        except NotOurs:
            return await self._introspect_refresh(client, token, now)
        if claims.get("iss") not in self.ground.issuers or int(claims.get("exp", 0)) <= seconds(now):
            return {"active": False}
        if FAMILY not in claims:
            return {**claims, "username": claims["sub"], "active": True}
        async with self.ground.database.reader() as reader:
            family = await self._live(reader, claims)
        if family is None:
            return {"active": False}
        account = family.account
        return {
            **{name: value for name, value in claims.items() if not name.startswith(OURS)},
            "nonce": family.nonce or "",
            "SubjectNameID": account.professional,
            "preferred_username": account.professional,
            "username": account.professional,
            "email_verified": False,
            "authMode": ASSURANCE[family.means].mode,
            "otherIds": other_ids(account),
            "client_id": family.client,
            **family.opened.answer(),
            "active": True,
        }

    async def revoke(self, client: Client, token: str) -> None:
        """End the family of a token of this client (RFC 7009); a token of nobody is ended already."""
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            found = await families.refresh(tx, digest(token), now)
            family = found[0] if found else None
            if family is None:
                try:
                    claims = self.ground.jose.read(token, jose.ACCESS)
                except NotOurs:
                    return
                family = await families.find(tx, UUID(claims[FAMILY]), now) if FAMILY in claims else None
            if family is not None and family.client == client.id:
                await self._end(tx, family, "revoked")

    @property
    def issuers(self) -> frozenset[str]:
        """The names under which tokens are given."""
        return self.ground.issuers

    async def is_live(self, family: UUID) -> bool:
        """Whether what a token comes from still lasts."""
        async with self.ground.database.reader() as reader:
            return await families.is_live(reader, family, self.ground.clock.now())

    async def live_family(self, reader: Reader, id: UUID) -> Family | None:
        """A family that nothing ended."""
        found = await families.find(reader, id, self.ground.clock.now())
        return found if found is not None and found.live else None

    # Steps

    def _family(
        self,
        session: SignOn,
        client: str,
        issuer: str,
        scopes: tuple[str, ...],
        situation: int,
        nonce: str | None,
        opened: Opened = NOBODY,
    ) -> Family:
        return Family(
            id=new_id(),
            client=client,
            sign_on=session.id,
            account=session.account,
            means=session.means,
            issuer=issuer,
            scopes=scopes,
            situation=situation,
            nonce=nonce,
            authenticated_at=session.authenticated_at,
            ends_at=session.ends_at,
            opened=opened,
        )

    async def _issue(
        self, tx: Transaction, family: Family, client: Client, now: datetime, holder: str | None
    ) -> Tokens:
        """The first tokens of a family."""
        refresh = secrets.token_urlsafe(32) if Grant.REFRESH in client.grants else None
        if refresh is not None:
            ends = min(now + REFRESH_LASTS, family.ends_at)
            await families.insert_refresh(tx, digest(refresh), family.id, now, ends)
        return minting.tokens(
            self.ground, family, family.scopes, refresh, now, holder, await self._user(tx, family, family.scopes)
        )

    async def _user(self, reader: Reader, family: Family, scopes: tuple[str, ...]) -> str | None:
        """Claim `fhirUser`: the Practitioner whom the directory knows."""
        if FHIR_USER not in scopes:
            return None
        found = await directory.practitioner(reader, family.account.professional or "")
        return f"{family.issuer.removesuffix(REALM)}{FHIR}/Practitioner/{found}" if found else None

    async def _introspect_refresh(self, client: Client, token: str, now: datetime) -> dict[str, Any]:
        async with self.ground.database.reader() as reader:
            found = await families.refresh(reader, digest(token), now)
        if found is None:
            return {"active": False}
        family, used, ends = found
        if used or not family.live or ends <= now or family.client != client.id:
            return {"active": False}
        return {
            "active": True,
            "typ": "Refresh",
            "iss": family.issuer,
            "sub": self.ground.subject(family.account),
            "client_id": family.client,
            "azp": family.client,
            "scope": " ".join(family.scopes),
            "sid": str(family.sign_on),
            "session_state": str(family.sign_on),
            "exp": seconds(ends),
        }

    def access(self, token: str, holder: str | None) -> dict[str, Any]:
        """The claims of a living access token, in the hands of who may hold it. Raises INVALID_TOKEN."""
        try:
            claims = self.ground.jose.read(token, jose.ACCESS)
        except NotOurs:
            refuse("INVALID_TOKEN", "It is not an access token of this provider.", Kind.UNAUTHENTICATED)
        if claims.get("iss") not in self.ground.issuers or int(claims.get("exp", 0)) <= seconds(
            self.ground.clock.now()
        ):
            refuse("INVALID_TOKEN", "The access token expired; refresh it.", Kind.UNAUTHENTICATED)
        check_holder(claims, holder)
        return claims

    async def _live(self, reader: Reader, claims: dict[str, Any]) -> Family | None:
        return await self.live_family(reader, UUID(claims[FAMILY])) if FAMILY in claims else None

    async def _suspect(self, tx: Transaction, token: bytes, now: datetime) -> None:
        """A refresh token that cannot be used: if it was used before, it was stolen."""
        found = await families.refresh(tx, token, now)
        if found is not None and found[1]:
            await self._end(tx, found[0], "refresh_replayed")

    async def _end(self, tx: Transaction, family: Family, why: str) -> None:
        if await families.revoke(tx, family.id, why, self.ground.clock.now()):
            details = {"sid": str(family.sign_on), "why": why}
            await self.ground.trace(
                tx, family.account, "tokens_revoked", family.client, channel="partner",
                refused=why != "revoked", details=details,
            )  # fmt: skip

    def _may(self, client: Client, grant: Grant) -> None:
        if grant not in client.grants:
            refuse("UNAUTHORIZED_CLIENT", f"This client was not registered for the grant {grant.value}.")


def _fits(found: families.Code, redirect_uri: str | None, verifier: str | None, now: datetime) -> bool:
    """Whether the request is the one that the code answers: same address, and the verifier of its challenge."""
    if not found.family.live or found.expires_at <= now or redirect_uri != found.redirect_uri:
        return False
    if found.challenge is None:
        # RFC 9700 §4.8.2: a verifier without challenge is a downgrade.
        return verifier is None
    if verifier is None or not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    computed = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(computed, found.challenge.encode())


def _narrowed(family: Family, scope: str | None) -> tuple[str, ...]:
    """The scopes of new tokens: those of the family, or fewer."""
    if scope is None:
        return family.scopes
    asked = tuple(dict.fromkeys(scope.split()))
    if not set(asked) <= set(family.scopes):
        refuse("INVALID_SCOPE", "A refresh gives the scopes of the sign-in, or fewer.")
    return asked


def check_holder(claims: Mapping[str, Any], holder: str | None) -> None:
    """Refuse a bound token without its certificate (RFC 8705 §3). Raises INVALID_TOKEN."""
    confirmation = claims.get("cnf")
    if confirmation is None:
        return
    wanted = cast("dict[str, Any]", confirmation).get("x5t#S256") if isinstance(confirmation, dict) else None
    if not isinstance(wanted, str) or holder is None or not hmac.compare_digest(wanted, holder):
        refuse(
            "INVALID_TOKEN",
            "The access token is bound to a certificate: use it on the mTLS port, with that certificate.",
            Kind.UNAUTHENTICATED,
        )
