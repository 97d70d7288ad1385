"""Labels: what access will be decided on, worked out from a resource and from who writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from ambroise.fhir.definitions import patient_compartment, search_parameters
from ambroise.fhir.paths import extract
from ambroise.fhir.store import keys
from ambroise.fhir.store.types import NO_FLAGS, Flags, Label
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.facts import Facts
from ambroise.trust.access.kinds import OPERATIONAL, UNLABELLED, Shelf, kind_of, needs_patient, shelf_of
from ambroise.trust.context import Citizen, Context, Professional

_PRIMARY = ("patient", "subject", "beneficiary")


def label_for(
    type: str,
    resource: Mapping[str, Any],
    *,
    patient: UUID | None,
    flags: Flags = NO_FLAGS,
    author: int = 0,
    author_organization: int = 0,
    source: UUID | None = None,
) -> Label:
    """The label of a resource whose patient and author are known: its kind comes from the data tables."""
    shelf = shelf_of(type, with_patient=patient is not None)
    if shelf is Shelf.OPEN:
        # What any caller reads belongs to nobody, whatever it mentions.
        return Label(None, UNLABELLED, flags, author, author_organization)
    kind = kind_of(resource) if shelf is Shelf.PATIENT else UNLABELLED
    if kind == OPERATIONAL:
        flags |= Flags.OPERATIONAL
    return Label(patient, kind, flags, author, author_organization, source)


def follow(label: Label, document: UUID) -> Label:
    """The label of what follows a document: the same, with the document as its source."""
    return msgspec.structs.replace(label, source=document)


def with_defaults(ctx: Context, label: Label, facts: Facts) -> Label:
    """The patient's default for new documents (masked by default) on what others than the holder file."""
    if not facts.masked_by_default or label.kind == OPERATIONAL or isinstance(ctx.actor, Citizen):
        return label
    return msgspec.structs.replace(label, flags=label.flags | Flags.MASKED)


def author_of(ctx: Context) -> tuple[int, int]:
    """Who writes, as labels say it: the person, and the structure."""
    if isinstance(ctx.actor, Professional):
        return ctx.actor.key, ctx.actor.organization_key
    return ctx.actor.key, 0


async def label_of_new(reader: Reader, ctx: Context, resource: Mapping[str, Any]) -> Label:
    """The label of a resource that comes straight from a client.

    Refuses one of a compartment type that names no patient, several, or one that does not exist.
    """
    type = resource["resourceType"]
    patient = await patient_of(reader, resource)
    if patient is None and needs_patient(type) and isinstance(ctx.actor, Citizen | Professional):
        raise Refusal(
            Kind.UNPROCESSABLE,
            "PATIENT_MISSING",
            f"A {type} belongs to one patient: name that Patient by its id.",
            element=f"{type}.{'subject' if 'subject' in search_parameters(type) else 'patient'}",
        )
    author, organization = author_of(ctx)
    label = label_for(type, resource, patient=patient, author=author, author_organization=organization)
    if isinstance(ctx.actor, Citizen) and patient is not None:
        # What a citizen notes is for that citizen until it is filed as a document (§2.5 of the official service).
        flags = label.flags | Flags.PATIENT_AUTHORED | Flags.OPERATIONAL
        return msgspec.structs.replace(label, kind=OPERATIONAL, flags=flags)
    return label


async def patient_of(reader: Reader, resource: Mapping[str, Any]) -> UUID | None:
    """The key of the one Patient whose record a resource belongs to; None when it names none."""
    names = patient_names(resource)
    if not names:
        return None
    if len(names) > 1:
        type = resource["resourceType"]
        raise Refusal(
            Kind.UNPROCESSABLE,
            "PATIENT_AMBIGUOUS",
            f"A {type} belongs to one patient; this one names {len(names)}.",
            element=type,
        )
    (name,) = names
    key = keys.as_key(name) or await keys.name_key(reader, "Patient", name)
    if key is None:
        raise unknown_patient(name)
    return key


def patient_names(resource: Mapping[str, Any]) -> set[str]:
    """The ids of the Patients a resource names where its type says whose it is: the subject first, else anywhere."""
    type = str(resource["resourceType"])
    for name in _PRIMARY:
        value = resource.get(name)
        if isinstance(value, Mapping):
            return _id_of(value.get("reference"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    parameters = patient_compartment(type)
    if not parameters or type == "Patient":
        return set()
    numbers = {search_parameters(type)[code].number for code in parameters if code in search_parameters(type)}
    found: set[str] = set()
    for number, target, _ in extract(dict(resource)).references:
        if number in numbers:
            found |= _id_of(target)
    return found


def _id_of(reference: object) -> set[str]:
    if isinstance(reference, str) and reference.startswith("Patient/"):
        return {reference.removeprefix("Patient/").partition("/")[0]}
    return set()


def unknown_patient(name: str) -> Refusal:
    """The refusal for a reference to a Patient that is not here."""
    return Refusal(
        Kind.UNPROCESSABLE, "PATIENT_UNKNOWN", f"There is no Patient/{name[:64]} here; find the patient first."
    )
