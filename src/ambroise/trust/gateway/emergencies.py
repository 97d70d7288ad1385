"""Opening an emergency access: break-the-glass, call centre. Always for one patient, traced, told to the patient."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import emit
from ambroise.trust.access.decide import Action, emergency_allowed, refusal
from ambroise.trust.access.emergency import EMERGENCY_LASTS, record_emergency
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.people import Party
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import REFUSED, Entry, Event, record
from ambroise.trust.context import Context, Professional, Purpose
from ambroise.trust.gateway.core import Core

EMERGENCY_OPENED = "access.emergency_opened"


class Emergencies(Core):
    """The emergency part of the gateway."""

    async def open_emergency(self, tx: Transaction, ctx: Context, patient: UUID) -> datetime:
        """Open an emergency access for the purpose and the reason of the context; until when it lasts.

        Reading with an emergency purpose does it by itself, once. Raises FORBIDDEN when the patient's choices, the
        profession or a missing reason stand against it; that too is traced.
        """
        eyes = Eyes.of(ctx)
        facts = await self.facts(tx, ctx, eyes, patient)
        verdict = emergency_allowed(facts, eyes)
        rule = verdict.rule
        if verdict.allowed and ctx.purpose is Purpose.BREAK_GLASS and not (ctx.reason or "").strip():
            rule = Rule.EMERGENCY_REASON
        if not isinstance(ctx.actor, Professional):
            rule = Rule.EMERGENCY_ROLE
        if rule not in (Rule.EMERGENCY, Rule.CENTRE_15):
            await self.note(ctx, Entry("E", Event.EMERGENCY_OPENED, patient, rule=rule.value, outcome=REFUSED))
            raise refusal(Action.CREATE, "Patient", rule)
        if not facts.emergency_open:
            await self._record_emergency(tx, ctx, patient, rule)
        return ctx.now() + EMERGENCY_LASTS

    async def _record_emergency(self, tx: Transaction, ctx: Context, patient: UUID, rule: Rule) -> None:
        if not isinstance(ctx.actor, Professional):
            raise TypeError("only a professional opens an emergency access")
        id = await record_emergency(tx, ctx, patient, Party.of(ctx.actor))
        self.forget_facts(tx)
        await record(tx, ctx, Entry("E", Event.EMERGENCY_OPENED, patient, rule=rule.value))
        who = {"actor": ctx.actor.id, "actor_name": ctx.actor.name}
        told = {"emergency": str(id), "purpose": ctx.purpose.value, **who}
        await emit(tx, EMERGENCY_OPENED, told, patient=patient)

    async def _open_emergency_beside(self, ctx: Context, patient: UUID) -> None:
        """Open it for good, whatever becomes of the read that asked for it."""
        database = await self._own_slots()
        async with database.transaction() as tx:
            await self.open_emergency(tx, ctx, patient)

    async def _ensure_emergency(self, ctx: Context, patient: UUID) -> None:
        """For a request about one patient with an emergency purpose: have it open, when it can be."""
        database = await self._own_slots()
        async with database.transaction() as tx:
            eyes = Eyes.of(ctx)
            facts = await self.facts(tx, ctx, eyes, patient)
            if facts.emergency_open or facts.state is None:
                return
            await self.open_emergency(tx, ctx, patient)
