"""The use cases of prevention: somebody's calendar, and what they say of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Sex, identity_of
from ambroise.modules.prevention import reminders, repository
from ambroise.modules.prevention.engine import path
from ambroise.modules.prevention.model import Item, Person, Rule, Source, State
from ambroise.modules.prevention.past import (
    SAME_CHILD,
    Known,
    Past,
    Told,
    declined_resource,
    done_resource,
    expected_resource,
    not_concerned_resource,
    stopped_resource,
)
from ambroise.modules.prevention.shipped import shipped
from ambroise.modules.prevention.spans import Span
from ambroise.trust.access.decide import Action, Target, judge_entry, refusal
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.kinds import OPERATIONAL
from ambroise.trust.access.rules import Rule as AccessRule
from ambroise.trust.access.rules import Verdict
from ambroise.trust.context import Citizen, Context, Professional, System
from ambroise.trust.gateway import Flags, Gateway, Label, author_of

PARIS: Final = ZoneInfo("Europe/Paris")
_KEPT_AFTER_BIRTH: Final = timedelta(weeks=27)
_LONGEST: Final = timedelta(weeks=42)
_MAJORITY: Final = Span.of("18y")
_NOT_DISCLOSED: Final = Flags.INVISIBLE_PATIENT
_KEPT: Final = Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES
_SEXES: Final[dict[Sex, Literal["F", "M"]]] = {Sex.FEMALE: "F", Sex.MALE: "M"}


class Calendar(Struct, frozen=True):
    """Somebody's calendar on a day. `told`: the child that they expect, and what says so."""

    person: Person
    today: date
    items: Sequence[Item]
    told: Told | None = None

    def item(self, key: str) -> Item:
        """The item of this key. Raises NO_SUCH_ITEM."""
        for one in self.items:
            if one.key == key:
                return one
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_ITEM", "There is no such act in this calendar.")


class Waiting(Struct, frozen=True):
    """Something that waits for somebody, as their home tells it."""

    key: str
    rule: Rule
    since: date
    overdue: bool


class Looked(Struct, frozen=True):
    """A calendar that was worked out again, what of it waits for the holder alone, and the same for others."""

    calendar: Calendar
    secret: frozenset[str]
    others: Calendar


class _Ground(Struct, frozen=True):
    """What a calendar stands on besides the past: who it is, the day, the rules."""

    person: Person
    today: date
    rules: Sequence[Rule]

    def calendar(self, known: Known) -> Calendar:
        told = next((one for one in known.expected() if self.today <= one.day + _KEPT_AFTER_BIRTH), None)
        expected = told.day if told else None
        person = replace(self.person, expected=expected, premature=known.premature())
        return Calendar(person, self.today, path(self.rules, person, known.history(), self.today), told)


class Rules:
    """The rules in force, known by heart until a version is published or withdrawn, or the day changes."""

    def __init__(self) -> None:
        self._known: tuple[tuple[int, int], date] | None = None
        self._rules: Sequence[Rule] = ()

    async def on(self, reader: Reader, day: date) -> Sequence[Rule]:
        """The rules that hold on a day."""
        print_ = await repository.fingerprint(reader)
        if self._known != (print_, day):
            self._rules = await repository.in_force(reader, day)
            self._known = (print_, day)
        return self._rules


