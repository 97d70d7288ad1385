"""The runner of published rules: clean samples are clean, broken ones are caught, each by the right rule."""

import pytest

from tests.support.cda_samples import cda, cda_names, needs_samples
from tests.support.schematron import RULES, Schematron, check_cda, schema_of, xsd_findings

pytestmark = needs_samples

# Two published examples break a published rule each.
KNOWN = {
    "CANCER-FRCP_2022.01_Appareil.xml": "G15_10/SCH10",
    "eDISP-MED_2024.01.xml": 'Seuls les qualifiers "BR"',
}
VACCINE = "VAC-NOTE_2023.01.xml"


@pytest.mark.parametrize("name", cda_names())
def test_a_published_document_breaks_no_rule_but_the_known_ones(name: str):
    found = check_cda(cda(name))
    if name in KNOWN:
        assert [item for item in found if KNOWN[name] not in item.message] == []
        assert len(found) == 1
    else:
        assert found == []


@pytest.mark.parametrize(
    ("old", "new", "schema"),
    [
        (b"<setId ", b"<setid ", "CDA_extended.xsd"),
        (b'<languageCode code="fr-FR" />', b"", "ASIP-STRUCT-MIN-StrucMin"),
        (b'code="AMBULATOIRE"', b'code="NULLE_PART"', "ASIP-STRUCT-MIN-StrucMin"),
        (b'<birthTime value="19790328"/>', b"", "ASIP-STRUCT-MIN-StrucMin"),
        (b'displayName="Voie intramusculaire"', b"", "CI-SIS_VAC-NOTE_2023.01"),
        (b"<lotNumberText>", b"<lotNumberText>1</lotNumberText><lotNumberText>", "CDA_extended.xsd"),
    ],
)
def test_a_broken_document_is_caught(old: bytes, new: bytes, schema: str):
    content = cda(VACCINE)
    assert old in content
    assert schema in {item.schema for item in check_cda(content.replace(old, new, 1))}


def test_a_value_outside_its_set_is_named():
    broken = cda(VACCINE).replace(b'code="G15_10/SM26"', b'code="G15_99/XX"')
    messages = [item.message for item in check_cda(broken)]
    assert any("G15_99/XX" in message for message in messages)


def test_a_finding_says_where():
    content = cda(VACCINE).replace(b'<birthTime value="19790328"/>', b"")
    places = {item.location for item in check_cda(content)}
    assert any(place.startswith("/ClinicalDocument[1]/recordTarget[1]/patientRole[1]/patient[1]") for place in places)


def test_the_type_of_a_document_names_its_own_rules():
    assert schema_of(cda(VACCINE)) == "CI-SIS_VAC-NOTE_2023.01.sch"
    assert schema_of(b"<a/>") is None


def test_every_published_schema_compiles():
    for path in sorted(RULES.glob("*.sch")):
        Schematron.load(path)


def test_the_schema_finds_what_is_not_cda():
    assert xsd_findings(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
