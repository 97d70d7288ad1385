"""From the header of a CDA document to the record's metadata (DocumentEntry of XDS, reference of the DMP)."""

from enum import StrEnum

from msgspec import Struct

from ambroise.kernel.errors import Issue
from ambroise.modules.record import tables
from ambroise.modules.record.cda.model import (
    Author,
    ClinicalDocument,
    Code,
    Identifier,
    LegalAuthenticator,
    Moment,
    Organization,
    Patient,
)

MIME_TYPE = "text/xml"


class ReferenceType(StrEnum):
    """The kinds of identifiers that link a document to something else (JDV_J231)."""

    ACCESSION = "urn:ihe:iti:xds:2013:accession"
    ORDER = "urn:ihe:iti:xds:2013:order"
    STUDY = "urn:ihe:iti:xds:2016:studyInstanceUID"


class ReferenceId(Struct, frozen=True):
    """An identifier shared with an order, an accession or an imaging study (CXi)."""

    type: ReferenceType
    identifier: Identifier


class DocumentMetadata(Struct, frozen=True):
    """What is filed about a document, all of it taken from its header.

    `class_` and `format` are None when no table gives them; `practice_setting` is None when no act states it.
    """

    identifier: Identifier
    set_id: Identifier | None
    version: int | None
    type: Code
    class_: Code | None
    format: str | None
    mime_type: str
    title: str
    language: str
    creation: Moment
    service_start: Moment
    service_stop: Moment | None
    confidentiality: tuple[Code, ...]
    events: tuple[Code, ...]
    facility: Code
    practice_setting: Code | None
    authors: tuple[Author, ...]
    legal_authenticator: LegalAuthenticator
    custodian: Organization | None
    source_patient: Patient
    patient_id: Identifier | None
    source_patient_id: Identifier | None
    replaces: tuple[Identifier, ...]
    references: tuple[ReferenceId, ...]


def metadata(document: ClinicalDocument) -> DocumentMetadata:
    """The metadata that a document's header implies."""
    begun = [event for event in document.service_events if event.period.low]
    main = begun[0]
    facility = document.encounter.facility
    # `read` has refused a document without these two.
    assert main.period.low is not None  # noqa: S101
    assert facility is not None  # noqa: S101
    patient = document.patient
    return DocumentMetadata(
        identifier=document.identifier,
        set_id=document.set_id,
        version=document.version,
        type=document.code,
        class_=_class(document.code),
        format=document.format,
        mime_type=MIME_TYPE,
        title=document.title,
        language=document.language,
        creation=document.effective_time,
        service_start=main.period.low,
        service_stop=main.period.high,
        confidentiality=document.confidentiality,
        events=_events(document),
        facility=facility,
        practice_setting=_practice_setting(document),
        authors=document.authors,
        legal_authenticator=document.legal_authenticator,
        custodian=document.custodian,
        source_patient=patient,
        patient_id=patient.ins,
        source_patient_id=patient.local_identifier or patient.ins,
        replaces=document.replaces,
        references=_references(document),
    )


def code_problems(
    *,
    type_: Code,
    class_: Code | None,
    format_: str | None,
    facility: Code | None,
    practice_setting: Code | None,
    confidentiality: tuple[Code, ...],
) -> list[Issue]:
    """The codes of a document's metadata that the national tables do not allow, each with its code of refusal.

    Serves every way in: `details_code` is TYPE_UNKNOWN, CLASS_TYPE_MISMATCH, FORMAT_UNKNOWN, FACILITY_UNKNOWN,
    PRACTICE_SETTING_UNKNOWN or CONFIDENTIALITY_UNKNOWN. A format that is absent (None) is a format unknown.
    """
    found: list[Issue] = []

    def problem(code: str, element: str, words: str) -> None:
        found.append(Issue("error", "code-invalid", words, element, code))

    expected = tables.class_of_type(type_.code)
    if not tables.contains("document_type", type_.code, type_.system or None):
        problem("TYPE_UNKNOWN", "type", f"{type_.system}|{type_.code} is not a document type of JDV_J07")
    elif class_ is None or class_.code != expected:
        said = class_.code if class_ else "none"
        problem("CLASS_TYPE_MISMATCH", "class", f"type {type_.code} belongs to class {expected}, not {said}")
    if format_ is None or not tables.is_format(format_):
        problem("FORMAT_UNKNOWN", "format", f"{format_ or 'no format'}: use a code of JDV_J60 that fits the content")
    if facility is None or not tables.contains("facility_type", facility.code, facility.system or None):
        problem("FACILITY_UNKNOWN", "facility", "the kind of facility is not a code of JDV_J02")
    if practice_setting is None or not tables.contains(
        "practice_setting", practice_setting.code, practice_setting.system or None
    ):
        problem("PRACTICE_SETTING_UNKNOWN", "practiceSetting", "the practice setting is not a code of JDV_J04")
    for item in confidentiality:
        if not tables.contains("confidentiality", item.code, item.system or None):
            problem("CONFIDENTIALITY_UNKNOWN", "confidentiality", f"{item.code} is not a code of JDV_J08")
    return found


def _class(type_: Code) -> Code | None:
    code = tables.class_of_type(type_.code)
    return Code(code, tables.CLASS_SYSTEM, tables.class_label(code)) if code else None


def _events(document: ClinicalDocument) -> tuple[Code, ...]:
    found = {(event.code.system, event.code.code): event.code for event in document.service_events if event.code}
    return tuple(found.values())


def _practice_setting(document: ClinicalDocument) -> Code | None:
    performers = (event.performer for event in document.service_events if event.performer)
    authors = (author.actor for author in document.authors)
    for actor in (*performers, *authors, document.legal_authenticator.actor):
        if actor.organization and actor.organization.setting:
            return actor.organization.setting
    return None


def _references(document: ClinicalDocument) -> tuple[ReferenceId, ...]:
    found: dict[ReferenceId, None] = {}
    for order in document.orders:
        for identifier in order.identifiers:
            found[ReferenceId(ReferenceType.ORDER, identifier)] = None
        for identifier in order.accession_numbers:
            found[ReferenceId(ReferenceType.ACCESSION, identifier)] = None
    for study in document.studies:
        found[ReferenceId(ReferenceType.STUDY, study)] = None
    return tuple(found)
