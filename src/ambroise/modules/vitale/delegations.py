"""Delegating the use of a card to somebody trusted, for a limited time."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.relations.api import Known
from ambroise.modules.vitale.ground import Ground, Traced, citizen, known, space_of, state_refusal
from ambroise.modules.vitale.model import CardState, Delegation, DelegationState, limits
from ambroise.modules.vitale.repositories import uses
from ambroise.trust.audit.entry import Entry
from ambroise.trust.context import Context

_OVER = (DelegationState.REFUSED, DelegationState.REVOKED, DelegationState.ENDED)


class Delegations:
    """The use cases of delegations (délégations d'usage). Finding the person is `relations.Relations.find`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._database = ground.database

    async def give(self, ctx: Context, person: Known, until: datetime) -> Delegation:
        """Offer to somebody to show the card until then.

        Raises VITALE_DELEGATION_END, VITALE_DELEGATION_SELF, VITALE_DELEGATION_EXISTS, or the state of the card.
        """
        now = ctx.now()
        if not now < until <= now + limits().delegation + timedelta(days=1):
            days = limits().delegation.days
            raise Refusal(
                Kind.UNPROCESSABLE, "VITALE_DELEGATION_END", f"Choose an end within {days} days.", element="until"
            )
        async with self._database.transaction() as tx:
            rule = await self._ground.allow(tx, ctx)
            card = await self._ground.carried(tx, ctx)
            if card.state is not CardState.ACTIVE:
                raise state_refusal(card.state)
            if person.patient in (card.patient, card.holder):
                raise Refusal(Kind.UNPROCESSABLE, "VITALE_DELEGATION_SELF", "This person carries the card already.")
            for one in await uses.delegations_of(tx, card.patient):
                if one.person == person.patient and one.state_at(now) not in _OVER:
                    raise Refusal(Kind.CONFLICT, "VITALE_DELEGATION_EXISTS", "This person may show the card already.")
            me = citizen(ctx)
            made = Delegation(
                id=new_id(shard_of(card.patient)),
                patient=card.patient,
                card=card.id,
                person=person.patient,
                person_name=person.name,
                given_by=me.patient,
                given_by_name=me.name,
                state=DelegationState.PENDING,
                asked_at=now,
                answer_before=now + limits().answer,
                until=until,
            )
            await uses.add_delegation(tx, made)
            await self._traced(tx, ctx, made, "given", rule)
            return made

    async def accept(self, ctx: Context, id: UUID) -> Delegation:
        """Accept to show somebody's card. Raises VITALE_DELEGATION_ENDED."""
        return await self._answer(ctx, id, DelegationState.ACCEPTED)

    async def refuse(self, ctx: Context, id: UUID) -> Delegation:
        """Decline."""
        return await self._answer(ctx, id, DelegationState.REFUSED)

    async def revoke(self, ctx: Context, id: UUID) -> None:
        """End a delegation at once: for the side of the card, and for who shows it."""
        async with self._database.transaction() as tx:
            found = await self._held(tx, ctx, id)
            mine = found.person == citizen(ctx).patient
            if not mine and found.patient != space_of(ctx):
                raise _ended()
            rule = "delegate" if mine else await self._ground.allow(tx, ctx)
            await uses.answer_delegation(tx, found, DelegationState.REVOKED, ctx.now())
            await uses.close(tx, found.card)
            await self._traced(tx, ctx, found, "revoked", rule)

    async def given(self, ctx: Context) -> list[Delegation]:
        """Who may show the card of the open space, the newest first, ended ones included."""
        async with self._database.transaction() as tx:
            await self._ground.allow(tx, ctx)
            return await uses.delegations_of(tx, space_of(ctx))

    async def received(self, ctx: Context) -> list[tuple[Delegation, str]]:
        """The cards that the caller may show or was offered to, with whose they are."""
        async with self._database.reader() as reader:
            found = await uses.delegations_to(reader, citizen(ctx).patient)
            return [(one, (await known(reader, one.patient)).display_name) for one in found]

    async def _answer(self, ctx: Context, id: UUID, state: DelegationState) -> Delegation:
        async with self._database.transaction() as tx:
            found = await self._held(tx, ctx, id)
            if found.person != citizen(ctx).patient or found.state is not DelegationState.PENDING:
                raise _ended()
            await uses.answer_delegation(tx, found, state, ctx.now())
            await self._traced(tx, ctx, found, state.value, "delegate")
            return found

    async def _held(self, tx: Transaction, ctx: Context, id: UUID) -> Delegation:
        found = await uses.hold_delegation(tx, id)
        if found is None or found.state_at(ctx.now()) in _OVER:
            raise _ended()
        return found

    async def _traced(self, tx: Transaction, ctx: Context, one: Delegation, step: str, rule: str) -> None:
        said = {"step": step, "person": str(one.person), "party_name": one.person_name, "until": one.until.isoformat()}
        await self._ground.gateway.trace(tx, ctx, Entry("U", Traced.DELEGATION, one.patient, rule=rule, details=said))


def _ended() -> Refusal:
    return Refusal(Kind.CONFLICT, "VITALE_DELEGATION_ENDED", "This delegation is not, or no longer, in force.")
