"""What a header lacks of the minimal structure of the CI-SIS, beyond what filing needs: advice, not refusals.

The published Schematron rules say more and are run in tests; these are the rules that cost nothing at deposit, so that
a producer's software hears about them without its document being turned away.
"""

from collections.abc import Iterator

from ambroise.kernel.errors import Issue
from ambroise.modules.record import tables
from ambroise.modules.record.cda.model import ClinicalDocument, Code, Level
from ambroise.modules.record.cda.nodes import attribute, one

_FRENCH = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1")
_UNSTRUCTURED = "1.3.6.1.4.1.19376.1.2.20"
_HL7_FRAME = ("2.16.840.1.113883.1.3", "POCD_HD000040")


def header_advice(document: ClinicalDocument) -> list[Issue]:
    """The rules of the minimal structure that a document breaks, as warnings that name the element."""
    found = (*_frame(document), *_identity(document), *_codes(document), *_people(document))
    return [Issue("warning", "business-rule", words, f"ClinicalDocument/{path}") for path, words in found]


def _frame(document: ClinicalDocument) -> Iterator[tuple[str, str]]:
    root = document.source.root
    if attribute(root, "code", "realmCode") != "FR":
        yield "realmCode", "must be FR"
    type_id = one(root, "typeId")
    if (attribute(type_id, "root"), attribute(type_id, "extension")) != _HL7_FRAME:
        yield "typeId", "must be that of CDA R2"
    declared = {item.root for item in document.templates}
    for template in (*_FRENCH, *((_UNSTRUCTURED,) if document.level is Level.UNSTRUCTURED else ())):
        if template not in declared:
            yield "templateId", f"{template} must be declared"
    if document.set_id is None:
        yield "setId", "must be given"
    if document.version is None:
        yield "versionNumber", "must be a positive number"
    if document.custodian is None or not document.custodian.identifiers:
        yield "custodian", "must name the structure that keeps the document"


def _identity(document: ClinicalDocument) -> Iterator[tuple[str, str]]:
    patient = document.patient
    if patient.ins is None:
        return
    traits = {
        "name/given[@qualifier='BR']": patient.first_given,
        "name/given": patient.given_names,
        "birthplace/place/addr/county": patient.birth_place,
    }
    for path, value in traits.items():
        if not value:
            yield f"recordTarget/patientRole/patient/{path}", "must be given with an INS"


def _codes(document: ClinicalDocument) -> Iterator[tuple[str, str]]:
    yield from _in_table(document.encounter.code, "encounter_type", "componentOf/encompassingEncounter/code")
    for author in document.authors:
        yield from _in_table(author.function, "author_role", "author/functionCode")
        yield from _in_table(author.actor.code, "author_specialty", "author/assignedAuthor/code")
    if not tables.contains("sex", document.patient.sex):
        yield "recordTarget/patientRole/patient/administrativeGenderCode", "is not a code of JDV_J143"
    if not document.code.display:
        yield "code/@displayName", "must be given"


def _people(document: ClinicalDocument) -> Iterator[tuple[str, str]]:
    for author in document.authors:
        if author.time is None:
            yield "author/time", "must be given"
        if (author.actor.person is None) == (author.actor.device is None):
            yield "author/assignedAuthor", "must be a person or a device"
    main = document.service_events[0]
    if main.performer is None:
        yield "documentationOf/serviceEvent/performer", "must be given for the main act"


def _in_table(code: Code | None, table: str, path: str) -> Iterator[tuple[str, str]]:
    if code and not tables.contains(table, code.code, code.system or None):
        yield path, f"{code.code} is not a code of {tables.table(table).source.removesuffix('.xml')}"
