"""Signing on: the request of a client, the approval on a phone, the session that comes of it.

A request is bound to the browser that first shows it, so that nobody finishes what another began; the session gets a
token that nobody knew before (no fixation).
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity import tokens
from ambroise.modules.identity.model import Account, AccountKind
from ambroise.modules.identity.provider.clients import Clients
from ambroise.modules.identity.provider.ground import Attempts, Ground
from ambroise.modules.identity.provider.model import (
    APPROVAL_LASTS,
    ASSURANCE,
    MISTAKES_ALLOWED,
    POLL_SECONDS,
    PORTAL,
    PUSHED_LASTS,
    REQUEST_LASTS,
    SIGN_ON_IDLE,
    SIGN_ON_MOST,
    Approval,
    ApprovalState,
    Asked,
    Client,
    Means,
    Request,
    SignOn,
)
from ambroise.modules.identity.provider.repositories import (
    approvals,
    casts,
    clients,
    contexts,
    launches,
    portals,
    requests,
    signons,
)

PUSHED = "urn:ietf:params:oauth:request_uri:"
# Approvals asked of one person in vain within this time, whoever asks: nobody is worn down by notifications.
_PRESS_WITHIN = timedelta(minutes=10)
_PRESS_MOST = 10


class SigningOn(Struct, frozen=True):
    """The use cases of signing on."""

    ground: Ground
    clients: Clients

    # What a client asks

    async def begin(self, asked: Asked) -> str:
        """Keep what a client asks until its browser answers; the reference that the pages carry."""
        reference = secrets.token_urlsafe(24)
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            digest = tokens.digest(reference)
            await requests.insert(tx, digest, asked.client, asked.as_json(), now, now + REQUEST_LASTS)
        return reference

    async def request(self, reference: str, browser: str) -> Request:
        """The request of this reference, for the browser that began it. Raises SIGN_ON_ENDED."""
        now = self.ground.clock.now()
        digest, mine = tokens.digest(reference), tokens.digest(browser)
        async with self.ground.database.reader() as reader:
            found = await requests.find(reader, digest, now)
            if found is None:
                _ended()
            asked = Asked.of_json(found[0])
            client = await self.clients.known(reader, asked.client)
        bound = found[1]
        if bound is None:
            async with self.ground.database.transaction() as tx:
                if not await requests.bind(tx, digest, mine):
                    _ended()
        elif not hmac.compare_digest(bound, mine):
            _ended()
        return Request(reference, client, asked, found[2])

    async def give_up(self, request: Request) -> None:
        """End a request that the person refused."""
        async with self.ground.database.transaction() as tx:
            if not await requests.take(tx, tokens.digest(request.reference)):
                _ended()

    async def push(self, asked: Asked) -> tuple[str, int]:
        """Keep what a client asks ahead of its browser (PAR, RFC 9126): the request_uri, and how long it is good."""
        reference = secrets.token_urlsafe(24)
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            digest, ends = tokens.digest(reference), now + PUSHED_LASTS
            await requests.insert(tx, digest, asked.client, asked.as_json(), now, ends, pushed=True)
        return PUSHED + reference, int(PUSHED_LASTS.total_seconds())

    async def pushed(self, client: Client, uri: str) -> Asked:
        """What this client pushed, once. Raises SIGN_ON_ENDED."""
        reference = uri.removeprefix(PUSHED)
        async with self.ground.database.transaction() as tx:
            kept = await requests.take_pushed(tx, tokens.digest(reference), client.id, self.ground.clock.now())
        if kept is None or reference == uri:
            _ended()
        return Asked.of_json(kept)

    # The phone

    async def ask_approval(self, request: Request, identifier: str, address: str) -> Approval:
        """Notify the phone of a professional (PS_IdNat or RPPS).

        An identifier of nobody waits in vain, and looks the same. Raises TOO_MANY_ATTEMPTS.
        """
        now = self.ground.clock.now()
        attempts = Attempts(self.ground.database, self.ground.clock)
        async with self.ground.database.reader() as reader:
            await attempts.check(reader, ("oauth-address", address))
            account = await accounts.find_account(reader, None, national(identifier))
            await self.not_pressed(reader, account, now)
        approval = Approval(
            id=new_id(),
            account=account.id if account else None,
            client=request.client.id,
            client_name=request.client.name,
            number=f"{secrets.randbelow(100):02}",
            channel="MOBILE",
            scopes=request.asked.scopes,
            issuer=request.asked.issuer,
            state=ApprovalState.PENDING,
            mistakes=0,
            created_at=now,
            expires_at=now + APPROVAL_LASTS,
        )
        async with self.ground.database.transaction() as tx:
            await approvals.insert(
                tx,
                approval,
                tokens.digest(secrets.token_urlsafe(32)),
                tokens.digest(request.reference),
                request.asked.acr,
                POLL_SECONDS,
            )
        if account is None:
            await attempts.fail(("oauth-address", address))
        return approval

    async def approval_of(self, request: Request) -> Approval | None:
        """The approval asked last for this request."""
        async with self.ground.database.reader() as reader:
            return await approvals.of_request(reader, tokens.digest(request.reference))

    async def on_the_phone(self, professional: str) -> tuple[Account, list[Approval]]:
        """What the phone of a professional (PS_IdNat) shows. Raises NO_SUCH_PERSON."""
        async with self.ground.database.reader() as reader:
            account = await accounts.find_account(reader, None, professional)
            if account is None or account.kind is not AccountKind.PROFESSIONAL:
                raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "No professional has this identifier.")
            if not self.ground.demonstration or not account.demonstration:
                raise Refusal(
                    Kind.FORBIDDEN, "NOT_A_DEMONSTRATION", "Only demonstration people have a simulated phone."
                )
            return account, await approvals.waiting(reader, account.id, self.ground.clock.now())

    async def approve(self, account: Account, id: UUID, number: str | None, situation: int | None = None) -> None:
        """Approve on the phone; `number` is what the other screen shows (None: the operator answers by command).

        `situation` is where the professional works now, when no page asks it afterwards.
        Raises NUMBER_WRONG, NUMBER_WRONG_TOO_OFTEN, APPROVAL_ENDED.
        """
        async with self.ground.database.transaction() as tx:
            approval = await self._waiting(tx, account, id)
            right = number is None or hmac.compare_digest(number.strip().encode(), approval.number.encode())
            if right:
                known = situation if situation is not None and situation < len(account.situations) else None
                await self._answer(tx, account, approval, ApprovalState.APPROVED, situation=known)
                return
            mistakes = await approvals.mistake(tx, id)
            if mistakes >= MISTAKES_ALLOWED:
                await self._answer(tx, account, approval, ApprovalState.DENIED, why="number")
        if mistakes >= MISTAKES_ALLOWED:
            raise Refusal(Kind.CONFLICT, "NUMBER_WRONG_TOO_OFTEN", "The number was wrong too often: it is refused.")
        raise Refusal(
            Kind.UNPROCESSABLE,
            "NUMBER_WRONG",
            "The number is not the one that the other screen shows.",
            element="nombre",
        )

    async def deny(self, account: Account, id: UUID) -> None:
        """Refuse on the phone. Raises APPROVAL_ENDED."""
        async with self.ground.database.transaction() as tx:
            await self._answer(tx, account, await self._waiting(tx, account, id), ApprovalState.DENIED, why="person")

    # The session

    async def sign_on(self, request: Request) -> str | None:
        """The token of a new session, once the phone approved; None while it has not answered.

        Raises APPROVAL_DENIED, APPROVAL_ENDED.
        """
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            approval = await approvals.of_request(tx, tokens.digest(request.reference))
            if approval is not None and approval.state is ApprovalState.DENIED:
                raise Refusal(Kind.FORBIDDEN, "APPROVAL_DENIED", "The request was refused on the phone.")
            if (
                approval is None
                or approval.used
                or (approval.state is ApprovalState.PENDING and not approval.waits(now))
            ):
                raise Refusal(Kind.GONE, "APPROVAL_ENDED", "Nobody answered on the phone in time.")
            if approval.state is ApprovalState.PENDING or approval.account is None:
                return None
            if not await approvals.use(tx, approval.id, now):
                raise Refusal(Kind.GONE, "APPROVAL_ENDED", "This approval was used already.")
            found = await accounts.credentials(tx, account=approval.account)
            if found is None or found.suspended:
                raise Refusal(Kind.FORBIDDEN, "ACCOUNT_SUSPENDED", "This account is suspended.")
            token = secrets.token_urlsafe(32)
            await self.open(tx, found.account, Means.E_CPS, request.client.id, token=token)
            return token

    async def sign_on_by(self, request: Request, account: Account, means: Means) -> str:
        """The token of a new session, for a professional who has just shown a means here."""
        token = secrets.token_urlsafe(32)
        async with self.ground.database.transaction() as tx:
            await self.open(tx, account, means, request.client.id, token=token)
        return token

    async def open(
        self, tx: Transaction, account: Account, means: Means, client: str, *, token: str | None = None
    ) -> SignOn:
        """Open a session, traced. One situation is nobody's choice: it is taken at once."""
        now = self.ground.clock.now()
        assurance = ASSURANCE[means]
        situation = 0 if len(account.situations) == 1 else None
        made = SignOn(new_id(), account, means, situation, now, now + SIGN_ON_MOST)
        await signons.insert(
            tx,
            made.id,
            tokens.digest(token) if token else None,
            account.id,
            means,
            assurance.acr,
            assurance.amr,
            situation,
            now,
            now + SIGN_ON_IDLE,
            made.ends_at,
        )
        details = {"sid": str(made.id), "means": means.value, "acr": assurance.acr}
        await self.ground.trace(tx, account, "signed_in", client, details=details)
        return made

    async def session(self, token: str | None) -> SignOn | None:
        """The live session of a browser, kept alive by being used."""
        if not token:
            return None
        now = self.ground.clock.now()
        async with self.ground.database.reader() as reader:
            found = await signons.find(reader, tokens.digest(token), now)
        if found is not None:
            async with self.ground.database.transaction() as tx:
                await signons.touch(tx, found.id, now + SIGN_ON_IDLE)
        return found

    async def choose_situation(self, tx: Transaction, session: SignOn, number: int, client: str) -> SignOn:
        """Work under this situation of practice (situation d'exercice) for the rest of the session, traced."""
        account = session.account
        if not 0 <= number < len(account.situations):
            raise Refusal(Kind.INVALID, "NO_SUCH_SITUATION", "This professional has no such situation of exercise.")
        if number != session.situation:
            await signons.choose(tx, session.id, number)
            details = {"sid": str(session.id), "situation": number}
            await self.ground.trace(tx, account, "situation_chosen", client, situation=number, details=details)
        return replace(session, situation=number)

    async def agree(self, tx: Transaction, session: SignOn, request: Request) -> None:
        """Keep that this person agreed to what a client asks."""
        now = self.ground.clock.now()
        await clients.consent(tx, session.account.id, request.client.id, request.asked.scopes, now)

    async def may_skip_consent(self, session: SignOn, request: Request) -> bool:
        """Whether this person agreed already that this client be told this; the portal is told nothing new."""
        if request.client.id == PORTAL:
            return True
        async with self.ground.database.reader() as reader:
            return await clients.consented(reader, session.account.id, request.client.id, request.asked.scopes)

    async def sweep(self, tx: Transaction, before: datetime) -> int:
        """Forget what ended before this instant; how many sessions."""
        await requests.sweep(tx, before)
        await portals.sweep(tx, before)
        await clients.sweep_assertions(tx, before)
        await contexts.sweep(tx, before)
        await launches.sweep(tx, before)
        await casts.sweep(tx, before)
        await approvals.sweep(tx, before)
        return await signons.sweep(tx, before)

    # Steps

    async def _waiting(self, tx: Transaction, account: Account, id: UUID) -> Approval:
        approval = await approvals.find(tx, id=id)
        if approval is None or approval.account != account.id or not approval.waits(self.ground.clock.now()):
            raise Refusal(Kind.CONFLICT, "APPROVAL_ENDED", "This request no longer waits for an answer.")
        return approval

    async def _answer(
        self,
        tx: Transaction,
        account: Account,
        approval: Approval,
        state: ApprovalState,
        *,
        why: str = "",
        situation: int | None = None,
    ) -> None:
        if not await approvals.answer(tx, approval.id, state, self.ground.clock.now(), situation):
            raise Refusal(Kind.CONFLICT, "APPROVAL_ENDED", "This request no longer waits for an answer.")
        denied = state is ApprovalState.DENIED
        details = {"approval": str(approval.id), **({"why": why} if why else {})}
        event = "approval_refused" if denied else "approval_given"
        await self.ground.trace(tx, account, event, approval.client, refused=denied, details=details)

    async def not_pressed(self, reader: Reader, account: Account | None, now: datetime) -> None:
        """Refuse to notify somebody once more who was notified many times in vain. Raises TOO_MANY_ATTEMPTS."""
        if account is None:
            return
        if await approvals.count_in_vain(reader, account.id, now - _PRESS_WITHIN) >= _PRESS_MOST:
            raise Refusal(
                Kind.THROTTLED, "TOO_MANY_ATTEMPTS", "This person was asked many times already. Wait ten minutes."
            )


def national(identifier: str) -> str:
    """The national identifier (PS_IdNat) of what people type: an RPPS alone has 11 digits."""
    wanted = identifier.strip()
    return "8" + wanted if len(wanted) == 11 else wanted


def _ended() -> NoReturn:
    raise Refusal(
        Kind.GONE, "SIGN_ON_ENDED", "This request to sign in ended, or began in another browser: start again."
    )
