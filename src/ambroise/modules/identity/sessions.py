"""Sessions: what is open in them, whose space, which situation, which emergency, what was typed."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import repository, tokens, tracing
from ambroise.modules.identity.model import (
    DRAFT_KEPT,
    EMERGENCY_LASTS,
    HALF_OPEN,
    LIFETIMES,
    Account,
    AccountKind,
    Draft,
    Emergency,
    Lifetime,
    Session,
    SessionToken,
    SignInMeans,
)
from ambroise.modules.identity.tokens import Sealer
from ambroise.trust.context import Context, Purpose, Relation
from ambroise.trust.limits import Limits

_TOUCH_EVERY = timedelta(minutes=1)
_DRAFT = "draft"


class Sessions(Struct, frozen=True):
    """What happens in a session once it is open. `demonstration` marks what comes from an instance of nobody real."""

    database: Database
    clock: Clock
    sealer: Sealer
    demonstration: bool = False

    async def half_open(self, token: str) -> Session:
        """The session that waits for its second factor. Raises SIGN_IN_AGAIN."""
        session = await self.session(token)
        if session is None or not session.live or session.complete:
            raise Refusal(Kind.UNAUTHENTICATED, "SIGN_IN_AGAIN", "Start signing in again: too much time went by.")
        return session

    async def session(self, token: str) -> Session | None:
        """The session of this token, kept alive by being used; not `live` once it ended; None when there is none."""
        now = self.clock.now()
        digest = tokens.digest(token)
        async with self.database.reader() as reader:
            found = await repository.session(reader, digest, now)
        if found is None:
            return None
        session, seen_at = found
        if session.live and now - seen_at > _TOUCH_EVERY:
            async with self.database.transaction() as tx:
                await repository.touch_session(tx, digest, now, now + _lifetime(session.account, session.complete).idle)
        return session

    async def sign_out(self, token: str) -> None:
        """End the session of this token."""
        async with self.database.transaction() as tx:
            await repository.close_session(tx, tokens.digest(token), self.clock.now())

    async def sign_out_everywhere(self, session: Session) -> int:
        """End the other sessions of the same account; how many there were."""
        async with self.database.transaction() as tx:
            return await repository.close_sessions(tx, session.account.id, self.clock.now(), session.id)

    async def choose_space(
        self, tx: Transaction, session: Session, patient: UUID | None, relation: Relation | None
    ) -> None:
        """Look at another person's space from now on. The door checks the relation at every access."""
        if session.account.kind is not AccountKind.CITIZEN:
            raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "Only a citizen acts for somebody.")
        own = patient is None or patient == session.account.patient
        await repository.set_space(tx, session.id, None if own else patient, None if own else relation)

    async def choose_situation(self, tx: Transaction, session: Session, number: int) -> None:
        """Work under another situation of exercise from now on."""
        if not 0 <= number < len(session.account.situations):
            raise Refusal(Kind.INVALID, "NO_SUCH_SITUATION", "This professional has no such situation of exercise.")
        await repository.set_situation(tx, session.id, number)

    async def open_emergency(
        self, tx: Transaction, session: Session, patient: UUID, purpose: Purpose, reason: str
    ) -> Emergency:
        """Keep an emergency purpose on one patient for an hour. The door decides at every access what it opens."""
        if session.account.kind is not AccountKind.PROFESSIONAL or purpose is Purpose.NORMAL:
            raise Refusal(Kind.FORBIDDEN, "NOT_AN_EMERGENCY", "Only a professional opens an emergency access.")
        if not reason.strip():
            raise Refusal(Kind.INVALID, "REASON_REQUIRED", "An emergency access needs its reason in words.")
        now = self.clock.now()
        emergency = Emergency(patient, purpose.value, reason.strip(), now, now + EMERGENCY_LASTS)
        await repository.put_emergency(tx, session.id, emergency)
        return emergency

    async def close_emergency(self, tx: Transaction, session: Session, patient: UUID) -> None:
        """End an emergency access before its hour."""
        await repository.end_emergency(tx, session.id, patient)

    async def keep_draft(self, session: Session, path: str, fields: dict[str, list[str]]) -> None:
        """Keep what was typed in a form when its session had ended."""
        sealed = self.sealer.seal(_DRAFT, json.dumps(fields).encode())
        async with self.database.transaction() as tx:
            await repository.put_draft(tx, session.account.id, path, sealed, self.clock.now())

    async def take_draft(self, session: Session, path: str) -> Draft | None:
        """Give back, once, what was kept for this page."""
        async with self.database.transaction() as tx:
            kept = await repository.take_draft(tx, session.account.id, path)
        if kept is None or self.clock.now() - kept[1] > DRAFT_KEPT:
            return None
        return Draft(path, json.loads(self.sealer.unseal(_DRAFT, kept[0])), kept[1])

    def context(self, session: Session, *, patient: UUID | None = None) -> Context:
        """The context of a request in this session; `patient`: whose record a professional opens, for an emergency.

        An emergency is that of one patient: its purpose and its reason reach nothing that concerns anybody else.
        """
        if not session.live or not session.complete:
            raise Refusal(Kind.UNAUTHENTICATED, "SESSION_ENDED", "This session ended, or waits for its second factor.")
        actor = tracing.actor_of(session.account, session.situation)
        emergency = session.emergency_for(patient) if patient is not None else None
        return Context(
            actor=actor,
            clock=self.clock,
            purpose=Purpose(emergency.purpose) if emergency else Purpose.NORMAL,
            reason=emergency.reason if emergency else None,
            acting_for=session.acting_for,
            relation=session.relation,
            secret=session.secret,
            channel="web",
            software="portal",
            demonstration=self.demonstration,
            limits=Limits.of(["patient/*.cruds"], patient) if emergency else None,
        )

    async def trace(
        self, tx: Transaction, account: Account | None, event: str, means: SignInMeans | None = None, **details: str
    ) -> None:
        """Write what became of coming in, in the transaction of what it records."""
        await tracing.trace(tx, self.clock, account, event, means, demonstration=self.demonstration, **details)

    async def _open(self, tx: Transaction, account: Account, means: SignInMeans, *, complete: bool) -> SessionToken:
        now = self.clock.now()
        lasts = _lifetime(account, complete)
        token = tokens.new_session_token()
        await repository.insert_session(
            tx, tokens.digest(token), new_id(), account.id, complete, now, now + lasts.idle, now + lasts.most, means
        )
        return token


def _lifetime(account: Account, complete: bool) -> Lifetime:
    return LIFETIMES[account.kind] if complete else HALF_OPEN
