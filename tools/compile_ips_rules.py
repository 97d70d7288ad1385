"""Compile what the International Patient Summary asks of a document into the rules that a test checks.

    python tools/compile_ips_rules.py hl7.fhir.uv.ips-2.0.0.tgz

The file is what `npm pack hl7.fhir.uv.ips@2.0.0` brings (HL7, CC0). The result, `tests/conformance/ips/rules.json`,
says for each profile which elements are there at least once, with the constraints that the guide adds, and for each
section of the summary its code, whether it must be there, and the types that its entries may lead to.
"""

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "tests/conformance/ips/rules.json"
CLINICAL = ("Condition", "AllergyIntolerance", "MedicationStatement", "Immunization", "Procedure")
PROFILES = ("Bundle", "Composition", "Patient", *CLINICAL)


def main(arguments: list[str]) -> int:
    """Write the rules."""
    with tarfile.open(arguments[0]) as archive:
        profiles = {name: _read(archive, name) for name in PROFILES}
    rules = {
        "source": "hl7.fhir.uv.ips 2.0.0 (HL7, CC0)",
        "profiles": {name: _asked(one) for name, one in profiles.items()},
        "sections": _sections(profiles["Composition"]),
    }
    OUT.write_text(json.dumps(rules, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _read(archive: tarfile.TarFile, name: str) -> Any:
    file = archive.extractfile(f"package/StructureDefinition-{name}-uv-ips.json")
    assert file is not None
    return json.load(file)


def _asked(profile: Any) -> Any:
    plain = [one for one in profile["snapshot"]["element"] if ":" not in one["id"]]
    least = {one["path"].partition(".")[2]: one["min"] for one in plain if one.get("min") and "." in one["path"]}
    ours = [one for one in profile["differential"]["element"] if ":" not in one["id"]]
    constraints = {
        constraint["key"]: [one["path"].partition(".")[2], constraint["expression"]]
        for one in ours
        for constraint in one.get("constraint", ())
    }
    return {"least": least, "constraints": constraints}


def _sections(composition: Any) -> Any:
    elements = composition["snapshot"]["element"]
    by_id = {one["id"]: one for one in elements}
    found: dict[str, Any] = {}
    for one in elements:
        if one["path"] == "Composition.section" and one.get("sliceName"):
            code = by_id[f"{one['id']}.code"]["patternCodeableConcept"]["coding"][0]["code"]
            entry = by_id[f"{one['id']}.entry"]
            types = {
                target.rpartition("/")[2].partition("-")[0]
                for kind in entry["type"]
                for target in kind["targetProfile"]
            }
            constraints = {
                each["key"]: each["expression"] for each in one.get("constraint", ()) if "ips" in each["key"]
            }
            found[code] = {
                "name": one["sliceName"], "least": one["min"], "types": sorted(types), "constraints": constraints,
            }  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
