"""Help on the spot: an enrolled mediator, a code that the holder makes, one hour. Everything is traced."""

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
from ambroise.modules.identity.api import identity_of
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.relations import repository
from ambroise.modules.relations.model import Mediator, Traced, limits
from ambroise.trust.access.authority import Act
from ambroise.trust.access.lookups import count_lookup
from ambroise.trust.access.people import recorder
from ambroise.trust.audit.entry import Entry
from ambroise.trust.context import Citizen, Context, Operator
from ambroise.trust.gateway import Gateway

# Without letters and digits that are mistaken for one another when read aloud or on a screen.
_ALPHABET: Final = "ACDEFHJKLMNPRTUVWXY3479"
_LENGTH: Final = 8
_TRIES_A_MINUTE: Final = 6


class HelpCode(Struct, frozen=True):
    """What the holder reads to the mediator, and until when it is good."""

    code: str
    expires_at: datetime


class Mediation(Struct, frozen=True):
    """Digital mediators (médiateurs numériques en santé)."""

    gateway: Gateway

    async def enrol(self, tx: Transaction, ctx: Context, person: UUID, place: str) -> Mediator:
        """Let a trained person mediate in the name of a place. For the desk."""
        _desk(ctx)
        known = await identity_of(tx, person)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "PROFILE_NOT_FOUND", "Nobody has this identity here.")
        if not place.strip():
            raise Refusal(Kind.UNPROCESSABLE, "PLACE_MISSING", "Say where this person mediates.", element="place")
        one = Mediator(person, known.display_name, place.strip(), ctx.now())
        await repository.enrol(tx, one, recorder(ctx))
        await self._traced(tx, ctx, person, Traced.MEDIATOR_ENROLLED, {"place": one.place})
        return one

    async def end_enrolment(self, tx: Transaction, ctx: Context, person: UUID) -> None:
        """Let somebody mediate no more; help under way ends within its hour. For the desk."""
        _desk(ctx)
        if await repository.end_enrolment(tx, person, ctx.now()):
            await self._traced(tx, ctx, person, Traced.MEDIATOR_ENDED, {})

    async def enrolled(self, reader: Reader, person: UUID) -> Mediator | None:
        """The present enrolment of somebody."""
        found = await repository.mediator(reader, person)
        return found if found is not None and found.ended_at is None else None

    async def mediators(self, reader: Reader, ctx: Context) -> list[Mediator]:
        """Everybody enrolled. For the desk."""
        _desk(ctx)
        return await repository.mediators(reader)

    async def ask_help(self, tx: Transaction, ctx: Context, *, content: bool) -> HelpCode:
        """The holder makes a code to read to a mediator: good once, for a quarter of an hour.

        `content`: whether the mediator is also shown what the documents say.
        """
        patient = ctx.space
        if patient is None:
            raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "Only the holder of a space asks for help.")
        await self.gateway.rights.allow(tx, ctx, patient, Act.RELATE)
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        expires_at = ctx.now() + limits().code
        await repository.keep_code(tx, _digest(code), patient, content, ctx.now(), expires_at)
        await self._traced(tx, ctx, patient, Traced.HELP_ASKED, {"content": content})
        return HelpCode(f"{code[:4]} {code[4:]}", expires_at)

    async def help(self, tx: Transaction, ctx: Context, code: str) -> UUID:
        """The mediator types the code: for an hour, whose space opens. Raises NOT_A_MEDIATOR, CODE_REFUSED."""
        if not isinstance(ctx.actor, Citizen) or await self.enrolled(tx, ctx.actor.patient) is None:
            raise Refusal(Kind.FORBIDDEN, "NOT_A_MEDIATOR", "Only an enrolled mediator helps with a code.")
        me = ctx.actor
        used = await repository.use_code(tx, _digest(code), me.patient, ctx.now())
        if used is None or used[0] == me.patient:
            raise Refusal(Kind.UNPROCESSABLE, "CODE_REFUSED", "This code is wrong, was used, or is too old.")
        patient, content = used
        await self.gateway.rights.accept_relation(
            tx,
            ctx,
            patient,
            "mediator",
            until=ctx.now() + limits().help,
            scope="content" if content else "screens",
            basis="on_the_spot",
            invitation=new_id(shard_of(patient)),
        )
        await notify(tx, patient, ctx.now(), Code.HELP_BEGAN, details={"name": me.name})
        return patient

    async def count_try(self, tx: Transaction, ctx: Context) -> bool:
        """Count one more code typed, in a transaction of its own; false beyond what a person types in a minute."""
        if not isinstance(ctx.actor, Citizen):
            return False
        done = await count_lookup(tx, hash64(f"mediation:{ctx.actor.patient}"), ctx.now())
        return done.in_minute <= _TRIES_A_MINUTE

    async def _traced(
        self, tx: Transaction, ctx: Context, patient: UUID, event: Traced, details: dict[str, object]
    ) -> None:
        await self.gateway.trace(tx, ctx, Entry("U", event, patient, rule="patient", details=details))


def _desk(ctx: Context) -> None:
    if not isinstance(ctx.actor, Operator):
        raise Refusal(Kind.FORBIDDEN, "DESK_ONLY", "The desk enrols mediators.")


def _digest(code: str) -> bytes:
    return hashlib.sha256("".join(code.upper().split()).encode()).digest()
