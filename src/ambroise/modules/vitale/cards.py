"""The life of a card: asked, checked by the desk, given a secret code, put on a telephone, put aside, ended."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.identity.api import (
    Attribute,
    PatientIdentity,
    hash_password_in_thread,
    proofs,
    require_identity_duty,
)
from ambroise.modules.vitale.codes import check_code
from ambroise.modules.vitale.ground import Ground, Traced, age_at, citizen, known, space_of, state_refusal
from ambroise.modules.vitale.model import (
    LIVE,
    Card,
    CardState,
    Check,
    Device,
    Document,
    Registered,
    Rights,
    Step,
    limits,
)
from ambroise.modules.vitale.repositories import cards as repository
from ambroise.modules.vitale.rights import invented
from ambroise.modules.vitale.tokens import public_key_of
from ambroise.trust.access.people import actor_id
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import Entry
from ambroise.trust.context import Context, System

_OF_AGE: Final = 18
_SEED_BYTES: Final = 32


class CheckReason(StrEnum):
    """Why the desk does not accept an identity check."""

    DOCUMENT_UNREADABLE = "document_unreadable"
    DOCUMENT_EXPIRED = "document_expired"
    DOCUMENT_DIFFERS = "document_differs"
    PERSON_DIFFERS = "person_differs"
    PERSON_ABSENT = "person_absent"


class Present(Struct, frozen=True):
    """A card as its page shows it."""

    card: Card | None
    device: Device | None
    identity: PatientIdentity
    rights: Rights | None
    waits: bool
    mine: bool
    """Whether the caller carries it."""


class Cards:
    """The use cases of cards."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._database = ground.database

    async def present(self, ctx: Context) -> Present:
        """The card of the open space, for the person or who represents."""
        async with self._database.transaction() as tx:
            await self._ground.allow(tx, ctx)
            patient = space_of(ctx)
            card = await self._ground.present(tx, ctx, patient)
            return Present(
                card,
                await repository.device_of(tx, card.id) if card else None,
                await known(tx, patient),
                await repository.rights_of(tx, patient),
                await repository.waits(tx, patient),
                card is not None and card.holder == citizen(ctx).patient,
            )

    # Asking, and the desk.

    async def request(self, ctx: Context, document: Document) -> Card:
        """Ask for a card, or for a blocked one to be checked again: it waits for the desk.

        Raises VITALE_CARD_EXISTS, VITALE_TOO_YOUNG, VITALE_IDENTITY, and VITALE_DOCUMENT for a poor document.
        """
        document = _readable(document, ctx.now())
        async with self._database.transaction() as tx:
            rule = await self._ground.allow(tx, ctx)
            patient, me = space_of(ctx), citizen(ctx)
            _refuse_unfit(ctx, await known(tx, patient))
            card = await self._ground.present(tx, ctx, patient)
            if card is not None and card.state is CardState.BLOCKED:
                card = await self._ground.carried(tx, ctx)
            elif card is not None and card.state in LIVE:
                raise Refusal(Kind.CONFLICT, "VITALE_CARD_EXISTS", "This person has a card already.")
            else:
                now = ctx.now()
                id = new_id(shard_of(patient))
                card = Card(patient, id, me.patient, me.name, CardState.REQUESTED, now, now)
                if not await repository.add(tx, card):
                    raise Refusal(Kind.CONFLICT, "VITALE_CARD_EXISTS", "This person has a card already.")
            check = new_id(shard_of(patient))
            sealed = self._ground.sealer.seal(_sealed_for(check), document.number.encode())
            await repository.add_check(tx, card, check, document.kind, sealed, document.until, ctx.now())
            said = {"step": "request", "state": card.state.value, "document": document.kind}
            await self._ground.gateway.trace(tx, ctx, Entry("C", Traced.CARD, patient, rule=rule, details=said))
            return card

    async def queue(self, ctx: Context) -> list[tuple[Check, PatientIdentity]]:
        """The identity checks that wait, the oldest first, with whom the registry knows. For the desk."""
        require_identity_duty(ctx)
        async with self._database.reader() as reader:
            return [
                (self._unsealed(check, sealed), await known(reader, check.patient))
                for check, sealed in await repository.queue(reader)
            ]

    async def accept(self, ctx: Context, check: UUID, *, document_seen: bool, person_seen: bool) -> Card:
        """The desk saw the document and the living person. Raises VITALE_CHECK_INCOMPLETE, VITALE_IDENTITY."""
        require_identity_duty(ctx)
        if not (document_seen and person_seen):
            raise Refusal(
                Kind.UNPROCESSABLE, "VITALE_CHECK_INCOMPLETE", "See both the document and the person before accepting."
            )
        async with self._database.transaction() as tx:
            waiting, card = await self._waiting(tx, check)
            identity = await known(tx, card.patient)
            if identity.ins is None or Attribute.DOUBTFUL in identity.attributes:
                raise Refusal(
                    Kind.CONFLICT, "VITALE_IDENTITY", "The registry holds no INS for this person, or doubts who it is."
                )
            now = ctx.now()
            await repository.answer_check(tx, waiting.id, "accepted", actor_id(ctx), now, "")
            card = await self._ground.take(tx, ctx, card, Step.ACCEPT, Rule.OPERATOR.value, document=waiting.document)
            expires_at = _years_later(now, limits().valid_years)
            await repository.set_end(tx, card.id, expires_at)
            if self._ground.demonstration:
                birth = identity.traits.birth_date
                of_age = birth is None or age_at(birth, now) >= _OF_AGE
                await repository.state_rights(tx, card.patient, invented(card.patient, of_age, now))
            return replace(card, expires_at=expires_at)

    async def refuse(self, ctx: Context, check: UUID, reason: CheckReason) -> Card:
        """The desk does not accept, and says why; a blocked card stays blocked, and may be asked for again."""
        require_identity_duty(ctx)
        async with self._database.transaction() as tx:
            waiting, card = await self._waiting(tx, check)
            await repository.answer_check(tx, waiting.id, "refused", actor_id(ctx), ctx.now(), reason.value)
            if card.state is CardState.REQUESTED:
                return await self._ground.take(tx, ctx, card, Step.REFUSE, Rule.OPERATOR.value, reason.value)
            said = {"step": "refuse", "state": card.state.value, "reason": reason.value}
            await self._ground.gateway.trace(
                tx, ctx, Entry("U", Traced.CARD, card.patient, rule=Rule.OPERATOR.value, details=said)
            )
            return card

    # The secret code.

    async def choose_code(self, ctx: Context, code: str) -> Card:
        """Choose the secret code of an accepted card: it is active. Raises VITALE_CODE_FORM, VITALE_CODE_WEAK."""
        hashed = await self._hashed(ctx, code)
        async with self._database.transaction() as tx:
            rule = await self._ground.allow(tx, ctx)
            card = await self._ground.carried(tx, ctx)
            card = await self._ground.take(tx, ctx, card, Step.ACTIVATE, rule)
            await repository.set_code(tx, card.id, hashed)
            return card

    async def change_code(self, ctx: Context, code: str, new: str) -> None:
        """Choose another secret code; a registered telephone, which keeps the former one, is registered anew."""
        card = await self._proved(ctx, code)
        hashed = await self._hashed(ctx, new)
        async with self._database.transaction() as tx:
            held = await self._ground.carried(tx, ctx)
            if held.id != card.id or held.state is not CardState.ACTIVE:
                raise state_refusal(held.state)
            await repository.set_code(tx, card.id, hashed)
            await repository.end_devices(tx, card.id, ctx.now())
            await self._traced_code(tx, ctx, card, "new_code")

    async def suspend(self, ctx: Context) -> Card:
        """Put the card aside at once: nothing shows it any more. Needs no code: a telephone may just be lost."""
        async with self._database.transaction() as tx:
            rule = await self._ground.allow(tx, ctx)
            card = await self._any(tx, ctx)
            return await self._ground.take(tx, ctx, card, Step.SUSPEND, rule)

    async def resume(self, ctx: Context, code: str) -> Card:
        """Take the card back, with the secret code."""
        await self._proved(ctx, code, CardState.SUSPENDED)
        async with self._database.transaction() as tx:
            rule = await self._ground.allow(tx, ctx)
            return await self._ground.take(tx, ctx, await self._ground.carried(tx, ctx), Step.RESUME, rule)

    async def revoke(self, ctx: Context) -> Card:
        """End a card for good, or take back the request for one. Another one may be asked for."""
        async with self._database.transaction() as tx:
            rule = await self._ground.allow(tx, ctx)
            card = await self._any(tx, ctx)
            await repository.end_checks(tx, card, ctx.now())
            await repository.end_devices(tx, card.id, ctx.now())
            return await self._ground.take(tx, ctx, card, Step.REVOKE, rule)

    # The telephone.

    async def register_device(self, ctx: Context, code: str, public_key: object, name: str) -> Registered:
        """Let a telephone show the card by itself, in place of the former one. Raises VITALE_KEY."""
        key = public_key_of(public_key)
        card = await self._proved(ctx, code)
        seed = secrets.token_bytes(_SEED_BYTES)
        device = Device(new_id(shard_of(card.patient)), card.patient, card.id, name.strip()[:60], ctx.now())
        async with self._database.transaction() as tx:
            held = await self._ground.carried(tx, ctx)
            if held.id != card.id or held.state is not CardState.ACTIVE:
                raise state_refusal(held.state)
            await repository.add_device(tx, device, key, self._ground.sealer.seal(device_seal(device.id), seed))
            await self._traced_code(tx, ctx, card, "device")
            identity = await known(tx, card.patient)
        return Registered(device, card, seed, identity.display_name, identity.traits.birth_date, ctx.now())

    async def forget_device(self, ctx: Context) -> None:
        """No telephone shows the card by itself any more."""
        async with self._database.transaction() as tx:
            await self._ground.allow(tx, ctx)
            card = await self._any(tx, ctx)
            if await repository.end_devices(tx, card.id, ctx.now()):
                await self._traced_code(tx, ctx, card, "device_forgotten")

    # By itself.

    async def expire(self) -> int:
        """Write as expired the cards whose day has come; for a periodic job."""
        ctx = Context(System(), self._ground.clock, channel="job")
        async with self._database.reader() as reader:
            due = await repository.due(reader, ctx.now())
        for id in due:
            async with self._database.transaction() as tx:
                card = await repository.hold(tx, id)
                if card is not None and card.state_at(ctx.now()) is not card.state:
                    await self._ground.take(tx, ctx, card, Step.EXPIRE, Rule.SYSTEM.value)
        return len(due)

    async def _any(self, tx: Transaction, ctx: Context) -> Card:
        card = await self._ground.present(tx, ctx, space_of(ctx))
        if card is None:
            raise Refusal(Kind.NOT_FOUND, "VITALE_NO_CARD", "There is no card here.")
        return card

    async def _proved(self, ctx: Context, code: str, state: CardState = CardState.ACTIVE) -> Card:
        async with self._database.transaction() as tx:
            await self._ground.allow(tx, ctx)
            card = await self._ground.carried(tx, ctx)
        if card.state is not state:
            raise state_refusal(card.state)
        await self._ground.prove(ctx, card, code)
        return card

    async def _hashed(self, ctx: Context, code: str) -> str:
        async with self._database.reader() as reader:
            identity = await known(reader, space_of(ctx))
        check_code(code, identity.traits.birth_date)
        return await hash_password_in_thread(code)

    async def _waiting(self, tx: Transaction, check: UUID) -> tuple[Check, Card]:
        found = await repository.hold_check(tx, check)
        card = await repository.hold(tx, found[0].card) if found else None
        if found is None or card is None:
            raise Refusal(Kind.GONE, "VITALE_CHECK_OVER", "This check was answered, or withdrawn.")
        return found[0], card

    def _unsealed(self, check: Check, sealed: bytes | None) -> Check:
        if sealed is None:
            return check
        return replace(check, number=self._ground.sealer.unseal(_sealed_for(check.id), sealed).decode())

    async def _traced_code(self, tx: Transaction, ctx: Context, card: Card, step: str) -> None:
        said = {"step": step, "state": card.state.value}
        await self._ground.gateway.trace(tx, ctx, Entry("U", Traced.CARD, card.patient, rule="patient", details=said))


