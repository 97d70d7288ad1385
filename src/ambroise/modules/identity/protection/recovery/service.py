"""A forgotten password: who one is, a code to a proven address, a new password.

Whoever asks gets the same answer at the same time: what depends on the person happens behind the scene, by an event.
Only the network that asks is ever made to wait, so that nobody can keep another person out.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.kernel.outbox import Event, emit
from ambroise.modules.identity import attempts, contacts, passwords, tokens
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.codes.service import Codes, Destination
from ambroise.modules.identity.enrolment.claiming import claimed, number_of
from ambroise.modules.identity.enrolment.model import Claim
from ambroise.modules.identity.enrolment.repository import drop_contacts
from ambroise.modules.identity.model import Account, DeviceToken, Origin
from ambroise.modules.identity.passkeys.repository import revoke_all
from ambroise.modules.identity.protection import repository as protection
from ambroise.modules.identity.protection import rule
from ambroise.modules.identity.protection.alerts import warn
from ambroise.modules.identity.protection.model import AGENT_KEPT, AlertKind, coarse
from ambroise.modules.identity.protection.recovery import repository
from ambroise.modules.identity.service import Identity
from ambroise.modules.letters.api import Channel
from ambroise.modules.letters.api import Kind as LetterKind

RECOVERY_ASKED: Final = "identity.recovery_asked"
LASTS: Final = timedelta(hours=1)
_PURPOSE: Final = "recovery"
_SEALED: Final = "recovery"
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class Recovering(Struct, frozen=True):
    """One recovery under way, as its browser may see it: nothing here tells whether somebody was designated."""

    proven: bool
    reference: str
    sign_in_name: str = ""


class Recovery(Struct, frozen=True):
    """The use cases of who forgot the password. A browser holds a token; everything else is here."""

    identity: Identity

    @property
    def channels(self) -> frozenset[Channel]:
        """By which ways a code can leave this instance."""
        return self.identity.codes.letters.channels if self.identity.codes else frozenset()

    async def begin(self, claim: Claim, channel: Channel, origin: Origin) -> str:
        """Take what somebody says. Raises RECOVERY_WAIT; says nothing else, whoever it designates."""
        identity, now = self.identity, self.identity.clock.now()
        network = attempts.network_of(origin) or ""
        keys = [attempts.key("recovery", number_of(claim), network), attempts.key("recovery-network", network)]
        one = await attempts.begin(identity.database, keys, now)
        _wait(one.wait)
        await one.failed(identity.database, now)
        token, id = tokens.new_session_token(), new_id()
        born = claim.birth_date.isoformat() if claim.birth_date else None
        kept = {"claim": {**asdict(claim), "birth_date": born}, "channel": channel.value, "language": origin.language}
        sealed = identity.sealer.seal(_SEALED, json.dumps(kept).encode())
        reference = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(2))
        async with identity.database.transaction() as tx:
            await repository.insert(tx, tokens.digest(token), id, reference, sealed, now, now + LASTS)
            await emit(tx, RECOVERY_ASKED, {"recovery": str(id)})
        return token

    async def answer(self, tx: Transaction, event: Event) -> None:
        """Behind the scene: find who is designated, and send the code; keep one that nobody receives otherwise."""
        identity = self.identity
        row = await repository.find_by_id(tx, UUID(event.payload["recovery"]))
        if row is None or identity.codes is None:
            return
        kept: dict[str, Any] = json.loads(identity.sealer.unseal(_SEALED, row.sealed))
        account = await self._designated(tx, kept["claim"])
        channel = Channel(kept["channel"])
        address = None
        if account is not None:
            await repository.designate(tx, row.id, account.id)
            address = (await contacts.of_account(tx, identity.sealer, account.id)).get(channel)
        await _send(tx, identity.codes, row.id, channel, address, kept["language"])

    async def present(self, token: str) -> Recovering:
        """The recovery of a browser. Raises SESSION_TIMED_OUT."""
        async with self.identity.database.reader() as reader:
            row = self._open(await repository.find(reader, tokens.digest(token)))
            proven = row.step == "proven"
            held = await accounts.credentials(reader, account=row.account) if proven and row.account else None
        return Recovering(proven, row.reference, held.account.sign_in_name if held else "")

    async def ask_desk(self, token: str) -> str:
        """Ask the desk to check the identity in person; the reference to say there, whoever was designated."""
        present = await self.present(token)
        async with self.identity.database.transaction() as tx:
            await repository.ask_desk(tx, new_id(), tokens.digest(token), self.identity.clock.now())
        return present.reference

    async def prove(self, token: str, code: str, origin: Origin) -> None:
        """Take the code of the letter, or that of the desk. Raises CODE_*, RECOVERY_WAIT, ACCOUNT_SUSPENDED."""
        async with self.identity.database.reader() as reader:
            row = self._open(await repository.find(reader, tokens.digest(token)))
            network = attempts.network_of(origin) or ""
            keys = [attempts.key("recovery-code", str(row.id)), attempts.key("recovery-code-network", network)]
        one = await attempts.begin(self.identity.database, keys, self.identity.clock.now())
        _wait(one.wait)
        try:
            rescue = await self._checked(row, code)
        except Refusal:
            await one.failed(self.identity.database, self.identity.clock.now())
            raise
        await one.take_back(self.identity.database)
        async with self.identity.database.transaction() as tx:
            held = await accounts.credentials(tx, account=row.account) if row.account else None
            if held is None:
                raise _wrong()
            if held.suspended:
                raise Refusal(Kind.FORBIDDEN, "ACCOUNT_SUSPENDED", "This account is suspended.")
            await repository.prove(tx, row.id, rescue)

    async def choose(self, token: str, password: str, origin: Origin) -> DeviceToken:
        """Take the new password: every session ends, and this browser is known from now on. Raises PASSWORD_*."""
        identity = self.identity
        async with identity.database.reader() as reader:
            account, _ = await self._proven(reader, await repository.find(reader, tokens.digest(token)))
            rule.check(account.kind, password, *await rule.known_of(reader, identity.sealer, account))
        hashed = await passwords.hash_in_thread(password)
        async with identity.database.transaction() as tx:
            account, row = await self._proven(tx, await repository.hold(tx, tokens.digest(token)))
            await accounts.set_password(tx, account.id, hashed)
            await self._start_again(tx, account, origin)
            if row.rescue is not None:
                await _drop_factors(tx, account.id, identity.clock.now())
            await repository.delete(tx, row.id)
            return await self._know(tx, account, origin)

    # Steps

    async def _designated(self, tx: Transaction, kept: dict[str, Any]) -> Account | None:
        born = date.fromisoformat(kept["birth_date"]) if kept["birth_date"] else None
        claim = Claim(kept["matricule"], born, kept["card"], kept["birth_name"], kept["first_name"])
        found = await claimed(tx, claim, demonstration=self.identity.demonstration)
        # Somebody among several on a card is designated by the names, or not at all: the page says the same of both.
        return await self.identity.account_of(tx, patient=found[0].patient) if len(found) == 1 else None

    async def _checked(self, row: repository.Row, code: str) -> UUID | None:
        """The rescue whose code this is, None when it is that of the letter."""
        if tokens.looks_like_a_recovery_code(code):
            rescue = await self._rescue(row, code)
            if rescue is None:
                raise _wrong()
            return rescue
        if self.identity.codes is None:
            raise _wrong()
        await self.identity.codes.check(row.id, _PURPOSE, code)
        return None

    async def _rescue(self, row: repository.Row, code: str) -> UUID | None:
        """The rescue whose code this is. The same work is done when nobody was designated."""
        account = row.account or row.id
        digest = await asyncio.to_thread(tokens.recovery_digest, account, code)
        async with self.identity.database.transaction() as tx:
            return await repository.use_rescue(tx, account, digest, self.identity.clock.now())

    async def _start_again(self, tx: Transaction, account: Account, origin: Origin) -> None:
        """End sessions and trust, forget the failures of others, tell the holder."""
        now = self.identity.clock.now()
        await accounts.close_sessions(tx, account.id, now, None)
        await protection.trust_no_more(tx, account.id)
        for key in (
            attempts.key("name", account.sign_in_name),
            attempts.key("code", str(account.id)),
            attempts.key("change", str(account.id)),
        ):
            await accounts.clear_failures(tx, key)
        await warn(tx, self.identity.codes, account.id, AlertKind.PASSWORD_CHANGED, origin, now)

    async def _know(self, tx: Transaction, account: Account, origin: Origin) -> DeviceToken:
        """Count this browser apart from now on: strangers who fail on purpose delay it no more."""
        device = DeviceToken(origin.device) if origin.device else tokens.new_device_token()
        digest, now = tokens.device_digest(device, account.id), self.identity.clock.now()
        agent, network = origin.agent[:AGENT_KEPT], coarse(origin.address)
        await protection.remember(tx, digest, new_id(), account.id, agent, network, now, None)
        return device

    async def _proven(self, reader: Any, found: repository.Row | None) -> tuple[Account, repository.Row]:
        row = self._open(found)
        held = await accounts.credentials(reader, account=row.account) if row.account else None
        if row.step != "proven" or held is None:
            raise Refusal(Kind.CONFLICT, "ENROLMENT_STEP", "Type the code first.")
        return held.account, row

    def _open(self, row: repository.Row | None) -> repository.Row:
        if row is None or row.ends_at <= self.identity.clock.now():
            raise Refusal(Kind.GONE, "SESSION_TIMED_OUT", "Too much time went by: start again.")
        return row


def _wait(left: timedelta) -> None:
    if left:
        raise Refusal(
            Kind.THROTTLED, "RECOVERY_WAIT", "Wait before trying again.", data={"retry_after": left.seconds + 1}
        )


def _wrong() -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, "CODE_WRONG", "This is not the code.", element="code")


async def _send(
    tx: Transaction, codes: Codes, recovery: UUID, channel: Channel, address: str | None, language: str
) -> None:
    if address is None or channel not in codes.letters.channels:
        await codes.keep_unsent(tx, recovery, _PURPOSE)
        return
    await codes.send(tx, recovery, _PURPOSE, Destination(channel, address, language), LetterKind.RECOVERY_CODE)


async def _drop_factors(tx: Transaction, account: UUID, now: datetime) -> None:
    """Who came to the desk lost them all: the next sign-in sets a new one up."""
    await revoke_all(tx, account, now)
    await protection.drop_totp(tx, account)
    await protection.set_codes_by(tx, account, None)
    await accounts.replace_recovery_codes(tx, account, [])
    await drop_contacts(tx, account)
