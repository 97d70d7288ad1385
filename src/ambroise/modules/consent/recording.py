"""Consents that a professional collects from a patient and records: for oneself, for another, for a care team."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.notification.api import Code, notify
from ambroise.trust.access.grants import Grant, grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Professional
from ambroise.trust.gateway import Gateway

LARGEST_TEAM = 30


class Consents:
    """The use cases of consents recorded by professionals; the patient is told of each."""

    def __init__(self, gateway: Gateway) -> None:
        self._rights = gateway.rights

    async def for_oneself(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """Record that the patient lets the calling professional read."""
        me = Party.of(_professional(ctx))
        await self._rights.authorise(tx, ctx, patient, me)
        await self._tell(tx, ctx, patient, ())

    async def as_treating(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """Record that the patient chose the calling professional as treating doctor."""
        await self._rights.declare_treating(tx, ctx, patient, Party.of(_professional(ctx)))
        await self._tell(tx, ctx, patient, ())

    async def for_another(self, tx: Transaction, ctx: Context, patient: UUID, other: Party) -> None:
        """Record, by a professional who reads, that the patient lets another one read (CSP R. 1111-46).

        What is said is the same when the patient blocked that other one, who then reads nothing.
        """
        if other.id == _professional(ctx).id:
            raise Refusal(Kind.INVALID, "CONSENT_FOR_ONESELF", "Record your own consent as your own.")
        await self._rights.authorise_another(tx, ctx, patient, other)
        await self._tell(tx, ctx, patient, (other,))

    async def for_team(self, tx: Transaction, ctx: Context, patient: UUID, others: Sequence[Party]) -> None:
        """Record the first consent to the care team of the calling professional, or who joins that team later.

        One consent covers all members, who are told to the patient by name (Conseil d'État, 15 October 2025).
        """
        me = Party.of(_professional(ctx))
        held = await self._team(tx, ctx, patient, me)
        known = {one.party.id for one in held}
        joining = [one for one in {one.id: one for one in others}.values() if one.id not in known and one.id != me.id]
        if not joining:
            raise Refusal(Kind.INVALID, "TEAM_EMPTY", "Name at least one other member of the care team.")
        if len(held) + len(joining) > LARGEST_TEAM:
            raise Refusal(Kind.INVALID, "TEAM_TOO_LARGE", f"A care team has at most {LARGEST_TEAM} members.")
        team = next((one.team for one in held if one.team is not None), None) or new_id(shard_of(patient))
        await self._rights.authorise_care_team(
            tx, ctx, patient, team, [me, *joining] if me.id not in known else joining
        )
        await self._tell(tx, ctx, patient, joining)

    async def team(self, reader: Reader, ctx: Context, patient: UUID) -> list[Grant]:
        """The care team of the calling professional around this patient, with who recorded each member."""
        return await self._team(reader, ctx, patient, Party.of(_professional(ctx)))

    async def _team(self, reader: Reader, ctx: Context, patient: UUID, me: Party) -> list[Grant]:
        teams = [one for one in await grants_of(reader, patient) if one.via == "care_team" and one.in_force(ctx.now())]
        mine = next((one.team for one in teams if one.party.id == me.id), None)
        return [one for one in teams if mine is not None and one.team == mine]

    async def _tell(self, tx: Transaction, ctx: Context, patient: UUID, others: Sequence[Party]) -> None:
        details = {"by": ctx.actor.name, "for": ", ".join(one.name for one in others)}
        await notify(tx, patient, ctx.now(), Code.CONSENT_RECORDED, details=details)


def _professional(ctx: Context) -> Professional:
    if not isinstance(ctx.actor, Professional):
        raise Refusal(Kind.FORBIDDEN, "NOT_A_PROFESSIONAL", "Professionals record what a patient consents to.")
    return ctx.actor
