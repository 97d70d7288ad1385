"""ITI-41 Provide and Register Document Set-b (TD2.1, TD2.2): a submission for the use case that files documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.interfaces.fhir_rest.checking import require_valid
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import Element, Malformed
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller
from ambroise.interfaces.xds.ebrim import Association, RegistryObject, read_association, read_object
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.entries import invalid, reference_of
from ambroise.interfaces.xds.names import (
    ENTRY,
    ENTRY_FORMAT,
    ENTRY_PATIENT,
    ENTRY_UNIQUE_ID,
    FOLDER,
    HAS_MEMBER,
    LCM,
    RIM,
    RPLC,
    SET_PATIENT,
    SIGNATURE_FORMAT,
    SIGNS,
    SUBMISSION_SET,
    XDSB,
    tag,
)
from ambroise.interfaces.xds.responses import Problem, problems_of, registry_response, warning
from ambroise.interfaces.xds.sets import list_of
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.vihf.api import refusals
from ambroise.modules.record.api import Incoming, Submission
from ambroise.trust.context import Context

Json = dict[str, Any]


class Package(Struct, frozen=True):
    """The registry objects of one submission."""

    set: RegistryObject
    entries: tuple[RegistryObject, ...]
    associations: tuple[Association, ...]

    def replaced_by(self, entry: RegistryObject) -> list[str]:
        """The entryUUIDs that an entry replaces."""
        return [one.target for one in self.associations if one.type == RPLC and one.source == entry.id]


class Provide:
    """The transaction."""

    action = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
    element = tag(XDSB, "ProvideAndRegisterDocumentSetRequest")

    def __init__(self, services: Services) -> None:
        self._database = services.database
        self._record = services.record
        self._criteria = Criteria(services.gateway)

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """File the documents, all or none."""
        ids: list[str] = []
        try:
            package = read_package(arrival.envelope.body.find(tag(LCM, "SubmitObjectsRequest")))
            documents, signatures = _split(package)
            ids = [one.id for one in documents]
            check_patient(arrival.known, package.set.external.get(SET_PATIENT))
            contents = _contents(arrival, package)
            async with self._database.transaction() as tx:
                submission = await self._submission(tx, arrival.known.context, package, documents, contents)
                await self._record.submit(tx, arrival.known.context, submission)
        except Refusal as refusal:
            number = refusal.data.get("document")
            location = ids[number] if isinstance(number, int) and number < len(ids) else ""
            return Answered(registry_response(problems_of(refusal, "Repository", location)))
        return Answered(registry_response([_not_kept(one) for one in signatures]))

    async def _submission(
        self,
        tx: Transaction,
        ctx: Context,
        package: Package,
        documents: Sequence[RegistryObject],
        contents: dict[str, bytes],
    ) -> Submission:
        incoming: list[Incoming] = []
        for number, sent in enumerate(documents):
            try:
                metadata = reference_of(sent)
                metadata |= await self._links(tx, ctx, package, sent)
                require_valid(metadata)
            except Refusal as refusal:
                refusal.data = {**refusal.data, "document": number}
                raise
            incoming.append(Incoming(contents.pop(sent.id), sent.mime_type, metadata, full_url=sent.id))
        described = list_of(package.set)
        require_valid(described)
        return Submission(tuple(incoming), described)

    async def _links(self, tx: Transaction, ctx: Context, package: Package, sent: RegistryObject) -> Json:
        """What a document replaces: known here by its unique id, or kept as the link that the sender wrote."""
        links: list[Json] = []
        for target in package.replaced_by(sent):
            asked = [("identifier", f"urn:ietf:rfc:3986|{target}")]
            found = await self._criteria.matches(tx, ctx, "DocumentReference", asked, limit=1)
            known = decode(found[0].body)["masterIdentifier"]["value"] if found else target
            replaced = {"identifier": {"system": "urn:ietf:rfc:3986", "value": known}}
            links.append({"code": "replaces", "target": replaced})
        return {"relatesTo": links} if links else {}


def read_package(request: Element | None) -> Package:
    """The objects of a submission. Refuses what XDS itself does not allow, METADATA_INVALID mostly."""
    package = read_objects(request)
    _check_entries(package)
    return package


def read_objects(request: Element | None) -> Package:
    """The objects of a SubmitObjectsRequest, with the one SubmissionSet that it has."""
    listed = request.find(tag(RIM, "RegistryObjectList")) if request is not None else None
    if listed is None:
        raise Malformed("there is no RegistryObjectList")
    packages = [read_object(one) for one in listed.iterfind(tag(RIM, "RegistryPackage"))]
    nodes = {(one.get("classifiedObject"), one.get("classificationNode")) for one in listed.iter(_CLASSIFICATION)}
    if any((one.id, FOLDER) in nodes for one in packages):
        raise Refusal(Kind.UNPROCESSABLE, "FOLDER_UNSUPPORTED", "Folders are not taken: file the documents without.")
    sets = [one for one in packages if (one.id, SUBMISSION_SET) in nodes]
    entries = tuple(read_object(one) for one in listed.iterfind(tag(RIM, "ExtrinsicObject")))
    associations = tuple(read_association(one) for one in listed.iterfind(tag(RIM, "Association")))
    if len(sets) != 1:
        raise invalid("a submission has one SubmissionSet")
    return Package(sets[0], entries, associations)


def check_patient(caller: Caller, written: str | None) -> None:
    """Refuse (VIHF_PATIENT) a request about another patient than the one that its assertion names."""
    named, asked = Cx.parse(caller.patient or ""), Cx.parse(written or "")
    if named is not None and (asked is None or (named.value, named.authority) != (asked.value, asked.authority)):
        raise refusals.patient()


_CLASSIFICATION = tag(RIM, "Classification")
"""What a package is: said inside it, or beside it."""


def _check_entries(package: Package) -> None:
    ids = [one.id for one in package.entries]
    if not all(ids) or len({*ids, package.set.id}) != len(ids) + 1:
        raise invalid("each object has an id of its own")
    if any(one.object_type != ENTRY for one in package.entries):
        raise invalid("an ExtrinsicObject is a stable DocumentEntry")
    unique = [one.external.get(ENTRY_UNIQUE_ID) for one in package.entries]
    if len(set(unique)) != len(unique):
        text = "Two documents of this submission have the same uniqueId."
        raise Refusal(Kind.UNPROCESSABLE, "XDS_DUPLICATE_IN_MESSAGE", text)
    members = {one.target for one in package.associations if one.type == HAS_MEMBER and one.source == package.set.id}
    if not set(ids) <= members:
        raise invalid("each document is a member (HasMember) of the SubmissionSet")
    for one in package.associations:
        if one.type == RPLC and one.source not in ids:
            raise invalid("what replaces is a document of this submission")
        if one.type not in (HAS_MEMBER, RPLC, SIGNS):
            raise invalid(f"associations are HasMember, RPLC and signs, not {one.type[:80]}")
    patients = {one.external.get(ENTRY_PATIENT) for one in package.entries} | {package.set.external.get(SET_PATIENT)}
    if len(patients) > 1:
        text = "Every patientId of a submission is the same, that of its SubmissionSet included."
        raise Refusal(Kind.UNPROCESSABLE, "SUBMISSION_SEVERAL_PATIENTS", text)


def _split(package: Package) -> tuple[list[RegistryObject], list[RegistryObject]]:
    """The documents of a submission, and the signatures among them."""
    signatures = [one for one in package.entries if any(c.code == SIGNATURE_FORMAT for c in one.under(ENTRY_FORMAT))]
    return [one for one in package.entries if one not in signatures], signatures


def _contents(arrival: Arrival[Caller], package: Package) -> dict[str, bytes]:
    """The bytes of each document, by the id of its entry."""
    found: dict[str, bytes] = {}
    ids = {one.id for one in package.entries}
    for element in arrival.envelope.body.iterfind(tag(XDSB, "Document")):
        name = element.get("id", "")
        if name not in ids or name in found:
            text = f"The Document {name[:80]} has no DocumentEntry of its own."
            raise Refusal(Kind.UNPROCESSABLE, "XDS_DOCUMENT_WITHOUT_METADATA", text)
        content = arrival.document(element)
        if content is not None:
            found[name] = content
    missing = sorted(ids - set(found))
    if missing:
        text = f"There is no Document for {', '.join(missing)[:200]}."
        raise Refusal(Kind.UNPROCESSABLE, "XDS_DOCUMENT_MISSING", text)
    return found


def _not_kept(signature: RegistryObject) -> Problem:
    text = "The signature of a submission is neither checked nor kept here; the documents are filed."
    return warning("SIGNATURE_NOT_KEPT", text, signature.id)
