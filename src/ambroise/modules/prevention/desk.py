"""The desk of the rule author: drafts, what a draft would touch, versions published and withdrawn, all of it traced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, cast

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import SHARDS
from ambroise.kernel.outbox import emit
from ambroise.modules.identity.api import count_born
from ambroise.modules.prevention import repository
from ambroise.modules.prevention.model import Rule, plain
from ambroise.modules.prevention.reach import Reach, reach
from ambroise.modules.prevention.repository import Draft, Gesture, Version
from ambroise.modules.prevention.service import Prevention, day_of
from ambroise.trust.access.people import recorder
from ambroise.trust.audit.entry import REFUSED, Entry, InstanceEvent
from ambroise.trust.context import Context, Operator

DUTY: Final = "prevention"
"""The duty of an operator who changes the rules of prevention."""
RULE_CHANGED: Final = "prevention.rule_changed"
_SLICES: Final = 16
_FEW: Final = 11
"""Under this number a count could be told from somebody: it is not given."""
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,30}(\.[a-z0-9][a-z0-9-]{0,30}){1,3}")

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
    """How many people with an open space are of the age of a rule: now, by the draft, whom only one of them concerns.

    Never who, and never few: a count under 11 is None, nobody included (that there is somebody of an age and a sex
    would tell of them), and a larger one is rounded to tens. 0 is said only of no age at all.
    """

    before: int | None = 0
    after: int | None = 0
    more: int | None = 0
    fewer: int | None = 0
    counted: bool = True
    """Not when a pregnancy alone tells: nobody counts pregnancies."""


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
        """Every version of a rule, the newest first; none of one that is only drafted."""
        await self._allow(ctx)
        return await repository.versions(reader, rule)

    async def draft(self, reader: Reader, ctx: Context, rule: str) -> Draft | None:
        """The draft of a rule."""
        await self._allow(ctx)
        return await repository.draft(reader, rule)

    async def keep(self, tx: Transaction, ctx: Context, rule: Rule, *, reason: str) -> None:
        """Keep a draft of a rule: of one that exists, or of a new one under a name of its own.

        Raises RULE_SAME, RULE_REASON, RULE_NAME.
        """
        await self._allow(ctx)
        present = await self.current(tx, ctx, rule.id)
        if present is not None:
            if plain(rule) == plain(present):
                raise Refusal(Kind.UNPROCESSABLE, "RULE_SAME", "This changes nothing in the version in force.")
            return await self._keep(tx, ctx, rule, Gesture.CHANGE, reason)
        if not _NAME.fullmatch(rule.id):
            says = "The name of a rule is small letters, figures and hyphens in two parts or more, joined by points."
            raise Refusal(Kind.UNPROCESSABLE, "RULE_NAME", says, element="nom")
        return await self._keep(tx, ctx, rule, Gesture.NEW, reason)

    async def begin(self, tx: Transaction, ctx: Context, rule: Rule, *, reason: str) -> None:
        """Keep the first draft of a new rule. Raises RULE_EXISTS, RULE_NAME, RULE_REASON."""
        await self._allow(ctx)
        if await self.current(tx, ctx, rule.id) is not None or await repository.draft(tx, rule.id) is not None:
            says = "There is a rule, or a draft, under this name."
            raise Refusal(Kind.UNPROCESSABLE, "RULE_EXISTS", says, element="nom")
        await self.keep(tx, ctx, rule, reason=reason)

    async def take_up(self, tx: Transaction, ctx: Context, rule: str, number: int, *, reason: str) -> None:
        """Draft a former version of a rule again. Raises NO_SUCH_VERSION, RULE_SAME."""
        found = next((one for one in await self.versions(tx, ctx, rule) if one.number == number), None)
        if found is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_VERSION", "There is no such version of this rule.")
        await self.keep(tx, ctx, found.rule, reason=reason)

    async def end(self, tx: Transaction, ctx: Context, rule: str, *, reason: str) -> None:
        """Draft the end of a rule: nobody is asked for it from the day on which this is published. Raises RULE_OVER."""
        present = await self.present(tx, ctx, rule)
        if present.valid_to is not None and present.valid_to < day_of(ctx):
            raise Refusal(Kind.CONFLICT, "RULE_OVER", "This rule is over already.")
        await self._keep(tx, ctx, present, Gesture.END, reason)

    async def _keep(self, tx: Transaction, ctx: Context, rule: Rule, gesture: Gesture, reason: str) -> None:
        actor = await self._allow(ctx)
        if not reason.strip():
            raise Refusal(Kind.UNPROCESSABLE, "RULE_REASON", "Say why the rule changes.", element="raison")
        who = {"by": recorder(ctx), "name": actor.name}
        await repository.keep_draft(tx, rule, gesture, reason.strip(), at=ctx.now(), **who)
        await self._trace(tx, ctx, _DRAFTED, rule.id, {"gesture": gesture.value})

    async def drop(self, tx: Transaction, ctx: Context, rule: str) -> None:
        """Throw a draft away."""
        await self._allow(ctx)
        if await repository.drop_draft(tx, rule):
            await self._trace(tx, ctx, _DROPPED, rule)

    async def publish(self, tx: Transaction, ctx: Context, rule: str, effective: date) -> int:
        """Make the draft the next version, from a day on; its number.

        Raises NO_DRAFT, RULE_TOO_SOON, RULE_NOT_BEGUN.
        """
        actor = await self._allow(ctx)
        draft = await repository.draft(tx, rule)
        if draft is None:
            raise Refusal(Kind.CONFLICT, "NO_DRAFT", "There is no draft of this rule.")
        if effective <= day_of(ctx):
            says = "A version holds tomorrow at the soonest."
            raise Refusal(Kind.UNPROCESSABLE, "RULE_TOO_SOON", says, element="effet")
        published = _ended(draft.rule, effective) if draft.gesture is Gesture.END else draft.rule
        await tx.execute("select pg_advisory_xact_lock(hashtext('prevention_rule'))")
        who = {"by": recorder(ctx), "name": actor.name, "reason": draft.reason}
        number = await repository.add(tx, published, effective=effective, at=ctx.now(), **who)
        await repository.drop_draft(tx, rule)
        details = {"version": number, "effective": effective.isoformat(), "reason": draft.reason}
        details["gesture"] = draft.gesture.value
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

    async def current(self, reader: Reader, ctx: Context, rule: str) -> Rule | None:
        """The version in force of a rule, or the first that will be; None where there is none, or it was withdrawn."""
        found = next((one for one in await self.rules(reader, ctx) if one.id == rule), None)
        coming = (one.rule for one in await repository.coming(reader, day_of(ctx)) if one.rule.id == rule)
        return found or next(coming, None)

    async def present(self, reader: Reader, ctx: Context, rule: str) -> Rule:
        """The same. Raises NO_SUCH_RULE."""
        found = await self.current(reader, ctx, rule)
        if found is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RULE", "There is no such rule.")
        return found

    async def touched(self, reader: Reader, ctx: Context, before: Rule | None, after: Rule | None) -> Touched:
        """How many people a change would touch, counted slice by slice; None for a rule that is not, or no more."""
        await self._allow(ctx)
        today = day_of(ctx)
        present = reach(before, today) if before is not None else None
        drafted = reach(after, max(today, after.valid_from)) if after is not None else None
        if present is None and drafted is None:
            return Touched(counted=False)
        both = present.within(drafted) if present is not None and drafted is not None else None
        old, new, same = await _count(reader, present), await _count(reader, drafted), await _count(reader, both)
        return Touched(
            before=_told(old) if present is not None else 0,
            after=_told(new) if drafted is not None else 0,
            more=_told(new - same) if drafted not in (None, both) else 0,
            fewer=_told(old - same) if present not in (None, both) else 0,
        )

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


def _told(count: int) -> int | None:
    return None if count < _FEW else round(count, -1)


def _ended(rule: Rule, day: date) -> Rule:
    """The same rule, over before a day."""
    last = day - timedelta(days=1)
    if last < rule.valid_from:
        says = "This rule has not begun by then: withdraw its version instead."
        raise Refusal(Kind.UNPROCESSABLE, "RULE_NOT_BEGUN", says, element="effet")
    return replace(rule, valid_to=last)


async def _count(reader: Reader, one: Reach | None) -> int:
    if one is None:
        return 0
    slices = (list(range(turn, SHARDS, _SLICES)) for turn in range(_SLICES))
    return sum([await count_born(reader, shards, one.first, one.last, one.sex) for shards in slices])


def _begun() -> Refusal:
    return Refusal(Kind.CONFLICT, "RULE_BEGUN", "This version holds already, or was withdrawn: publish another one.")


__all__ = ["DUTY", "RULE_CHANGED", "Difference", "Gesture", "RuleDesk", "Touched", "differences"]
