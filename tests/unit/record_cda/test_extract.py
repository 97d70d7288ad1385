"""Structured facts taken out of CDA documents, as valid FHIR resources."""

import contextlib
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.fhir import json as fhir_json
from ambroise.fhir.validation import validate
from ambroise.kernel.errors import Refusal
from ambroise.modules.record.cda import parse
from ambroise.modules.record.cda.extract import EXTRACTOR_VERSION, Extract, extract
from tests.support.cda_samples import cda, cda_names, needs_samples

pytestmark = needs_samples

PATIENT = {"reference": "Patient/018f0000-0000-7000-8000-000000000000"}

EXPECTED: dict[str, dict[str, int]] = {
    "ANEST-CR-ANEST_2022.01.xml": {
        "Observation": 4,
        "MedicationStatement": 3,
        "Condition": 21,
        "Procedure": 13,
        "ServiceRequest": 2,
        "DeviceUseStatement": 9,
    },
    "AVC-EUNV_2022.01.xml": {"Observation": 38, "Procedure": 6},
    "BIO-CR-BIO_2024.01_CR-2nde-intention-PDF.xml": {"Observation": 1},
    "BIO-CR-BIO_2024.01_Electrophorese.xml": {"Observation": 44},
    "BIO-CR-BIO_2024.01_TSH_1.xml": {"Observation": 2},
    "BIO-TROD_2024.01_Angine.xml": {"Observation": 1},
    "CANCER-FRCP_2022.01_Appareil.xml": {
        "Condition": 1,
        "Procedure": 2,
        "ServiceRequest": 4,
        "Encounter": 2,
        "Observation": 4,
    },
    "CARD-F-PRC-AVK_2022.01.xml": {
        "MedicationStatement": 3,
        "MedicationRequest": 1,
        "Condition": 2,
        "AllergyIntolerance": 4,
        "Procedure": 1,
    },
    "CNAM-HR_2021.01.xml": {
        "Immunization": 3,
        "MedicationStatement": 3,
        "Procedure": 15,
        "Encounter": 2,
        "DeviceUseStatement": 2,
        "MedicationDispense": 3,
    },
    "CSE-CS8_2025.01.xml": {
        "Observation": 10,
        "Immunization": 2,
        "MedicationStatement": 2,
        "Condition": 5,
        "Procedure": 2,
        "Encounter": 3,
    },
    "CSE-MDE_2023.01.xml": {"Observation": 3},
    "DLU-EHPAD-FLUDT_2022.01.xml": {"Observation": 5},
    "IMG-DA-IMG_2024.01_Radiographie_ChevilleGenou.xml": {"ServiceRequest": 2},
    "IMG_CR_IMG_2024.01.xml": {"Procedure": 3, "DeviceUseStatement": 1, "ImagingStudy": 3},
    "IPS-FR_2024.01.xml": {
        "Observation": 13,
        "Immunization": 2,
        "MedicationStatement": 1,
        "MedicationRequest": 2,
        "Condition": 7,
        "AllergyIntolerance": 1,
        "Procedure": 3,
        "ServiceRequest": 2,
        "Encounter": 1,
        "DeviceUseStatement": 2,
        "FamilyMemberHistory": 1,
    },
    "LDL-SES_2022.01.xml": {
        "MedicationStatement": 2,
        "AllergyIntolerance": 1,
        "ServiceRequest": 2,
        "Encounter": 1,
        "DeviceUseStatement": 1,
        "Observation": 11,
    },
    "OBP-SNM_2024.01.xml": {"Condition": 3, "Procedure": 7, "ServiceRequest": 3, "Observation": 4},
    "OPH-BRE_2022.02.xml": {"Condition": 1, "Observation": 1},
    "SDM-MR_2022.01.xml": {"Observation": 5, "Condition": 3, "Procedure": 1, "Encounter": 2},
    "VAC-NOTE_2023.01.xml": {"Immunization": 1},
    "VAC_2023.01.xml": {"Immunization": 4},
    "VSM_1.4_2022.01.xml": {
        "MedicationStatement": 2,
        "Condition": 4,
        "AllergyIntolerance": 1,
        "Procedure": 1,
        "Observation": 2,
        "FamilyMemberHistory": 1,
    },
    "eDISP-MED_2024.01.xml": {"MedicationDispense": 1},
    "eP-MED-DM_2024.01_PosoStruct.xml": {"Observation": 3, "MedicationRequest": 2, "DeviceRequest": 1},
}


