"""Documents of every kind pass the CDA schema and the Schematron rules of the CI-SIS."""

from datetime import date

import pytest

from ambroise.interfaces.demonstration.care import all_documents
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.corridors import corridor_documents
from ambroise.interfaces.demonstration.documents import Biology, Document, Prescription, Text, Vaccination
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.demonstration.reports import Discharge, Dispensation, Imaging, Transfer
from tests.support.cda_samples import needs_samples
from tests.support.schematron import check_cda, xsd_findings

pytestmark = [needs_samples, pytest.mark.slow]

RULES = {
    Biology: "CI-SIS_BIO-CR-BIO_2024.01.sch",
    Vaccination: "CI-SIS_VAC-NOTE_2023.01.sch",
    Prescription: "CI-SIS_EP-MED-DM_2024.01.sch",
    Imaging: "CI-SIS_IMG-CR-IMG_2024.01.sch",
    Discharge: "CI-SIS_LDL-SES_2022.01.sch",
    Dispensation: "CI-SIS_eDISP-MED_2024.01.sch",
    Transfer: "CI-SIS_DLU-EHPAD-FLUDT_2022.01.sch",
}
FIRST_STRUCTURED_PRESCRIPTIONS = 2025


def documents() -> list[Document]:
    return list(all_documents(build("conformance", 250, until=date(2026, 11, 1))))


def one_of_each() -> dict[str, Document]:
    """The first document of each type, author's profession, kind of replacement or setting, and level."""
    found: dict[str, Document] = {}
    for document in documents():
        who = document.author.role if document.author else "citizen"
        scanned = isinstance(document.content, Prescription) and document.moment.year < FIRST_STRUCTURED_PRESCRIPTIONS
        kind = f"{document.type.code} {who} {document.encounter} {bool(document.replaces)} {scanned}"
        found.setdefault(kind, document)
    return found


SAMPLE = one_of_each()


@pytest.mark.parametrize("name", SAMPLE)
def test_each_kind_passes_schema_and_schematron(name: str) -> None:
    document = SAMPLE[name]
    content = CdaWriter().write(document)
    rules = None if b"<nonXMLBody>" in content else RULES[type(document.content)]
    findings = check_cda(content, rules)
    assert [str(finding) for finding in findings] == []


CORRIDORS = corridor_documents(build("example", 1, until=date(2026, 1, 31)))


@pytest.mark.parametrize("name", CORRIDORS)
def test_the_document_of_each_corridor_is_structured_and_passes_schema_and_schematron(name: str) -> None:
    document = CORRIDORS[name]
    content = CdaWriter().write(document)
    assert b"<structuredBody>" in content
    assert [str(finding) for finding in check_cda(content, RULES[type(document.content)])] == []


def test_the_sample_covers_every_way_of_writing() -> None:
    kinds = {type(document.content) for document in SAMPLE.values()}
    assert kinds == {Text, Biology, Vaccination, Prescription}
    assert any(document.author is None for document in SAMPLE.values())
    assert any(document.replaces for document in SAMPLE.values())
    structured = {name for name, one in SAMPLE.items() if b"<structuredBody>" in CdaWriter().write(one)}
    assert {type(SAMPLE[name].content) for name in structured} == {Biology, Vaccination, Prescription}
    assert any(type(SAMPLE[name].content) is Prescription for name in SAMPLE.keys() - structured)


def test_many_documents_pass_the_schema() -> None:
    writer = CdaWriter()
    for document in documents()[::9]:
        assert xsd_findings(writer.write(document)) == []
