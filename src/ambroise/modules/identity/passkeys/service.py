"""Registering passkeys, and answering by one: to sign in, as second factor, to prove again, to sign on to software."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final, NoReturn
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import attempts, tokens, tracing
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.model import (
    Account,
    AccountKind,
    NotSignedIn,
    Origin,
    Session,
    SessionToken,
    SignedIn,
    SignInMeans,
    SignInProblem,
)
from ambroise.modules.identity.passkeys import repository, wire
from ambroise.modules.identity.passkeys.model import (
    CHALLENGE_LASTS,
    LONGEST_NAME,
    MOST_PASSKEYS,
    Ceremony,
    Challenge,
    Kept,
    Passkey,
    Purpose,
    RelyingParty,
)
from ambroise.modules.identity.passkeys.wire import Wrong
from ambroise.modules.identity.protection.alerts import warn
from ambroise.modules.identity.protection.model import AlertKind
from ambroise.modules.identity.proving import Proofs
from ambroise.modules.identity.service import Identity

_CHALLENGE_BYTES: Final = 32


class Reply(Struct, frozen=True):
    """What a browser sends back: the reference of the challenge, the authenticator's answer, whose browser it is."""

    reference: str
    answer: str
    browser: str


class Passkeys(Struct, frozen=True):
    """The use cases of passkeys. Without a relying party the instance has none: see `RelyingParty.at`."""

    identity: Identity
    proofs: Proofs
    party: RelyingParty | None

    # Registering

    async def begin_registration(self, account: Account, browser: str) -> Ceremony:
        """Challenge a browser to make a passkey for this account. Raises PASSKEYS_TOO_MANY, PASSKEYS_UNAVAILABLE."""
        party = self._party()
        async with self.identity.database.transaction() as tx:
            known = await repository.credentials_of(tx, account.id)
            if len(known) >= MOST_PASSKEYS:
                raise Refusal(Kind.CONFLICT, "PASSKEYS_TOO_MANY", "Revoke a passkey before adding another.")
            reference, challenge = await self._challenge(tx, Purpose.REGISTER, account.id, browser)
        names = (account.sign_in_name, account.display_name)
        return Ceremony(reference, wire.creation_options(party, challenge, account.id.bytes, names, known))

    async def register(self, account: Account, reply: Reply, name: str, origin: Origin) -> Passkey:
        """Keep the passkey that an authenticator just made; traced, and told to its holder.

        Raises PASSKEY_NOT_REGISTERED, PASSKEY_NAME, PASSKEYS_TOO_MANY.
        """
        party, now = self._party(), self.identity.clock.now()
        challenge = await self._taken(Purpose.REGISTER, reply)
        try:
            if challenge is None or challenge.account != account.id:
                raise Wrong("challenge")
            key = wire.registered(party, challenge.value, reply.answer)
        except Wrong as wrong:
            raise _not_registered() from wrong
        made = Passkey(new_id(), account.id, _name(name), key.synced, now, None)
        async with self.identity.database.transaction() as tx:
            if len(await repository.hold(tx, account.id)) >= MOST_PASSKEYS:
                raise Refusal(Kind.CONFLICT, "PASSKEYS_TOO_MANY", "Revoke a passkey before adding another.")
            if not await repository.insert(tx, made.id, account.id, made.name, key, now):
                raise _not_registered()
            await self.identity.trace(tx, account, tracing.PASSKEY_ADDED, passkey=str(made.id))
            await warn(tx, self.identity.codes, account.id, AlertKind.FACTOR_CHANGED, origin, now)
        return made

    async def of_account(self, reader: Reader, account: Account) -> Sequence[Passkey]:
        """The passkeys of an account, the oldest first."""
        return await repository.of_account(reader, account.id)

    async def rename(self, tx: Transaction, account: Account, id: UUID, name: str) -> None:
        """Name a passkey. Raises PASSKEY_UNKNOWN."""
        if not await repository.rename(tx, account.id, id, _name(name)):
            _unknown()

    async def revoke(self, tx: Transaction, account: Account, id: UUID, origin: Origin) -> None:
        """End a passkey at once; traced, and told to its holder.

        Raises PASSKEY_UNKNOWN, and LAST_STRONG_MEANS for an operator's last one.
        """
        held = await repository.hold(tx, account.id)
        if id not in {one.id for one in held}:
            _unknown()
        if len(held) == 1 and account.kind is AccountKind.OPERATOR:
            raise Refusal(Kind.CONFLICT, "LAST_STRONG_MEANS", "Add another passkey before revoking the last one.")
        now = self.identity.clock.now()
        await repository.revoke(tx, account.id, id, now)
        await self.identity.trace(tx, account, tracing.PASSKEY_REVOKED, passkey=str(id))
        await warn(tx, self.identity.codes, account.id, AlertKind.FACTOR_CHANGED, origin, now)

    # Answering

    async def challenge(self, purpose: Purpose, browser: str, account: Account | None = None) -> Ceremony:
        """Challenge a browser to answer by a passkey: of this account, or of whoever holds one."""
        party = self._party()
        async with self.identity.database.transaction() as tx:
            known = await repository.credentials_of(tx, account.id) if account else ()
            reference, challenge = await self._challenge(tx, purpose, account.id if account else None, browser)
        return Ceremony(reference, wire.request_options(party, challenge, known))

    async def sign_in(self, reply: Reply, origin: Origin) -> SignedIn | NotSignedIn:
        """Sign in whoever answers, without a name nor a password."""
        answered = await self._answer(Purpose.SIGN_IN, reply, origin, SignInMeans.PASSKEY)
        if isinstance(answered, NotSignedIn):
            return answered
        async with self.identity.database.transaction() as tx:
            return await self.identity.enter_by(tx, answered, origin, SignInMeans.PASSKEY)

    async def complete(self, token: str, session: Session, reply: Reply, origin: Origin) -> SignedIn | NotSignedIn:
        """Complete a session that waits for its second factor."""
        means = SignInMeans.PASSWORD_AND_PASSKEY
        if not session.live or session.complete:
            raise Refusal(Kind.UNAUTHENTICATED, "SIGN_IN_AGAIN", "Start signing in again: too much time went by.")
        answered = await self._answer(Purpose.SECOND_FACTOR, reply, origin, means, session.account)
        if isinstance(answered, NotSignedIn):
            return answered
        async with self.identity.database.transaction() as tx:
            return await self.identity.enter_by(tx, answered, origin, means, instead_of=token)

    async def prove(self, session: Session, reply: Reply, origin: Origin) -> SessionToken | NotSignedIn:
        """Prove again who holds a session; it gets a new token."""
        answered = await self._answer(Purpose.PROOF, reply, origin, SignInMeans.PASSKEY, session.account)
        if isinstance(answered, NotSignedIn):
            return answered
        async with self.identity.database.transaction() as tx:
            return await self.proofs.note(tx, session, SignInMeans.PASSKEY)

    async def sign_on(self, reply: Reply, origin: Origin) -> Account | NotSignedIn:
        """The professional who answers, for a sign-on to other software."""
        answered = await self._answer(Purpose.SIGN_ON, reply, origin, SignInMeans.PASSKEY)
        if isinstance(answered, Account) and answered.kind is not AccountKind.PROFESSIONAL:
            return await self._refused(answered, Purpose.SIGN_ON, SignInMeans.PASSKEY, "kind", origin)
        return answered

    async def sweep(self, tx: Transaction) -> int:
        """Forget the challenges that nobody answered, and the codes that nobody typed; how many."""
        return await repository.sweep(tx, self.identity.clock.now())

    # Steps

    async def _answer(
        self, purpose: Purpose, reply: Reply, origin: Origin, means: SignInMeans, expected: Account | None = None
    ) -> Account | NotSignedIn:
        """Whose passkey answered. Every refusal looks the same; the trace says why."""
        party, identity = self._party(), self.identity
        challenge = await self._taken(purpose, reply)
        async with identity.database.reader() as reader:
            wait = await attempts.wait(reader, _keys(reply, origin), identity.clock.now())
        if wait:
            return NotSignedIn(SignInProblem.WAIT, wait)
        found: accounts.Credentials | None = None
        try:
            answer = wire.read_answer(reply.answer)
            async with identity.database.reader() as reader:
                kept = await repository.find(reader, answer.credential)
                found = await accounts.credentials(reader, account=kept.passkey.account) if kept else None
            if kept is None or found is None:
                raise Wrong("unknown")
            self._check_holder(challenge, kept, answer, expected)
            assert challenge is not None  # noqa: S101 - just checked.
            count = wire.checked(party, challenge.value, answer, kept.public_key, kept.sign_count)
            if found.suspended:
                raise Wrong("suspended")
            async with identity.database.transaction() as tx:
                if not await repository.note_use(tx, kept.passkey.id, kept.sign_count, count, identity.clock.now()):
                    raise Wrong("counter")
        except Wrong as wrong:
            account = found.account if found else expected
            return await self._refused(account, purpose, means, wrong.why, origin, reply)
        return found.account

    def _check_holder(
        self, challenge: Challenge | None, kept: Kept, answer: wire.Answer, expected: Account | None
    ) -> None:
        """Whether this passkey may answer this challenge at all."""
        if challenge is None:
            raise Wrong("challenge")
        if kept.revoked:
            raise Wrong("revoked")
        holder = kept.passkey.account
        wanted = expected.id if expected else None
        # WebAuthn Level 2 §7.2 step 6: a passkey that nobody named says itself whose it is.
        if challenge.account != wanted or wanted not in (None, holder):
            raise Wrong("other_account")
        if answer.holder != holder.bytes and (wanted is None or answer.holder is not None):
            raise Wrong("other_account")

    async def _refused(
        self,
        account: Account | None,
        purpose: Purpose,
        means: SignInMeans,
        why: str,
        origin: Origin,
        reply: Reply | None = None,
    ) -> NotSignedIn:
        event = tracing.PROOF_REFUSED if purpose is Purpose.PROOF else tracing.SIGN_IN_REFUSED
        async with self.identity.database.transaction() as tx:
            await self.identity.trace(tx, account, event, means, why=why, purpose=purpose.value)
        if reply is not None:
            await attempts.count(self.identity.database, _keys(reply, origin), self.identity.clock.now())
        return NotSignedIn(SignInProblem.PASSKEY_REFUSED)

    async def _challenge(
        self, tx: Transaction, purpose: Purpose, account: UUID | None, browser: str
    ) -> tuple[str, bytes]:
        reference, challenge = secrets.token_urlsafe(24), secrets.token_bytes(_CHALLENGE_BYTES)
        expires = self.identity.clock.now() + CHALLENGE_LASTS
        await repository.put_challenge(
            tx, tokens.digest(reference), purpose, challenge, account, tokens.digest(browser), expires
        )
        return reference, challenge

    async def _taken(self, purpose: Purpose, reply: Reply) -> Challenge | None:
        """The challenge that is answered. It is used up before the answer is looked at, in a transaction of its own."""
        async with self.identity.database.transaction() as tx:
            return await repository.take_challenge(
                tx, tokens.digest(reply.reference), purpose, tokens.digest(reply.browser), self.identity.clock.now()
            )

    def _party(self) -> RelyingParty:
        if self.party is None:
            raise Refusal(
                Kind.UNAVAILABLE,
                "PASSKEYS_UNAVAILABLE",
                "Passkeys need a host name and TLS: set AMBROISE_PUBLIC_URL to the https address that people use.",
            )
        return self.party


def _keys(reply: Reply, origin: Origin) -> list[bytes]:
    """Failures are counted by network: nobody can guess a key, and nobody may keep another person out."""
    return [attempts.key("passkey", reply.reference), *attempts.address_keys(origin)]


def _name(name: str) -> str:
    """The name of a passkey, as it is kept. Raises PASSKEY_NAME."""
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME:
        raise Refusal(Kind.UNPROCESSABLE, "PASSKEY_NAME", f"Give a name of 1 to {LONGEST_NAME} letters.", element="nom")
    return clean


def _not_registered() -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, "PASSKEY_NOT_REGISTERED", "The passkey could not be kept: start again.")


def _unknown() -> NoReturn:
    raise Refusal(Kind.NOT_FOUND, "PASSKEY_UNKNOWN", "This account has no such passkey.")