def facts(name: str, type_: str | None = None) -> list[dict[str, Any]]:
    found = extract(parse.read(cda(name)))
    return [item.resource for item in found if type_ in (None, item.type)]


def codes(concept: dict[str, Any]) -> dict[str, str]:
    return {coding["system"]: coding["code"] for coding in concept["coding"]}


@pytest.mark.parametrize("name", cda_names())
def test_a_sample_gives_the_facts_that_it_holds(name: str):
    found = extract(parse.read(cda(name)))
    assert Counter(item.type for item in found) == EXPECTED.get(name, {})


@pytest.mark.parametrize("name", cda_names())
def test_every_fact_is_valid_fhir_once_its_patient_is_known(name: str):
    for item in extract(parse.read(cda(name))):
        resource = fhir_json.decode(fhir_json.encode(item.about(PATIENT).resource))
        errors = [issue for issue in validate(resource) if issue.severity in ("error", "fatal")]
        assert errors == [], item.key


@pytest.mark.parametrize("name", cda_names())
def test_keys_are_unique_and_the_same_every_time(name: str):
    once, again = extract(parse.read(cda(name))), extract(parse.read(cda(name)))
    assert once == again
    assert len({item.key for item in once}) == len(once)
    unique = parse.read(cda(name)).identifier.xds
    assert all(item.key.startswith(f"{unique}#") and item.key.endswith(f"#{EXTRACTOR_VERSION}") for item in once)


def test_a_result_keeps_its_digits_its_unit_and_its_range():
    tsh, t4 = facts("BIO-CR-BIO_2024.01_TSH_1.xml")
    assert codes(tsh["code"]) == {"http://loinc.org": "3016-3"}
    assert str(tsh["valueQuantity"]["value"]) == "1.950"
    assert b"1.950" in fhir_json.encode(tsh)
    assert tsh["valueQuantity"]["code"] == "m[IU]/L"
    assert tsh["referenceRange"][0]["low"]["value"] == Decimal("0.270")
    assert tsh["method"] == {"text": "(ECL Modular)"}
    assert tsh["effectiveDateTime"] == "2014-04-02T14:55:21+02:00"
    assert tsh["category"][1]["coding"][0]["code"] == "18719-5"
    assert t4["interpretation"][0]["coding"][0]["code"] == "L"


def test_an_antibiotic_result_says_on_which_organism():
    found = [
        item
        for item in facts("BIO-CR-BIO_2024.01_Electrophorese.xml")
        if codes(item["code"]).get("http://loinc.org") == "28-1"
    ]
    assert [item["note"][0]["text"] for item in found] == [
        "Escherichia coli (organism)",
        "Genus Streptococcus (organism)",
    ]
    assert found[0]["valueQuantity"]["comparator"] == "<"


def test_a_screening_result_is_coded():
    (result,) = facts("BIO-TROD_2024.01_Angine.xml")
    assert codes(result["valueCodeableConcept"]) == {"http://snomed.info/sct": "260385009"}


def test_the_two_pressures_make_one_blood_pressure():
    (pressure,) = [item for item in facts("DLU-EHPAD-FLUDT_2022.01.xml") if "component" in item]
    assert codes(pressure["code"]) == {"http://loinc.org": "85354-9"}
    assert [int(part["valueQuantity"]["value"]) for part in pressure["component"]] == [155, 85]


