"""Imaging studies that a report refers to, as ImagingStudy: series and images by their unique ids, never by address."""

from collections.abc import Iterator

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.extract.elements import Json, coding, unknown
from ambroise.modules.record.cda.extract.reader import FR, Found, Reader, related
from ambroise.modules.record.cda.nodes import Element, many, one
from ambroise.modules.record.cda.values import moment

STUDY = FR + "155"
_URI = "urn:ietf:rfc:3986"


def studies(reader: Reader) -> Iterator[Found]:
    """The studies of a DICOM object catalogue."""
    for element in reader.entries("act", STUDY):
        uid = _uid(element)
        if uid is None:
            continue
        series = [made for part in related(element, "act") if (made := _series(part))]
        resource: Json = {
            "resourceType": "ImagingStudy",
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}],
            "status": "available",
            "description": reader.document.title,
            "numberOfSeries": len(series),
            "numberOfInstances": sum(len(one_series.get("instance", ())) for one_series in series),
        }
        started = values.period(one(element, "effectiveTime")).low
        if started:
            resource["started"] = started.fhir
        modalities = {item["modality"]["code"]: item["modality"] for item in series if "code" in item["modality"]}
        if modalities:
            resource["modality"] = list(modalities.values())
        if series:
            resource["series"] = series
        yield reader.found(element, resource)


def _series(element: Element) -> Json | None:
    uid = _uid(element)
    if uid is None:
        return None
    kinds = (values.code(item) for item in many(element, "code/qualifier/value"))
    modality = next((coding(kind) for kind in kinds if kind and kind.code), unknown())
    found: Json = {"uid": uid, "modality": modality}
    started = moment((one(element, "effectiveTime") or element).get("value"))
    if started:
        found["started"] = started.fhir
    instances = [made for part in related(element, "observation") if (made := _instance(part))]
    return {**found, "numberOfInstances": len(instances), **({"instance": instances} if instances else {})}


def _instance(element: Element) -> Json | None:
    uid, kind = _uid(element), values.code(one(element, "code"))
    if uid is None or kind is None or not kind.code:
        return None
    return {"uid": uid, "sopClass": {"system": _URI, "code": f"urn:oid:{kind.code}"}}


def _uid(element: Element) -> str | None:
    found = values.identifiers(element)
    return found[0].root if found and found[0].well_formed and not found[0].extension else None
