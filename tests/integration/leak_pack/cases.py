"""The cases. Each proves two things: the control finds what is hidden (so it is there), the viewer does not."""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from msgspec.structs import replace

from ambroise.kernel.errors import Refusal
from ambroise.modules.profile.api import Draft, Profile, Section, summary
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.people import Party
from ambroise.trust.gateway import Action, Flags
from tests.integration.leak_pack.door import Door
from tests.integration.leak_pack.record import (
    SECRET_BYTES,
    VIEWER,
    Secrets,
    helped,
    helper_of,
    kept_from_representatives,
)

Case = Callable[[Door, Secrets], Awaitable[None]]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Add a case to the pack."""
    CASES[function.__name__] = function
    return function


async def _only_the_knower(door: Door, secrets: Secrets, query: str, *hidden: str) -> None:
    known = (await door.search(secrets.knower, query)).entries
    seen = (await door.search(secrets.viewer, query)).entries
    assert set(hidden) <= known, f"the control of {query} finds {known}"
    assert not set(hidden) & seen, f"{query} shows {seen}"


@case
async def reading(door: Door, secrets: Secrets) -> None:
    for hidden in (secrets.hidden_document, secrets.hidden_result):
        assert await door.read(secrets.knower, hidden)
        assert not await door.read(secrets.viewer, hidden)
    assert await door.read(secrets.viewer, secrets.shown)
    assert not await door.read(secrets.viewer, secrets.elsewhere)
    assert await door.read(secrets.author, secrets.elsewhere)


@case
async def searching(door: Door, secrets: Secrets) -> None:
    patient = f"patient=Patient/{secrets.patient}"
    await _only_the_knower(door, secrets, f"Observation?{patient}", secrets.hidden_result)
    await _only_the_knower(door, secrets, f"DocumentReference?{patient}", secrets.hidden_document)
    await _only_the_knower(door, secrets, "Observation?code=75622-1", secrets.hidden_result)
    await _only_the_knower(door, secrets, "Observation?identifier=urn:test:lab|SECRET-1", secrets.hidden_result)
    await _only_the_knower(door, secrets, "Observation?code:text=secret", secrets.hidden_result)
    await _only_the_knower(door, secrets, "Observation?date=2026-02-01", secrets.hidden_result)
    id = secrets.hidden_result.partition("/")[2]
    await _only_the_knower(door, secrets, f"Observation?_id={id}", secrets.hidden_result)
    assert secrets.shown in (await door.search(secrets.viewer, f"Observation?{patient}")).entries


@case
async def include(door: Door, secrets: Secrets) -> None:
    query = f"Observation?patient=Patient/{secrets.patient}&code=2093-3&_include=Observation:derived-from"
    await _only_the_knower(door, secrets, query, secrets.hidden_result, secrets.hidden_document)
    assert secrets.pointing in (await door.search(secrets.viewer, query)).entries
    await _only_the_knower(door, secrets, query.replace(":derived-from", ":*"), secrets.hidden_result)


@case
async def include_iterated(door: Door, secrets: Secrets) -> None:
    query = "Observation?code=2093-3&_include:iterate=Observation:derived-from"
    await _only_the_knower(door, secrets, query, secrets.hidden_result, secrets.shown)


@case
async def include_of_another_patient(door: Door, secrets: Secrets) -> None:
    query = "Observation?code=2093-3&_include=Observation:performer"
    other = f"Patient/{secrets.other}"
    assert other not in (await door.search(secrets.viewer, query)).entries
    assert other in (await door.search(secrets.world.system, query)).entries


@case
async def revinclude(door: Door, secrets: Secrets) -> None:
    query = f"Observation?patient=Patient/{secrets.patient}&code=718-7&_revinclude=Observation:derived-from"
    await _only_the_knower(door, secrets, query, secrets.hidden_result)
    assert secrets.shown in (await door.search(secrets.viewer, query)).entries


@case
async def chain(door: Door, secrets: Secrets) -> None:
    query = "Observation?derived-from:Observation.code=75622-1"
    await _only_the_knower(door, secrets, query, secrets.pointing)
    await _only_the_knower(door, secrets, "Observation?derived-from:DocumentReference.status=current", secrets.pointing)
    visible = "Observation?derived-from:Observation.code=2093-3"
    assert (await door.search(secrets.viewer, visible)).entries == frozenset()


@case
async def chain_through_another_patient(door: Door, secrets: Secrets) -> None:
    query = "Observation?patient.family=FICTIF2"
    assert (await door.search(secrets.viewer, query)).entries == frozenset()
    assert secrets.elsewhere in (await door.search(secrets.world.system, query)).entries


@case
async def reverse_chain(door: Door, secrets: Secrets) -> None:
    await _only_the_knower(door, secrets, "Observation?_has:Observation:derived-from:code=75622-1", secrets.shown)
    person = f"Patient/{secrets.patient}"
    await _only_the_knower(door, secrets, "Patient?_has:Observation:patient:code=75622-1", person)
    shown = "Patient?_has:Observation:patient:code=718-7"
    assert person in (await door.search(secrets.viewer, shown)).entries


@case
async def count(door: Door, secrets: Secrets) -> None:
    for query in (
        "Observation?code=75622-1&_summary=count",
        f"Observation?patient=Patient/{secrets.patient}&code=75622-1&_summary=count",
        "Observation?code=75622-1&_count=0&_total=accurate",
        "Observation?code=75622-1&_total=accurate",
        "Observation?code=75622-1&_total=estimate",
    ):
        assert (await door.search(secrets.knower, query)).total == 1
        assert (await door.search(secrets.viewer, query)).total in (0, None), query


@case
async def order_and_pages(door: Door, secrets: Secrets) -> None:
    query = f"Observation?patient=Patient/{secrets.patient}&_sort=-date&_count=1"
    first = await door.search(secrets.viewer, query)
    assert first.entries == frozenset({secrets.pointing})
    assert first.cursor is not None
    second = await door.search(secrets.viewer, f"Observation?_cursor={first.cursor}")
    assert second.entries == frozenset({secrets.shown})
    known = await door.search(secrets.knower, query)
    assert known.entries == frozenset({secrets.hidden_result})


@case
async def page_link_of_somebody_else(door: Door, secrets: Secrets) -> None:
    query = f"Observation?patient=Patient/{secrets.patient}&_sort=date&_count=2"
    link = (await door.search(secrets.knower, query)).cursor
    assert link is not None
    known = await door.search(secrets.knower, f"Observation?_cursor={link}")
    assert known.entries == frozenset({secrets.hidden_result})
    seen = await door.search(secrets.viewer, f"Observation?_cursor={link}")
    assert seen.entries == frozenset()


@case
async def page_link_after_revocation(door: Door, secrets: Secrets) -> None:
    query = f"Observation?patient=Patient/{secrets.patient}&_sort=-date&_count=1"
    link = (await door.search(secrets.viewer, query)).cursor
    assert link is not None
    world = secrets.world
    async with world.database.transaction() as tx:
        await world.gateway.rights.revoke(tx, secrets.knower, secrets.patient, Party.of(VIEWER))
    assert (await door.search(secrets.viewer, f"Observation?_cursor={link}")).entries == frozenset()
    assert (await door.search(secrets.knower, f"Observation?_cursor={link}")).entries


@case
async def history(door: Door, secrets: Secrets) -> None:
    masked_since = secrets.visible_before
    assert await door.history(secrets.knower, masked_since) == {f"{masked_since}/1", f"{masked_since}/2"}
    assert await door.history(secrets.viewer, masked_since) == frozenset()
    for path in ("DocumentReference", ""):
        assert f"{masked_since}/1" in await door.history(secrets.knower, path)
        seen = await door.history(secrets.viewer, path)
        assert not [entry for entry in seen if entry.startswith((masked_since, secrets.hidden_document))]


@case
async def version_from_before_the_mask(door: Door, secrets: Secrets) -> None:
    assert await door.vread(secrets.knower, secrets.visible_before, 1)
    assert not await door.vread(secrets.viewer, secrets.visible_before, 1)
    assert not await door.vread(secrets.viewer, secrets.visible_before, 2)


@case
async def attachment(door: Door, secrets: Secrets) -> None:
    assert await door.content(secrets.knower, secrets.hidden_binary) == SECRET_BYTES
    assert await door.content(secrets.viewer, secrets.hidden_binary) is None
    assert not await door.read(secrets.viewer, f"Binary/{secrets.hidden_binary}")


@case
async def matrix(door: Door, secrets: Secrets) -> None:
    assert await door.read(secrets.viewer, secrets.psychiatric)
    assert not await door.read(secrets.nurse, secrets.psychiatric)
    query = f"DocumentReference?patient=Patient/{secrets.patient}&type=68599-0"
    assert (await door.search(secrets.viewer, query)).total == 1
    assert (await door.search(secrets.nurse, query)).total == 0


@case
async def what_is_kept_from_one_person(door: Door, secrets: Secrets) -> None:
    """A document, all that follows it and what replaced it before; then every result of one kind."""
    world, patient = secrets.world, secrets.patient
    for unmasked in (secrets.hidden_document, secrets.hidden_result, f"Binary/{secrets.hidden_binary}"):
        type, _, id = unmasked.partition("/")
        async with world.database.transaction() as tx:
            await world.gateway.relabel(tx, secrets.knower, Action.MASK, type, id, clear=Flags.MASKED)
    assert await door.read(secrets.viewer, secrets.hidden_result), "the control: nothing hides it any more"
    document = UUID(secrets.hidden_document.partition("/")[2])
    who = Party.of(VIEWER)
    async with world.database.transaction() as tx:
        rights = world.gateway.rights
        kept = await rights.restrict(tx, secrets.knower, patient, who, document=document)
    for hidden in (secrets.hidden_document, secrets.hidden_result):
        assert not await door.read(secrets.viewer, hidden)
        assert await door.read(secrets.nurse, hidden)
    whole = f"patient=Patient/{patient}"
    await _only_the_knower(door, secrets, f"Observation?{whole}", secrets.hidden_result)
    await _only_the_knower(door, secrets, f"DocumentReference?{whole}", secrets.hidden_document)
    await _only_the_knower(door, secrets, "Observation?code=75622-1", secrets.hidden_result)
    query = f"Observation?{whole}&code=2093-3&_include=Observation:derived-from"
    await _only_the_knower(door, secrets, query, secrets.hidden_result, secrets.hidden_document)
    count = f"Observation?{whole}&code=75622-1&_summary=count"
    assert (await door.search(secrets.viewer, count)).total in (0, None)
    async with world.database.transaction() as tx:
        await rights.lift_restriction(tx, secrets.knower, patient, kept)
    assert await door.read(secrets.viewer, secrets.hidden_result)
    laboratory = kinds().number("11502-2")
    async with world.database.transaction() as tx:
        await rights.restrict(tx, secrets.knower, patient, who, kinds=[laboratory])
    await _only_the_knower(door, secrets, f"Observation?{whole}", secrets.shown, secrets.hidden_result)


@case
async def a_mediator_without_the_content(door: Door, secrets: Secrets) -> None:
    """Shown the screens only: who it is, and nothing that anybody wrote, by any way of asking."""
    helper = await helped(secrets, "mediator", "screens")
    shown = await helped(secrets, "mediator", "content")
    patient = f"patient=Patient/{secrets.patient}"
    for query in (
        f"Observation?{patient}",
        "Observation?code=718-7",
        "Observation?derived-from:Observation.code=75622-1",
    ):
        assert (await door.search(shown, query)).entries, f"the control of {query}"
        assert (await door.search(helper, query)).entries == frozenset(), query
    assert (await door.search(helper, f"Observation?{patient}&_summary=count")).total in (0, None)
    assert (await door.search(helper, "Patient?_has:Observation:patient:code=718-7")).entries == frozenset()
    assert not await door.read(helper, secrets.shown)
    assert await door.content(helper, secrets.hidden_binary) is None
    assert await door.read(helper, f"Patient/{secrets.patient}")
    written = ("Observation/", "DocumentReference/", "Binary/")
    assert not [entry for entry in await door.history(helper, "") if entry.startswith(written)]


@case
async def a_representative_and_what_is_kept_from_representatives(door: Door, secrets: Secrets) -> None:
    """A minor's secret care: unknown to a parent by any way of asking, a carer and the holder see it."""
    parent, carer = await helped(secrets, "representative", "act"), await helped(secrets, "carer", "see")
    kept = await kept_from_representatives(secrets)
    patient = f"patient=Patient/{secrets.patient}"
    for viewer in (secrets.knower, carer):
        assert await door.read(viewer, kept)
        assert kept in (await door.search(viewer, f"DocumentReference?{patient}")).entries
    assert not await door.read(parent, kept)
    assert kept not in (await door.search(parent, f"DocumentReference?{patient}")).entries
    assert not [entry for entry in await door.history(parent, "") if entry.startswith(kept)]
    total = (await door.search(secrets.knower, f"DocumentReference?{patient}&_total=accurate")).total
    seen = (await door.search(parent, f"DocumentReference?{patient}&_total=accurate")).total
    assert total is not None
    assert seen == total - 1


