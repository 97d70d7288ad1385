"""The desk of the rule author: drafts, what a draft would touch, versions published and withdrawn, all of it traced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import SHARDS
from ambroise.kernel.outbox import emit
from ambroise.modules.identity.api import count_born
from ambroise.modules.prevention import repository
from ambroise.modules.prevention.model import Rule, plain
from ambroise.modules.prevention.reach import Reach, reach
from ambroise.modules.prevention.repository import Draft, Version
from ambroise.modules.prevention.service import Prevention, day_of
from ambroise.trust.access.people import recorder
from ambroise.trust.audit.entry import REFUSED, Entry, InstanceEvent
from ambroise.trust.context import Context, Operator

DUTY: Final = "prevention"
"""The duty of an operator who changes the rules of prevention."""
RULE_CHANGED: Final = "prevention.rule_changed"
_SLICES: Final = 16

_DRAFTED: Final = InstanceEvent("prevention_rule_drafted")
_DROPPED: Final = InstanceEvent("prevention_draft_dropped")
_PUBLISHED: Final = InstanceEvent("prevention_rule_published")
_WITHDRAWN: Final = InstanceEvent("prevention_rule_withdrawn")


class Difference(Struct, frozen=True):
    """What one place of a rule says in the version in force and in the draft."""

    place: str
    before: str
    after: str


class Touched(Struct, frozen=True):
    """How many people with an open space are of the age of a rule: now, by the draft, and by both. Never who."""

    before: int
    after: int
    both: int
    counted: bool = True
    """Not when a pregnancy alone tells: nobody counts pregnancies."""

    @property
    def more(self) -> int:
        """Whom only the draft concerns."""
        return self.after - self.both

    @property
    def fewer(self) -> int:
        """Whom the draft concerns no more."""
        return self.before - self.both


class RuleDesk(Struct, frozen=True):
    """Changes the rules, for operators with that duty."""

    prevention: Prevention

    async def rules(self, reader: Reader, ctx: Context) -> Sequence[Rule]:
        """The rules in force today. Raises RULE_DUTY."""
        await self._allow(ctx)
        return await self.prevention.rules.on(reader, day_of(ctx))

    async def drafts(self, reader: Reader, ctx: Context) -> Sequence[Draft]:
        """What is being written."""
        await self._allow(ctx)
        return await repository.drafts(reader)

    async def coming(self, reader: Reader, ctx: Context) -> Sequence[Version]:
        """What was published and holds later."""
        await self._allow(ctx)
        return await repository.coming(reader, day_of(ctx))

    async def versions(self, reader: Reader, ctx: Context, rule: str) -> Sequence[Version]:
        """Every version of a rule, the newest first. Raises NO_SUCH_RULE."""
        await self._allow(ctx)
        found = await repository.versions(reader, rule)
        if not found:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RULE", "There is no such rule.")
        return found

    async def draft(self, reader: Reader, ctx: Context, rule: str) -> Draft | None:
        """The draft of a rule."""
        await self._allow(ctx)
        return await repository.draft(reader, rule)

    async def keep(self, tx: Transaction, ctx: Context, rule: Rule, *, reason: str) -> None:
        """Keep a draft of a rule that exists. Raises RULE_SAME, RULE_REASON."""
        actor = await self._allow(ctx)
        present = await self.present(tx, ctx, rule.id)
        if plain(rule) == plain(present):
            raise Refusal(Kind.UNPROCESSABLE, "RULE_SAME", "This changes nothing in the version in force.")
        if not reason.strip():
            raise Refusal(Kind.UNPROCESSABLE, "RULE_REASON", "Say why the rule changes.", element="raison")
        who = {"by": recorder(ctx), "name": actor.name}
        await repository.keep_draft(tx, rule, reason.strip(), at=ctx.now(), **who)
        await self._trace(tx, ctx, _DRAFTED, rule.id)

    async def drop(self, tx: Transaction, ctx: Context, rule: str) -> None:
        """Throw a draft away."""
        await self._allow(ctx)
        if await repository.drop_draft(tx, rule):
            await self._trace(tx, ctx, _DROPPED, rule)

    async def publish(self, tx: Transaction, ctx: Context, rule: str, effective: date) -> int:
        """Make the draft the next version, from a day on; its number. Raises NO_DRAFT, RULE_TOO_SOON."""
        actor = await self._allow(ctx)
        draft = await repository.draft(tx, rule)
        if draft is None:
            raise Refusal(Kind.CONFLICT, "NO_DRAFT", "There is no draft of this rule.")
        if effective <= day_of(ctx):
            says = "A version holds tomorrow at the soonest."
            raise Refusal(Kind.UNPROCESSABLE, "RULE_TOO_SOON", says, element="effet")
        await tx.execute("select pg_advisory_xact_lock(hashtext('prevention_rule'))")
        who = {"by": recorder(ctx), "name": actor.name, "reason": draft.reason}
        number = await repository.add(tx, draft.rule, effective=effective, at=ctx.now(), **who)
        await repository.drop_draft(tx, rule)
        details = {"version": number, "effective": effective.isoformat(), "reason": draft.reason}
        await self._trace(tx, ctx, _PUBLISHED, rule, {**details, "source": draft.rule.source})
        for turn in range(_SLICES):
            shards = list(range(turn, SHARDS, _SLICES))
            await emit(tx, RULE_CHANGED, {"shards": shards, "day": effective.isoformat()})
        return number

    async def withdraw(self, tx: Transaction, ctx: Context, rule: str, number: int) -> None:
        """Take back a version that does not hold yet. Raises RULE_BEGUN."""
        actor = await self._allow(ctx)
        found = next((one for one in await self.versions(tx, ctx, rule) if one.number == number), None)
        if found is None or found.effective <= day_of(ctx):
            raise _begun()
        if not await repository.withdraw(tx, rule, number, at=ctx.now(), by=recorder(ctx), name=actor.name):
            raise _begun()
        await self._trace(tx, ctx, _WITHDRAWN, rule, {"version": number})

    async def present(self, reader: Reader, ctx: Context, rule: str) -> Rule:
        """The version in force of a rule. Raises NO_SUCH_RULE."""
        found = next((one for one in await self.rules(reader, ctx) if one.id == rule), None)
        if found is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RULE", "There is no such rule.")
        return found

    async def touched(self, reader: Reader, ctx: Context, before: Rule, after: Rule) -> Touched:
        """How many people a change would touch, counted slice by slice."""
        await self._allow(ctx)
        today = day_of(ctx)
        present, drafted = reach(before, today), reach(after, max(today, after.valid_from))
        if present is None and drafted is None:
            return Touched(0, 0, 0, counted=False)
        both = present.within(drafted) if present is not None and drafted is not None else None
        counts = await _count(reader, present), await _count(reader, drafted), await _count(reader, both)
        return Touched(counts[0], counts[1], counts[2])

    async def _allow(self, ctx: Context) -> Operator:
        actor = ctx.actor
        if not isinstance(actor, Operator) or DUTY not in actor.duties:
            refused = Entry("R", _DRAFTED, outcome=REFUSED, details={"code": "RULE_DUTY"})
            await self.prevention.gateway.note(ctx, refused)
            raise Refusal(Kind.FORBIDDEN, "RULE_DUTY", "Only operators with this duty change the rules of prevention.")
        return actor

    async def _trace(
        self, tx: Transaction, ctx: Context, event: InstanceEvent, rule: str, details: Mapping[str, Any] | None = None
    ) -> None:
        await self.prevention.gateway.trace(tx, ctx, Entry("U", event, details={"rule": rule, **(details or {})}))


def differences(before: Rule, after: Rule) -> list[Difference]:
    """What a draft changes, place by place."""
    old, new = dict(_leaves(plain(before))), dict(_leaves(plain(after)))
    places = sorted({*old, *new})
    return [
        Difference(one, old.get(one, ""), new.get(one, "")) for one in places if old.get(one, "") != new.get(one, "")
    ]


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in cast(dict[str, Any], value).items():
            yield from _leaves(inner, f"{place}.{name}" if place else name)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(cast(Sequence[Any], value), 1):
            yield from _leaves(inner, f"{place}.{number}")
    elif value is not None:
        yield place, str(value)


async def _count(reader: Reader, one: Reach | None) -> int:
    if one is None:
        return 0
    slices = (list(range(turn, SHARDS, _SLICES)) for turn in range(_SLICES))
    return sum([await count_born(reader, shards, one.first, one.last, one.sex) for shards in slices])


def _begun() -> Refusal:
    return Refusal(Kind.CONFLICT, "RULE_BEGUN", "This version holds already, or was withdrawn: publish another one.")


__all__ = ["DUTY", "RULE_CHANGED", "Difference", "RuleDesk", "Touched", "differences"]
