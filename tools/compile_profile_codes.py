"""Compile the code lists of the medical profile from the published value sets of the CI-SIS.

    python tools/compile_profile_codes.py [SAMPLES]

SAMPLES is the folder of public samples (default: $AMBROISE_SAMPLES, else ../shared/samples beside the repository).
Each list becomes `src/ambroise/modules/profile/codes/data/<name>.tsv`: lines `# key<TAB>value` say where it comes from,
then one row a code: code, label, OID of its code system, value set it was found in, date of that value set. A code that
several value sets publish is written once, from the first of them by name. Running it twice gives the same bytes.

No whole national table is published among these samples (CIM-10, CIS medicines): the lists hold the codes that the
value sets use. `ambroise codes import` reads the official files into an instance.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lxml import etree

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src/ambroise/modules/profile/codes/data"
SVS = {"svs": "urn:ihe:iti:svs:2008"}
CIM10, ATC, SNOMED = "2.16.840.1.113883.6.3", "2.16.840.1.113883.6.73", "2.16.840.1.113883.6.96"

# A code, its label, its system, its value set, the date of that.
Row = tuple[str, str, str, str, str]

# Name → what the list holds, and which rows belong to it.
LISTS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "illness": (
        "Codes CIM-10 que citent les jeux de valeurs du CI-SIS",
        lambda row: row[2] == CIM10 and bool(re.fullmatch(r"[A-Z]\d\d(\.\d{1,2})?", row[0])),
    ),
    "vaccine": (
        "Classes ATC de vaccins que citent les jeux de valeurs du CI-SIS",
        lambda row: row[2] == ATC and row[0].startswith("J07"),
    ),
    "medicine": (
        "Classes ATC de médicaments que citent les jeux de valeurs du CI-SIS",
        lambda row: row[2] == ATC and not row[0].startswith("J07"),
    ),
    "allergen": (
        "Substances du jeu de valeurs des allergies aux vaccins du CI-SIS",
        lambda row: row[3] == "JDV_AllergiesVaccins_CISIS.xml",
    ),
    "blood_group": (
        "Groupes sanguins du CI-SIS",
        lambda row: row[3] == "JDV_GroupeRhesus_CISIS.xml",
    ),
}


def main(arguments: list[str]) -> int:
    """Write every list."""
    samples = Path(arguments[0] if arguments else os.environ.get("AMBROISE_SAMPLES", ROOT.parent / "shared/samples"))
    rows = [row for path in sorted((samples / "tables/jdv").glob("JDV_*.xml")) for row in published(path)]
    DATA.mkdir(parents=True, exist_ok=True)
    for name, (title, belongs) in LISTS.items():
        kept: dict[tuple[str, str], Row] = {}
        for row in rows:
            if belongs(row):
                kept.setdefault((row[2], row[0]), row)
        if not kept:
            raise SystemExit(f"nothing found for {name} in {samples}")
        lines = [f"# title\t{title}", "# source\tjeux de valeurs publiés du CI-SIS, un par ligne"]
        lines += ["\t".join(kept[key]) for key in sorted(kept)]
        (DATA / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def published(path: Path) -> Iterator[Row]:
    """Every code of one value set file."""
    root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    value_set = root.find("svs:ValueSet", SVS)
    if value_set is None:
        return
    dated = value_set.get("revisionDate") or value_set.get("dateMaj") or value_set.get("dateValid") or ""
    digits = re.sub(r"\D", "", dated)[:8]
    day = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else ""
    for concept in value_set.iterfind("svs:ConceptList/svs:Concept", SVS):
        label = re.sub(r"\s+", " ", concept.get("displayName", "")).strip()
        code, system = concept.get("code", "").strip(), concept.get("codeSystem", "").strip()
        if code and label:
            yield code, label[:1].upper() + label[1:], system, path.name, day


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