def device_seal(device: UUID) -> str:
    """The purpose under which the secret of a telephone is sealed."""
    return f"vitale-device:{device}"


def _sealed_for(check: UUID) -> str:
    return f"vitale-check:{check}"


def _readable(document: Document, now: datetime) -> Document:
    proof = proofs().get(document.kind)
    number = "".join(document.number.split()).upper()
    if proof is None or not proof.alone:
        raise _poor("This document does not prove an identity by itself.", "kind")
    if not (4 <= len(number) <= 24 and number.isascii() and number.isalnum()):
        raise _poor("The number of the document has 4 to 24 letters and digits.", "number")
    if document.until is not None and document.until < now.date():
        raise _poor("This document is no longer valid.", "until")
    return Document(document.kind, number, document.until)


def _poor(why: str, element: str) -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, f"VITALE_DOCUMENT_{element.upper()}", why, element=element)


def _refuse_unfit(ctx: Context, identity: PatientIdentity) -> None:
    birth = identity.traits.birth_date
    own = citizen(ctx).patient == identity.patient
    if own and birth is not None and age_at(birth, ctx.now()) < limits().own_from_age:
        raise Refusal(
            Kind.FORBIDDEN, "VITALE_TOO_YOUNG", f"Before {limits().own_from_age}, a representative carries the card."
        )
    if identity.ins is None:
        raise Refusal(Kind.CONFLICT, "VITALE_IDENTITY", "The registry holds no INS for this person.")


def _years_later(now: datetime, years: int) -> datetime:
    try:
        return now.replace(year=now.year + years)
    except ValueError:
        return now.replace(year=now.year + years, day=28)