def test_a_vaccine_keeps_codes_lot_rank_and_reaction():
    (vaccine,) = facts("VAC-NOTE_2023.01.xml")
    assert codes(vaccine["vaccineCode"]) == {
        "urn:oid:1.2.250.1.213.2.3.1": "68747507",
        "http://www.whocc.no/atc": "J07AM",
        "urn:oid:1.2.250.1.213.2.3.2": "3400932857241",
    }
    assert (vaccine["status"], vaccine["occurrenceDateTime"]) == ("completed", "2009-09-28")
    assert vaccine["lotNumber"] == "4456672"
    assert vaccine["protocolApplied"][0]["doseNumberPositiveInt"] == 2
    assert vaccine["reaction"][0]["detail"]["reference"] == f"#{vaccine['contained'][0]['id']}"


def test_a_year_alone_stays_a_year():
    assert facts("VAC_2023.01.xml")[0]["occurrenceDateTime"] == "1975"


def test_a_vaccine_that_was_not_given_is_not_done():
    found = facts("CSE-CS8_2025.01.xml", "Immunization")
    assert [item["status"] for item in found] == ["not-done", "not-done"]
    assert "occurrenceDateTime" not in found[0]


def test_a_prescription_line_keeps_its_steps_and_limits():
    line, preparation = facts("eP-MED-DM_2024.01_PosoStruct.xml", "MedicationRequest")
    assert (line["status"], line["intent"]) == ("active", "order")
    steps = line["dosageInstruction"]
    assert [step["timing"]["repeat"]["period"] for step in steps] == [8, 12]
    assert [step["timing"]["repeat"]["boundsPeriod"]["end"] for step in steps] == ["2023-12-03", "2023-12-07"]
    assert steps[0]["maxDosePerPeriod"]["numerator"]["value"] == 4
    assert steps[0]["patientInstruction"] == "A prendre au cours d'un repas"
    assert line["dispenseRequest"]["numberOfRepeatsAllowed"] == 3
    assert line["substitution"]["allowedCodeableConcept"]["coding"][0]["code"] == "N"
    assert line["groupIdentifier"]["value"] == "urn:oid:1.2.250.1.213.1.1.1.39.2024.2.1"
    assert preparation["medicationCodeableConcept"]["text"].startswith("Préparation magistrale")


def test_a_dispensation_points_to_the_line_that_it_serves():
    (dispensed,) = facts("eDISP-MED_2024.01.xml")
    lines = dispensed["authorizingPrescription"]
    assert lines[0]["identifier"]["value"] == "urn:uuid:aadc9c14-f1ca-4177-b2c8-a5178d5b3ca0"
    assert dispensed["whenHandedOver"] == "2024-12-25T09:00:00+01:00"
    assert dispensed["substitution"]["wasSubstituted"] is True


