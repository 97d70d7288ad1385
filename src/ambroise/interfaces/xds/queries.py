"""ITI-18 Registry Stored Query (TD3.1): what is found, as whole metadata (LeafClass) or references (ObjectRef)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from lxml import etree
from msgspec import Struct

from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import Element
from ambroise.interfaces.xds import asking, names
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.asking import Asked, missing, read_query
from ambroise.interfaces.xds.caller import Caller, check_patient
from ambroise.interfaces.xds.ebrim import Association, RegistryObject, write_association, write_object
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.entries import entry_of, entry_uuid_of, status_of
from ambroise.interfaces.xds.finding import (
    DOCUMENT,
    Finder,
    Nobody,
    Pairs,
    logical_id,
    memberships,
    patient_named,
)
from ambroise.interfaces.xds.responses import fill_response, problems_of
from ambroise.interfaces.xds.sets import set_of
from ambroise.kernel.errors import Kind, Refusal

Json = dict[str, Any]
_MOST_WHOLE: Final = 2_000
"""Objects whose whole metadata one answer may hold: ask for references, then for some of them."""
_D, _S, _PATIENT = "$XDSDocumentEntry", "$XDSSubmissionSet", "$patientId"
_NAMED: Final = (f"{_D}EntryUUID", f"{_D}UniqueId", f"{_D}LogicalID")
"""How documents are named: one of these, and one alone (IHE ITI TF-2, 3.18.4.1.2.3.7.5)."""
_CODES: Final = (
    (f"{_D}ClassCode", names.ENTRY_CLASS, "category"),
    (f"{_D}TypeCode", names.ENTRY_TYPE, "type"),
    (f"{_D}PracticeSettingCode", names.ENTRY_PRACTICE, "setting"),
    (f"{_D}HealthcareFacilityTypeCode", names.ENTRY_FACILITY, "facility"),
    (f"{_D}FormatCode", names.ENTRY_FORMAT, "format"),
)
"""Parameters of codes: each value is an alternative."""
_ALL_CODES: Final = (
    (f"{_D}EventCodeList", names.ENTRY_EVENT),
    (f"{_D}ConfidentialityCode", names.ENTRY_CONFIDENTIALITY),
)
"""Those of which each occurrence must be met."""
_DONE_BY_SEARCH: Final = frozenset({_PATIENT, f"{_D}PatientId", f"{_D}Status", f"{_D}Type"})
"""Parameters that ask no more of a document than what the store, and its status, have answered."""
_TIMES: Final = (
    ("CreationTime", "creationTime"),
    ("ServiceStartTime", "serviceStartTime"),
    ("ServiceStopTime", "serviceStopTime"),
)


class Result(Struct):
    """What a query finds."""

    documents: Sequence[Json] = ()
    sets: Sequence[Json] = ()
    associations: Sequence[Association] = ()
    references: Sequence[str] = ()
    """Ids of documents of which nothing else was read."""


class StoredQueries:
    """The transaction."""

    action = "urn:ihe:iti:2007:RegistryStoredQuery"
    element = names.tag(names.QUERY, "AdhocQueryRequest")

    def __init__(self, services: Services, repository: str) -> None:
        self._services = services
        self._repository = repository

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """What the caller may see of what is asked."""
        try:
            whole = _is_whole(arrival.envelope.body)
            asked = read_query(arrival.envelope.body)
            caller = arrival.known
            for name in (f"{_D}PatientId", f"{_S}PatientId", _PATIENT):
                if written := asked.one(name):
                    check_patient(caller, written)
            async with self._services.database.reader() as reader:
                of = await patient_named(reader, caller.patient) if caller.patient else None
                finder = Finder(self._services.gateway, reader, caller.context, of)
                listed = await _Query(finder, asked, self._repository, whole).listed()
        except Nobody:
            listed = _list_of(())
        except Refusal as refusal:
            response = _response()
            fill_response(response, problems_of(refusal, "Registry"), names.FAILURE)
            response.append(_list_of(()))
            return Answered(response)
        response = _response()
        fill_response(response, (), names.SUCCESS)
        response.append(listed)
        return Answered(response)


class _Query:
    """One query and what it finds."""

    def __init__(self, finder: Finder, asked: Asked, repository: str, whole: bool) -> None:
        self._find = finder
        self._asked = asked
        self._repository = repository
        self._whole = whole
        self._made: dict[str, RegistryObject] = {}

    async def listed(self) -> Element:
        """The objects as they are written: documents, submissions, associations."""
        kind = _KINDS.get(self._asked.query.lower())
        if kind is None:
            raise Refusal(Kind.INVALID, "XDS_UNKNOWN_QUERY", f"{self._asked.query[:80]} is no query of this registry.")
        found = await kind(self)
        if not self._whole:
            ids = [entry_uuid_of(one) for one in (*found.documents, *found.sets)]
            return _list_of((*found.references, *ids, *(one.id for one in found.associations)))
        documents = [await self._entry(one) for one in found.documents]
        sets = [await self._set(one) for one in found.sets]
        self._check(documents, sets)
        listed = _list_of(())
        listed.extend([write_object(one, "ExtrinsicObject") for one in documents])
        listed.extend([write_object(one, "RegistryPackage") for one in sets])
        listed.extend([write_association(one) for one in found.associations])
        return listed

    async def find_documents(self) -> Result:
        """FindDocuments."""
        if self._whole or not self._asked.groups.keys() <= _DONE_BY_SEARCH:
            return Result(documents=await self._documents_of_patient())
        statuses, pairs = await self._asked_of_patient(f"{_D}PatientId")
        found = await self._find.references(pairs) if pairs else []
        return Result(references=[one.id for one in found if one.status in statuses])

    async def find_by_reference(self) -> Result:
        """FindDocumentsByReferenceId."""
        groups = self._asked.all(f"{_D}ReferenceIdList")
        if not groups:
            raise missing(f"{_D}ReferenceIdList")
        found = [
            one
            for one in await self._documents_of_patient()
            if asking.has_references(await self._entry(one), names.REFERENCE_IDS, groups)
        ]
        return Result(documents=found)

    async def get_all(self) -> Result:
        """GetAll: the documents and the submissions of a patient, and the links among them."""
        self._asked.any("$XDSFolderStatus", needed=True)
        documents, sets = await self._documents_of_patient(_PATIENT), await self._sets_of_patient(_PATIENT)
        links = [*memberships(sets, documents), *await self._find.replacements_of(documents)]
        return Result(documents=documents, sets=sets, associations=links)

    async def find_sets(self) -> Result:
        """FindSubmissionSets."""
        return Result(sets=await self._sets_of_patient())

    async def _sets_of_patient(self, named: str = f"{_S}PatientId") -> list[Json]:
        asked = self._asked
        statuses = asked.any(f"{_S}Status", needed=True)
        patient = await self._patient(named)
        if names.APPROVED not in statuses:
            return []
        pairs = [("patient", patient), ("code", "submissionset"), ("status", "current")]
        found: list[Json] = []
        sources, authors = asked.any(f"{_S}SourceId"), asked.any(f"{_S}AuthorPerson")
        kinds = asked.any(f"{_S}ContentType")
        for one in await self._find.search("List", [*pairs, *asking.time_pairs("date", asked, f"{_S}SubmissionTime")]):
            made = await self._set(one)
            if (
                asking.in_time(made, "submissionTime", asked, f"{_S}SubmissionTime")
                and (not sources or made.external.get(names.SET_SOURCE) in sources)
                and asking.has_author(made, names.SET_AUTHOR, authors)
                and (not kinds or asking.has_codes(made, names.SET_CONTENT_TYPE, [tuple(kinds)]))
            ):
                found.append(one)
        return found

    async def get_documents(self) -> Result:
        """GetDocuments."""
        return Result(documents=await self._documents_asked())

    async def get_sets(self) -> Result:
        """GetSubmissionSets: those that hold these documents, and that they do."""
        documents = await self._find.documents_under(self._asked.any("$uuid", needed=True))
        sets = await self._find.sets_of(documents)
        return Result(sets=sets, associations=memberships(sets, documents))

    async def get_associations(self) -> Result:
        """GetAssociations: every link of these documents and submissions."""
        wanted = self._asked.any("$uuid", needed=True)
        documents = await self._find.documents_under(wanted)
        return Result(associations=await self._links(documents, await self._find.sets_under(wanted)))

    async def get_documents_and_associations(self) -> Result:
        """GetDocumentsAndAssociations."""
        documents = await self._documents_asked()
        return Result(documents=documents, associations=await self._links(documents, []))

    async def get_set_and_contents(self) -> Result:
        """GetSubmissionSetAndContents."""
        _, wanted = self._one_of(f"{_S}EntryUUID", f"{_S}UniqueId")
        sets = await self._find.sets_under(wanted)
        formats = self._asked.any(f"{_D}FormatCode")
        documents: list[Json] = []
        for one in await self._find.members_of(sets):
            made = await self._entry(one)
            if (not formats or asking.has_codes(made, names.ENTRY_FORMAT, [tuple(formats)])) and asking.has_codes(
                made, names.ENTRY_CONFIDENTIALITY, self._asked.all(f"{_D}ConfidentialityCode")
            ):
                documents.append(one)
        return Result(documents=documents, sets=sets, associations=memberships(sets, documents))

    async def get_related(self) -> Result:
        """GetRelatedDocuments: this document, those linked to it by the types asked, and the links."""
        types = self._asked.any("$AssociationTypes", needed=True)
        documents = await self._documents_asked()
        links = [one for one in await self._find.replacements_of(documents) if one.type in types]
        ends = {end for one in links for end in (one.source, one.target)}
        return Result(documents=await self._find.documents_under(ends) if ends else [], associations=links)

    async def no_folder(self) -> Result:
        """Queries about folders: there are none here."""
        return Result()

    async def _links(self, documents: Sequence[Json], sets: Sequence[Json]) -> list[Association]:
        holding = await self._find.sets_of(documents)
        members = await self._find.members_of(sets)
        found = [
            *memberships(holding, documents),
            *memberships(sets, members),
            *await self._find.replacements_of(documents),
        ]
        return list({one.id: one for one in found}.values())

    async def _documents_asked(self) -> list[Json]:
        name, wanted = self._one_of(*_NAMED)
        if name == f"{_D}LogicalID":
            return await self._find.documents_of({id for one in wanted if (id := logical_id(one))})
        return await self._find.documents_under(wanted)

    def _one_of(self, *choices: str) -> tuple[str, list[str]]:
        """The one of several parameters that the query gives. Refuses none and several."""
        given = [(name, values) for name in choices if (values := self._asked.any(name))]
        if not given:
            raise missing(choices[0])
        if len(given) > 1:
            text = f"Give one of {', '.join(choices)}, and one alone."
            raise Refusal(Kind.INVALID, "XDS_PARAMETER_NUMBER", text, element=given[1][0])
        return given[0]

    async def _documents_of_patient(self, named: str = f"{_D}PatientId") -> list[Json]:
        statuses, pairs = await self._asked_of_patient(named)
        every = await self._find.search(DOCUMENT, pairs) if pairs else []
        return [one for one in every if status_of(one) in statuses and self._meets(await self._entry(one))]

    async def _asked_of_patient(self, named: str) -> tuple[frozenset[str], Pairs]:
        """The statuses that are asked for, and the search that finds all of it; no search where there is nothing."""
        asked = self._asked
        statuses = frozenset(asked.any(f"{_D}Status", needed=True))
        patient = await self._patient(named)
        kinds = asked.any(f"{_D}Type")
        known = [
            name
            for name, own in (("current", {names.APPROVED, names.ARCHIVED}), ("superseded", {names.DEPRECATED}))
            if own & statuses
        ]
        if not known or (kinds and names.ENTRY not in kinds):
            return statuses, []
        pairs = [("patient", patient), ("status", ",".join(known))]
        for name, _, parameter in _CODES:
            pairs += asking.code_pairs(parameter, asked.any(name))
        pairs += asking.time_pairs("date", asked, f"{_D}CreationTime")
        pairs += asking.time_pairs("period", asked, f"{_D}ServiceStartTime")
        return statuses, pairs

    def _meets(self, made: RegistryObject) -> bool:
        asked = self._asked
        return (
            all(
                not (values := asked.any(name)) or asking.has_codes(made, scheme, [tuple(values)])
                for name, scheme, _ in _CODES
            )
            and all(asking.has_codes(made, scheme, asked.all(name)) for name, scheme in _ALL_CODES)
            and all(asking.in_time(made, slot, asked, f"{_D}{name}") for name, slot in _TIMES)
            and asking.has_author(made, names.ENTRY_AUTHOR, asked.any(f"{_D}AuthorPerson"))
        )

    async def _patient(self, name: str) -> str:
        """The patient that a query is about, as searches write it. Raises Nobody."""
        return f"Patient/{await patient_named(self._find.reader, self._asked.one(name, needed=True) or '')}"

    async def _entry(self, resource: Json) -> RegistryObject:
        if resource["id"] not in self._made:
            patient = await self._find.patient_of(resource, self._repository)
            self._made[resource["id"]] = entry_of(resource, patient, self._repository)
        return self._made[resource["id"]]

    async def _set(self, resource: Json) -> RegistryObject:
        if resource["id"] not in self._made:
            self._made[resource["id"]] = set_of(resource, await self._find.patient_of(resource, self._repository))
        return self._made[resource["id"]]

    def _check(self, documents: Sequence[RegistryObject], sets: Sequence[RegistryObject]) -> None:
        if len(documents) + len(sets) > _MOST_WHOLE:
            text = f"More than {_MOST_WHOLE} objects are found: ask for ObjectRef, then for some of them."
            raise Refusal(Kind.INVALID, "XDS_TOO_MANY", text)
        patients = {one.external[names.ENTRY_PATIENT] for one in documents} | {
            one.external[names.SET_PATIENT] for one in sets
        }
        if len(patients) > 1:
            text = "What is found is about several patients: ask for ObjectRef, or for one of them."
            raise Refusal(Kind.INVALID, "XDS_SEVERAL_PATIENTS", text)


_KINDS: Final[dict[str, Callable[[_Query], Awaitable[Result]]]] = {
    "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d": _Query.find_documents,
    "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492": _Query.find_by_reference,
    "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9": _Query.find_sets,
    "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3": _Query.get_all,
    "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4": _Query.get_documents,
    "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155": _Query.get_associations,
    "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a": _Query.get_documents_and_associations,
    "urn:uuid:51224314-5390-4169-9b91-b1980040715a": _Query.get_sets,
    "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83": _Query.get_set_and_contents,
    "urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6": _Query.get_related,
    # FindFolders, GetFolders, GetFolderAndContents, GetFoldersForDocument.
    "urn:uuid:958f3006-baad-4929-a4de-ff1114824431": _Query.no_folder,
    "urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4": _Query.no_folder,
    "urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7": _Query.no_folder,
    "urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578": _Query.no_folder,
}


def _is_whole(request: Element) -> bool:
    option = request.find(names.tag(names.QUERY, "ResponseOption"))
    form = option.get("returnType") if option is not None else None
    if form not in ("LeafClass", "ObjectRef"):
        text = "ResponseOption/@returnType is LeafClass or ObjectRef."
        raise Refusal(Kind.INVALID, "XDS_PARAMETER_INVALID", text, element="returnType")
    return form == "LeafClass"


def _response() -> Element:
    return etree.Element(
        names.tag(names.QUERY, "AdhocQueryResponse"), nsmap={"query": names.QUERY, "rim": names.RIM, "rs": names.RS}
    )


def _list_of(ids: Iterable[str]) -> Element:
    """The list of what is found, with references to these objects."""
    # Thousands of references are read from text in a third of the time that it takes to make them one by one.
    references = "".join([f"<rim:ObjectRef id={quoteattr(id)}/>" for id in ids])
    return etree.fromstring(f'<rim:RegistryObjectList xmlns:rim="{names.RIM}">{references}</rim:RegistryObjectList>')
