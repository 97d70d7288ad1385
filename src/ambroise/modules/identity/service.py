"""Accounts and signing in: one function per use case.

The use cases of signing in take the database rather than a transaction: checking a password takes 25 ms of processor on
purpose, and no connection should wait for it.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import attempts, contacts, passwords, repository, tokens, tracing
from ambroise.modules.identity.codes.service import SIGN_IN, Codes
from ambroise.modules.identity.model import (
    DRAFT_KEPT,
    Account,
    AccountKind,
    DeviceToken,
    NewAccount,
    NotSignedIn,
    Origin,
    Session,
    SignedIn,
    SignInMeans,
    SignInProblem,
    TotpEnrolment,
)
from ambroise.modules.identity.protection import repository as protection
from ambroise.modules.identity.protection import rule
from ambroise.modules.identity.protection.alerts import warn
from ambroise.modules.identity.protection.model import (
    AGENT_KEPT,
    ALERT_LASTS,
    DEVICE_KEPT,
    RESCUE_KEPT,
    TRUST_LASTS,
    AlertKind,
    coarse,
)
from ambroise.modules.identity.protection.recovery import repository as recovery
from ambroise.modules.identity.sessions import Sessions

_TOUCH_EVERY = timedelta(minutes=1)
_TOTP = "totp"
_DRAFT = "draft"


class Identity(Sessions, frozen=True):
    """The face of accounts and sessions. `demonstration` opens the list of people whom anybody may be.

    Without `codes`, nothing leaves by mail or SMS: the second factor is the authenticator's. `operators_by_passkey`: an
    operator who has a passkey signs in with it, and with nothing weaker.
    """

    issuer: str = "Ambroise"
    codes: Codes | None = None
    operators_by_passkey: bool = False

    # Accounts

    async def create_account(self, tx: Transaction, new: NewAccount) -> UUID:
        """Let somebody sign in. The name is kept in lower case; a name already taken is refused."""
        if new.demonstration and not self.demonstration:
            raise Refusal(Kind.UNPROCESSABLE, "NOT_A_DEMONSTRATION", "A real instance takes no demonstration account.")
        account = new_id()
        name = sign_in_name(new.sign_in_name)
        if await repository.credentials(tx, name=name) is not None:
            raise Refusal(Kind.CONFLICT, "SIGN_IN_NAME_TAKEN", "Another account already uses this sign-in name.")
        await repository.insert_account(tx, account, replace(new, sign_in_name=name), self.clock.now())
        return account

    async def create_operator(
        self, tx: Transaction, *, name: str, sign_in_name: str, password: str, duties: frozenset[str]
    ) -> UUID:
        """Create an operator; the second factor is set up at the first sign-in."""
        rule.check(AccountKind.OPERATOR, password, sign_in_name, name)
        return await self.create_account(
            tx,
            NewAccount(
                AccountKind.OPERATOR, sign_in_name, name, duties=duties, password=passwords.hash_password(password)
            ),
        )

    async def account_of(
        self, reader: Reader, *, patient: UUID | None = None, professional: str | None = None
    ) -> Account | None:
        """The account of a citizen (by Patient) or of a professional (by PS_IdNat)."""
        return await repository.find_account(reader, patient, professional)

    async def change_password(self, session: Session, password: str, new_password: str, origin: Origin) -> bool:
        """Change the password and end the other sessions of the account; false when the present password is wrong.

        Raises TOO_MANY_TRIES: a session left open, or stolen, is no place to guess the password from.
        """
        account = session.account
        keys = [attempts.key("change", str(account.id))]
        async with self.database.reader() as reader:
            rule.check(account.kind, new_password, *await rule.known_of(reader, self.sealer, account))
            found = await repository.credentials(reader, account=account.id)
        if (await attempts.begin(self.database, keys, self.clock.now())).wait:
            raise Refusal(Kind.THROTTLED, "TOO_MANY_TRIES", "Wait before you try another password.")
        if found is None or not await passwords.matches(found.password_hash, password):
            return False
        async with self.database.transaction() as tx:
            await repository.clear_failures(tx, keys[0])
            await repository.set_password(tx, account.id, passwords.hash_password(new_password))
            await repository.close_sessions(tx, account.id, self.clock.now(), session.id)
            await protection.trust_no_more(tx, account.id)
            await warn(tx, self.codes, account.id, AlertKind.PASSWORD_CHANGED, origin, self.clock.now())
        return True

    # The demonstration list

    async def demonstration_people(
        self, reader: Reader, kind: AccountKind, words: str = "", count: int = 12
    ) -> list[Account]:
        """The people one can be on a demonstration instance, the most telling first; nobody elsewhere."""
        if not self.demonstration:
            return []
        return await repository.demonstration_accounts(reader, kind, words, count)

    async def be(self, account: UUID, origin: Origin) -> SignedIn:
        """Sign in as a demonstration person, without password."""
        if not self.demonstration:
            raise Refusal(
                Kind.FORBIDDEN, "NOT_A_DEMONSTRATION", "Only a demonstration instance signs in without password."
            )
        async with self.database.transaction() as tx:
            found = await repository.credentials(tx, account=account)
            if found is None or not found.account.demonstration or found.suspended:
                raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "No demonstration person has this id.")
            token = await self._open(tx, found.account, SignInMeans.DEMONSTRATION, complete=True)
            await self.trace(tx, found.account, tracing.SIGNED_IN, SignInMeans.DEMONSTRATION)
        return SignedIn(token, found.account, complete=True)

    async def enter(self, tx: Transaction, account: Account) -> SignedIn:
        """Open the session of somebody whom a trusted provider identified, strongly enough to need no other factor."""
        await self.trace(tx, account, tracing.SIGNED_IN, SignInMeans.PROVIDER)
        token = await self._open(tx, account, SignInMeans.PROVIDER, complete=True)
        return SignedIn(token, account, complete=True)

    async def refuse_demonstration_accounts(self, reader: Reader) -> None:
        """Stop a real instance from starting on data where anybody can be anybody."""
        if not self.demonstration and await repository.has_demonstration_accounts(reader):
            raise Refusal(
                Kind.UNAVAILABLE,
                "DEMONSTRATION_DATA",
                "This database holds demonstration people, who sign in without password: a real instance refuses it.",
            )

    # Signing in

    async def sign_in(self, name: str, password: str, origin: Origin) -> SignedIn | NotSignedIn:
        """Check a name and a password. The session waits for the second factor, unless this browser is trusted."""
        name = sign_in_name(name)
        now = self.clock.now()
        async with self.database.reader() as reader:
            found = await repository.credentials(reader, name=name)
            keys = await self._failure_keys(reader, name, origin, found.account if found else None)
        one = await attempts.begin(self.database, keys, now)
        if one.wait:
            return NotSignedIn(SignInProblem.WAIT, one.wait)
        if not await passwords.matches(found.password_hash if found else None, password) or found is None:
            await self._trace_refusal(found.account if found else None, SignInMeans.PASSWORD, SignInProblem.WRONG)
            await one.failed(self.database, now)
            return NotSignedIn(SignInProblem.WRONG)
        await one.take_back(self.database)
        if found.suspended:
            await self._trace_refusal(found.account, SignInMeans.PASSWORD, SignInProblem.SUSPENDED)
            return NotSignedIn(SignInProblem.SUSPENDED)
        async with self.database.transaction() as tx:
            if found.password_hash and passwords.needs_rehash(found.password_hash):
                await repository.set_password(tx, found.account.id, passwords.hash_password(password))
            if origin.device and await protection.trusts(tx, _device(origin, found.account), now):
                return await self._complete(tx, found.account, origin, SignInMeans.TRUSTED_BROWSER)
            token = await self._open(tx, found.account, SignInMeans.PASSWORD, complete=False)
            return SignedIn(token, found.account, complete=False)

    async def verify_code(
        self, token: str, code: str, origin: Origin, *, remember: bool = False
    ) -> SignedIn | NotSignedIn:
        """Complete a session by a code of the authenticator, of a letter or of recovery; the browser gets a new token.

        `remember`: ask this browser of a citizen for no code for thirty days.
        """
        now = self.clock.now()
        account = (await self.half_open(token)).account
        async with self.database.reader() as reader:
            keys = await self._code_keys(reader, account, origin)
            found = await repository.credentials(reader, account=account.id)
        one = await attempts.begin(self.database, keys, now)
        if one.wait:
            return NotSignedIn(SignInProblem.WAIT, one.wait)
        if self.needs_passkey(account):
            await one.take_back(self.database)
            await self._trace_refusal(account, SignInMeans.CODE, SignInProblem.PASSKEY_ASKED)
            return NotSignedIn(SignInProblem.PASSKEY_ASKED)
        if found is None or not (await self._accepts(found, code, now) or await self._was_sent(account, code)):
            await self._trace_refusal(account, SignInMeans.CODE, SignInProblem.CODE_WRONG)
            await one.failed(self.database, now)
            return NotSignedIn(SignInProblem.CODE_WRONG)
        async with self.database.transaction() as tx:
            await repository.clear_failures(tx, keys[0])
            await repository.close_session(tx, tokens.digest(token), now)
            return await self._complete(tx, account, origin, SignInMeans.CODE, remember=remember)

    async def begin_second_factor(self, token: str) -> TotpEnrolment:
        """Draw a new secret for an account that has no second factor yet."""
        session = await self.half_open(token)
        if session.account.has_second_factor or session.account.has_passkey:
            # Who only knows the password must not choose the second factor.
            raise Refusal(Kind.CONFLICT, "SECOND_FACTOR_SET", "This account already has a second factor.")
        secret = tokens.new_totp_secret()
        async with self.database.transaction() as tx:
            if self.codes is not None and await contacts.of_account(tx, self.sealer, session.account.id):
                # Codes go to the proven addresses.
                raise Refusal(Kind.CONFLICT, "SECOND_FACTOR_SET", "This account already has a second factor.")
            await repository.set_totp_secret(tx, session.account.id, self.seal_totp(secret))
        return tokens.enrolment(secret, session.account.sign_in_name, self.issuer)

    async def second_factor_in_progress(self, token: str) -> TotpEnrolment:
        """The enrolment begun in this session, to be shown again after a mistyped code."""
        session = await self.half_open(token)
        async with self.database.reader() as reader:
            found = await repository.credentials(reader, account=session.account.id)
        if found is None or found.totp_secret is None or found.account.has_second_factor:
            raise Refusal(Kind.CONFLICT, "NO_SECOND_FACTOR", "No set-up is under way.")
        secret = self.unseal_totp(found.totp_secret)
        return tokens.enrolment(secret, session.account.sign_in_name, self.issuer)

    async def confirm_second_factor(
        self, token: str, code: str, origin: Origin
    ) -> tuple[SignedIn, list[str]] | NotSignedIn:
        """End the set-up by a first code. The recovery codes are shown once; only their hashes are kept."""
        now = self.clock.now()
        session = await self.half_open(token)
        async with self.database.transaction() as tx:
            found = await repository.credentials(tx, account=session.account.id)
            if found is None or found.totp_secret is None or found.account.has_second_factor:
                raise Refusal(Kind.CONFLICT, "NO_SECOND_FACTOR", "No set-up is under way.")
            if found.account.has_passkey:
                raise Refusal(Kind.CONFLICT, "SECOND_FACTOR_SET", "This account already has a second factor.")
            secret = self.unseal_totp(found.totp_secret)
            step = tokens.matching_step(secret, code, now, after=found.totp_last_step)
            if step is None or not await repository.use_totp_step(tx, found.account.id, step):
                return NotSignedIn(SignInProblem.CODE_WRONG)
            await repository.confirm_totp(tx, found.account.id, now)
            codes = tokens.new_recovery_codes()
            await repository.replace_recovery_codes(
                tx, found.account.id, [tokens.recovery_digest(found.account.id, code) for code in codes]
            )
            await repository.close_session(tx, tokens.digest(token), now)
            return await self._complete(tx, found.account, origin, SignInMeans.CODE), codes

    # Other means

    def needs_passkey(self, account: Account) -> bool:
        """Whether nothing weaker than a passkey lets this person in."""
        return self.operators_by_passkey and account.kind is AccountKind.OPERATOR and account.has_passkey

    async def enter_by(
        self, tx: Transaction, account: Account, origin: Origin, means: SignInMeans, *, instead_of: str | None = None
    ) -> SignedIn:
        """Open the session of somebody who showed a means of two factors, traced; it replaces a half-open one."""
        if instead_of is not None:
            await repository.close_session(tx, tokens.digest(instead_of), self.clock.now())
        return await self._complete(tx, account, origin, means)

    async def sweep(self, tx: Transaction) -> int:
        """Forget what ended more than a day ago; how many sessions. For a daily job."""
        now = self.clock.now()
        await protection.sweep(tx, now - ALERT_LASTS, now - DEVICE_KEPT)
        await recovery.sweep(tx, now, now - RESCUE_KEPT)
        return await repository.sweep(tx, now - DRAFT_KEPT)

    def seal_totp(self, secret: str) -> bytes:
        """The secret of an authenticator, as it is kept."""
        return self.sealer.seal(_TOTP, secret.encode())

    def unseal_totp(self, sealed: bytes) -> str:
        """The secret of an authenticator."""
        return self.sealer.unseal(_TOTP, sealed).decode()

    # Steps

    async def _complete(
        self, tx: Transaction, account: Account, origin: Origin, means: SignInMeans, *, remember: bool = False
    ) -> SignedIn:
        """Open a complete session beside the half-open one, which the caller closes: a token never gains rights."""
        now = self.clock.now()
        await self.trace(tx, account, tracing.SIGNED_IN, means)
        device = DeviceToken(origin.device) if origin.device else tokens.new_device_token()
        digest = tokens.device_digest(device, account.id)
        if await protection.knows_any(tx, account.id) and not await protection.knows(tx, digest):
            await warn(tx, self.codes, account.id, AlertKind.NEW_DEVICE, origin, now)
        trusted = now + TRUST_LASTS if remember and account.kind is AccountKind.CITIZEN else None
        agent, network = origin.agent[:AGENT_KEPT], coarse(origin.address)
        await protection.remember(tx, digest, new_id(), account.id, agent, network, now, trusted)
        await repository.clear_failures(tx, attempts.key("device", device, account.sign_in_name))
        token = await self._open(tx, account, means, complete=True)
        await protection.tie_session(tx, tokens.digest(token), digest)
        return SignedIn(token, account, complete=True, device=device)

    async def _accepts(self, found: repository.Credentials, code: str, now: datetime) -> bool:
        """Whether this is the authenticator's code, or a recovery code, neither used before."""
        account = found.account.id
        if found.totp_secret is not None and found.account.has_second_factor:
            step = tokens.matching_step(self.unseal_totp(found.totp_secret), code, now, after=found.totp_last_step)
            if step is not None:
                async with self.database.transaction() as tx:
                    return await repository.use_totp_step(tx, account, step)
        if not tokens.looks_like_a_recovery_code(code):
            return False
        digest = await asyncio.to_thread(tokens.recovery_digest, account, code)
        async with self.database.transaction() as tx:
            return await repository.use_recovery_code(tx, account, digest, now)

    async def _was_sent(self, account: Account, code: str) -> bool:
        """Whether this is the code that a letter carried."""
        if self.codes is None:
            return False
        try:
            await self.codes.check(account.id, SIGN_IN, code)
        except Refusal:
            return False
        return True

    async def _failure_keys(self, reader: Reader, name: str, origin: Origin, account: Account | None) -> list[bytes]:
        """What failures are counted under: the name (apart for a browser already known), then the address."""
        if account is not None and origin.device and await protection.knows(reader, _device(origin, account)):
            return [attempts.key("device", origin.device, name)]
        return [attempts.key("name", name), *attempts.address_keys(origin)]

    async def _code_keys(self, reader: Reader, account: Account, origin: Origin) -> list[bytes]:
        """The same for codes: who has the password and fails on purpose does not delay a browser already known."""
        if origin.device and await protection.knows(reader, _device(origin, account)):
            return [attempts.key("code", str(account.id), origin.device)]
        return [attempts.key("code", str(account.id)), *attempts.address_keys(origin)]

    async def _trace_refusal(self, account: Account | None, means: SignInMeans, why: SignInProblem) -> None:
        async with self.database.transaction() as tx:
            await self.trace(tx, account, tracing.SIGN_IN_REFUSED, means, why=why.value)


def _device(origin: Origin, account: Account) -> bytes:
    return tokens.device_digest(origin.device or "", account.id)


def sign_in_name(text: str) -> str:
    """One form for a name, however it is typed."""
    return text.strip().casefold()
