"""The desk's queue of holders who lost every way to receive a code: an identity document seen, a code handed over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import tokens
from ambroise.modules.identity.protection.recovery import repository
from ambroise.modules.identity.protection.recovery.repository import Waiting
from ambroise.modules.identity.registry.desk import require_duty
from ambroise.modules.identity.registry.trust import check_proof
from ambroise.modules.identity.service import Identity
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import Entry, record
from ambroise.trust.context import Context

WAITS: Final = timedelta(days=30)
CODE_LASTS: Final = timedelta(hours=24)


class Rescues(Struct, frozen=True):
    """The use cases of operators who check identities (duty `identity`)."""

    identity: Identity

    async def waiting(self, ctx: Context) -> list[Waiting]:
        """Who waits, the longest first."""
        require_duty(ctx)
        async with self.identity.database.reader() as reader:
            return await repository.waiting(reader, ctx.now() - WAITS)

    async def give(self, ctx: Context, rescue: UUID, proof: str, companion: str | None = None) -> str:
        """The code to hand over, shown once, after an identity document was seen. Raises PROOF_INSUFFICIENT."""
        check_proof(proof, companion)
        found = await self._waiting(ctx, rescue)
        code = tokens.new_recovery_codes(1)[0]
        digest = await asyncio.to_thread(tokens.recovery_digest, found.account, code)
        shown = f"{proof}+{companion}" if companion else proof
        await self._decide(ctx, found, shown, "given", digest)
        return code

    async def refuse(self, ctx: Context, rescue: UUID) -> None:
        """Nobody came, or it was not them: the request leaves the queue."""
        await self._decide(ctx, await self._waiting(ctx, rescue), "", "refused", None)

    async def _waiting(self, ctx: Context, rescue: UUID) -> Waiting:
        found = next((one for one in await self.waiting(ctx) if one.id == rescue), None)
        if found is None:
            raise _over()
        return found

    async def _decide(self, ctx: Context, found: Waiting, proof: str, decision: str, code: bytes | None) -> None:
        now = ctx.now()
        ends = now + CODE_LASTS if code else None
        async with self.identity.database.transaction() as tx:
            if not await repository.decide(tx, found.id, proof, ctx.actor.name, now, code, ends):
                raise _over()
            details = {"decision": decision, "proof": proof}
            entry = Entry(
                "U", PatientAct.ACCOUNT_RESCUE, found.patient, "Patient", rule=Rule.OPERATOR.value, details=details
            )
            await record(tx, ctx, entry)


def _over() -> Refusal:
    return Refusal(Kind.CONFLICT, "RESCUE_OVER", "This request was answered, or is too old.")
