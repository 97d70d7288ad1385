"""The leak pack for notices: what is told to one is shown to no other, by listing, counting, marking or deleting.

Each case has its control: the notice is there, for its holder.
"""

from __future__ import annotations

from typing import Any

import pytest

from ambroise.interfaces.web.citizen.record.notices import Notices
from ambroise.interfaces.web.records import Records
from ambroise.interfaces.xdm.writing import Exports
from ambroise.kernel.crypto import ApplicationSecret
from ambroise.kernel.errors import Refusal
from ambroise.modules.notification.api import Code, Support, Wishing, notify
from ambroise.trust.context import Context, Operator
from tests.integration.record.conftest import world
from tests.integration.relations.conftest import Family, family

__all__ = ["family", "world"]


@pytest.fixture
def centre(family: Family) -> Notices:
    world = family.world
    wishing = Wishing.over(world.clock, ApplicationSecret(b"s" * 32), (), "ambroise@exemple.fr")
    records = Records(world.database, world.gateway, Exports(world.database, world.gateway, "2.25.1"))
    return Notices(records, world.record, wishing, [])


async def codes(centre: Notices, ctx: Context) -> list[str]:
    found = await centre.page(ctx, kind=None, unread_only=False, after=None, count=50)
    return [one.notice.code for one in found]


async def refused(act: Any, *given: Any, **more: Any) -> bool:
    try:
        await act(*given, **more)
    except Refusal:
        return True
    return False


async def test_notices_are_shown_to_whom_they_are_for_and_to_nobody_else(family: Family, centre: Notices) -> None:
    world, holder = family.world, await family.person()
    other = await family.person()
    me, stranger = family.of(holder), family.of(other)
    carer = await family.carer(holder, scope="see")
    acting = family.of(carer, holder, "carer")
    await centre.mark(me, None, read=True)
    await centre.delete(me, None)
    now = world.clock.now()
    async with world.database.transaction() as tx:
        await notify(tx, holder, now, Code.DOCUMENT_DELETED)
        await notify(tx, holder, now, Code.PROFESSIONAL_ACCESS, hidden_from_representatives=True)
    hidden = next(
        one.notice.id
        for one in await centre.page(me, kind=None, unread_only=False, after=None, count=9)
        if one.notice.code == Code.PROFESSIONAL_ACCESS
    )
    assert sorted(await codes(centre, me)) == ["ACCES_DMP_PS", "SUPP_DOC"], "the control"
    assert await codes(centre, acting) == ["SUPP_DOC"]
    assert (await centre.unread(me), await centre.unread(acting)) == (2, 1), "not even by counting"

    await centre.mark(acting, hidden, read=True)
    await centre.mark(acting, None, read=True)
    assert (await centre.unread(me), await centre.unread(acting)) == (1, 0)
    assert await refused(centre.delete, acting, hidden), "who only sees deletes nothing"
    acts = family.of(await family.carer(holder, scope="act"), holder, "carer")
    await centre.mark(me, None, read=True)
    await centre.delete(acts, hidden)
    await centre.delete(acts, None)
    assert "ACCES_DMP_PS" in await codes(centre, me), "what is hidden from one is not deleted by them"

    for ctx in (family.of(other, holder, "carer"), family.of(other, holder, "representative")):
        assert await refused(codes, centre, ctx)
        assert await refused(centre.delete, ctx, hidden)
        assert await refused(centre.settings, ctx)
        assert await centre.unread(ctx) == 0
    assert await codes(centre, stranger) == []
    await centre.mark(stranger, hidden, read=False)
    await centre.delete(stranger, hidden)
    assert "ACCES_DMP_PS" in await codes(centre, me)

    await family.do(family.relations.leave, family.of(carer), holder, "carer")
    assert await refused(codes, centre, acting), "on the very next request"
    assert await centre.unread(acting) == 0


async def test_the_log_is_for_the_duty_of_support_alone(family: Family) -> None:
    world, support = family.world, Support(family.world.clock)
    async with world.database.reader() as reader:
        allowed = world.context(Operator("a", "A", frozenset({"support"})))
        assert await support.of_person(reader, allowed, world.patient) == []
        others = (world.citizen, world.author, world.system, world.context(Operator("b", "B", frozenset({"identity"}))))
        for ctx in others:
            assert await refused(support.of_person, reader, ctx, world.patient)
            assert await refused(support.days, reader, ctx, "Europe/Paris")
            assert await refused(support.failures, reader, ctx)
