"""What modules write of their own passes the CDA schema and the Schematron rules, and is read back as it was said."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from msgspec.structs import replace

from ambroise.modules.record.api import Identifier, read_cda, write
from ambroise.modules.record.cda.extract import extract
from ambroise.modules.record.cda.metadata import metadata
from ambroise.modules.record.replacement import former
from tests.support.cda_samples import needs_samples
from tests.support.schematron import check_cda

pytestmark = needs_samples

MOMENT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
INS_TEST = "1.2.250.1.213.1.4.10"
PRACTICE = write.Structure(
    "1750803447",
    "Cabinet de la Loire & du Cher",
    write.Coded("SA07", "Cabinet individuel", "1.2.250.1.71.4.2.4"),
    write.Coded("AMBULATOIRE", "Ambulatoire", "1.2.250.1.213.1.1.4.9"),
)
DOCTOR = write.Professional(
    "801234567897",
    "MULLER",
    "Charles",
    write.Coded("G15_10/SM26", "Médecin - Qualifié en Médecine Générale (SM)", "1.2.250.1.213.1.1.4.5"),
    PRACTICE,
    title="DR",
)
# Nothing but what the identity always has: no address, no telephone, no number of a structure.
PATIENT = write.Patient(
    "279035121518989", INS_TEST, "PAT-TROIS", ("DOMINIQUE", "MARIE-LOUISE"), "F", date(1979, 3, 28), "51215"
)
ORAL = write.Coded("20053000", "Voie orale", write.EDQM)


def head(code: str, label: str, title: str, *, author: write.Professional | None = DOCTOR) -> write.Head:
    keeper = None if author else write.Structure("2999000017", "Opérateur")
    kind = write.Coded(code, label, write.LOINC)
    uid = "1.2.250.1.999.1.7.1"
    return write.Head(uid, kind, title, MOMENT, MOMENT, PATIENT, author, keeper)


def errors(content: bytes, rules: str | None = None) -> list[str]:
    return [str(finding) for finding in check_cda(content, rules)]


def test_a_vaccination_note_with_nothing_but_the_essential_passes_the_rules_and_is_read_back():
    injection = write.Injection(
        write.Vaccine("ROTARIX", "60886387", atc="J07BH01", protects="Rotavirus"),
        date(2026, 3, 4),
        write.PRIMARY,
        rank=2,
        lot="A<1>",
        route=ORAL,
    )
    content = write.vaccination_note(
        write.Header(), head("87273-9", "Note de vaccination", "Note de vaccination"), injection
    )
    assert errors(content, "CI-SIS_VAC-NOTE_2023.01.sch") == []
    (found,) = extract(read_cda(content))
    assert found.resource["lotNumber"] == "A<1>"
    assert found.resource["occurrenceDateTime"] == "2026-03-04"
    assert found.resource["protocolApplied"][0]["doseNumberPositiveInt"] == 2


def test_a_vaccination_that_its_author_only_saw_proof_of_names_no_performer():
    seen = write.Injection(write.Vaccine("Vaccin de la grippe"), "2019-05", seen="Au vu du carnet de vaccination")
    booklet = head("11369-6", "Historique des vaccinations", "Vaccination confirmée")
    content = write.vaccination_history(write.Header(), booklet, (seen,))
    assert errors(content, "CI-SIS_VAC_2023.01.sch") == []
    (found,) = extract(read_cda(content))
    assert found.resource["occurrenceDateTime"] == "2019-05"
    assert "performer" not in found.resource


def test_a_history_of_vaccinations_passes_the_rules_even_with_a_year_alone_and_no_code():
    injections = (
        write.Injection(write.Vaccine("BCG", atc="J07AN", protects="Vaccin antituberculeux"), "1979", performer=DOCTOR),
        write.Injection(write.Vaccine("REPEVAX", "67619892", cip="3400937082365"), date(2014, 5, 2), write.BOOSTER),
    )
    content = write.vaccination_history(
        write.Header(), head("11369-6", "Historique des vaccinations", "Historique de vaccinations"), injections
    )
    assert errors(content, "CI-SIS_VAC_2023.01.sch") == []
    days = [found.resource["occurrenceDateTime"] for found in extract(read_cda(content))]
    assert days == ["1979", "2014-05-02"]


TREATING = write.Professional(
    "801234567806", "SIMON", "Anne", DOCTOR.specialty, PRACTICE, civility="MME", title="DR", phone="0140000000"
)
PARTS = {
    "problems": (
        write.Line("Asthme", write.Coded("J45.9", "Asthme, sans précision", write.CIM_10), start="2011-05"),
        write.Line("Mal de dos <chronique>", about="Le matin & le soir"),
    ),
    "past": (
        write.Line("Pyélonéphrite", write.Coded("N10", "Pyélonéphrite aiguë", write.CIM_10), "2018-04-22", "2018-05"),
        write.Line("Varicelle"),
    ),
    "acts": (write.Line("Appendicectomie", start="1999"), write.Line("Séjour", start="2001", end="2001-02-03")),
    "allergies": (
        write.Line("Néomycine", write.Coded("J01GB05", "Néomycine", write.ATC), about="Urticaire"),
        write.Line("Arachide", start="2003"),
    ),
    "habits": (
        write.Line("Tabac", about="A arrêté en 2010", kind=write.Coded("72166-2", "Statut tabagique", write.LOINC)),
        write.Line("Alcool", about="Jamais", kind=write.Coded("74013-4", "Consommation d'alcool", write.LOINC)),
        write.Line("Sommeil", about="Six heures"),
    ),
    "family": (
        write.Line(
            "Infarctus",
            write.Coded("I21.9", "Infarctus aigu du myocarde, sans précision", write.CIM_10),
            about="Mère",
            kind=write.Coded("MTH", "Mère", "2.16.840.1.113883.5.111"),
        ),
        write.Line("Diabète", about="Oncle"),
    ),
    "results": (write.Line("Poids", start="2026-03-01", about="62 kg"),),
    "treatments": (
        write.Line("PLAVIX 75 mg", write.Coded("63564053", "PLAVIX 75 mg", write.CIS), "2019-08-11", about="1 cp/j"),
        write.Line("Clopidogrel", write.Coded("B01AC04", "Clopidogrel", write.ATC), end="2020"),
        write.Line("Tisane"),
    ),
}


@pytest.mark.parametrize("left_out", [(), ("problems", "habits"), ("treatments", "family", "results"), tuple(PARTS)])
def test_a_synthesis_passes_the_rules_whatever_is_left_out_of_it(left_out: tuple[str, ...]):
    said = {"alerts": ("Hémibloc.",), "risks_said": ("Handicap : sensoriel.",)}
    if "problems" in left_out:
        said["history_said"] = ("Pathologies : aucune, dit le patient.",)
    content = write.Synthesis(**{name: part for name, part in PARTS.items() if name not in left_out}, **said)
    written = head("SYNTH", "Synthèse", "Synthèse médicale")
    written = msgspec.structs.replace(written, type=write.SYNTHESIS_TYPE)
    document = write.medical_synthesis(write.Header(), written, TREATING, content)
    assert errors(document, "CI-SIS_VSM_1.4_2022.01.sch") == []
    found = extract(read_cda(document))
    assert {one.type for one in found} == {_TYPES[name] for name in PARTS if name not in left_out} - {""}
    if not left_out:
        assert [one.resource["code"]["text"] for one in found if one.type == "AllergyIntolerance"] == [
            "Néomycine",
            "Arachide",
        ]
        stood = [one.resource for one in found if one.type == "Condition"]
        assert [one["clinicalStatus"]["coding"][0]["code"] for one in stood] == [
            *("active", "active"),
            *("resolved", "inactive"),
        ]


_TYPES = {
    "problems": "Condition",
    "past": "Condition",
    "acts": "Procedure",
    "allergies": "AllergyIntolerance",
    "habits": "Observation",
    "family": "FamilyMemberHistory",
    "results": "",
    "treatments": "MedicationStatement",
}


@pytest.mark.parametrize("left_out", [(), ("treatments", "family", "results"), tuple(PARTS)])
def test_a_patient_summary_passes_the_rules_whatever_is_left_out_of_it(left_out: tuple[str, ...]):
    written = msgspec.structs.replace(head("60591-5", "", "Synthèse médicale"), type=write.PATIENT_SUMMARY_TYPE)
    said = {"problems": "Pathologies : aucune, dit le patient.", "allergies": "Aucune <connue>"} if left_out else {}
    content = write.PatientSummary(
        **{name: part for name, part in PARTS.items() if name not in left_out},
        alerts=("Hémibloc.",) if left_out else (),
        said=said,
    )
    document = write.patient_summary(write.Header(), written, None if left_out else TREATING, content)
    assert errors(document, "CI-SIS_IPS-FR_2024.01.sch") == []
    found = extract(read_cda(document))
    assert {one.type for one in found} == {_TYPES[name] for name in PARTS if name not in left_out} - {""}
    assert metadata(read_cda(document)).format == "urn:ihe:pcc:ips:2020"


def test_a_plan_of_prevention_passes_the_rules_and_its_lines_are_read_back_as_one_care_plan():
    aims = (
        write.Aim("Tabac", "Moins de cinq cigarettes & bientôt aucune", "Un paquet par semaine", date(2026, 6, 4)),
        write.Aim("Bouger <plus>", "Marcher"),
    )
    steps = (write.Step("Vaccin", "Rappel dTP", date(2026, 4, 1)), write.Step("Conseil", "Ligne 39 89"))
    written = head("83869-8", "Plan personnalisé de prévention", "Plan personnalisé de prévention")
    whole = write.PreventionPlan("Bilan prévention 45-50 ans", aims, steps, ("Nouveau point dans trois mois.",))
    content = write.prevention_plan(write.Header(), written, whole)
    assert errors(content) == []
    (found,) = extract(read_cda(content))
    assert found.resource["resourceType"] == "CarePlan"
    lines = [
        (line["code"]["text"], line["description"], line.get("scheduledPeriod", {}).get("end"))
        for line in (activity["detail"] for activity in found.resource["activity"])
    ]
    assert lines == [
        ("Tabac", "Moins de cinq cigarettes & bientôt aucune", "2026-06-04"),
        ("Bouger <plus>", "Marcher", None),
        ("Vaccin", "Rappel dTP", "2026-04-01"),
        ("Conseil", "Ligne 39 89", None),
    ]
    short = write.prevention_plan(write.Header(), written, write.PreventionPlan("Bilan", aims[1:]))
    assert errors(short) == []


def test_a_letter_in_sections_passes_the_rules_whoever_wrote_it():
    reason = write.Coded("42349-1", "Raison de la recommandation", write.LOINC)
    words = (write.Words(reason, "Motif", ("Toux < 3 semaines & fièvre.", "Avis demandé.")),)
    written = head("96349-6", "Lettre d'adressage", "Lettre d'adressage")
    content = write.letter(write.Header(), written, words)
    assert errors(content) == []
    read = read_cda(content)
    assert (read.title, read.patient.birth_name, read.version) == ("Lettre d'adressage", "PAT-TROIS", 1)
    own = write.file_document(
        write.Header(), head("11488-4", "CR ou fiche de consultation ou de visite", "Lettre", author=None), b"%PDF-1.4"
    )
    assert errors(own) == []


def test_each_version_replaces_the_one_before_within_the_set_of_the_first():
    first = head("96349-6", "Lettre d'adressage", "Lettre")
    written = [read_cda(write.file_document(write.Header(), first, b"%PDF-1.4"))]
    for uid in ("1.2.250.1.999.1.7.2", "1.2.250.1.999.1.7.3"):
        following = replace(first, uid=uid, replaces=write.Former.of(written[-1]))
        content = write.file_document(write.Header(), following, b"%PDF-1.4")
        assert errors(content) == []
        written.append(read_cda(content))
    assert [one.version for one in written] == [1, 2, 3]
    assert {one.set_id for one in written} == {written[0].identifier}
    assert [one.replaces for one in written] == [(), (written[0].identifier,), (written[1].identifier,)]


def test_the_set_and_number_of_software_elsewhere_go_on():
    """Its identifiers have an extension or are a UUID; a file without a header is the first of its own set."""
    first = head("96349-6", "Lettre d'adressage", "Lettre")
    theirs = write.Former(Identifier("1.2.3", "D-<7>"), Identifier("90e1c8ec-f951-4b26-a305-a34848818dd6"), 7)
    content = write.file_document(write.Header(), replace(first, replaces=theirs), b"%PDF-1.4")
    assert errors(content) == []
    read = read_cda(content)
    assert (read.version, read.set_id, read.replaces) == (8, theirs.set_id, (theirs.id,))
    assert former("urn:uuid:90e1c8ec-f951-4b26-a305-a34848818dd6", b"%PDF-1.4") == write.Former.first(theirs.set_id)


def test_what_xml_cannot_hold_is_left_out_of_what_is_written():
    assert write.escape('a\x00b\x1b "<&>"\ud800') == "ab &quot;&lt;&amp;&gt;&quot;"