@case
async def what_the_holder_hides_in_the_medical_profile(door: Door, secrets: Secrets) -> None:
    """A line, then a whole section with what is told later: unknown to professionals, by any way of asking."""
    world, patient = secrets.world, secrets.patient
    profile = Profile(world.database, world.gateway)
    told = Draft(Section.ILLNESSES, "secret illness", start="2020")
    async with world.database.transaction() as tx:
        line = await profile.add(tx, secrets.knower, patient, told)
    assert await door.read(secrets.viewer, line), "the control: it is told"
    async with world.database.transaction() as tx:
        await profile.hide(tx, secrets.knower, patient, line, hidden=True)
        await profile.hide_section(tx, secrets.knower, patient, Section.ALLERGIES, hidden=True)
        allergy = await profile.add(tx, secrets.knower, patient, Draft(Section.ALLERGIES, "secret allergy"))
    for hidden in (line, allergy):
        assert await door.read(secrets.knower, hidden)
        assert not await door.read(secrets.viewer, hidden)
        await _only_the_knower(door, secrets, f"{hidden.partition('/')[0]}?patient=Patient/{patient}", hidden)
        assert not [one for one in await door.history(secrets.viewer, hidden.partition("/")[0]) if hidden in one]
    marks = f"List?patient=Patient/{patient}&code=urn:ambroise:profile|section"
    assert len((await door.search(secrets.knower, marks)).entries) == 1
    assert not (await door.search(secrets.viewer, marks)).entries, "that something is hidden is hidden"
    seen = await profile.sheet(secrets.viewer, patient)
    assert not any(part.items or part.hidden for part in seen.parts.values())
    whole = json.dumps(await summary(profile, secrets.knower, patient, "http://x/fhir"), default=str)
    assert whole.count("secret illness") > 1, "the control: the summary says it to its holder"
    shown = json.dumps(await summary(profile, secrets.viewer, patient, "http://x/fhir"), default=str)
    assert "secret illness" not in shown
    assert "secret allergy" not in shown
    with pytest.raises(Refusal):
        await summary(profile, secrets.viewer, secrets.other, "http://x/fhir")


@case
async def a_helper_in_another_space(door: Door, secrets: Secrets) -> None:
    """Helping one person opens nobody else's record; a help that ended opens nothing."""
    carer = await helped(secrets, "carer", "act")
    assert await door.read(carer, secrets.shown)
    assert not await door.read(carer, secrets.elsewhere)
    astray = replace(carer, acting_for=secrets.other)
    assert not await door.read(astray, secrets.elsewhere)
    assert (await door.search(astray, "Observation?code=26464-8")).entries == frozenset()
    world = secrets.world
    async with world.database.transaction() as tx:
        await world.gateway.rights.end_relation(tx, secrets.knower, secrets.patient, helper_of(carer), "carer")
    assert not await door.read(carer, secrets.shown)
