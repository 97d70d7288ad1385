"""Help on the spot: a code, one hour, the screens or the content, and its trace."""

from datetime import timedelta

import pytest

from ambroise.kernel.errors import Refusal
from tests.integration.relations.conftest import Family


async def mediator(family: Family) -> object:
    person = await family.person()
    await family.do(family.mediation.enrol, family.desk, person, "Maison France services de Tours")
    return person


@pytest.mark.parametrize("content", [False, True])
async def test_a_mediator_is_shown_the_screens_and_the_content_only_when_it_was_said(
    family: Family, content: bool
) -> None:
    holder, helper = await family.person(), await mediator(family)
    seen = await family.observation(holder)
    code = await family.do(family.mediation.ask_help, family.of(holder), content=content)
    assert await family.do(family.mediation.help, family.of(helper), code.code.lower()) == holder
    ctx = family.of(helper, holder, "mediator")
    assert await family.reads(ctx, str(holder), "Patient"), "who is being helped"
    assert await family.reads(ctx, seen) is content
    note = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "tension"},
        "subject": {"reference": f"Patient/{holder}"},
    }
    assert await family.refused(family.world.gateway.create, ctx, note) == "ACCESS_WRITE_RESERVED"
    assert await family.refused(family.mediation.ask_help, ctx, content=True) == "ACCESS_WRITE_RESERVED"
    family.world.clock.move(timedelta(hours=1))
    assert not await family.reads(ctx, str(holder), "Patient"), "help lasts an hour"
    assert await family.told(holder) == ["AIDE_SUR_PLACE"]


async def test_a_code_is_good_once_for_a_quarter_of_an_hour_and_for_mediators_only(family: Family) -> None:
    holder, helper, other = await family.person(), await mediator(family), await family.person()
    code = (await family.do(family.mediation.ask_help, family.of(holder), content=False)).code
    help, ctx = family.mediation.help, family.of(helper)
    assert await family.refused(help, family.of(other), code) == "NOT_A_MEDIATOR"
    await family.do(help, ctx, code)
    assert await family.refused(help, ctx, code) == "CODE_REFUSED"
    late = (await family.do(family.mediation.ask_help, family.of(holder), content=False)).code
    family.world.clock.move(timedelta(minutes=15))
    assert await family.refused(help, ctx, late) == "CODE_REFUSED"


async def test_a_new_code_replaces_the_former(family: Family) -> None:
    holder, helper = await family.person(), await mediator(family)
    former = (await family.do(family.mediation.ask_help, family.of(holder), content=True)).code
    await family.do(family.mediation.ask_help, family.of(holder), content=False)
    assert await family.refused(family.mediation.help, family.of(helper), former) == "CODE_REFUSED"


async def test_who_is_enrolled_no_more_helps_no_more(family: Family) -> None:
    holder, helper = await family.person(), await mediator(family)
    code = (await family.do(family.mediation.ask_help, family.of(holder), content=False)).code
    await family.do(family.mediation.end_enrolment, family.desk, helper)
    assert await family.refused(family.mediation.help, family.of(helper), code) == "NOT_A_MEDIATOR"


async def test_the_holder_stops_help_at_once(family: Family) -> None:
    holder, helper = await family.person(), await mediator(family)
    code = (await family.do(family.mediation.ask_help, family.of(holder), content=True)).code
    await family.do(family.mediation.help, family.of(helper), code)
    await family.do(family.relations.end, family.of(holder), helper, "mediator")
    assert not await family.reads(family.of(helper, holder, "mediator"), str(holder), "Patient")


async def test_a_mediator_does_not_read_the_history_without_the_content(family: Family) -> None:
    holder, helper = await family.person(), await mediator(family)
    code = (await family.do(family.mediation.ask_help, family.of(holder), content=False)).code
    await family.do(family.mediation.help, family.of(helper), code)
    async with family.world.database.reader() as reader:
        with pytest.raises(Refusal):
            await family.world.gateway.access_history(reader, family.of(helper, holder, "mediator"), holder)  # type: ignore[arg-type]


async def test_everything_about_help_is_traced(family: Family) -> None:
    holder, helper = await family.person(), await mediator(family)
    code = (await family.do(family.mediation.ask_help, family.of(holder), content=False)).code
    await family.do(family.mediation.help, family.of(helper), code)
    async with family.world.database.reader() as reader:
        rows = await reader.fetch_all(
            "select event, actor_id, details->>'kind', details->>'scope' from trace where patient = %s",
            (holder,),
        )
    assert ("relation_set", str(helper), "mediator", "screens") in rows
    assert ("help_asked", str(holder), None, None) in rows


async def test_only_the_desk_enrols(family: Family) -> None:
    person = await family.person()
    assert await family.refused(family.mediation.enrol, family.of(person), person, "Tours") == "DESK_ONLY"
    assert await family.refused(family.mediation.enrol, family.desk, person, " ") == "PLACE_MISSING"