class Prevention(Struct, frozen=True, dict=True):
    """The calendar of prevention of everybody, behind the one door."""

    gateway: Gateway

    @cached_property
    def rules(self) -> Rules:
        """The rules in force."""
        return Rules()

    @cached_property
    def past(self) -> Past:
        """What records know."""
        return Past(self.gateway)

    async def install(self, tx: Transaction, ctx: Context) -> int:
        """Write the rules that came with the software and are not there yet; how many. In force from their own date."""
        await tx.execute("select pg_advisory_xact_lock(hashtext('prevention_rule'))")
        known = await repository.editions(tx)
        new = [one for one in shipped() if (one.rule.id, one.edition) not in known]
        for one in new:
            said: dict[str, Any] = {"at": ctx.now(), "by": "system", "name": "Ambroise", "edition": one.edition}
            await repository.add(tx, one.rule, effective=min(one.rule.date, one.rule.valid_from), **said)
        return len(new)

    async def calendar(self, reader: Reader, ctx: Context, patient: UUID) -> Calendar:
        """The calendar of somebody whose record the caller may open. Raises FORBIDDEN, NOT_FOUND."""
        await self.enter(reader, ctx, patient)
        ground = await self._ground(reader, patient, day_of(ctx))
        return ground.calendar(await self.past.of(reader, ctx, patient, ground.rules))

    async def _ground(self, reader: Reader, patient: UUID, today: date) -> _Ground:
        known = await identity_of(reader, patient)
        if known is None or known.traits.birth_date is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "There is nobody under this number.")
        sex = _SEXES.get(known.traits.sex) if known.traits.sex else None
        return _Ground(Person(known.traits.birth_date, sex), today, await self.rules.on(reader, today))

    async def waiting(self, reader: Reader, ctx: Context, patient: UUID) -> Sequence[Waiting]:
        """What waits for somebody. For the holder, as it was last worked out: at each change, and each day that
        something begins. For anybody else from what they see now: the instance worked it out with its own eyes."""
        if not (isinstance(ctx.actor, Citizen) and Eyes.of(ctx).own):
            calendar = await self.calendar(reader, ctx, patient)
            return [
                Waiting(item.key, item.rule, item.due, item.state is State.OVERDUE)
                for item in calendar.items
                if item.waits
            ]
        await self.enter(reader, ctx, patient)
        kept = await repository.waiting(reader, patient)
        if not kept:
            return []
        rules = {rule.id: rule for rule in await self.rules.on(reader, day_of(ctx))}
        return [
            Waiting(one["key"], rules[one["rule"]], date.fromisoformat(one["since"]), bool(one["overdue"]))
            for one in kept
            if one["rule"] in rules
        ]

    async def done(self, tx: Transaction, ctx: Context, patient: UUID, key: str, day: date) -> None:
        """Note what the person says was done on a day. Raises DATE_OUTSIDE_LIFE, ALREADY_DONE."""
        calendar = await self.calendar(tx, ctx, patient)
        item = calendar.item(key)
        if item.state is State.DONE:
            raise Refusal(Kind.CONFLICT, "ALREADY_DONE", "This was done already.")
        if not calendar.person.birth <= day <= calendar.today:
            raise Refusal(Kind.UNPROCESSABLE, "DATE_OUTSIDE_LIFE", "Give a day from birth to today.", element="date")
        await self._forget(tx, ctx, item)
        await self._note(tx, ctx, calendar, patient, done_resource(item, patient, day), secret=_intimate(item.rule))
        await self.refresh(tx, patient, ctx)

    async def not_done(self, tx: Transaction, ctx: Context, patient: UUID, key: str) -> None:
        """Note that it was not done, and ask no more. Raises NOTHING_ASKED for what is not asked for."""
        calendar = await self.calendar(tx, ctx, patient)
        item = calendar.item(key)
        if not item.waits and item.state is not State.TO_DISCUSS:
            raise Refusal(Kind.CONFLICT, "NOTHING_ASKED", "This is not asked for now.")
        said = declined_resource(item, patient, calendar.today)
        await self._note(tx, ctx, calendar, patient, said, secret=_intimate(item.rule))
        await self.refresh(tx, patient, ctx)

    async def not_concerned(self, tx: Transaction, ctx: Context, patient: UUID, key: str) -> None:
        """Note that a rule does not concern the person. Raises NOT_CONCERNED_BY_LAW where the law asks for it."""
        calendar = await self.calendar(tx, ctx, patient)
        item = calendar.item(key)
        if item.mandatory:
            raise Refusal(Kind.CONFLICT, "NOT_CONCERNED_BY_LAW", "The law asks for this: see a professional.")
        if item.state in (State.DONE, State.NOT_CONCERNED):
            raise Refusal(Kind.CONFLICT, "NOTHING_ASKED", "This is not asked for now.")
        said = not_concerned_resource(item, patient, calendar.today)
        await self._note(tx, ctx, calendar, patient, said, secret=_intimate(item.rule))
        await self.refresh(tx, patient, ctx)

    async def take_back(self, tx: Transaction, ctx: Context, patient: UUID, key: str) -> None:
        """Take back what the person said of an item. Raises NOT_SAID for what a document or a professional says."""
        item = (await self.calendar(tx, ctx, patient)).item(key)
        if item.source is None or item.source.kind != "declared":
            raise Refusal(Kind.CONFLICT, "NOT_SAID", "Only what one said oneself is taken back here.")
        await self._forget(tx, ctx, item)
        await self.refresh(tx, patient, ctx)

    async def expect(self, tx: Transaction, ctx: Context, patient: UUID, expected: date) -> None:
        """Note the expected date of birth of a child, in place of the one told before."""
        today = day_of(ctx)
        if not today - _KEPT_AFTER_BIRTH <= expected <= today + _LONGEST:
            says = "The expected date is within the 42 weeks to come."
            raise Refusal(Kind.UNPROCESSABLE, "EXPECTED_DATE_UNLIKELY", says, element="terme")
        calendar = await self._expect_no_more(tx, ctx, patient)
        await self._note(tx, ctx, calendar, patient, expected_resource(patient, expected, today), secret=True)
        await self.refresh(tx, patient, ctx)

    async def born(self, tx: Transaction, ctx: Context, patient: UUID, day: date) -> None:
        """Note the day on which the child was born: what comes after is counted from it.

        Raises BIRTH_DATE_UNLIKELY for a day to come, one long ago, or one that is not of the pregnancy followed here.
        """
        calendar = await self.calendar(tx, ctx, patient)
        told, today = calendar.told, calendar.today
        known = told is not None and abs(told.day - day) < SAME_CHILD
        if not known or not today - _KEPT_AFTER_BIRTH <= day <= today:
            says = "This is not a day of birth of the child who was expected."
            raise Refusal(Kind.UNPROCESSABLE, "BIRTH_DATE_UNLIKELY", says, element="naissance")
        await self.expect(tx, ctx, patient, day)

    async def expect_no_more(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """Follow a pregnancy no more: nothing about it is shown or recalled, whoever wrote of it."""
        await self._expect_no_more(tx, ctx, patient)
        calendar = await self.calendar(tx, ctx, patient)
        if calendar.told is not None:
            said = stopped_resource(patient, calendar.told.day, calendar.today)
            await self._note(tx, ctx, calendar, patient, said, secret=True)
        await self.refresh(tx, patient, ctx)

    async def refresh(self, tx: Transaction, patient: UUID, ctx: Context) -> Looked:
        """Work out again what waits for somebody, and keep it. The instance does it, whoever caused it."""
        own = Context(System("prevention"), ctx.clock, channel="job", demonstration=ctx.demonstration)
        ground = await self._ground(tx, patient, day_of(own))
        past = await self.past.of(tx, own, patient, ground.rules)
        holder = ground.calendar(past.without(_NOT_DISCLOSED))
        others = ground.calendar(past.without(_KEPT)) if past.flags & Flags.INVISIBLE_REPRESENTATIVES else holder
        await repository.watch(tx, patient, reminders.next_look(holder.items, holder.today), _kept(holder))
        return Looked(holder, frozenset(_waiting(holder)) - frozenset(_waiting(others)), others)

    async def _expect_no_more(self, tx: Transaction, ctx: Context, patient: UUID) -> Calendar:
        """Take back what the person told of a pregnancy; the calendar as it stood."""
        calendar = await self.calendar(tx, ctx, patient)
        if calendar.told is not None and calendar.told.own:
            await self.gateway.delete(tx, ctx, "Observation", calendar.told.id)
        return calendar

    async def _note(
        self, tx: Transaction, ctx: Context, calendar: Calendar, patient: UUID, said: dict[str, Any], *, secret: bool
    ) -> None:
        """Keep what a person says. What a minor says of a pregnancy is kept from their representatives: they may have
        care without them (CSP L. 1111-5, L. 2212-7, R. 1111-50)."""
        minor = calendar.today < _MAJORITY.after(calendar.person.birth)
        if not (secret and minor and Eyes.of(ctx).own):
            await self.gateway.create(tx, ctx, said)
            return
        author, organization = author_of(ctx)
        flags = Flags.PATIENT_AUTHORED | Flags.OPERATIONAL | Flags.INVISIBLE_REPRESENTATIVES
        await self.gateway.file(tx, ctx, said, Label(patient, OPERATIONAL, flags, author, organization))

    async def _forget(self, tx: Transaction, ctx: Context, item: Item) -> None:
        if item.source is not None and item.source.kind == "declared":
            type, _, id = item.source.reference.partition("/")
            await self.gateway.delete(tx, ctx, type, id)

    async def enter(self, reader: Reader, ctx: Context, patient: UUID) -> None:
        """Make sure, from the facts of now, that the caller gets into this record; a refusal is traced."""
        eyes = Eyes.of(ctx)
        if eyes.trusted:
            return
        target = Target("Patient", Label(patient=patient))
        verdict = judge_entry(await self.gateway.facts(reader, ctx, eyes, patient), eyes)
        if isinstance(ctx.actor, Citizen) and ctx.space != patient:
            verdict = Verdict(False, AccessRule.OTHER_SPACE)
        elif not isinstance(ctx.actor, Citizen | Professional):
            verdict = Verdict(False, AccessRule.CLINICAL)
        if not verdict.allowed:
            await self.gateway.trace_refusal(ctx, Action.READ, target, verdict.rule)
            raise refusal(Action.READ, "Patient", verdict.rule)


def _intimate(rule: Rule) -> bool:
    """Whether a rule tells of a pregnancy."""
    return rule.audience.pregnant


def day_of(ctx: Context) -> date:
    """The day in Paris, where the calendar is kept."""
    return ctx.now().astimezone(PARIS).date()


def _waiting(calendar: Calendar) -> frozenset[str]:
    return frozenset(item.key for item in calendar.items if item.waits)


def _kept(calendar: Calendar) -> list[dict[str, Any]]:
    return [
        {
            "key": item.key,
            "rule": item.rule.id,
            "since": item.due.isoformat(),
            "overdue": item.state is State.OVERDUE,
        }
        for item in calendar.items
        if item.waits
    ]


__all__ = ["Calendar", "Prevention", "Source", "Waiting", "day_of"]
