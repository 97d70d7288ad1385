"""The leak pack for the counts of the rule desk's preview: they are of ages alone, and never tell of somebody.

The control: a number large enough is given, and follows the spaces that are open.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.api import DUTY, Prevention, Rule, RuleDesk, Touched
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.context import Context, Operator
from ambroise.trust.gateway import Action, Flags
from tests.integration.record.conftest import world
from tests.integration.relations.conftest import Family, family

__all__ = ["family", "world"]


async def test_a_preview_counts_open_spaces_of_an_age_and_tells_of_nobody(family: Family) -> None:
    world, prevention = family.world, Prevention(family.world.gateway)
    desk = RuleDesk(prevention)
    author = world.context(Operator("a", "A", frozenset({DUTY})))
    async with world.database.transaction() as tx:
        await prevention.install(tx, world.system)
    async with world.database.reader() as reader:
        rule = next(one for one in await desk.rules(reader, author) if one.id == "screening.colorectal")

    async def touched(before: Rule | None, after: Rule | None, ctx: Context = author) -> Touched:
        async with world.database.reader() as reader:
            return await desk.touched(reader, ctx, before, after)

    men, women = (replace(rule, audience=replace(rule.audience, sex=sex)) for sex in ("M", "F"))
    nobody = await touched(women, men)
    assert (nobody.before, nobody.after, nobody.more, nobody.fewer) == (None, None, None, None)
    people = [await family.person("1965-05-05") for _ in range(10)]
    assert await touched(women, men) == nobody, "some are not told from nobody"
    people += [await family.person("1965-05-05") for _ in range(6)]
    told = await touched(women, men)
    assert (told.before, told.after, told.more, told.fewer) == (20, None, None, 20), "the control"

    # One space more or less, or what it holds, changes nothing but the rounded number.
    hidden = await family.observation(people[0])
    async with world.database.transaction() as tx:
        await world.gateway.relabel(tx, family.of(people[0]), Action.MASK, "Observation", hidden, set=Flags.MASKED)
    assert await touched(women, men) == told
    for person in people[:6]:
        async with world.database.transaction() as tx:
            await world.gateway.rights.set_state(tx, family.of(person), person, SpaceState.CLOSED)
    assert await touched(women, men) == nobody
    assert await touched(women, women) == Touched(before=None, after=None), "no age comes or goes"
    assert await touched(None, women) == Touched(before=0, after=None, more=None)

    others = (Operator("b", "B", frozenset({"identity"})), world.author.actor, world.citizen.actor)
    for ctx in map(world.context, others):
        with pytest.raises(Refusal) as refused:
            await touched(women, men, ctx)
        assert refused.value.kind is Kind.FORBIDDEN
