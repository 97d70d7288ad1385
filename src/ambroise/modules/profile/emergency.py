"""The emergency code: a person prints it or shows it, and it opens what that person chose, nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import Event
from ambroise.modules.notification.api import Code as Notice
from ambroise.modules.notification.api import notify
from ambroise.modules.profile import repository
from ambroise.modules.profile.kinds import kind_of_section
from ambroise.modules.profile.model import Item, Part, Section, Sheet
from ambroise.modules.profile.service import Profile, Traced
from ambroise.trust.access.decide import Action, Target
from ambroise.trust.access.facts import OPEN_STATES, Eyes
from ambroise.trust.access.relations import relations_of
from ambroise.trust.access.spaces import space_of
from ambroise.trust.audit.entry import Entry
from ambroise.trust.context import Citizen, Context, System
from ambroise.trust.gateway import Flags, Label, author_of

OFFERED: Final = (
    Section.BLOOD,
    Section.ALLERGIES,
    Section.TREATMENTS,
    Section.ILLNESSES,
    Section.DISABILITIES,
    Section.CONTACTS,
)
"""What a code may open."""
LASTS: Final = timedelta(days=365)
MOST_AN_HOUR: Final = 20
"""How often a code opens within an hour; more is somebody who plays with it."""
_BYTES: Final = 32


class EmergencyCode(Struct, frozen=True):
    """What a code opens, until when, and how often it was opened."""

    sections: tuple[Section, ...]
    made_at: datetime
    expires_at: datetime
    opened: int = 0
    last_opened: datetime | None = None


class Opened(Struct, frozen=True):
    """What an opened code shows."""

    patient: UUID
    sheet: Sheet
    sections: tuple[Section, ...]


class EmergencyCodes:
    """The emergency codes of an instance."""

    def __init__(self, profile: Profile, clock: Clock, *, demonstration: bool) -> None:
        self._profile = profile
        self._clock = clock
        self._demonstration = demonstration

    async def present(self, reader: Reader, ctx: Context, patient: UUID) -> EmergencyCode | None:
        """The code in force of the space that a citizen looks at."""
        eyes = Eyes.of(ctx)
        facts = await self._profile.gateway.facts(reader, ctx, eyes, patient)
        if ctx.space != patient or not (eyes.own or facts.relation):
            raise Refusal(Kind.NOT_FOUND, "NOT_FOUND", "There is no such space.")
        row = await repository.emergency_code(reader, patient)
        if row is None or not await _acts(reader, patient, row[-1], ctx.now()):
            return None
        code = _read(row[:-1])
        return code if code.expires_at > ctx.now() else None

    async def make(self, tx: Transaction, ctx: Context, patient: UUID, sections: Sequence[Section]) -> str:
        """A new code, in place of the one before; it is told once and never kept."""
        chosen = [one for one in OFFERED if one in sections]
        if not chosen:
            raise Refusal(Kind.UNPROCESSABLE, "PROFILE_CODE_EMPTY", "Choose what it opens.", element="rubriques")
        await self._may(tx, ctx, patient)
        token = secrets.token_urlsafe(_BYTES)
        now = ctx.now()
        values = [one.value for one in chosen]
        await repository.put_emergency_code(tx, patient, _digest(token), values, now, now + LASTS, _other(ctx))
        await self._trace(tx, ctx, Traced.PROFILE_CODE_MADE, patient)
        return token

    async def revoke(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """The code opens nothing any more, from now on."""
        await self._may(tx, ctx, patient)
        await repository.drop_emergency_code(tx, patient)
        await self._trace(tx, ctx, Traced.PROFILE_CODE_REVOKED, patient)

    async def open(self, token: str) -> Opened:
        """What a code opens, told to the person and traced. What is revoked, over or wrong looks the same: unknown."""
        ctx = Context(System("emergency code"), self._clock, channel="job", demonstration=self._demonstration)
        now = ctx.now()
        async with self._profile.database.transaction() as tx:
            found = await repository.open_emergency_code(
                tx, _digest(token), now, now - timedelta(hours=1), MOST_AN_HOUR
            )
            if found is None:
                raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "There is no such code.")
            patient, names, maker, allowed = found
            space = await space_of(tx, patient)
            if space is None or space.state not in OPEN_STATES or not await _acts(tx, patient, maker, now):
                raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "There is no such code.")
            if not allowed:
                raise Refusal(Kind.THROTTLED, "PROFILE_CODE_TOO_OFTEN", "This code was opened too often; wait.")
            await self._trace(tx, ctx, Traced.PROFILE_CODE_OPENED, patient)
            await notify(tx, patient, now, Notice.EMERGENCY_CODE)
        sections = tuple(Section(name) for name in names)
        sheet = await self._profile.sheet(ctx, patient, sections)
        return Opened(patient, Sheet({one: _shown(sheet[one]) for one in sections}), sections)

    async def _may(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """Whoever may tell the profile may make it known by a code."""
        author, organization = author_of(ctx)
        label = Label(patient, kind_of_section(Section.ALLERGIES), Flags.PATIENT_AUTHORED, author, organization)
        if ctx.space != patient:
            raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "A code is made by the holder of a space.")
        await self._profile.gateway.decide(tx, ctx, Action.CREATE, Target("List", label))

    async def _trace(self, tx: Transaction, ctx: Context, event: Traced, patient: UUID) -> None:
        await self._profile.gateway.trace(tx, ctx, Entry("E", event, patient))


async def forget_purged(tx: Transaction, event: Event) -> None:
    """A space was purged: its code opens nothing any more."""
    if event.patient is not None:
        await repository.drop_emergency_code(tx, event.patient)


def _shown(part: Part) -> Part:
    """What a stranger may read of a section: nothing hidden from professionals, nothing not told to the person yet."""
    items = tuple(replace(one, same=()) for one in part.items if _is_shown(one))
    return replace(part, items=items, none_since="" if part.hidden else part.none_since)


def _is_shown(item: Item) -> bool:
    return item.active and not (item.hidden or item.withheld or item.denied)


def _other(ctx: Context) -> UUID | None:
    """Who makes a code in somebody else's space; None for the holder."""
    return ctx.actor.patient if ctx.acting_for is not None and isinstance(ctx.actor, Citizen) else None


async def _acts(reader: Reader, patient: UUID, maker: UUID | None, now: datetime) -> bool:
    """Whether who made a code still acts in that space: it would outlast a right that ended, majority included."""
    return maker is None or any(
        fact.person == maker and fact.in_force(now) for fact in await relations_of(reader, patient)
    )


def _read(row: Sequence[object]) -> EmergencyCode:
    names, made, expires, opened, last = row
    return EmergencyCode(tuple(Section(one) for one in names), made, expires, opened, last)  # type: ignore[arg-type]


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
