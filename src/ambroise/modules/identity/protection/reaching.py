"""Changing the address at which the holder of an account is reached: proven by a code, told to the former one."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import contacts
from ambroise.modules.identity.codes.service import Codes, Destination
from ambroise.modules.identity.enrolment.model import mail_of, mobile_of
from ambroise.modules.identity.model import Origin, Session
from ambroise.modules.identity.protection import repository
from ambroise.modules.identity.protection.alerts import warn
from ambroise.modules.identity.protection.factors import Factors
from ambroise.modules.identity.protection.model import AlertKind
from ambroise.modules.letters.api import Channel, GivingBack
from ambroise.modules.letters.api import Kind as LetterKind

_PURPOSE: Final = "new_contact"


class Reaching(Struct, frozen=True):
    """The use cases of a holder who changes a proven address."""

    factors: Factors

    async def send(self, session: Session, channel: Channel, address: str, password: str, origin: Origin) -> None:
        """Send a code to a new address. Raises PASSWORD_WRONG, CONTACT_INVALID, MIN_DELAY_ERROR."""
        clean = mail_of(address) if channel is Channel.MAIL else mobile_of(address)
        if clean is None:
            raise Refusal(Kind.UNPROCESSABLE, "CONTACT_INVALID", "This is no such address.", element="adresse")
        await self.factors.same_person(session, password)
        to = Destination(channel, clean, origin.language)
        async with self.factors.identity.database.transaction() as tx:
            # Apart from the codes of sign-in, of which one may have just left.
            pace = f"{_PURPOSE} {session.account.id}"
            await self._codes().send(tx, session.account.id, _PURPOSE, to, LetterKind.CONTACT_CODE, pace=pace)

    async def prove(self, session: Session, code: str, origin: Origin) -> None:
        """Take the code: the new address replaces the former one, which is told. Raises CODE_*."""
        identity, account = self.factors.identity, session.account.id
        reached = await self._codes().check(account, _PURPOSE, code)
        now = identity.clock.now()
        async with identity.database.transaction() as tx:
            former = await contacts.of_account(tx, identity.sealer, account)
            kept = contacts.sealed(identity.sealer, former)
            await warn(tx, identity.codes, account, AlertKind.FACTOR_CHANGED, origin, now, former_contacts=kept)
            await repository.trust_no_more(tx, account)
            await contacts.keep(tx, identity.sealer, account, reached.channel, reached.address, now)

    async def gives_back(self, session: Session) -> tuple[str, GivingBack] | None:
        """The proven mail address of a holder, when nothing is sent there any more since mails came back."""
        identity = self.factors.identity
        if identity.codes is None:
            return None
        async with identity.database.reader() as reader:
            mail = (await contacts.of_account(reader, identity.sealer, session.account.id)).get(Channel.MAIL)
            found = await identity.codes.letters.giving_back(reader, mail) if mail is not None else None
            return (mail, found) if mail is not None and found is not None else None

    def _codes(self) -> Codes:
        if self.factors.identity.codes is None:
            raise Refusal(Kind.UNAVAILABLE, "LETTERS_UNAVAILABLE", "This instance sends no message.")
        return self.factors.identity.codes
