"""The second factor: by which ways it may be shown, and how its holder chooses among them."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import attempts, contacts, passwords, tokens
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.codes.service import SIGN_IN, Destination
from ambroise.modules.identity.enrolment.model import masked
from ambroise.modules.identity.model import Account, Origin, Session, TotpEnrolment
from ambroise.modules.identity.protection import repository
from ambroise.modules.identity.protection.alerts import warn
from ambroise.modules.identity.protection.model import AlertKind, CodesBy, Protection, Ways
from ambroise.modules.identity.service import Identity
from ambroise.modules.letters.api import Channel
from ambroise.modules.letters.api import Kind as LetterKind

_NO_WAY: Final = "Keep at least one way to receive a code."


class Factors(Struct, frozen=True):
    """The use cases of the second factor, besides checking a code."""

    identity: Identity

    # While signing in

    async def ways(self, token: str) -> Ways:
        """How the second factor may be shown in a session that waits for it; nothing when none was ever set up."""
        session = await self.identity.half_open(token)
        async with self.identity.database.reader() as reader:
            reached = await self._reached(reader, session.account)
        shown = {channel: masked(channel, address) for channel, address in reached.items()}
        return Ways(session.account.has_second_factor, shown)

    async def send(self, token: str, channel: Channel, *, language: str = "fr") -> None:
        """Send a code; only who gave the password can ask. Raises MIN_DELAY_ERROR, CONTACTS_NOT_FOUND."""
        session = await self.identity.half_open(token)
        codes = self.identity.codes
        async with self.identity.database.transaction() as tx:
            address = (await self._reached(tx, session.account)).get(channel)
            if address is None or codes is None:
                raise Refusal(Kind.CONFLICT, "CONTACTS_NOT_FOUND", "No such contact is known.")
            to = Destination(channel, address, language)
            await codes.send(tx, session.account.id, SIGN_IN, to, LetterKind.SIGN_IN_CODE)

    # In the settings

    async def protection(self, session: Session) -> Protection:
        """What the holder sees of the second factor."""
        account = session.account
        async with self.identity.database.reader() as reader:
            known = await contacts.of_account(reader, self.identity.sealer, account.id)
            by = await repository.codes_by(reader, account.id)
            left = await repository.recovery_codes_left(reader, account.id)
        shown = {channel: masked(channel, address) for channel, address in known.items()}
        return Protection(account.has_second_factor, by, shown, left)

    async def choose(self, session: Session, by: CodesBy, password: str, origin: Origin) -> None:
        """Choose how codes come. Raises PASSWORD_WRONG, FACTOR_MISSING when nothing could come that way."""
        await self.same_person(session, password)
        account = session.account
        async with self.identity.database.transaction() as tx:
            known = await contacts.of_account(tx, self.identity.sealer, account.id)
            possible = account.has_second_factor if by is CodesBy.APP else Channel(by.value) in known
            if not possible:
                raise Refusal(Kind.CONFLICT, "FACTOR_MISSING", "Nothing could come that way.")
            await repository.set_codes_by(tx, account.id, by)
            await self._changed(tx, account.id, origin)

    async def begin_application(self, session: Session, password: str) -> TotpEnrolment:
        """Draw the secret of an authenticator. Raises PASSWORD_WRONG, SECOND_FACTOR_SET."""
        await self.same_person(session, password)
        if session.account.has_second_factor:
            raise Refusal(Kind.CONFLICT, "SECOND_FACTOR_SET", "Remove the present authenticator first.")
        secret = tokens.new_totp_secret()
        async with self.identity.database.transaction() as tx:
            await accounts.set_totp_secret(tx, session.account.id, self.identity.seal_totp(secret))
        return tokens.enrolment(secret, session.account.sign_in_name, self.identity.issuer)

    async def application_in_progress(self, session: Session) -> TotpEnrolment:
        """The authenticator being set up, to be shown again after a mistyped code."""
        return tokens.enrolment(await self._pending(session), session.account.sign_in_name, self.identity.issuer)

    async def confirm_application(self, session: Session, code: str, origin: Origin) -> list[str]:
        """End the set-up by a first code; the recovery codes, shown once. Raises CODE_WRONG."""
        now, account = self.identity.clock.now(), session.account.id
        step = tokens.matching_step(await self._pending(session), code, now, after=0)
        if step is None:
            raise Refusal(Kind.UNPROCESSABLE, "CODE_WRONG", "This is not the code shown.", element="code")
        codes, digests = await self._drawn(account)
        async with self.identity.database.transaction() as tx:
            await accounts.use_totp_step(tx, account, step)
            await accounts.confirm_totp(tx, account, now)
            await accounts.replace_recovery_codes(tx, account, digests)
            await self._changed(tx, account, origin)
        return codes

    async def remove_application(self, session: Session, password: str, origin: Origin) -> None:
        """Use the authenticator no more. Raises PASSWORD_WRONG, LAST_FACTOR when no other way is left."""
        await self.same_person(session, password)
        account = session.account.id
        async with self.identity.database.transaction() as tx:
            if not self._can_send(await contacts.of_account(tx, self.identity.sealer, account)):
                raise Refusal(Kind.CONFLICT, "LAST_FACTOR", _NO_WAY)
            await repository.drop_totp(tx, account)
            if await repository.codes_by(tx, account) is CodesBy.APP:
                await repository.set_codes_by(tx, account, None)
            await self._changed(tx, account, origin)

    async def draw_recovery_codes(self, session: Session, password: str, origin: Origin) -> list[str]:
        """New recovery codes, shown once; the former ones are worth nothing. Raises PASSWORD_WRONG."""
        await self.same_person(session, password)
        codes, digests = await self._drawn(session.account.id)
        async with self.identity.database.transaction() as tx:
            await accounts.replace_recovery_codes(tx, session.account.id, digests)
            await self._changed(tx, session.account.id, origin)
        return codes

    # Steps

    async def _reached(self, reader: Reader, account: Account) -> dict[Channel, str]:
        """The addresses to which a code of sign-in may go, the preferred one first."""
        codes = self.identity.codes
        by = await repository.codes_by(reader, account.id)
        if codes is None or (by is CodesBy.APP and account.has_second_factor):
            return {}
        known = await contacts.of_account(reader, self.identity.sealer, account.id)
        order = sorted(known, key=lambda channel: (channel.value != (by or CodesBy.MAIL).value, channel.value))
        return {channel: known[channel] for channel in order if channel in codes.letters.channels}

    def _can_send(self, known: dict[Channel, str]) -> bool:
        codes = self.identity.codes
        return codes is not None and any(channel in codes.letters.channels for channel in known)

    async def _pending(self, session: Session) -> str:
        async with self.identity.database.reader() as reader:
            found = await accounts.credentials(reader, account=session.account.id)
        if found is None or found.totp_secret is None or found.account.has_second_factor:
            raise Refusal(Kind.CONFLICT, "NO_SECOND_FACTOR", "No set-up is under way.")
        return self.identity.unseal_totp(found.totp_secret)

    async def _drawn(self, account: UUID) -> tuple[list[str], list[bytes]]:
        codes = tokens.new_recovery_codes()
        return codes, await asyncio.to_thread(lambda: [tokens.recovery_digest(account, code) for code in codes])

    async def same_person(self, session: Session, password: str) -> None:
        """A session left open, or stolen, changes no second factor. Raises PASSWORD_WRONG, TOO_MANY_TRIES."""
        identity = self.identity
        keys = [attempts.key("change", str(session.account.id))]
        async with identity.database.reader() as reader:
            found = await accounts.credentials(reader, account=session.account.id)
        one = await attempts.begin(identity.database, keys, identity.clock.now())
        if one.wait:
            raise Refusal(Kind.THROTTLED, "TOO_MANY_TRIES", "Wait before you try another password.", element="passe")
        if found is None or not await passwords.matches(found.password_hash, password):
            raise Refusal(Kind.UNPROCESSABLE, "PASSWORD_WRONG", "This is not your password.", element="passe")
        await one.take_back(identity.database)

    async def _changed(self, tx: Transaction, account: UUID, origin: Origin) -> None:
        """A browser trusted under the former factor is asked again, and the holder is told."""
        await repository.trust_no_more(tx, account)
        await warn(tx, self.identity.codes, account, AlertKind.FACTOR_CHANGED, origin, self.identity.clock.now())
