"""Showing a card, and verifying what is shown."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import hash64, new_id, shard_of
from ambroise.modules.identity.api import PatientIdentity
from ambroise.modules.vitale import tokens
from ambroise.modules.vitale.cards import device_seal
from ambroise.modules.vitale.ground import Ground, Traced, citizen, known, space_of, state_refusal
from ambroise.modules.vitale.model import (
    Card,
    CardState,
    Challenge,
    DelegationState,
    Medium,
    Receipt,
    Rights,
    Shown,
    Unlocked,
    Way,
    limits,
)
from ambroise.modules.vitale.repositories import cards as repository
from ambroise.modules.vitale.repositories import uses
from ambroise.modules.vitale.repositories.uses import Open, Showing
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.lookups import count_lookup
from ambroise.trust.access.relations import relations_of
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.spaces import space_of as the_space
from ambroise.trust.audit.entry import REFUSED, Entry
from ambroise.trust.context import Context, Professional

_ENDED: Final = (SpaceState.DECEASED, SpaceState.PURGED, SpaceState.DELETING)
_FACTS: Final = ("ins", "identity", "card")
_RECEIPTS: Final = 200


class Verified(Struct, frozen=True):
    """What a verification returns to the software of a professional."""

    receipt: Receipt
    card: Card
    identity: PatientIdentity
    rights: Rights | None
    valid_until: datetime


class _Told(Struct, frozen=True):
    """What a token says, whoever made it."""

    patient: UUID
    card: UUID
    way: Way
    person: UUID | None
    person_name: str
    delegation: UUID | None
    reader: UUID | None
    opens: bool


class Showings:
    """The use cases of showing and verifying."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._database = ground.database

    # The person who shows.

    async def unlock(self, ctx: Context, code: str, *, delegation: UUID | None = None) -> Unlocked:
        """Check the secret code: tokens can be made for some minutes.

        With a `delegation`, the caller shows somebody else's card, with the code of his own.
        """
        me = citizen(ctx)
        async with self._database.transaction() as tx:
            card = await self._mine(tx, ctx) if delegation else await self._ground.carried(tx, ctx)
        if card.state is not CardState.ACTIVE:
            raise state_refusal(card.state)
        await self._ground.prove(ctx, card, code)
        secret = secrets.token_urlsafe(24)
        until = ctx.now() + limits().unlocked
        async with self._database.transaction() as tx:
            if delegation is not None:
                card = await self._delegated(tx, ctx, delegation)
            one = Open(card.patient, card.id, me.patient, delegation, until)
            await uses.keep_open(tx, _digest(secret), one)
        return Unlocked(secret, until)

    async def show(self, ctx: Context, secret: str, *, opens: bool = False, reader: UUID | None = None) -> Shown:
        """A token to show: good once, for some seconds.

        `opens`: who verifies it is let into the record by presence. `reader`: the challenge of a contactless reader,
        the only one that the token then answers. Raises VITALE_LOCKED when the secret code is to be given again.
        """
        me = citizen(ctx)
        async with self._database.transaction() as tx:
            open = await uses.opened(tx, _digest(secret))
            if open is None or open.until <= ctx.now() or open.person != me.patient:
                raise Refusal(Kind.FORBIDDEN, "VITALE_LOCKED", "Give the secret code again.")
            card = await repository.hold(tx, open.card)
            if card is None or card.state_at(ctx.now()) is not CardState.ACTIVE:
                raise state_refusal(card.state_at(ctx.now()) if card else CardState.REVOKED)
            if open.delegation is not None:
                await self._delegated(tx, ctx, open.delegation)
                if opens:
                    raise Refusal(Kind.FORBIDDEN, "VITALE_DELEGATE", "A delegation shows the card: it opens no record.")
            expires_at = ctx.now() + limits().token
            showing = Showing(
                new_id(shard_of(card.patient)),
                card.patient,
                card.id,
                me.patient,
                me.name,
                open.delegation,
                reader,
                opens,
                expires_at,
            )
            await uses.add_showing(tx, showing)
        return Shown(tokens.sign_showing(showing.id, expires_at, self._ground.keys.signer), expires_at, limits().token)

    async def receipts(self, ctx: Context) -> list[Receipt]:
        """The uses of the card of the open space, the newest first."""
        async with self._database.transaction() as tx:
            await self._ground.allow(tx, ctx)
            return await uses.receipts_of(tx, space_of(ctx), _RECEIPTS)

    async def receipts_for_others(self, ctx: Context) -> list[Receipt]:
        """The uses of other people's cards that the caller made by delegation."""
        async with self._database.reader() as reader:
            return await uses.receipts_by(reader, citizen(ctx).patient, _RECEIPTS)

    # The professional who verifies.

    async def challenge(self, ctx: Context) -> Challenge:
        """What a contactless reader gives the card to answer to."""
        me = _professional(ctx)
        one = Challenge(new_id(), ctx.now() + limits().challenge)
        async with self._database.transaction() as tx:
            await self._count(tx, ctx, me)
            await uses.add_challenge(tx, one, me.id)
        return one

    async def verify(self, ctx: Context, token: str, medium: Medium) -> Verified:
        """What a shown token identifies: identity, INS and rights. Leaves a receipt and a line of the trace.

        Raises VITALE_TOKEN_MALFORMED, VITALE_SIGNATURE, VITALE_TOKEN_EXPIRED, VITALE_TOKEN_EARLY,
        VITALE_TOKEN_REPLAYED, VITALE_WRONG_READER, VITALE_DELEGATION_ENDED, VITALE_DEVICE_ENDED, and the state of the
        card when it does not serve.
        """
        me = _professional(ctx)
        async with self._database.transaction() as tx:
            await self._count(tx, ctx, me)
        unread = tokens.opened(token)
        concerned: list[UUID] = []
        try:
            async with self._database.transaction() as tx:
                told = await self._read(tx, ctx, unread, concerned)
                await self._check_reader(tx, ctx, me, told, medium)
                card = await self._serving(tx, ctx, told)
                return await self._returned(tx, ctx, me, told, card, medium)
        except Refusal as refusal:
            for patient in concerned:
                said = {"code": refusal.code, "medium": medium}
                await self._ground.gateway.note(
                    ctx, Entry("R", Traced.VERIFIED, patient, rule=Rule.CARD.value, outcome=REFUSED, details=said)
                )
            raise

    async def _read(self, tx: Transaction, ctx: Context, unread: tokens.Unread, concerned: list[UUID]) -> _Told:
        if unread.device is None:
            return await self._read_ours(tx, ctx, unread, concerned)
        return await self._read_device(tx, ctx, unread, unread.device, concerned)

    async def _read_ours(self, tx: Transaction, ctx: Context, unread: tokens.Unread, concerned: list[UUID]) -> _Told:
        said = tokens.by_instance(unread, self._ground.keys.all)
        one = await uses.hold_showing(tx, said.showing)
        if one is None:
            raise _expired()
        concerned.append(one.patient)
        if ctx.now() >= said.expires_at:
            raise _expired()
        if one.used:
            raise _replayed()
        await uses.use_showing(tx, one.id, ctx.now())
        return _Told(
            one.patient, one.card, "online", one.person, one.person_name, one.delegation, one.reader, one.opens
        )

    async def _read_device(
        self, tx: Transaction, ctx: Context, unread: tokens.Unread, device: UUID, concerned: list[UUID]
    ) -> _Told:
        held = await repository.hold_device(tx, device)
        if held is None:
            raise Refusal(Kind.UNPROCESSABLE, "VITALE_SIGNATURE", "No card that is known here signed this token.")
        one, key, sealed, counter, serves = held
        said = tokens.by_device(unread, key, self._ground.sealer.unseal(device_seal(device), sealed))
        concerned.append(one.patient)
        if not serves:
            raise Refusal(Kind.CONFLICT, "VITALE_DEVICE_ENDED", "This telephone no longer shows the card.")
        if ctx.now() > said.made_at + limits().token + limits().skew:
            raise _expired()
        if said.made_at > ctx.now() + limits().skew:
            raise Refusal(Kind.CONFLICT, "VITALE_TOKEN_EARLY", "The clock of the telephone is ahead: set it right.")
        if said.counter <= counter:
            raise _replayed()
        await repository.set_counter(tx, one.id, said.counter)
        return _Told(one.patient, one.card, "device", None, "", None, said.reader, said.opens)

    async def _check_reader(self, tx: Transaction, ctx: Context, me: Professional, told: _Told, medium: Medium) -> None:
        """A contactless token answers one challenge of this very reader; a QR code answers none."""
        if (told.reader is None) != (medium == "qr"):
            raise _wrong_reader()
        if told.reader is not None and await uses.asked_by(tx, told.reader, ctx.now()) != me.id:
            raise _wrong_reader()

    async def _serving(self, tx: Transaction, ctx: Context, told: _Told) -> Card:
        card = await repository.hold(tx, told.card)
        if card is None:
            raise state_refusal(CardState.REVOKED)
        state = card.state_at(ctx.now())
        if state is not CardState.ACTIVE:
            raise state_refusal(state)
        space = await the_space(tx, card.patient)
        if space is None or space.state in _ENDED or not await _represents(tx, card, ctx.now()):
            raise state_refusal(CardState.REVOKED)
        if told.delegation is not None:
            delegation = await uses.hold_delegation(tx, told.delegation)
            if delegation is None or delegation.state_at(ctx.now()) is not DelegationState.ACCEPTED:
                raise _delegation_ended()
        return card

    async def _returned(
        self, tx: Transaction, ctx: Context, me: Professional, told: _Told, card: Card, medium: Medium
    ) -> Verified:
        identity = await known(tx, card.patient)
        rights = await repository.rights_of(tx, card.patient)
        until = await self._opened(tx, ctx, card.patient) if told.opens else None
        facts = (*_FACTS, *(("rights",) if rights else ()), *(("access",) if until else ()))
        receipt = Receipt(
            id=new_id(shard_of(card.patient)),
            patient=card.patient,
            card=card.id,
            at=ctx.now(),
            reader=me.id,
            reader_name=me.name,
            profession=f"{me.profession_system}|{me.profession}",
            organization_name=me.organization_name or "",
            software=ctx.software or "",
            medium=medium,
            way=told.way,
            person=told.person or card.holder,
            person_name=told.person_name or card.holder_name,
            delegation=told.delegation,
            returned=facts,
            access_until=until,
        )
        await uses.add_receipt(tx, receipt)
        said = {"receipt": str(receipt.id), "medium": medium, "way": told.way, "returned": list(facts)}
        await self._ground.gateway.trace(
            tx, ctx, Entry("R", Traced.VERIFIED, card.patient, rule=Rule.CARD.value, details=said)
        )
        return Verified(receipt, card, identity, rights, ctx.now() + limits().context)

    async def _opened(self, tx: Transaction, ctx: Context, patient: UUID) -> datetime | None:
        """Until when presence opens the record; None, traced, where the rules do not let this professional in."""
        try:
            return await self._ground.gateway.rights.open_presence(tx, ctx, patient)
        except Refusal:
            return None

    async def _mine(self, tx: Transaction, ctx: Context) -> Card:
        """The caller's own card."""
        card = await self._ground.present(tx, ctx, citizen(ctx).patient)
        if card is None or card.holder != citizen(ctx).patient:
            raise Refusal(Kind.CONFLICT, "VITALE_OWN_CARD", "Have a card of your own to show somebody else's.")
        return card

    async def _delegated(self, tx: Transaction, ctx: Context, id: UUID) -> Card:
        delegation = await uses.hold_delegation(tx, id)
        if delegation is None or delegation.person != citizen(ctx).patient:
            raise _delegation_ended()
        card = await repository.hold(tx, delegation.card)
        if card is None or delegation.state_at(ctx.now()) is not DelegationState.ACCEPTED:
            raise _delegation_ended()
        if card.state_at(ctx.now()) is not CardState.ACTIVE:
            raise state_refusal(card.state_at(ctx.now()))
        return card

    async def _count(self, tx: Transaction, ctx: Context, me: Professional) -> None:
        done = await count_lookup(tx, hash64(f"vitale:{me.id}"), ctx.now())
        if done.in_minute > limits().verifications:
            raise Refusal(Kind.THROTTLED, "VITALE_TOO_MANY", "Too many cards in a minute.", data={"seconds": 60})

    async def sweep(self, tx: Transaction) -> None:
        """Forget tokens that are long over; for a periodic job."""
        await uses.sweep(tx, self._ground.clock.now() - limits().context)


async def _represents(reader: Reader, card: Card, now: datetime) -> bool:
    """Whether who carries the card is the person, or still represents the person."""
    if card.holder == card.patient:
        return True
    relations = await relations_of(reader, card.patient)
    return any(one.person == card.holder and one.kind == "representative" and one.in_force(now) for one in relations)


def _professional(ctx: Context) -> Professional:
    if not isinstance(ctx.actor, Professional):
        raise Refusal(Kind.FORBIDDEN, "VITALE_READER_UNKNOWN", "Only a professional's software reads cards.")
    return ctx.actor


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _expired() -> Refusal:
    return Refusal(Kind.CONFLICT, "VITALE_TOKEN_EXPIRED", "The token is too old: have a new one shown.")


def _replayed() -> Refusal:
    return Refusal(Kind.CONFLICT, "VITALE_TOKEN_REPLAYED", "The token was used, or a later one was: show a new one.")


def _wrong_reader() -> Refusal:
    return Refusal(Kind.FORBIDDEN, "VITALE_WRONG_READER", "The token was made for another reader.")


def _delegation_ended() -> Refusal:
    return Refusal(Kind.CONFLICT, "VITALE_DELEGATION_ENDED", "This delegation is not, or no longer, in force.")
