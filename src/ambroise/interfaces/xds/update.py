"""ITI-57 Update Document Set (TD3.3a to d): mask, make visible, archive, delete, by the use cases of the record.

A new version of a DocumentEntry changes who sees the document, and nothing else; an UpdateAvailabilityStatus archives,
brings back, deprecates or deletes. The SubmissionSet that carries the changes is not kept: the trace tells of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller, check_patient
from ambroise.interfaces.xds.ebrim import Association, RegistryObject
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.entries import entry_of, invalid, status_of
from ambroise.interfaces.xds.finding import DOCUMENT, Finder, Nobody, logical_id, patient_named
from ambroise.interfaces.xds.names import (
    APPROVED,
    ARCHIVED,
    DELETED,
    DEPRECATED,
    ENTRY_CLASS,
    ENTRY_CONFIDENTIALITY,
    ENTRY_FORMAT,
    ENTRY_PATIENT,
    ENTRY_TYPE,
    ENTRY_UNIQUE_ID,
    HAS_MEMBER,
    LCM,
    SET_PATIENT,
    UPDATE_STATUS,
    tag,
)
from ambroise.interfaces.xds.packages import Package, read_objects
from ambroise.interfaces.xds.responses import problems_of, registry_response
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import ARCHIVED_EXTENSION
from ambroise.trust.context import Context

Json = dict[str, Any]
_SAME_CODES: Final = (ENTRY_TYPE, ENTRY_CLASS, ENTRY_FORMAT)
_SAME_SLOTS: Final = ("hash", "size", "creationTime")


class Update:
    """The transaction."""

    action = "urn:ihe:iti:2010:UpdateDocumentSet"
    element = tag(LCM, "SubmitObjectsRequest")

    def __init__(self, services: Services, repository: str) -> None:
        self._services = services
        self._repository = repository

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """Do every change, or none."""
        caller = arrival.known
        try:
            package = read_objects(arrival.envelope.body)
            check_patient(caller, package.set.external.get(SET_PATIENT))
            statuses = [one for one in package.associations if one.type == UPDATE_STATUS]
            _check_operations(package, statuses)
            async with self._services.database.transaction() as tx:
                of = await patient_named(tx, package.set.external.get(SET_PATIENT) or "")
                finder = Finder(self._services.gateway, tx, caller.context, of)
                for sent in package.entries:
                    await self._change(tx, caller.context, finder, package, sent)
                for status in statuses:
                    await self._change_status(tx, caller.context, finder, status)
        except Nobody:
            return Answered(registry_response(problems_of(_unresolved(), "Registry")))
        except Refusal as refusal:
            return Answered(registry_response(problems_of(refusal, "Registry")))
        return Answered(registry_response(()))

    async def _change(
        self, tx: Transaction, ctx: Context, finder: Finder, package: Package, sent: RegistryObject
    ) -> None:
        """Bring who sees a document to what its new version says."""
        current = await self._current(finder, [("_id", _logical_id(sent))])
        _check_same(sent, entry_of(current, await finder.patient_of(current, self._repository), self._repository))
        codes = [{"coding": [{"code": one.code}]} for one in sent.under(ENTRY_CONFIDENTIALITY)]
        previous = _previous_version(package, sent)
        await self._services.record.change(tx, ctx, current["id"], {**current, "securityLabel": codes}, previous)

    async def _change_status(self, tx: Transaction, ctx: Context, finder: Finder, asked: Association) -> None:
        """Archive, bring back, deprecate or delete."""
        found = await finder.documents_under([asked.target])
        if not found:
            raise _unresolved()
        current, wanted = found[0], next(iter(asked.slots.get("NewStatus", ())), "")
        original = next(iter(asked.slots.get("OriginalStatus", ())), None)
        if original is not None and original != status_of(current):
            text = f"The document is {status_of(current)}, not {original[:80]}: read it again."
            raise Refusal(Kind.CONFLICT, "XDS_STATUS_MISMATCH", text)
        await self._services.record.change(tx, ctx, current["id"], _with_status(current, wanted))

    async def _current(self, finder: Finder, pairs: list[tuple[str, str]]) -> Json:
        found = await finder.search(DOCUMENT, pairs)
        if not found:
            raise _unresolved()
        return found[0]


def _with_status(current: Json, wanted: str) -> Json:
    """The document under another availabilityStatus."""
    if wanted == DELETED:
        return {**current, "status": "entered-in-error"}
    if wanted == DEPRECATED:
        return {**current, "status": "superseded"}
    if wanted not in (APPROVED, ARCHIVED):
        text = "NewStatus is Approved, Deprecated, Archived or Deleted (JDV_J52)."
        raise Refusal(Kind.INVALID, "XDS_STATUS_UNKNOWN", text)
    others = [one for one in current.get("extension", ()) if one.get("url") != ARCHIVED_EXTENSION]
    return {**current, "extension": [*others, {"url": ARCHIVED_EXTENSION, "valueBoolean": wanted == ARCHIVED}]}


def _check_operations(package: Package, statuses: Sequence[Association]) -> None:
    """Refuse (XDS_UPDATE_UNKNOWN) what asks for something else than a new version or a new status of documents."""
    known = {HAS_MEMBER, UPDATE_STATUS}
    other = next((one.type for one in package.associations if one.type not in known), None)
    if other is not None or (not package.entries and not statuses):
        text = "An update has new versions of DocumentEntries (HasMember), or new statuses (UpdateAvailabilityStatus)."
        raise Refusal(Kind.UNPROCESSABLE, "XDS_UPDATE_UNKNOWN", text)
    if any(one.source != package.set.id for one in statuses):
        text = "UpdateAvailabilityStatus goes from the SubmissionSet to the entryUUID of the document."
        raise Refusal(Kind.UNPROCESSABLE, "XDS_UPDATE_UNKNOWN", text)


def _check_same(sent: RegistryObject, current: RegistryObject) -> None:
    """Refuse a new version that says something else of the document than who sees it.

    METADATA_PATIENT and METADATA_IDENTIFIER for another patient or unique id, METADATA_IMMUTABLE for anything else.
    """
    of, is_of = Cx.parse(sent.external.get(ENTRY_PATIENT, "")), Cx.parse(current.external[ENTRY_PATIENT])
    if of is None or is_of is None or (of.value, of.authority) != (is_of.value, is_of.authority):
        text = "The new version is about another patient: withdraw the document, and file it for the right one."
        raise Refusal(Kind.UNPROCESSABLE, "METADATA_PATIENT", text)
    if sent.external.get(ENTRY_UNIQUE_ID) != current.external[ENTRY_UNIQUE_ID]:
        raise Refusal(Kind.UNPROCESSABLE, "METADATA_IDENTIFIER", "The uniqueId and the lid are of two documents.")
    changed = [
        name
        for name, mine, theirs in (
            ("title", sent.name, current.name),
            *(
                (scheme, [c.code for c in sent.under(scheme)], [c.code for c in current.under(scheme)])
                for scheme in _SAME_CODES
            ),
            *((slot, sent.slot(slot) or current.slot(slot), current.slot(slot)) for slot in _SAME_SLOTS),
        )
        if mine != theirs
    ]
    if changed:
        text = f"{', '.join(changed)} cannot change once filed: file a document that replaces this one."
        raise Refusal(Kind.UNPROCESSABLE, "METADATA_IMMUTABLE", text)


def _logical_id(sent: RegistryObject) -> str:
    found = logical_id(sent.logical_id or "")
    if found is None:
        raise invalid("a new version says the `lid` of the document")
    return found


def _previous_version(package: Package, sent: RegistryObject) -> int | None:
    """The version that the sender changed, when the HasMember of the new one says it."""
    for one in package.associations:
        if one.type == HAS_MEMBER and one.target == sent.id:
            written = next(iter(one.slots.get("PreviousVersion", ())), None)
            if written is not None and not (written.isascii() and written.isdigit() and len(written) < 10):
                raise invalid("PreviousVersion is a number")
            return int(written) if written is not None else None
    raise invalid("a new version is a member (HasMember) of the SubmissionSet")


def _unresolved() -> Refusal:
    return Refusal(Kind.NOT_FOUND, "XDS_UNRESOLVED", "No document has this lid or entryUUID, or you may not see it.")
