"""A summary follows the International Patient Summary: its rules are compiled from the package of HL7."""

import json
from pathlib import Path
from typing import Any

from ambroise.fhir.paths import evaluate
from ambroise.modules.profile.api import DECLARABLE, Profile, summary
from tests.integration.profile.conftest import world
from tests.integration.profile.test_telling import EVERYTHING, told
from tests.integration.record.conftest import World

__all__ = ["world"]
RULES = json.loads((Path(__file__).parent / "rules.json").read_text("utf-8"))


def broken(bundle: dict[str, Any]) -> list[str]:
    """The rules that a summary breaks."""
    composition, *others = [one["resource"] for one in bundle["entry"]]
    by_reference = {f"{one['resourceType']}/{one['id']}": one for one in others}
    found = [f"Bundle: {one}" for one in missing(bundle, RULES["profiles"]["Bundle"]["least"])]
    for one in (composition, *others):
        rules = RULES["profiles"].get(one["resourceType"], {"least": {}, "constraints": {}})
        found += [f"{one['resourceType']}: {name}" for name in missing(one, rules["least"])]
    sections = {one["code"]["coding"][0]["code"]: one for one in composition["section"]}
    if len(sections) != len(composition["section"]):
        found.append("a section twice")
    for code, rule in RULES["sections"].items():
        section = sections.get(code)
        if section is None:
            found += [f"{rule['name']} is missing"] if rule["least"] else []
            continue
        if rule["constraints"] and not (section.get("entry") or section.get("emptyReason")):
            found.append(f"{rule['name']}: ips-comp-1")
        for entry in section.get("entry", ()):
            there = by_reference.get(entry["reference"])
            if there is None or there["resourceType"] not in rule["types"]:
                found.append(f"{rule['name']}: {entry['reference']}")
    if not all("<div" in one["text"]["div"] for one in composition["section"]):
        found.append("a section without its words")
    if others[0]["resourceType"] != "Patient" or any(one["resourceType"] == "Composition" for one in others):
        found.append("bdl-ips-1")
    return found


def missing(resource: dict[str, Any], least: dict[str, int]) -> list[str]:
    """Which elements are there too few times; those within an element only where it is."""
    return [path for path, count in least.items() if not has(resource, path.split("."), count)]


def has(value: dict[str, Any], path: list[str], count: int) -> bool:
    name, *rest = path
    stem = name.removesuffix("[x]")
    given = [
        each
        for key, each in value.items()
        if key.lstrip("_") == stem or (name != stem and key.lstrip("_").startswith(stem))
    ]
    values = [one for each in given for one in (each if isinstance(each, list) else [each])]
    return all(has(one, rest, count) for one in values) if rest else len(values) >= count


async def test_summaries_of_everybody_break_no_rule_of_the_international_patient_summary(world: World) -> None:
    profile = Profile(world.database, world.gateway)
    doctor = world.professional(1)
    await world.authorise(doctor)
    empty = await summary(profile, doctor, world.patient, "http://127.0.0.1/fhir")
    assert broken(empty) == []
    reasons = [one["emptyReason"]["coding"][0]["code"] for one in empty["entry"][0]["resource"]["section"]]
    assert reasons == ["unavailable"] * 3, "nothing is known, and it says so"
    async with world.database.transaction() as tx:
        for section in DECLARABLE:
            await profile.declare_none(tx, world.citizen, world.patient, section, none=True)
    none = await summary(profile, doctor, world.patient, "http://127.0.0.1/fhir")
    assert broken(none) == []
    assert evaluate("Bundle.entry.resource.code.coding.where(code = '716186003').exists()", none) == [True]
    await told(world, *EVERYTHING)
    whole = await summary(profile, doctor, world.patient, "http://127.0.0.1/fhir")
    assert broken(whole) == []
    assert len(whole["entry"][0]["resource"]["section"]) == 10


def test_the_check_sees_what_is_wrong() -> None:
    bundle = {"type": "document", "timestamp": "2026", "identifier": {}, "entry": [
        {"fullUrl": "x", "resource": {"resourceType": "Composition", "id": "1", "section": [
            {"title": "x", "code": {"coding": [{"code": "11450-4"}]}, "text": {"div": "<div/>"},
             "entry": [{"reference": "Observation/1"}]},
        ]}},
        {"fullUrl": "x", "resource": {"resourceType": "Patient", "id": "1", "name": [{}]}},
    ]}  # fmt: skip
    found = broken(bundle)
    assert {"sectionAllergies is missing", "sectionProblems: Observation/1", "Patient: birthDate"} <= set(found)
