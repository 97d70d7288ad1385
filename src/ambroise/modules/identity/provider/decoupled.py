"""Signing on without a browser (CIBA, poll mode): software asks, the professional answers on the phone or by card."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.provider.asking import known_scopes
from ambroise.modules.identity.provider.ground import Ground, refuse
from ambroise.modules.identity.provider.model import (
    ACR_VALUES,
    APPROVAL_LASTS,
    OPENID,
    POLL_SECONDS,
    Approval,
    ApprovalState,
    Client,
    Grant,
    Means,
    Tokens,
)
from ambroise.modules.identity.provider.repositories import approvals
from ambroise.modules.identity.provider.signing_on import SigningOn, national
from ambroise.modules.identity.provider.tokens import TokenService
from ambroise.modules.identity.tokens import digest

_NUMBER = re.compile(r"[0-9]{2}")
_CHANNELS = ("MOBILE", "CARD")


class Pending(Struct, frozen=True):
    """What the client polls with, for how long, and how often (seconds)."""

    reference: str
    expires_in: int
    interval: int


class Decoupled(Struct, frozen=True):
    """The use cases of signing on without a browser."""

    ground: Ground
    signing_on: SigningOn
    tokens: TokenService

    async def ask(self, client: Client, given: dict[str, str], issuer: str) -> Pending:
        """Notify a professional. `binding_message` is two digits that both screens show.

        Raises the errors of OpenID CIBA Core 1.0 §13.
        """
        if Grant.CIBA not in client.grants:
            refuse("UNAUTHORIZED_CLIENT", "This client was not registered for CIBA.")
        scopes = known_scopes(client, given.get("scope", ""))
        if scopes is None or OPENID not in scopes:
            refuse("INVALID_SCOPE", f"Send scope=openid, with others among: {' '.join(sorted(client.scopes))}.")
        number = given.get("binding_message", "")
        if not _NUMBER.fullmatch(number):
            refuse("INVALID_BINDING_MESSAGE", "Send binding_message: two random digits, that your screen shows too.")
        channel = given.get("channel", _CHANNELS[0])
        if channel not in _CHANNELS:
            refuse("INVALID_REQUEST", f"Send channel among {', '.join(_CHANNELS)}.")
        wanted = given.get("acr_values", ACR_VALUES[0]).split()
        if ACR_VALUES[0] not in wanted:
            refuse("INVALID_REQUEST", f"Send acr_values={ACR_VALUES[0]}: the phone gives no more.")
        if "login_hint" not in given or {"login_hint_token", "id_token_hint"} & given.keys():
            refuse(
                "INVALID_REQUEST", "Send login_hint, the national identifier of the professional, and no other hint."
            )
        return await self._notify(client, given["login_hint"], scopes, number, channel, issuer)

    async def poll(self, client: Client, reference: str, holder: str | None = None) -> Tokens:
        """The tokens, once the professional approved.

        Raises AUTHORIZATION_PENDING, SLOW_DOWN, ACCESS_DENIED, EXPIRED_TOKEN, INVALID_GRANT.
        """
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            polled = await approvals.poll(tx, digest(reference), client.id, now)
            answer = polled if isinstance(polled, Refusal) else await self._answered(tx, client, polled, now, holder)
        # Raised once the poll is counted: a refusal would undo it.
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def _notify(
        self, client: Client, hint: str, scopes: tuple[str, ...], number: str, channel: str, issuer: str
    ) -> Pending:
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            account = await accounts.find_account(tx, None, national(hint))
            if account is None:
                refuse("UNKNOWN_USER_ID", "The directory knows no professional of this identifier.")
            await self.signing_on.not_pressed(tx, account, now)
            reference = secrets.token_urlsafe(32)
            approval = Approval(
                id=new_id(),
                account=account.id,
                client=client.id,
                client_name=client.name,
                number=number,
                channel=channel,
                scopes=scopes,
                issuer=issuer,
                state=ApprovalState.PENDING,
                mistakes=0,
                created_at=now,
                expires_at=now + APPROVAL_LASTS,
            )
            await approvals.insert(tx, approval, digest(reference), None, ACR_VALUES[0], POLL_SECONDS)
        return Pending(reference, int(APPROVAL_LASTS.total_seconds()), POLL_SECONDS)

    async def _answered(
        self, tx: Transaction, client: Client, approval: Approval | None, now: datetime, holder: str | None
    ) -> Tokens | Refusal:
        if approval is None or approval.used or approval.account is None:
            return Refusal(Kind.INVALID, "INVALID_GRANT", "The auth_req_id is unknown, or gave its tokens already.")
        if approval.state is ApprovalState.DENIED:
            return Refusal(Kind.INVALID, "ACCESS_DENIED", "The professional refused.")
        if approval.state is ApprovalState.PENDING:
            if now >= approval.expires_at:
                return Refusal(Kind.INVALID, "EXPIRED_TOKEN", "Nobody answered in time: ask again.")
            return Refusal(Kind.INVALID, "AUTHORIZATION_PENDING", "The professional has not answered yet: poll again.")
        found = await accounts.credentials(tx, account=approval.account)
        if found is None or found.suspended or not await approvals.use(tx, approval.id, now):
            return Refusal(Kind.INVALID, "INVALID_GRANT", "The auth_req_id gave its tokens already.")
        means = Means.CARD if approval.channel == "CARD" else Means.E_CPS
        session = await self.signing_on.open(tx, found.account, means, client.id)
        session = await self.signing_on.choose_situation(tx, session, approval.situation or 0, client.id)
        return await self.tokens.grant(tx, session, client, approval.issuer, approval.scopes, holder)
