"""The List of a submission (SubmissionSet): what was filed together, by whom, when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, random_id, shard_of
from ambroise.modules.record import entry, repository
from ambroise.modules.record.model import ARCHIVED_EXTENSION, Filed, LotSignature, Submission
from ambroise.modules.record.reference import IDENTIFIER_TYPES, URI
from ambroise.trust.audit.entry import Entry, Event
from ambroise.trust.context import Context
from ambroise.trust.gateway import Flags, Gateway, Label, Stored, label_for
from ambroise.trust.gateway import follow as follow_document

Json = dict[str, Any]

LIST_TYPES = (
    "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes",
    "http://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes",
)
"""The code system of MHD, as its examples write it and as PDSm does: both find our Lists (ITI-66)."""


SIGNATURE = "urn:ambroise:submission:signature"
"""The extension of a List that holds the signature of its submission, found right when it came."""


def write(submission: Submission, filed: Sequence[Filed], patient: UUID, at: str) -> Json:
    """The List of a submission: the sender's words, our ids and links."""
    sent: Json = dict(submission.submission_set or {})
    ids = {
        incoming.full_url: one.document
        for incoming, one in zip(submission.documents, filed, strict=True)
        if incoming.full_url
    }
    resource: Json = {
        "resourceType": "List",
        **{name: sent[name] for name in ("contained", "title", "source", "note") if sent.get(name)},
        "extension": [
            *_extensions(sent),
            {"url": ARCHIVED_EXTENSION, "valueBoolean": False},
            *([_signature(submission.signature)] if submission.signature else []),
        ],
        "identifier": _identifiers(sent),
        "status": "current",
        "mode": "working",
        "code": {"coding": [{"system": system, "code": "submissionset"} for system in LIST_TYPES]},
        "subject": {"reference": f"Patient/{patient}"},
        "date": sent.get("date") or at,
        "entry": [{"item": {"reference": f"DocumentReference/{one.document}"}} for one in filed],
    }
    resource["entry"] += [{"item": item["item"]} for item in sent.get("entry", ()) if _elsewhere(item, ids)]
    return resource


async def file(
    tx: Transaction,
    gateway: Gateway,
    ctx: Context,
    submission: Submission,
    filed: Sequence[Filed],
    labels: Sequence[Label],
) -> Stored:
    """File the List of a submission, as hidden as the most hidden of its documents."""
    patient = filed[0].patient
    key = new_id(shard_of(patient))
    if submission.signature is not None:
        about = {"party": submission.signature.signer, "party_name": submission.signature.name}
        await gateway.trace(tx, ctx, Entry("C", Event.SIGNED, patient, "List", key, details=about, count=len(filed)))
    if any(one.patient != patient for one in filed):
        raise Refusal(Kind.UNPROCESSABLE, "SUBMISSION_SEVERAL_PATIENTS", "A submission is about one patient only.")
    resource = write(submission, filed, patient, ctx.now().isoformat(timespec="seconds"))
    if len(filed) == 1:
        label = follow_document(labels[0], filed[0].document)
        return await gateway.file(tx, ctx, resource, label, key=key, event=Event.SUBMITTED)
    flags = union(labels)
    label = label_for(
        "DocumentManifest",
        {"resourceType": "DocumentManifest"},
        patient=patient,
        flags=flags,
        author=labels[0].author,
        author_organization=labels[0].author_organization,
    )
    stored = await gateway.file(tx, ctx, resource, label, key=key, event=Event.SUBMITTED)
    await repository.remember_submission(tx, patient, key, [one.document for one in filed])
    return stored


async def follow(tx: Transaction, gateway: Gateway, ctx: Context, changed: Stored) -> None:
    """After a document's flags changed, bring the Lists of several documents that name it to the union of theirs."""
    patient = changed.label.patient
    if patient is None:
        return
    for list_, documents in (await repository.companions(tx, patient, changed.key)).items():
        wanted = union(await gateway.labels(tx, "DocumentReference", documents))
        await gateway.align(tx, ctx, "List", str(list_), wanted)


def union(labels: Sequence[Label]) -> Flags:
    """The visibility flags of which at least one document has each."""
    flags = Flags(0)
    for label in labels:
        flags |= label.flags & _VISIBILITY
    return flags


_VISIBILITY = Flags.MASKED | Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES


def _extensions(sent: Json) -> list[Json]:
    """The sender's own; what the record alone says is not taken from a sender."""
    return [item for item in sent.get("extension", ()) if item.get("url") not in (ARCHIVED_EXTENSION, SIGNATURE)]


def _signature(signed: LotSignature) -> Json:
    """The signature of the submission, kept with it."""
    purpose = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.14", "display": "Source Signature"}
    who = {"identifier": {"system": signed.system, "value": signed.signer}, "display": signed.name}
    return {
        "url": SIGNATURE,
        "valueSignature": {
            "type": [purpose],
            "when": signed.at.isoformat(timespec="seconds"),
            "who": {name: value for name, value in who.items() if value},
            "sigFormat": "application/signature+xml",
            "data": signed.data,
        },
    }


def _elsewhere(item: Json, ids: dict[str, UUID]) -> bool:
    """Whether an entry names something that is not one of the documents filed now (a folder, an older document)."""
    reference = str(item.get("item", {}).get("reference", ""))
    return bool(reference) and reference not in ids and not reference.startswith("urn:")


def _identifiers(sent: Json) -> list[Json]:
    kept = [item for item in sent.get("identifier", ()) if entry.kind_of(item) != "entryUUID"]
    if not any(entry.kind_of(item) == "uniqueId" for item in kept):
        kept.append(_typed("uniqueId"))
    return [*kept, _typed("entryUUID")]


def _typed(kind: str) -> Json:
    coding = {"system": IDENTIFIER_TYPES, "code": kind}
    return {"type": {"coding": [coding]}, "system": URI, "value": f"urn:uuid:{random_id()}"}
