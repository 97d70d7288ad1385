"""A submission as XDS and XDM describe it: its registry objects, checked, and turned into what the record files."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.interfaces.fhir_rest.checking import require_valid
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.soap import Element, Malformed
from ambroise.interfaces.xds.ebrim import CLASSIFICATION, Association, RegistryObject, read_association, read_object
from ambroise.interfaces.xds.entries import invalid, reference_of
from ambroise.interfaces.xds.names import (
    ENTRY,
    ENTRY_FORMAT,
    ENTRY_PATIENT,
    ENTRY_UNIQUE_ID,
    FOLDER,
    HAS_MEMBER,
    RIM,
    RPLC,
    SET_PATIENT,
    SIGNATURE_FORMAT,
    SIGNS,
    SUBMISSION_SET,
    tag,
)
from ambroise.interfaces.xds.sets import list_of
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Incoming, Submission
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway

Json = dict[str, Any]
_LIST: Final = tag(RIM, "RegistryObjectList")
_PACKAGE: Final = tag(RIM, "RegistryPackage")
_ENTRY: Final = tag(RIM, "ExtrinsicObject")
_LINK: Final = tag(RIM, "Association")


class Package(Struct, frozen=True):
    """The registry objects of one submission."""

    set: RegistryObject
    entries: tuple[RegistryObject, ...]
    associations: tuple[Association, ...]

    @property
    def signatures(self) -> list[RegistryObject]:
        """What signs the submission."""
        return [one for one in self.entries if any(c.code == SIGNATURE_FORMAT for c in one.under(ENTRY_FORMAT))]

    @property
    def documents(self) -> list[RegistryObject]:
        """The other entries, in their order."""
        signatures = self.signatures
        return [one for one in self.entries if one not in signatures]

    def replaced_by(self, entry: RegistryObject) -> list[str]:
        """The entryUUIDs that an entry replaces."""
        return [one.target for one in self.associations if one.type == RPLC and one.source == entry.id]


class Submissions:
    """From packages to what the record files."""

    def __init__(self, gateway: Gateway) -> None:
        self._criteria = Criteria(gateway)

    async def of(self, tx: Transaction, ctx: Context, package: Package, contents: dict[str, bytes]) -> Submission:
        """The submission of a package, with the bytes of each document by the id of its entry, taken from `contents`.

        What is refused says in its data which `document` it is about.
        """
        incoming: list[Incoming] = []
        for number, sent in enumerate(package.documents):
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
    listed = next(request.iterchildren(_LIST), None) if request is not None else None
    if listed is None:
        raise Malformed("there is no RegistryObjectList")
    packages = [read_object(one) for one in listed.iterchildren(_PACKAGE)]
    # What a package is stands inside it, or beside it.
    nodes = {(one.get("classifiedObject"), one.get("classificationNode")) for one in listed.iter(CLASSIFICATION)}
    if any((one.id, FOLDER) in nodes for one in packages):
        raise Refusal(Kind.UNPROCESSABLE, "FOLDER_UNSUPPORTED", "Folders are not taken: file the documents without.")
    sets = [one for one in packages if (one.id, SUBMISSION_SET) in nodes]
    entries = tuple([read_object(one) for one in listed.iterchildren(_ENTRY)])
    associations = tuple([read_association(one) for one in listed.iterchildren(_LINK)])
    if len(sets) != 1:
        raise invalid("a submission has one SubmissionSet")
    return Package(sets[0], entries, associations)


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
