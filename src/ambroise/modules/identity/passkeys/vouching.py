"""Two colleagues bring an operator back who lost every means of entering: neither alone, nor the operator.

The first one vouches, having seen the operator; the second one, having seen them too, gets the code of a new passkey
(`inviting`), which is handed over and typed like a first one. Both acts are traced by whoever did them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.model import Account, AccountKind
from ambroise.modules.identity.passkeys import repository
from ambroise.modules.identity.passkeys.inviting import Invitations
from ambroise.modules.identity.registry.desk import require_duty
from ambroise.modules.identity.service import sign_in_name
from ambroise.trust.audit.entry import Entry, InstanceEvent, record
from ambroise.trust.context import Context, Operator

VOUCHING_LASTS: Final = timedelta(hours=4)
OPERATOR_VOUCHED: Final = "operator_vouched"


class Vouching(Struct, frozen=True):
    """The use case of operators who check identities (duty `identity`)."""

    invitations: Invitations

    async def vouch(self, ctx: Context, name: str) -> tuple[Account, str | None]:
        """Say that this operator was seen: None for the first of two colleagues, the code for the second.

        Refuses oneself (VOUCH_SELF), the same colleague twice (VOUCH_TWICE), and NO_SUCH_ACCOUNT.
        """
        require_duty(ctx)
        if not isinstance(ctx.actor, Operator):
            raise Refusal(Kind.FORBIDDEN, "DUTY_REQUIRED", "This takes two people of the desk.")
        me, now = str(ctx.actor.id), ctx.now()
        async with self.invitations.passkeys.identity.database.transaction() as tx:
            found = await accounts.credentials(tx, name=sign_in_name(name))
            if found is None or found.account.kind is not AccountKind.OPERATOR or found.suspended:
                raise Refusal(Kind.NOT_FOUND, "NO_SUCH_ACCOUNT", "No operator has this name.")
            account = found.account
            if str(account.id) == me:
                raise Refusal(Kind.CONFLICT, "VOUCH_SELF", "Nobody vouches for themselves.")
            before = await repository.vouched_by(tx, account.id, now)
            if before == me:
                raise Refusal(Kind.CONFLICT, "VOUCH_TWICE", "Another colleague has to vouch as well.")
            details = {"account": str(account.id), "second": before is not None}
            await record(tx, ctx, Entry("E", InstanceEvent(OPERATOR_VOUCHED), details=details))
            if before is None:
                await repository.put_vouching(tx, account.id, me, ctx.actor.name, now + VOUCHING_LASTS)
                return account, None
            await repository.end_vouching(tx, account.id)
            return account, await self.invitations.hand_over(tx, ctx, account)
