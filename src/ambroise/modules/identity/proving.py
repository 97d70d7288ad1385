"""Showing again who one is, in a session already open, before an act that matters (step-up)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import attempts, passwords, repository, tokens, tracing
from ambroise.modules.identity.model import (
    LIFETIMES,
    NotSignedIn,
    Session,
    SessionToken,
    SignInMeans,
    SignInProblem,
)
from ambroise.modules.identity.service import Identity

RECENT: Final = timedelta(minutes=5)


class Proofs(Struct, frozen=True):
    """The use cases of proving again. `lasts`: how long a proof is recent; a sign-in is one."""

    identity: Identity
    lasts: timedelta = RECENT

    def is_recent(self, session: Session) -> bool:
        """Whether the holder of this session showed who they are a moment ago."""
        now = self.identity.clock.now()
        return session.complete and session.proven_at is not None and now - session.proven_at <= self.lasts

    def takes_password(self, session: Session) -> bool:
        """Whether a password is enough for this person."""
        return not session.account.demonstration and not self.identity.needs_passkey(session.account)

    async def by_password(self, session: Session, password: str) -> SessionToken | NotSignedIn:
        """Take the password again; the session gets a new token. Raises PASSKEY_ASKED."""
        if not self.takes_password(session):
            raise Refusal(Kind.FORBIDDEN, "PASSKEY_ASKED", "This person proves who they are with a passkey.")
        identity, account = self.identity, session.account
        keys = [attempts.key("change", str(account.id))]
        async with identity.database.reader() as reader:
            found = await repository.credentials(reader, account=account.id)
        one = await attempts.begin(identity.database, keys, identity.clock.now())
        if one.wait:
            return NotSignedIn(SignInProblem.WAIT, one.wait)
        if not await passwords.matches(found.password_hash if found else None, password):
            async with identity.database.transaction() as tx:
                why = SignInProblem.WRONG.value
                await identity.trace(tx, account, tracing.PROOF_REFUSED, SignInMeans.PASSWORD, why=why)
            return NotSignedIn(SignInProblem.WRONG)
        async with identity.database.transaction() as tx:
            await repository.clear_failures(tx, keys[0])
            return await self.note(tx, session, SignInMeans.PASSWORD)

    async def by_gesture(self, session: Session) -> SessionToken:
        """A demonstration person, whom anybody may be without a password, confirms by a gesture."""
        if not self.identity.demonstration or not session.account.demonstration:
            raise Refusal(Kind.FORBIDDEN, "NOT_A_DEMONSTRATION", "Only demonstration people prove nothing.")
        async with self.identity.database.transaction() as tx:
            return await self.note(tx, session, SignInMeans.DEMONSTRATION)

    async def note(self, tx: Transaction, session: Session, means: SignInMeans) -> SessionToken:
        """Note a proof, traced; the session goes on under a new token, and the old one opens nothing."""
        token, now = tokens.new_session_token(), self.identity.clock.now()
        idle = now + LIFETIMES[session.account.kind].idle
        if not await repository.renew_session(tx, session.id, tokens.digest(token), means, now, idle):
            raise Refusal(Kind.UNAUTHENTICATED, "SESSION_ENDED", "This session ended: sign in again.")
        await self.identity.trace(tx, session.account, tracing.PROVEN_AGAIN, means)
        return token
