"""What a person tells of their health: stored as FHIR, read by professionals under the rules, hidden at will."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ambroise.fhir.json import decode, encode
from ambroise.fhir.search import parse
from ambroise.fhir.validation import validate
from ambroise.kernel.errors import Refusal
from ambroise.modules.profile import states
from ambroise.modules.profile.api import DECLARABLE, Code, Draft, Item, Profile, Section, Sheet, codes, links, summary
from ambroise.modules.profile.fhir import ASSERTED, SAYS, hl7
from ambroise.modules.profile.writing import Teller
from ambroise.trust.context import Context
from tests.integration.record.conftest import World
from tests.integration.record.test_feed_checks import LETTER

CIM10 = "http://hl7.org/fhir/sid/icd-10"
DIABETES = Draft(Section.ILLNESSES, "Diabète de type 2", Code(CIM10, "E11", "Diabète sucré de type 2"), "Suivi", "2015")
EVERYTHING = (
    DIABETES,
    Draft(Section.TREATMENTS, "Metformine 500 mg", start="2016-02", details={"dosage": "2 par jour", "reason": "HTA"}),
    Draft(Section.ALLERGIES, "Pénicilline", details={"reaction": "Urticaire"}),
    Draft(Section.VACCINATIONS, "Vaccin de la grippe", start="2025-10-12", details={"stage": "BOOSTER", "lot": "A1"}),
    Draft(Section.STAYS, "Appendicite", start="1998", details={"duration": "4", "unit": "DAY"}),
    Draft(Section.FAMILY, "Infarctus", details={"relation": "FATHER"}),
    Draft(Section.DISABILITIES, "Surdité", details={"disability": "SENSORY", "rate": "LESS_THAN_50", "human": "NO"}),
    Draft(Section.BLOOD, "A positif", Code("http://snomed.info/sct", "278149003")),
    Draft(Section.MEASURES, "WEIGHT", start="2025-11-01", details={"measure": "WEIGHT", "value": "71.5"}),
    Draft(
        Section.MEASURES,
        "BLOOD_PRESSURE",
        start="2025-11-01",
        details={"measure": "BLOOD_PRESSURE", "systolic": "128", "diastolic": "76"},
    ),
    Draft(Section.TARGETS, "HbA1c", details={"measure": "GLYCATED_HEMOGLOBIN", "high": "7"}),
    Draft(Section.HABITS, "Jamais fumé", details={"habit": "TOBACCO"}),
    Draft(Section.NETWORK, "Dr Camille Témoin", details={"id": "899700000001", "role": "MEDECIN_TRAITANT"}),
    Draft(
        Section.CONTACTS,
        "Karim Modèle",
        details={
            "first": "Karim", "last": "Modèle", "contact": "EMERGENCY_CONTACT,TRUSTED_CONTACT", "kinship": "SPOUSE",
            "mobile": "0600000000", "postal": "35000", "city": "Rennes",
        },
    ),
    Draft(Section.DONATION, "Informé", details={"informed": "yes"}),
    Draft(
        Section.MEASURES,
        "GLUCOSE",
        start="2025-11-02",
        details={"measure": "GLUCOSE", "value": "92", "moment": "53049-3"},
    ),
    Draft(Section.MEASURES, "SPO2", start="2025-11-02", details={"measure": "OXYGEN_SATURATION", "value": "97"}),
)  # fmt: skip


async def told(world: World, *drafts: Draft, ctx: Context | None = None) -> list[str]:
    async with world.database.transaction() as tx:
        profile = Profile(world.database, world.gateway)
        return [await profile.add(tx, ctx or world.citizen, world.patient, draft) for draft in drafts]


async def sheet(world: World, ctx: Context) -> Sheet:
    return await Profile(world.database, world.gateway).sheet(ctx, world.patient)


async def test_all_that_is_told_is_valid_fhir_and_comes_back_as_it_was_said(world: World) -> None:
    references = await told(world, *EVERYTHING)
    async with world.database.reader() as reader:
        for reference in references:
            type, _, id = reference.partition("/")
            stored = await world.gateway.read(reader, world.citizen, type, id)
            assert not [one for one in validate(decode(stored.body)) if one.severity in ("error", "fatal")], reference
    found = await sheet(world, world.citizen)
    lines = [item for section in Section for item in found[section].items]
    assert len(lines) == len(EVERYTHING)
    for draft in EVERYTHING:
        line = next(
            one for one in lines if one.section is draft.section and draft.details.items() <= one.details.items()
        )
        assert (line.comment, line.start or draft.start, line.own) == (draft.comment, draft.start, True) or (
            line.section in (Section.BLOOD, Section.HABITS, Section.DONATION)
        )
        assert (line.origin.by, line.hidden) == ("patient", False)
    assert found.percent == 100


async def test_the_body_mass_index_is_computed_shown_and_sent_but_never_stored(world: World) -> None:
    taken = {"WEIGHT": "74.8", "HEIGHT": "1.64"}
    references = await told(
        world,
        *(
            Draft(Section.MEASURES, name, start="2025-11-01", details={"measure": name, "value": value})
            for name, value in taken.items()
        ),
    )
    doctor = world.professional(1)
    await world.authorise(doctor)
    for reader in (world.citizen, doctor):
        (index,) = (one for one in (await sheet(world, reader))[Section.MEASURES].items if one.origin.by == "computed")
        assert (index.details["value"], set(index.links), index.own) == ("27.8", set(references), False)
    profile = Profile(world.database, world.gateway)
    sent = await summary(profile, world.citizen, world.patient, "http://127.0.0.1/fhir")
    observations = [one["resource"] for one in sent["entry"] if one["resource"]["resourceType"] == "Observation"]
    (computed,) = (one for one in observations if one.get("derivedFrom"))
    assert {one["reference"] for one in computed["derivedFrom"]} == set(references)
    async with world.database.transaction() as tx:
        await profile.hide_section(tx, world.citizen, world.patient, Section.MEASURES, hidden=True)
    assert not (await sheet(world, doctor))[Section.MEASURES].items
    pairs = [("patient", f"Patient/{world.patient}"), ("code", "http://loinc.org|39156-5")]
    async with world.database.reader() as reader:
        found = await world.gateway.search(reader, world.citizen, parse("Observation", pairs, now=world.clock.now()))
    assert not found.entries


async def test_professionals_read_it_live_and_nothing_that_is_hidden(world: World) -> None:
    illness, allergy = await told(world, DIABETES, EVERYTHING[2])
    doctor, stranger = world.professional(1), world.professional(2)
    await world.authorise(doctor)
    assert [one.name for one in (await sheet(world, doctor))[Section.ILLNESSES].items] == ["Diabète de type 2"]
    assert not any(part.items for part in (await sheet(world, stranger)).parts.values())
    profile = Profile(world.database, world.gateway)
    async with world.database.transaction() as tx:
        await profile.hide(tx, world.citizen, world.patient, illness, hidden=True)
        await profile.hide_section(tx, world.citizen, world.patient, Section.ALLERGIES, hidden=True)
    await told(world, Draft(Section.ALLERGIES, "Arachide"))
    seen = await sheet(world, doctor)
    assert not seen[Section.ILLNESSES].items, "a hidden line"
    assert not seen[Section.ALLERGIES].items, "a hidden section, with what was told later"
    assert len((await sheet(world, world.citizen))[Section.ALLERGIES].items) == 2
    for type, id in (illness.split("/"), allergy.split("/")):
        with pytest.raises(Refusal, match="NOT_FOUND"):
            async with world.database.reader() as reader:
                await world.gateway.read(reader, doctor, type, id)
    async with world.database.transaction() as tx:
        await profile.hide_section(tx, world.citizen, world.patient, Section.ALLERGIES, hidden=False)
    assert len((await sheet(world, doctor))[Section.ALLERGIES].items) == 2


async def test_what_the_matrix_keeps_from_a_profession_says_so_and_nothing_more(world: World) -> None:
    await told(world, DIABETES)
    psychologist = world.professional(1)
    actor: Any = replace(psychologist.actor, profession="93")
    psychologist = replace(psychologist, actor=actor)
    await world.authorise(psychologist)
    part = (await sheet(world, psychologist))[Section.ILLNESSES]
    assert (part.readable, list(part.items)) == (False, [])


async def test_saying_that_one_has_none_is_dated_and_ends_when_something_is_told(world: World) -> None:
    profile = Profile(world.database, world.gateway)
    doctor = world.professional(1)
    await world.authorise(doctor)
    async with world.database.transaction() as tx:
        for section in DECLARABLE:
            await profile.declare_none(tx, world.citizen, world.patient, section, none=True)
    today = world.clock.now().date().isoformat()
    found = await sheet(world, doctor)
    assert {found[section].none_since for section in DECLARABLE} == {today}
    assert Section.ALLERGIES not in found.missing
    await told(world, EVERYTHING[2])
    assert (await sheet(world, doctor))[Section.ALLERGIES].none_since == ""
    with pytest.raises(Refusal, match="PROFILE_NOT_EMPTY"):
        async with world.database.transaction() as tx:
            await profile.declare_none(tx, world.citizen, world.patient, Section.ALLERGIES, none=True)


async def test_what_cannot_be_is_refused_by_its_name(world: World) -> None:
    for draft, code in (
        (replace(DIABETES, name=" "), "PROFILE_NAME_MISSING"),
        (replace(DIABETES, start="1970"), "PROFILE_DATE_BEFORE_BIRTH"),
        (replace(DIABETES, start="2015-02-31"), "PROFILE_DATE_UNREADABLE"),
        (replace(DIABETES, start="2999"), "PROFILE_DATE_TO_COME"),
        (replace(DIABETES, end="2014"), "PROFILE_DATES_CROSSED"),
        (replace(DIABETES, comment="x" * 3001), "PROFILE_TOO_LONG"),
        (replace(EVERYTHING[8], details={"measure": "WEIGHT", "value": "715"}), "PROFILE_FIGURE_ODD"),
        (replace(EVERYTHING[8], details={"measure": "WEIGHT", "value": "NaN"}), "PROFILE_FIGURE_UNREADABLE"),
        (replace(DIABETES, details={"duration": "long"}), "PROFILE_FIGURE_UNREADABLE"),
        (replace(DIABETES, details={"low": "1e999999999"}), "PROFILE_FIGURE_UNREADABLE"),
        (replace(EVERYTHING[5], details={"relation": "NEIGHBOUR"}), "PROFILE_CHOICE_UNKNOWN"),
        (replace(EVERYTHING[11], details={}), "PROFILE_CHOICE_UNKNOWN"),
        (replace(EVERYTHING[8], details={"measure": "OXYGEN_SATURATION", "value": "49"}), "PROFILE_FIGURE_ODD"),
    ):
        with pytest.raises(Refusal, match=code):
            await told(world, draft)


async def test_a_line_says_who_wrote_it_whatever_it_claims(world: World) -> None:
    written = (await world.submit(world.author, LETTER)).documents[0]
    claims = {
        "security": [{"system": SAYS, "code": ASSERTED["professional"]}],
        "source": f"DocumentReference/{written.document}",
    }
    forged = {
        "resourceType": "AllergyIntolerance",
        "meta": claims,
        "clinicalStatus": hl7("allergyintolerance-clinical", "active"),
        "code": {"text": "Lactose"},
        "patient": {"reference": f"Patient/{world.patient}"},
        "recorder": {"display": "Dr Fictif"},
    }
    (told_first,) = await told(world, EVERYTHING[2])
    async with world.database.transaction() as tx:
        await world.gateway.update(tx, world.citizen, {**forged, "id": told_first.partition("/")[2]})
    doctor = world.professional(1)
    await world.authorise(doctor)
    (line,) = (await sheet(world, doctor))[Section.ALLERGIES].items
    assert (line.name, line.own, line.origin.by) == ("Lactose", True, "patient")


async def test_today_is_the_day_where_one_lives(world: World) -> None:
    world.clock.move(timedelta(days=1) - (world.clock.now() - world.clock.now().replace(hour=22, minute=30)))
    tomorrow = (world.clock.now() + timedelta(days=1)).date().isoformat()
    await told(world, replace(EVERYTHING[3], start=tomorrow))


async def test_one_trusted_contact_at_most_and_own_words_alone_change(world: World) -> None:
    trusted = EVERYTHING[13]
    (contact,) = await told(world, trusted)
    with pytest.raises(Refusal, match="PROFILE_ONE_TRUSTED"):
        await told(world, trusted)
    profile = Profile(world.database, world.gateway)
    async with world.database.transaction() as tx:
        await profile.change(tx, world.citizen, world.patient, contact, replace(trusted, comment="Mon mari"))
    doctor = world.professional(1)
    await world.authorise(doctor)
    shot = EVERYTHING[3]
    (own,) = await told(world, shot)
    (confirmed,) = await told(world, shot, ctx=doctor)
    (line,) = (await sheet(world, world.citizen))[Section.VACCINATIONS].items
    assert {line.reference, *(one.reference for one in line.same)} == {own, confirmed}, "put together, not lost"
    for reference in (own, confirmed):
        with pytest.raises(Refusal, match=r"PROFILE_CONFIRMED|ACCESS_NOT_AUTHOR"):
            async with world.database.transaction() as tx:
                await profile.remove(tx, world.citizen, world.patient, reference)
    async with world.database.transaction() as tx:
        await profile.remove(tx, world.citizen, world.patient, contact)
    assert not (await sheet(world, world.citizen))[Section.CONTACTS].items


async def test_what_documents_say_stands_beside_with_its_origin(world: World, samples: Path) -> None:
    await told(world, replace(EVERYTHING[2], name="Pénicilline G"))
    await world.submit(world.author, (samples / "cda/VSM_1.4_2022.01.xml").read_bytes())
    found = await sheet(world, world.citizen)
    from_document = [one for section in Section for one in found[section].items if one.origin.by == "document"]
    assert from_document
    assert all(one.origin.document and one.origin.title for one in from_document)
    assert "Pénicilline G" in [one.name for one in found[Section.ALLERGIES].items if one.own]


async def test_a_fhir_client_finds_the_same_and_a_plain_note_stays_private(world: World) -> None:
    doctor = world.professional(1)
    await world.authorise(doctor)
    await told(world, DIABETES)
    note = {"resourceType": "Condition", "code": {"text": "x"}, "subject": {"reference": f"Patient/{world.patient}"}}
    async with world.database.transaction() as tx:
        await world.gateway.create(tx, world.citizen, note)
    async with world.database.reader() as reader:
        query = parse("Condition", [("patient", str(world.patient))], now=world.clock.now())
        assert len((await world.gateway.search(reader, doctor, query)).entries) == 1
        assert len((await world.gateway.search(reader, world.citizen, query)).entries) == 2


async def test_what_is_typed_finds_codes_of_the_software_and_of_official_files(world: World, tmp_path: Path) -> None:
    file = tmp_path / "CIS_bdpm.txt"
    file.write_bytes("60002283\tANASTROZOLE ACCORD 1 mg, comprimé pelliculé\tcomprimé\torale\n".encode("latin-1"))
    async with world.database.transaction() as tx:
        assert await codes.bring(tx, file, "bdpm", world.clock.now()) == 1
        assert await codes.bring(tx, file, "bdpm", world.clock.now()) == 1, "again, in place of what was there"
    async with world.database.reader() as reader:
        assert "E11" in [one.code for one in await codes.search(reader, "illness", "diabete suc")]
        (medicine,) = await codes.search(reader, "medicine", "anastro compr")
        assert (medicine.system, medicine.code) == ("urn:oid:1.2.250.1.213.2.3.1", "60002283")
        assert await codes.exactly(reader, "medicine", medicine.label) == medicine
        assert await codes.search(reader, "medicine", "50%_") == ()


async def test_the_summary_is_a_whole_document_of_what_its_reader_may_see(world: World, samples: Path) -> None:
    await told(world, *EVERYTHING)
    await world.submit(world.author, (samples / "cda/VSM_1.4_2022.01.xml").read_bytes())
    profile = Profile(world.database, world.gateway)
    whole = await summary(profile, world.citizen, world.patient, "http://x/fhir")
    assert not [one for one in validate(decode(encode(whole))) if one.severity in ("error", "fatal")]
    composition = whole["entry"][0]["resource"]
    present = {one["fullUrl"].removeprefix("http://x/fhir/") for one in whole["entry"]}
    sections = {one["code"]["coding"][0]["code"]: one for one in composition["section"]}
    assert {"11450-4", "48765-2", "10160-0", "11369-6", "47519-4", "8716-3", "29762-2", "10157-6"} <= sections.keys()
    assert all(entry["reference"] in present for one in sections.values() for entry in one["entry"])
    assert composition["subject"]["reference"] == f"Patient/{world.patient}"


async def test_an_empty_summary_says_whether_there_is_none_or_nothing_is_known(world: World) -> None:
    profile = Profile(world.database, world.gateway)
    async with world.database.transaction() as tx:
        await profile.declare_none(tx, world.citizen, world.patient, Section.ALLERGIES, none=True)
    whole = encode(await summary(profile, world.citizen, world.patient, "http://x/fhir")).decode()
    assert "no-known-allergies" in whole
    assert '"unavailable"' in whole, "of what nobody said anything"
    for stranger in (world.professional(2), world.operator):
        with pytest.raises(Refusal):
            await summary(profile, stranger, world.patient, "http://x/fhir")


async def test_lines_go_together_both_ways_as_fhir_references_and_never_with_what_is_hidden(world: World) -> None:
    illness, allergy = await told(world, DIABETES, EVERYTHING[2])
    drafts = [replace(one, links=(illness,)) for one in (EVERYTHING[1], EVERYTHING[4], EVERYTHING[8])]
    treatment, stay, weight = await told(world, *drafts)
    (hives,) = await told(world, replace(DIABETES, name="Urticaire", code=None, links=(allergy,)))
    (other,) = await told(world, replace(EVERYTHING[2], name="Metformine", links=(treatment,)))
    doctor = world.professional(1)
    await world.authorise(doctor)
    found = await sheet(world, doctor)
    together = {reference: {one.reference for one in others} for reference, others in links.web(found).items()}
    assert together == {
        illness: {treatment, stay, weight},
        treatment: {illness, other},
        stay: {illness},
        weight: {illness},
        hives: {allergy},
        allergy: {hives},
        other: {treatment},
    }
    profile = Profile(world.database, world.gateway)
    sent = await summary(profile, world.citizen, world.patient, "http://127.0.0.1/fhir")
    by_id = {f"{one['resource']['resourceType']}/{one['resource']['id']}": one["resource"] for one in sent["entry"]}
    assert by_id[treatment]["reasonReference"] == by_id[stay]["reasonReference"] == [{"reference": illness}]
    assert by_id[weight]["extension"][0]["valueReference"] == {"reference": illness}
    assert by_id[hives]["evidence"] == [{"detail": [{"reference": allergy}]}]
    for one in by_id.values():
        assert not [issue for issue in validate(one) if issue.severity in ("error", "fatal")], one["resourceType"]
    async with world.database.transaction() as tx:
        await profile.hide(tx, world.citizen, world.patient, illness, hidden=True)
        await profile.remove(tx, world.citizen, world.patient, allergy)
    seen = await sheet(world, doctor)
    assert not links.web(seen).get(treatment, ())[1:], "the allergy alone"
    assert all(illness not in one.links for one in every(seen))
    async with world.database.reader() as reader:
        for reference in (treatment, stay, weight, hives):
            type, _, id = reference.partition("/")
            body = (await world.gateway.read(reader, doctor, type, id)).body.decode()
            assert illness not in body.replace(f'"id":"{id}"', "")
            assert allergy not in body
    for wrong in (illness, weight, "Condition/0190a0a0-0000-7000-8000-000000000000"):
        with pytest.raises(Refusal, match="PROFILE_LINK_UNKNOWN"):
            await told(world, replace(EVERYTHING[1], links=(wrong,)))


def every(sheet: Sheet) -> list[Item]:
    return [item for part in sheet.parts.values() for item in part.items]


async def test_a_professional_says_nothing_in_the_holders_name_by_a_list_of_the_profiles_codes(world: World) -> None:
    """Feeding needs no authorisation, yet "no allergy" is for the holder's side to say, and stays theirs to change."""
    forged = states.write(Section.ALLERGIES, world.patient, Teller("patient", "", "2026-01-01"), none=True)
    async with world.database.transaction() as tx:
        await world.gateway.create(tx, world.professional(), forged)
    assert (await sheet(world, world.citizen))[Section.ALLERGIES].none_since == ""
    async with world.database.transaction() as tx:
        profile = Profile(world.database, world.gateway)
        await profile.declare_none(tx, world.citizen, world.patient, Section.ALLERGIES, none=True)
        await profile.hide_section(tx, world.citizen, world.patient, Section.ALLERGIES, hidden=True)
    found = (await sheet(world, world.citizen))[Section.ALLERGIES]
    assert (found.none_since != "", found.hidden) == (True, True), "the control: the holder says it"
