"""The List of a submission (SubmissionSet): what was filed together, by whom, when."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from ambroise.kernel.db import Transaction
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.record.model import Filed, Submission
from ambroise.modules.record.reference import IDENTIFIER_TYPES, URI

Json = dict[str, Any]

LIST_TYPES = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"


def write(submission: Submission, filed: list[Filed], patient: UUID, at: str) -> Json:
    """The List of a submission: the sender's words, our ids and links."""
    sent: Json = dict(submission.submission_set or {})
    ids = {
        incoming.full_url: one.document
        for incoming, one in zip(submission.documents, filed, strict=True)
        if incoming.full_url
    }
    resource: Json = {
        "resourceType": "List",
        **{name: sent[name] for name in ("contained", "extension", "title", "source", "note") if sent.get(name)},
        "identifier": _identifiers(sent),
        "status": "current",
        "mode": "working",
        "code": {"coding": [{"system": LIST_TYPES, "code": "submissionset"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "date": sent.get("date") or at,
        "entry": [{"item": {"reference": f"DocumentReference/{one.document}"}} for one in filed],
    }
    resource["entry"] += [{"item": item["item"]} for item in sent.get("entry", ()) if _elsewhere(item, ids)]
    return resource


def key_of(patient: UUID) -> UUID:
    """A new id for the List of a patient's submission."""
    return new_id(shard_of(patient))


def _elsewhere(item: Json, ids: dict[str, UUID]) -> bool:
    """Whether an entry names something that is not one of the documents filed now (a folder, an older document)."""
    reference = str(item.get("item", {}).get("reference", ""))
    return bool(reference) and reference not in ids and not reference.startswith("urn:")


def _identifiers(sent: Json) -> list[Json]:
    kept = [item for item in sent.get("identifier", ()) if _kind(item) != "entryUUID"]
    if not any(_kind(item) == "uniqueId" for item in kept):
        kept.append(_typed("uniqueId"))
    return [*kept, _typed("entryUUID")]


def _typed(kind: str) -> Json:
    coding = {"system": IDENTIFIER_TYPES, "code": kind}
    return {"type": {"coding": [coding]}, "system": URI, "value": f"urn:uuid:{uuid4()}"}


def _kind(identifier: Json) -> str:
    codings = identifier.get("type", {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))
