"""A first passkey, for who has no other way in: a code handed over by the desk or by the operator of the instance.

The desk gives codes to professionals alone, whose identity it checks; a code for an operator comes from the command
line of the instance, or from two colleagues (`vouching`), so that no operator makes themselves another.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import attempts, tokens, tracing
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.model import Account, AccountKind, Origin, SignInMeans
from ambroise.modules.identity.passkeys import repository
from ambroise.modules.identity.passkeys.model import Ceremony
from ambroise.modules.identity.passkeys.service import Passkeys, Reply
from ambroise.modules.identity.professionals import known_professional
from ambroise.modules.identity.provider.signing_on import national
from ambroise.modules.identity.registry.desk import require_duty
from ambroise.modules.identity.service import sign_in_name
from ambroise.trust.audit.entry import Entry, InstanceEvent, record
from ambroise.trust.context import Context, Operator

CODE_LASTS: Final = timedelta(hours=24)
TICKET_LASTS: Final = timedelta(minutes=10)
PASSKEY_CODE_GIVEN: Final = "passkey_code_given"


class Invitations(Struct, frozen=True):
    """The use cases of a first passkey."""

    passkeys: Passkeys

    async def give(self, ctx: Context, identifier: str) -> tuple[Account, str]:
        """The code to hand over, shown once, good for a day; it ends the one before. Traced.

        A professional of the directory who has no account yet gets one. Raises NO_SUCH_ACCOUNT.
        """
        if isinstance(ctx.actor, Operator):
            require_duty(ctx)
        identity = self.passkeys.identity
        async with identity.database.transaction() as tx:
            await known_professional(tx, identity, national(identifier))
            found = await self._named(tx, identifier)
            if found is None or not _may_invite(ctx, found.account) or found.suspended:
                raise Refusal(Kind.NOT_FOUND, "NO_SUCH_ACCOUNT", "No account of that name may get a code here.")
            code = await self.hand_over(tx, ctx, found.account)
        return found.account, code

    async def hand_over(self, tx: Transaction, ctx: Context, account: Account) -> str:
        """A new code for an account that the caller found may have one. Traced."""
        code, now = tokens.new_recovery_codes(1)[0], self.passkeys.identity.clock.now()
        digest = await asyncio.to_thread(tokens.recovery_digest, account.id, code)
        await repository.put_invitation(tx, account.id, digest, ctx.actor.name, now, now + CODE_LASTS)
        await record(tx, ctx, Entry("E", InstanceEvent(PASSKEY_CODE_GIVEN), details={"account": str(account.id)}))
        return code

    async def redeem(self, identifier: str, code: str, browser: str, origin: Origin) -> str:
        """A ticket for who has the code, once. Raises INVITATION_WRONG whatever is wrong, TOO_MANY_TRIES."""
        identity, now = self.passkeys.identity, self.passkeys.identity.clock.now()
        keys = [attempts.key("passkey-code", attempts.network_of(origin) or ""), *attempts.address_keys(origin)]
        one = await attempts.begin(identity.database, keys, now)
        if one.wait:
            raise Refusal(Kind.THROTTLED, "TOO_MANY_TRIES", "Wait before you try another code.")
        ticket = tokens.new_session_token()
        async with identity.database.transaction() as tx:
            found = await self._named(tx, identifier)
        # The same work for a name that nobody has.
        digest = await asyncio.to_thread(tokens.recovery_digest, found.account.id if found else new_id(), code)
        async with identity.database.transaction() as tx:
            hashes = tokens.digest(ticket), tokens.digest(browser)
            good = found is not None and await repository.open_invitation(
                tx, found.account.id, digest, *hashes, now, now + TICKET_LASTS
            )
            if not good:
                account = found.account if found else None
                await identity.trace(tx, account, tracing.SIGN_IN_REFUSED, SignInMeans.HANDED_CODE, why="code")
        if not good:
            await one.failed(identity.database, now)
            raise Refusal(Kind.UNPROCESSABLE, "INVITATION_WRONG", "This name and this code do not go together.")
        await one.take_back(identity.database)
        return ticket

    async def begin(self, ticket: str, browser: str) -> Ceremony:
        """Challenge the browser that has the ticket to make a passkey. Raises INVITATION_OVER."""
        return await self.passkeys.begin_registration(await self._invited(ticket, browser), browser)

    async def register(self, ticket: str, reply: Reply, name: str, origin: Origin) -> Account:
        """Keep the first passkey; the ticket is worth nothing any more. Raises INVITATION_OVER, PASSKEY_*."""
        account = await self._invited(ticket, reply.browser)
        await self.passkeys.register(account, reply, name, origin)
        async with self.passkeys.identity.database.transaction() as tx:
            await repository.end_invitation(tx, account.id)
        return account

    async def _invited(self, ticket: str, browser: str) -> Account:
        identity = self.passkeys.identity
        async with identity.database.reader() as reader:
            id = await repository.invited(reader, tokens.digest(ticket), tokens.digest(browser), identity.clock.now())
            found = await accounts.credentials(reader, account=id) if id else None
        if found is None or found.suspended:
            raise Refusal(Kind.GONE, "INVITATION_OVER", "Type the code again, or ask for another.")
        return found.account

    async def _named(self, tx: Transaction, identifier: str) -> accounts.Credentials | None:
        """Whom a sign-in name, or the number of a professional, designates."""
        found = await accounts.credentials(tx, name=sign_in_name(identifier))
        if found is None and (held := await accounts.find_account(tx, None, national(identifier))) is not None:
            found = await accounts.credentials(tx, account=held.id)
        return found


def _may_invite(ctx: Context, account: Account) -> bool:
    if isinstance(ctx.actor, Operator):
        return account.kind is AccountKind.PROFESSIONAL
    return account.kind is not AccountKind.CITIZEN
