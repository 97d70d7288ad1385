"""The metadata of a document that a professional deposits by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import PurePath
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from ambroise.interfaces.web.professional.views import Deposit
from ambroise.interfaces.web.ui import dates
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.record.api import INVISIBLE_PATIENT, INVISIBLE_REPRESENTATIVES, MASKED, tables
from ambroise.trust.context import Context, Professional

_PROFESSIONALS = "urn:oid:1.2.250.1.71.4.2.1"
_STRUCTURES = "urn:oid:1.2.250.1.71.4.2.2"
_CLASSES = "urn:oid:1.2.250.1.213.1.1.4.1"
_FORMATS = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
_VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
_FACILITY, _SETTING = "SA07", "AMBULATOIRE"


def professional_of(ctx: Context) -> Professional:
    """The professional who visits."""
    if not isinstance(ctx.actor, Professional):
        raise Refusal(Kind.FORBIDDEN, "NOT_A_PROFESSIONAL", "These pages are for professionals.")
    return ctx.actor


def labels(patient: UUID, deposit: Deposit) -> dict[str, Any]:
    """What the form says that a CDA cannot: who does not see the document."""
    asked = (
        (MASKED, deposit.masked),
        (INVISIBLE_PATIENT, deposit.withheld),
        (INVISIBLE_REPRESENTATIVES, deposit.hidden_from_representatives),
    )
    return with_visibility(patient, [code for code, wanted in asked if wanted])


def with_visibility(patient: UUID, codes: Sequence[str]) -> dict[str, Any]:
    """The metadata of a document that says everything itself, but for who does not see it."""
    labels = [{"coding": [{"system": _VISIBILITY, "code": code}]} for code in codes]
    described: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": f"Patient/{patient}"},
    }
    return {**described, "securityLabel": labels} if labels else described


def with_format(described: dict[str, Any], format: str) -> dict[str, Any]:
    """The same, with the format that the models of the document do not tell."""
    return {**described, "content": [{"attachment": {}, "format": {"system": _FORMATS, "code": format}}]}


async def metadata(
    reader: Reader, ctx: Context, patient: UUID, deposit: Deposit, content: bytes, media_type: str
) -> dict[str, Any]:
    """The metadata of a file that says nothing of itself: written by the professional, in the present situation."""
    me = professional_of(ctx)
    entry = tables.type_code(deposit.type_code)
    if entry is None:
        raise Refusal(Kind.INVALID, "TYPE_UNKNOWN", "Choose a type of document.", element="type")
    place = await directory.structure(reader, me.organization) if me.organization else None
    when = datetime.combine(deposit.day, time(12), dates.PARIS).isoformat()
    label = tables.class_of_type(deposit.type_code) or ""
    return {
        **labels(patient, deposit),
        "contained": _author(me),
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": _unique_id(me, patient, deposit, content)},
        "type": {"coding": [{"system": f"urn:oid:{entry.system}", "code": entry.code}]},
        "category": [{"coding": [{"system": _CLASSES, "code": label}]}],
        "date": when,
        "author": [{"reference": "#role"}],
        "content": [
            {
                "attachment": {"language": "fr-FR", "title": deposit.title or _named(deposit.file_name)},
                "format": {"system": _FORMATS, "code": tables.format_of_media(media_type)},
            }
        ],
        "context": {
            "period": {"start": when},
            "facilityType": _coded("facility_type", place.facility if place else None, _FACILITY),
            "practiceSetting": _coded("practice_setting", place.setting if place else None, _SETTING),
        },
    }


def _unique_id(me: Professional, patient: UUID, deposit: Deposit, content: bytes) -> str:
    """The same for the same file described the same way by the same author: a form sent twice files it once."""
    said = (me.id, str(patient), deposit.type_code, deposit.title, deposit.day.isoformat())
    digest = hashlib.sha256("\0".join(said).encode() + content).hexdigest()
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'urn:ambroise:deposit:{digest}')}"


def _named(file_name: str) -> str:
    """The title that the name of a file makes."""
    return PurePath(file_name.replace("\\", "/")).stem.replace("_", " ").strip()[:120] or "Document"


def _author(me: Professional) -> list[dict[str, Any]]:
    role: dict[str, Any] = {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "#person", "display": me.name},
    }
    specialty = f"G15_{me.profession}/{me.specialty}" if me.specialty else f"G15_{me.profession}"
    known = tables.entry("author_specialty", specialty)
    if known is not None:
        coding = {"system": f"urn:oid:{known.system}", "code": known.code, "display": known.label}
        role["specialty"] = [{"coding": [coding]}]
    given, _, family = me.name.partition(" ")
    person = {
        "resourceType": "Practitioner",
        "id": "person",
        "identifier": [{"system": _PROFESSIONALS, "value": me.id}],
        "name": [{"family": family or given, "given": [given]}],
    }
    contained: list[dict[str, Any]] = [role, person]
    if me.organization:
        role["organization"] = {"reference": "#place"}
        contained.append(
            {
                "resourceType": "Organization",
                "id": "place",
                "identifier": [{"system": _STRUCTURES, "value": me.organization}],
                "name": me.organization_name or me.organization,
            }
        )
    return contained


def _coded(table: str, code: str | None, otherwise: str) -> dict[str, Any]:
    entry = (tables.entry(table, code) if code else None) or tables.entry(table, otherwise)
    if entry is None:
        raise LookupError(f"{otherwise} is not in {table}")
    return {"coding": [{"system": f"urn:oid:{entry.system}", "code": entry.code, "display": entry.label}]}
