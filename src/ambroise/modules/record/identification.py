"""Whose document this is: the INS that the sender and the header claim, checked against the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import (
    Ins,
    PatientIdentity,
    Sex,
    Status,
    Traits,
    birth_date_of,
    check_ins,
    check_traits,
    identity_of,
    identity_under,
)
from ambroise.modules.record.cda.metadata import DocumentMetadata
from ambroise.modules.record.cda.model import Patient
from ambroise.trust.context import Context

Json = Mapping[str, Any]


class Identified(Struct, frozen=True):
    """The space of a document, and whether its metadata and its header name the same one."""

    identity: PatientIdentity
    agreed: bool


async def identify(reader: Reader, ctx: Context, metadata: Json | None, header: DocumentMetadata | None) -> Identified:
    """The qualified identity behind a document.

    Refuses INS_INVALID, DMP_NOT_FOUND (unknown patient), INS_NOT_QUALIFIED, TRAITS_MISMATCH, in that order.
    """
    claimed = _header_ins(header)
    if claimed:
        check_ins(claimed, demonstration=ctx.demonstration)
    said, under = await _said(reader, ctx, metadata)
    # Most senders say the same INS twice: it is looked up once.
    identity = said if claimed is None or claimed == under else await identity_under(reader, claimed)
    if identity is None:
        raise _unknown()
    if identity.status is not Status.QUALIFIED:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "INS_NOT_QUALIFIED",
            "The patient's identity is not qualified here: verify it (INSi and an identity document), then file again.",
            element="DocumentReference.subject",
        )
    if header is not None:
        check_traits(identity.traits, _traits(header.source_patient))
    return Identified(identity, said is None or said.patient == identity.patient)


def _header_ins(header: DocumentMetadata | None) -> Ins | None:
    if header is None:
        return None
    if header.patient_id is None or not header.patient_id.extension:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "INS_INVALID",
            "The header names no patient under an INS: put the matricule and its OID first among patientRole/id.",
            element="recordTarget/patientRole/id",
        )
    return Ins(header.patient_id.extension, header.patient_id.root)


async def _said(reader: Reader, ctx: Context, metadata: Json | None) -> tuple[PatientIdentity | None, Ins | None]:
    """Who the metadata says it is: by reference to a space, or by INS, which is then given too."""
    subject: Json = (metadata or {}).get("subject") or {}
    reference = str(subject.get("reference", ""))
    if reference.startswith("Patient/"):
        identity = await identity_of(reader, _uuid(reference.removeprefix("Patient/")))
        if identity is None:
            raise _unknown()
        return identity, None
    identifier: Json = subject.get("identifier") or {}
    if identifier.get("value"):
        ins = Ins(str(identifier["value"]), str(identifier.get("system", "")).removeprefix("urn:oid:"))
        check_ins(ins, demonstration=ctx.demonstration, element="DocumentReference.subject")
        identity = await identity_under(reader, ins)
        if identity is None:
            raise _unknown()
        return identity, ins
    return None, None


def _traits(patient: Patient) -> Traits:
    return Traits(
        birth_name=patient.birth_name or None,
        first_given=patient.first_given,
        given_names=patient.given_names,
        birth_date=birth_date_of(patient.birth_date) if patient.birth_date else None,
        sex=Sex(patient.sex) if patient.sex in ("M", "F") else Sex.UNDETERMINED if patient.sex else None,
        birth_place=patient.birth_place,
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _unknown() from None


def _unknown() -> Refusal:
    return Refusal(
        Kind.NOT_FOUND,
        "DMP_NOT_FOUND",
        "No space is known under this identity: check the INS; the space may not be open yet.",
        element="DocumentReference.subject",
    )