def test_a_treatment_says_why_and_how():
    plavix, _ = facts("VSM_1.4_2022.01.xml", "MedicationStatement")
    assert plavix["status"] == "active"
    assert plavix["reasonCode"][0]["coding"][0]["code"] == "I20.0"
    assert plavix["dosage"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 2


def test_problems_say_how_they_stand():
    found = facts("IPS-FR_2024.01.xml", "Condition")
    standing = [item["clinicalStatus"]["coding"][0]["code"] for item in found]
    assert standing == ["active", "active", "active", "active", "recurrence", "resolved", "resolved"]
    assert found[5]["abatementDateTime"] == "2018-04-30"
    assert codes(found[0]["code"]) == {"http://hl7.org/fhir/sid/icd-10": "E06.3"}


def test_a_problem_that_is_denied_is_refuted():
    found = facts("CSE-CS8_2025.01.xml", "Condition")
    denied = [
        item for item in found if item.get("verificationStatus", {}).get("coding", [{}])[0].get("code") == "refuted"
    ]
    assert len(denied) == 2
    assert all("clinicalStatus" not in item for item in denied)


def test_an_allergy_names_its_agent_and_its_reactions():
    (allergy,) = facts("IPS-FR_2024.01.xml", "AllergyIntolerance")
    assert allergy["code"]["text"] == "Paracétamol"
    assert (allergy["type"], allergy["category"], allergy["criticality"]) == ("allergy", ["medication"], "low")
    assert [item["severity"] for item in allergy["reaction"]] == ["moderate", "mild"]


def test_an_equivalent_in_another_unit_is_kept():
    content = cda("BIO-CR-BIO_2024.01_TSH_1.xml").replace(
        b'<value xsi:type="PQ" value="7.67" unit="pg/mL"/>',
        b'<value xsi:type="PQ" value="7.67" unit="pg/mL"><translation value="9.87" code="pmol/L" '
        b'codeSystem="2.16.840.1.113883.6.8"/></value>',
    )
    value = extract(parse.read(content))[1].resource["valueQuantity"]
    assert value["extension"][0]["valueQuantity"]["code"] == "pmol/L"


def test_a_result_without_value_says_why():
    content = cda("BIO-CR-BIO_2024.01_TSH_1.xml").replace(
        b'<value xsi:type="PQ" value="7.67" unit="pg/mL"/>', b'<value xsi:type="PQ" nullFlavor="MSK"/>'
    )
    resource = extract(parse.read(content))[1].resource
    assert resource["dataAbsentReason"]["coding"][0]["code"] == "masked"
    assert validate({**resource, "subject": PATIENT}) == []


@pytest.mark.parametrize("number", ["1,95", "1e999999", "NaN", "0x10", "", "1" * 400, "01.5"])
def test_a_number_that_is_none_is_not_made_one(number: str):
    content = cda("BIO-CR-BIO_2024.01_TSH_1.xml").replace(b'value="1.950"', f'value="{number}"'.encode())
    for item in extract(parse.read(content)):
        assert validate(item.about(PATIENT).resource) == []


def test_the_patient_goes_where_the_type_wants_it():
    for name, element in (("VAC-NOTE_2023.01.xml", "patient"), ("BIO-TROD_2024.01_Angine.xml", "subject")):
        item: Extract = extract(parse.read(cda(name)))[0]
        assert element not in item.resource
        assert item.about(PATIENT).resource[element] == PATIENT


@given(st.sampled_from(["VAC-NOTE_2023.01.xml", "BIO-TROD_2024.01_Angine.xml"]), st.data())
def test_a_damaged_document_gives_valid_facts_or_none(name: str, data: st.DataObject):
    content = cda(name)
    values = [b'"', b"<", b'=""', b'="x"', b'nullFlavor="UNK" ', b"9" * 30, b"", b'="20231399"', b'="-1"']
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(len(content) // 2, len(content) - 1))
        # A cut at an attribute makes hostile but well-formed documents far more often than anywhere.
        start = content.find(b'="', start)
        if start < 0:
            return
        end = content.find(b'"', start + 2) + 1
        content = content[:start] + data.draw(st.sampled_from(values)) + content[end:]
    with contextlib.suppress(Refusal):
        for item in extract(parse.read(content)):
            errors = [issue for issue in validate(item.about(PATIENT).resource) if issue.severity == "error"]
            assert errors == []


def test_an_act_says_when_why_and_where_and_one_that_is_planned_is_a_request():
    done, *_ = facts("IPS-FR_2024.01.xml", "Procedure")
    assert codes(done["code"]) == {"urn:oid:1.2.250.1.215.300.1": "DDAF004"}
    assert (done["status"], done["performedDateTime"]) == ("completed", "2018-01-14")
    assert codes(done["reasonCode"][0])["http://hl7.org/fhir/sid/icd-10"] == "I21.1"
    planned, asked = facts("LDL-SES_2022.01.xml", "ServiceRequest")
    assert (planned["intent"], planned["priority"]) == ("plan", "urgent")
    assert asked["orderDetail"] == [{"text": "Suivi par le psychiatre à prévoir"}]
    assert asked["occurrenceDateTime"] == "2021-01-01"


def test_a_device_is_worn_or_prescribed():
    (worn, *_) = facts("IPS-FR_2024.01.xml", "DeviceUseStatement")
    assert codes(worn["contained"][0]["type"]) == {"urn:oid:1.2.250.1.213.2.68": "J010104"}
    assert worn["timingPeriod"] == {"start": "2019-08-11"}
    (bed,) = facts("eP-MED-DM_2024.01_PosoStruct.xml", "DeviceRequest")
    assert codes(bed["codeCodeableConcept"])["urn:oid:1.2.250.1.215.200.2.1"] == "1215702"
    assert bed["occurrencePeriod"] == {"start": "2023-12-01", "end": "2024-01-31"}


def test_what_was_reimbursed_is_acts_stays_devices_and_deliveries():
    (stay, _) = facts("CNAM-HR_2021.01.xml", "Encounter")
    assert (stay["class"]["code"], stay["period"]) == ("IMP", {"start": "2019-05-15", "end": "2019-05-30"})
    assert stay["serviceProvider"]["display"] == "CLINIQUE SAINTE GENEVIEVE"
    delivered = facts("CNAM-HR_2021.01.xml", "MedicationDispense")[0]
    assert delivered["medicationCodeableConcept"]["text"] == "LUDEAL CPR3/21"
    assert (delivered["whenHandedOver"], int(delivered["quantity"]["value"])) == ("2019-05-26", 1)
    general, *_ = facts("CNAM-HR_2021.01.xml", "Procedure")
    assert codes(general["code"]) == {"urn:oid:1.2.250.1.215.200.3.3": "G"}
    assert general["performer"][0]["actor"]["identifier"]["value"] == "10100997245"


def test_habits_pregnancies_abilities_and_family_are_told():
    found = {
        codes(item["code"]).get("http://loinc.org"): item for item in facts("IPS-FR_2024.01.xml") if "code" in item
    }
    assert str(found["74011-8"]["valueQuantity"]["value"]) == "25"
    assert codes(found["72166-2"]["valueCodeableConcept"]) == {"http://loinc.org": "LA18976-3"}
    assert found["11778-8"]["valueDateTime"] == "2024-09-03"
    assert found["89247-1"]["category"][0]["coding"][0]["code"] == "survey"
    (mother,) = facts("IPS-FR_2024.01.xml", "FamilyMemberHistory")
    assert codes(mother["relationship"])["http://terminology.hl7.org/CodeSystem/v3-RoleCode"] == "MTH"
    assert codes(mother["condition"][0]["code"])["http://hl7.org/fhir/sid/icd-10"] == "D57.1"


def test_what_is_said_of_the_mother_of_a_child_is_no_fact_about_the_child():
    said = [codes(item["code"]) for item in facts("CSE-CS8_2025.01.xml", "Observation")]
    heights = [one for one in said if one.get("http://loinc.org") == "8302-2"]
    assert len(heights) == 1, "the height of the child, not that of the mother before the birth"
    assert not any(one.get("http://loinc.org") in ("74013-4", "11996-6") for one in said)


def test_a_discharge_letter_states_its_stay():
    said = {
        item["code"]["coding"][0]["code"]: item
        for item in facts("LDL-SES_2022.01.xml", "Observation")
        if "coding" in item["code"]
    }
    assert said["MED-142"]["valueString"] == "Infection respiratoire aigüe"
    assert said["MED-309"]["valueBoolean"] is True


def test_an_imaging_study_is_its_ids_and_no_address():
    studies = facts("IMG_CR_IMG_2024.01.xml", "ImagingStudy")
    assert studies[0]["identifier"][0]["value"] == "urn:oid:1.2.250.1.925.994044.27.123.1876360"
    assert studies[0]["series"][0]["modality"]["code"] == "CT"
    assert all(b"http://www.example.org" not in fhir_json.encode(study) for study in studies)


def test_what_a_document_states_twice_in_the_same_words_is_one_fact():
    sample = cda("IPS-FR_2024.01.xml")
    begin = sample.index(b"<entry", sample.index(b"1.2.250.1.213.1.1.2.136"))
    end = sample.index(b"</entry>", begin) + len(b"</entry>")
    twice = sample[:end] + sample[begin:end] + sample[end:]
    kinds = [Counter(item.type for item in extract(parse.read(content))) for content in (sample, twice)]
    assert kinds[0] == kinds[1]
