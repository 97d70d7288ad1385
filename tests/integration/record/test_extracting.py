"""A newer extraction states again what documents of an old store say, and undoes nothing that a person did."""

from pathlib import Path

import pytest

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.errors import Refusal
from ambroise.modules.profile.api import Draft, Profile, Section
from ambroise.modules.record import followers
from ambroise.modules.record.api import Texts, index_again
from ambroise.modules.record.cda.extract import EXTRACTOR_VERSION, Extract, extract
from ambroise.modules.record.cda.model import ClinicalDocument
from ambroise.trust.context import Context
from tests.integration.record.conftest import World


def formerly(clinical: ClinicalDocument) -> list[Extract]:
    """What an older extraction read: no family, problems with another text, an observation that is no fact any more."""
    facts: list[Extract] = []
    for fact in extract(clinical):
        match fact.type:
            case "FamilyMemberHistory":
                continue
            case "Condition":
                fact.resource["code"]["text"] = "Autrement dit"
            case _:
                pass
        facts.append(fact)
    extra = next(one for one in facts if one.type == "Observation")
    wrong = extra.resource | {"code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}], "text": "Faux"}}
    return [*facts, Extract(extra.key + "x", wrong, extra.section)]


async def held(world: World, ctx: Context, type: str) -> dict[str, dict[str, object]]:
    pairs = [("patient", f"Patient/{world.patient}")]
    query = (
        parse("Condition", [*pairs, ("_revinclude", "Provenance:target")])
        if type == "Provenance"
        else parse(type, pairs)
    )
    async with world.database.reader() as reader:
        page = await world.gateway.search(reader, ctx, query)
        return {one.id: decode(one.body) for one, _ in page.entries if one.type == type}


async def test_facts_of_an_old_store_are_read_again_where_they_stand_and_what_a_person_did_stays(
    world: World, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor = world.professional()
    await world.authorise(doctor)
    with monkeypatch.context() as old:
        old.setattr(followers, "extract", formerly)
        old.setattr(followers, "EXTRACTOR_VERSION", EXTRACTOR_VERSION - 1)
        await world.submit(world.system, (samples / "cda" / "VSM_1.4_2022.01.xml").read_bytes())
    profile = Profile(world.database, world.gateway)
    before, allergies = (
        await held(world, world.citizen, "Condition"),
        await held(world, world.citizen, "AllergyIntolerance"),
    )
    hidden = min(before)
    async with world.database.transaction() as tx:
        await profile.add(tx, world.citizen, world.patient, Draft(Section.ILLNESSES, "Migraine", start="2020"))
        await profile.hide(tx, world.citizen, world.patient, f"Condition/{hidden}", hidden=True)
    assert await held(world, world.citizen, "FamilyMemberHistory") == {}

    assert await index_again(world.database) == 1
    texts = Texts(world.database, world.gateway)
    assert await texts.work(world.clock, seconds=30) == 1

    after = await held(world, world.citizen, "Condition")
    told = next(one for one in after.values() if one["id"] not in before)
    assert told["code"] == {"text": "Migraine"}
    assert set(after) - {told["id"]} == set(before), "they change in place"
    assert not any("Autrement dit" in str(one) for one in after.values())
    assert hidden not in await held(world, doctor, "Condition"), "what was hidden stays hidden"
    assert len(await held(world, doctor, "Condition")) == len(after) - 1
    assert await held(world, world.citizen, "AllergyIntolerance") == allergies, (
        "what says the same is not written again"
    )
    assert await held(world, world.citizen, "FamilyMemberHistory") != {}
    assert not any("Faux" in str(one) for one in (await held(world, world.citizen, "Observation")).values())
    said = next(one for one in (await held(world, world.citizen, "Provenance")).values() if "entity" in one)
    assert f"extraction {EXTRACTOR_VERSION}" in str(said)
    targets = {one["reference"] for one in said["target"]}  # pyright: ignore[reportGeneralTypeIssues, reportIndexIssue]
    assert {f"Condition/{id}" for id in before} <= targets

    again = await held(world, world.citizen, "Condition")
    await index_again(world.database)
    await texts.work(world.clock, seconds=30)
    assert await held(world, world.citizen, "Condition") == again, "a document is read again once"


async def test_nobody_but_the_instance_states_again_what_documents_say(world: World, samples: Path) -> None:
    filed = (await world.submit(world.system, (samples / "cda" / "VSM_1.4_2022.01.xml").read_bytes())).documents[0]
    for ctx in (world.citizen, world.author, world.operator):
        async with world.database.transaction() as tx:
            with pytest.raises(Refusal) as refused:
                await world.gateway.restating.stated(tx, ctx, filed.document)
        assert refused.value.code == "EXTRACTING_RESERVED"
