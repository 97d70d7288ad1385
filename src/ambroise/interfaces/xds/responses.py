"""RegistryResponse and its errors (IHE ITI TF-3, 4.2.4.1): each refusal under its code in XDS, with ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lxml import etree
from msgspec import Struct

from ambroise.interfaces.soap import Element
from ambroise.interfaces.xds.names import ERROR, FAILURE, PARTIAL, RIM, RS, SUCCESS, WARNING, tag
from ambroise.kernel.errors import Kind, Refusal

_CODES: Final[Mapping[str, str]] = {
    "DMP_NOT_FOUND": "XDSUnknownPatientId",
    "DUPLICATE_UNIQUE_ID": "XDSNonIdenticalHash",
    "INS_INVALID": "XDSUnknownPatientId",
    "INS_NOT_QUALIFIED": "XDSUnknownPatientId",
    "REPLACED_ALREADY": "XDSRegistryDeprecatedDocumentError",
    "REPLACEMENT_OTHER_PATIENT": "XDSPatientIdDoesNotMatch",
    "SUBMISSION_SEVERAL_PATIENTS": "XDSPatientIdDoesNotMatch",
    "TRAITS_MISMATCH": "XDSPatientIdDoesNotMatch",
    "VIHF_PATIENT": "XDSPatientIdDoesNotMatch",
    "XDS_DOCUMENT_MISSING": "XDSMissingDocument",
    "XDS_DOCUMENT_WITHOUT_METADATA": "XDSMissingDocumentMetadata",
    "XDS_DUPLICATE_IN_MESSAGE": "XDSRepositoryDuplicateUniqueIdInMessage",
    "XDS_UNKNOWN_QUERY": "XDSUnknownStoredQuery",
    "XDS_PARAMETER_MISSING": "XDSStoredQueryMissingParam",
    "XDS_PARAMETER_NUMBER": "XDSStoredQueryParamNumber",
    "XDS_TOO_MANY": "XDSTooManyResults",
    "XDS_SEVERAL_PATIENTS": "XDSResultNotSinglePatient",
    "XDS_UNKNOWN_REPOSITORY": "XDSUnknownRepositoryId",
    "XDS_UNKNOWN_DOCUMENT": "XDSDocumentUniqueIdError",
    "XDS_ANSWER_TOO_LARGE": "XDSRepositoryOutOfResources",
    # Metadata updates (IHE ITI XDS Metadata Update, 4.2.4.1-2): what is not understood is an operation error, what
    # is understood and may not be is an update error; another patient, unique id or version have codes of their own.
    "XDS_UPDATE_UNKNOWN": "XDSMetadataUpdateOperationError",
    "XDS_UNRESOLVED": "XDSMetadataUpdateError",
    "XDS_STATUS_MISMATCH": "XDSMetadataUpdateError",
    "XDS_STATUS_UNKNOWN": "XDSMetadataUpdateError",
    "METADATA_IMMUTABLE": "XDSMetadataUpdateError",
    "STATUS_CHANGE_FORBIDDEN": "XDSMetadataUpdateError",
    "WITHHOLDING_AT_FILING": "XDSMetadataUpdateError",
    "METADATA_PATIENT": "XDSPatientIDReconciliationError",
    "METADATA_IDENTIFIER": "XDSMetadataIdentifierError",
    "VERSION_MISMATCH": "XDSMetadataVersionError",
}
_KINDS: Final[Mapping[Kind, str]] = {
    Kind.UNPROCESSABLE: "MetadataError",
    Kind.THROTTLED: "Busy",
    Kind.UNAVAILABLE: "Busy",
}


class Problem(Struct, frozen=True):
    """One error or warning: the code of XDS, and ours with what to do in its context."""

    code: str
    context: str
    location: str = ""
    severity: str = ERROR


def problems_of(refusal: Refusal, actor: str, location: str = "") -> list[Problem]:
    """What a refusal says; `actor` is Registry or Repository, which names the codes that say no more."""
    usual = f"XDS{actor}{_KINDS.get(refusal.kind, 'Error')}"
    if actor == "Repository" and refusal.kind is Kind.INVALID:
        usual = "XDSRepositoryMetadataError"
    if not refusal.issues:
        context = f"{refusal.code}: {refusal.diagnostics}"
        return [Problem(_code(refusal, usual), context, _at(location, refusal.element))]
    return [
        Problem(
            _CODES.get(issue.details_code or "", usual),
            f"{issue.details_code or refusal.code}: {issue.diagnostics}",
            _at(location, issue.expression),
        )
        for issue in refusal.issues
    ]


def warning(ours: str, text: str, location: str) -> Problem:
    """Something that was not kept, in a submission that was."""
    return Problem("XDSExtraMetadataNotSaved", f"{ours}: {text}", location, WARNING)


def registry_response(
    problems: Sequence[Problem], *, some: bool = False, slots: Mapping[str, Sequence[str]] | None = None
) -> Element:
    """The answer: Success, with warnings perhaps; Failure; PartialSuccess when `some` was done beside the errors.

    `slots`: what else there is to say.
    """
    failed = any(one.severity == ERROR for one in problems)
    response = etree.Element(tag(RS, "RegistryResponse"), nsmap={"rs": RS})
    if slots:
        listed = etree.SubElement(response, tag(RS, "ResponseSlotList"))
        for name, values in slots.items():
            slot = etree.SubElement(listed, tag(RIM, "Slot"), {"name": name}, nsmap={"rim": RIM})
            held = etree.SubElement(slot, tag(RIM, "ValueList"))
            for value in values:
                etree.SubElement(held, tag(RIM, "Value")).text = value
    fill_response(response, problems, PARTIAL if failed and some else FAILURE if failed else SUCCESS)
    return response


def fill_response(response: Element, problems: Sequence[Problem], status: str) -> None:
    """Write the status and the errors into an answer."""
    response.set("status", status)
    if not problems:
        return
    listed = etree.SubElement(response, tag(RS, "RegistryErrorList"), nsmap={"rs": RS})
    listed.set("highestSeverity", ERROR if any(one.severity == ERROR for one in problems) else WARNING)
    for one in problems:
        error = etree.SubElement(listed, tag(RS, "RegistryError"))
        error.set("codeContext", one.context)
        error.set("errorCode", one.code)
        error.set("location", one.location)
        error.set("severity", one.severity)


def _code(refusal: Refusal, usual: str) -> str:
    if refusal.code == "METADATA_MISMATCH" and refusal.element == "DocumentReference.subject":
        return "XDSPatientIdDoesNotMatch"
    if refusal.code == "DUPLICATE_UNIQUE_ID" and refusal.data.get("withdrawn"):
        # Its bytes may be the very same: what stands in the way is that it was there.
        return "XDSDuplicateUniqueIdInRegistry"
    return _CODES.get(refusal.code, usual)


def _at(location: str, element: str | None) -> str:
    return " ".join(part for part in (location, element) if part)
