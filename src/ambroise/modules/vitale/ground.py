"""What the services of the card share: whose card it is about, who may act on it, how a step is taken and traced."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto import SigningKeys
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import PatientIdentity, identity_of, password_matches
from ambroise.modules.vitale.model import Card, CardState, Step, follow, limits
from ambroise.modules.vitale.repositories import cards as repository
from ambroise.modules.vitale.repositories import uses
from ambroise.trust.access.authority import Act
from ambroise.trust.audit.entry import REFUSED, Entry, PatientEvent
from ambroise.trust.context import Citizen, Context
from ambroise.trust.gateway import Gateway


class Traced(PatientEvent):
    """The acts of the e-carte Vitale. `step` in the details of a card says what becomes of it."""

    CARD = "vitale_card"
    VERIFIED = "vitale_verified"
    DELEGATION = "vitale_delegation"


class Sealer(Protocol):
    """Seals small secrets at rest, each for one purpose."""

    def seal(self, purpose: str, content: bytes) -> bytes: ...

    def unseal(self, purpose: str, box: bytes) -> bytes: ...


class Ground(Struct, frozen=True):
    """Everything that the services stand on."""

    database: Database
    gateway: Gateway
    clock: Clock
    sealer: Sealer
    keys: SigningKeys
    demonstration: bool

    async def take(
        self, tx: Transaction, ctx: Context, card: Card, step: Step, rule: str, reason: str = "", **details: Any
    ) -> Card:
        """Take a step of the life of a card, traced. Raises VITALE_STEP."""
        state = follow(card.state, step)
        await uses.close(tx, card.id)
        said = {"step": step.value, "state": state.value, **({"reason": reason} if reason else {}), **details}
        await self.gateway.trace(tx, ctx, Entry("U", Traced.CARD, card.patient, rule=rule, details=said))
        return await repository.step(tx, card, state, ctx.now(), reason)

    async def present(self, tx: Transaction, ctx: Context, patient: UUID) -> Card | None:
        """Somebody's card, held for this transaction; one whose day has come is written as expired."""
        found = await repository.present(tx, patient)
        if found is None:
            return None
        card = await repository.hold(tx, found.id)
        if card is not None and card.state_at(ctx.now()) is not card.state:
            card = await self.take(tx, ctx, card, Step.EXPIRE, "system")
        return card

    async def carried(self, tx: Transaction, ctx: Context) -> Card:
        """The card of the open space, that the caller carries. Raises VITALE_NO_CARD, VITALE_NOT_HOLDER."""
        card = await self.present(tx, ctx, space_of(ctx))
        if card is None:
            raise Refusal(Kind.NOT_FOUND, "VITALE_NO_CARD", "There is no card here.")
        if card.holder != citizen(ctx).patient:
            raise Refusal(Kind.FORBIDDEN, "VITALE_NOT_HOLDER", "Only who carries this card does this.")
        return card

    async def allow(self, tx: Transaction, ctx: Context) -> str:
        """The rule under which the caller decides about the card of the open space: the person, or who represents."""
        citizen(ctx)
        return await self.gateway.rights.allow(tx, ctx, space_of(ctx), Act.RELATE)

    async def prove(self, ctx: Context, card: Card, code: str) -> None:
        """Check the secret code. The try is counted, for good, before the code is looked at.

        Raises VITALE_CODE_WRONG with how many tries are left, VITALE_BLOCKED when there are none.
        """
        async with self.database.transaction() as tx:
            counted = await repository.count_try(tx, card.id, limits().tries)
        if counted is None:
            raise state_refusal(CardState.BLOCKED)
        kept, tries = counted
        if await password_matches(kept, code):
            async with self.database.transaction() as tx:
                await repository.forget_tries(tx, card.id)
            return
        left = limits().tries - tries
        wrong = Entry(
            "U", Traced.CARD, card.patient, rule="patient", outcome=REFUSED, details={"step": "code", "left": left}
        )
        await self.gateway.note(ctx, wrong)
        if left <= 0:
            async with self.database.transaction() as tx:
                held = await repository.hold(tx, card.id)
                if held is not None and held.state in (CardState.ACTIVE, CardState.SUSPENDED):
                    await repository.end_devices(tx, card.id, ctx.now())
                    await self.take(tx, ctx, held, Step.BLOCK, "patient")
            raise state_refusal(CardState.BLOCKED)
        raise Refusal(
            Kind.UNPROCESSABLE, "VITALE_CODE_WRONG", f"Wrong code: {left} left.", element="code", data={"left": left}
        )


def citizen(ctx: Context) -> Citizen:
    """The citizen who asks."""
    if not isinstance(ctx.actor, Citizen):
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "Only people carry cards.")
    return ctx.actor


def space_of(ctx: Context) -> UUID:
    """Whose card it is about."""
    return ctx.space or citizen(ctx).patient


def state_refusal(state: CardState) -> Refusal:
    """Why a card in this state does not serve: VITALE_BLOCKED, VITALE_SUSPENDED, VITALE_REVOKED, VITALE_EXPIRED…"""
    return Refusal(
        Kind.CONFLICT, f"VITALE_{state.name}", f"This card is {state}: it cannot be shown.", data={"state": state.value}
    )


def age_at(birth: date, now: datetime) -> int:
    """How many years old somebody is."""
    today = now.date()
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


async def known(reader: Reader, patient: UUID) -> PatientIdentity:
    """The identity behind a card. Raises VITALE_IDENTITY."""
    found = await identity_of(reader, patient)
    if found is None or found.merged_into is not None:
        raise Refusal(Kind.CONFLICT, "VITALE_IDENTITY", "The registry knows no such person.")
    return found
