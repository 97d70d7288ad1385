"""What structures collect from patients at an admission and tell by their software (PAM France, ZFA-9 to 12)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.consent import repository
from ambroise.modules.notification.api import Code, notify
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Professional
from ambroise.trust.gateway import Gateway


class Matter(StrEnum):
    """What the patient was asked about."""

    CONSULTATION = "consultation"
    FEEDING = "feeding"


class Collected(Struct, frozen=True):
    """One answer of the patient: whether the structure may, and when he said so."""

    matter: Matter
    allowed: bool
    at: datetime


class Collecting(Struct, frozen=True):
    """The use case: the professional in charge answers for what the structure collected."""

    gateway: Gateway

    async def record(self, tx: Transaction, ctx: Context, patient: UUID, answer: Collected) -> bool:
        """Record an answer for the caller's structure; false when it, or a later one, was told before.

        Raises NOT_OF_A_STRUCTURE; FORBIDDEN, traced, for a structure that the patient blocked or a closed space.
        """
        structure = _structure(ctx)
        if not await repository.remember(tx, patient, structure.key, answer.matter.value, answer.at):
            return False
        if answer.matter is Matter.FEEDING:
            await self.gateway.rights.oppose_feeding(tx, ctx, patient, structure, opposed=not answer.allowed)
        elif answer.allowed:
            await self.gateway.rights.authorise(tx, ctx, patient, structure)
            details = {"by": ctx.actor.name, "for": structure.name or structure.id}
            await notify(tx, patient, ctx.now(), Code.CONSENT_RECORDED, details=details)
        else:
            await self.gateway.rights.revoke(tx, ctx, patient, structure)
        return True


def _structure(ctx: Context) -> Party:
    actor = ctx.actor
    if not isinstance(actor, Professional) or actor.organization is None:
        text = "A structure collects these choices: act as a professional in one."
        raise Refusal(Kind.FORBIDDEN, "NOT_OF_A_STRUCTURE", text)
    return Party(actor.organization, actor.organization_name or "", "organization")
