"""What follows a document and its label: the Binary of its bytes, the facts that it states, their provenance."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.record.assessment import Assessed
from ambroise.modules.record.cda.extract import EXTRACTOR_VERSION, Extract, extract
from ambroise.modules.record.cda.extract.elements import actor_reference, hl7_concept
from ambroise.modules.record.cda.model import ClinicalDocument
from ambroise.trust.context import Context

Json = dict[str, Any]

_DOCUMENT_LINKS = {
    "Observation": "derivedFrom",
    "MedicationStatement": "derivedFrom",
    "DeviceUseStatement": "derivedFrom",
    "MedicationRequest": "supportingInformation",
    "MedicationDispense": "supportingInformation",
    "ServiceRequest": "supportingInfo",
    "DeviceRequest": "supportingInfo",
}
"""Where each type names the document it comes from; the others say it in meta.source alone."""

ASSEMBLER = "Ambroise, extraction "
"""What the Provenance of facts says took them out of their document, before the version."""

_AUTHOR = hl7_concept("provenance-participant-type", "author")
_ASSEMBLER = hl7_concept("provenance-participant-type", "assembler")
_TRANSFORMED = hl7_concept("iso-21089-lifecycle", "transform")


def followers_of(ctx: Context, assessed: Assessed) -> tuple[list[tuple[Json, UUID]], int]:
    """The resources that follow a document, each with its id, and how many of them are facts."""
    patient = assessed.identity.patient
    shard = shard_of(patient)
    binary: Json = {
        "resourceType": "Binary",
        "contentType": assessed.resource["content"][0]["attachment"]["contentType"],
        "securityContext": {"reference": f"DocumentReference/{assessed.document}"},
    }
    clinical = assessed.clinical
    stated = extract(clinical) if clinical else ()
    # Their ids grow as they stand in the document: pages show them in that order.
    ids = sorted(new_id(shard) for _ in stated)
    facts = [(attached(fact, patient, assessed.document), id) for fact, id in zip(stated, ids, strict=True)]
    found: list[tuple[Json, UUID]] = [(binary, assessed.binary), *facts]
    if clinical and facts:
        found.append((provenance(ctx, clinical, assessed.document, facts), new_id(shard)))
    return found, len(facts)


def attached(fact: Extract, patient: UUID, document: UUID) -> Json:
    """A fact of a document with its patient, its key, and the document that says it."""
    resource = dict(fact.about({"reference": f"Patient/{patient}"}).resource)
    source = f"DocumentReference/{document}"
    resource["meta"] = {**resource.get("meta", {}), "source": source}
    link = _DOCUMENT_LINKS.get(fact.type)
    if link:
        resource[link] = [*resource.get(link, ()), {"reference": source}]
    return resource


def provenance(ctx: Context, clinical: ClinicalDocument, document: UUID, facts: list[tuple[Json, UUID]]) -> Json:
    """Who said these facts (the author of the document), and who took them out of it (this software)."""
    agents = [
        {"type": _AUTHOR, "who": who}
        for author in clinical.authors
        if (who := actor_reference(author.actor)) is not None
    ]
    assembler = {"type": _ASSEMBLER, "who": {"type": "Device", "display": f"{ASSEMBLER}{EXTRACTOR_VERSION}"}}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{resource['resourceType']}/{key}"} for resource, key in facts],
        "recorded": ctx.now().isoformat(timespec="milliseconds"),
        "activity": _TRANSFORMED,
        "agent": [*agents, assembler],
        "entity": [{"role": "source", "what": {"reference": f"DocumentReference/{document}"}}],
    }
