"""Registry objects (ebRIM 3.0) as XDS uses them: read from a request, written in an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from lxml import etree
from msgspec import Struct

from ambroise.interfaces.soap import Element
from ambroise.interfaces.xds.names import RIM, tag

_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
CLASSIFICATION: Final = tag(RIM, "Classification")
_SLOT: Final = tag(RIM, "Slot")
_VALUE_LIST: Final = tag(RIM, "ValueList")
_VALUE: Final = tag(RIM, "Value")
_NAME: Final = tag(RIM, "Name")
_DESCRIPTION: Final = tag(RIM, "Description")
_LOCALIZED: Final = tag(RIM, "LocalizedString")
_EXTERNAL: Final = tag(RIM, "ExternalIdentifier")
_VERSION: Final = tag(RIM, "VersionInfo")
_ENTRY_TYPE: Final = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"

Slots = Mapping[str, tuple[str, ...]]


class Classification(Struct, frozen=True):
    """A code, or an author, that a registry object is given under a scheme."""

    scheme: str
    code: str
    display: str | None
    slots: Slots

    @property
    def system(self) -> str:
        """The code system, as `codingScheme` says it."""
        return next(iter(self.slots.get("codingScheme", ())), "")


class RegistryObject(Struct, frozen=True):
    """An ExtrinsicObject or a RegistryPackage."""

    id: str
    name: str | None
    description: str | None
    slots: Slots
    classifications: tuple[Classification, ...]
    external: Mapping[str, str]
    object_type: str | None = None
    mime_type: str | None = None
    status: str | None = None
    logical_id: str | None = None
    version: str | None = None

    def slot(self, name: str) -> str | None:
        """The first value of a slot."""
        return next(iter(self.slots.get(name, ())), None)

    def under(self, scheme: str) -> list[Classification]:
        """The classifications of a scheme."""
        return [one for one in self.classifications if one.scheme == scheme]


class Association(Struct, frozen=True):
    """A typed link between two registry objects."""

    id: str
    type: str
    source: str
    target: str
    slots: Slots
    status: str | None = None


def read_object(element: Element) -> RegistryObject:
    """An ExtrinsicObject or a RegistryPackage."""
    version = next(element.iterchildren(_VERSION), None)
    return RegistryObject(
        id=element.get("id", ""),
        name=_localized(element, _NAME),
        description=_localized(element, _DESCRIPTION),
        slots=read_slots(element),
        classifications=tuple([_classification(one) for one in element.iterchildren(CLASSIFICATION)]),
        external={one.get("identificationScheme", ""): one.get("value", "") for one in element.iterchildren(_EXTERNAL)},
        object_type=element.get("objectType"),
        mime_type=element.get("mimeType"),
        status=element.get("status"),
        logical_id=element.get("lid"),
        version=version.get("versionName") if version is not None else None,
    )


def read_association(element: Element) -> Association:
    """An Association; its type may be written without its usual beginning, as ebRIM 2 did for HasMember."""
    return Association(
        id=element.get("id", ""),
        type=element.get("associationType", ""),
        source=element.get("sourceObject", ""),
        target=element.get("targetObject", ""),
        slots=read_slots(element),
        status=element.get("status"),
    )


def read_slots(element: Element) -> Slots:
    """The slots of an element, by name."""
    return {
        one.get("name", ""): tuple(
            [
                (value.text or "").strip()
                for listed in one.iterchildren(_VALUE_LIST)
                for value in listed.iterchildren(_VALUE)
            ]
        )
        for one in element.iterchildren(_SLOT)
    }


def write_object(made: RegistryObject, name: str) -> Element:
    """An ExtrinsicObject or a RegistryPackage, in the order of its schema."""
    element = etree.Element(tag(RIM, name), nsmap={"rim": RIM})
    attributes = {
        "id": made.id,
        "lid": made.logical_id,
        "objectType": made.object_type,
        "mimeType": made.mime_type,
        "status": made.status,
    }
    for key, value in attributes.items():
        if value is not None:
            element.set(key, value)
    write_slots(element, made.slots)
    for part, text in (("Name", made.name), ("Description", made.description)):
        if text is not None:
            _write_localized(element, part, text)
    if made.version is not None:
        etree.SubElement(element, tag(RIM, "VersionInfo")).set("versionName", made.version)
    for number, one in enumerate(made.classifications, start=1):
        _write_classification(element, made.id, number, one)
    for number, (scheme, value) in enumerate(made.external.items(), start=1):
        written = etree.SubElement(element, tag(RIM, "ExternalIdentifier"))
        written.set("id", f"{made.id}-x{number}")
        written.set("registryObject", made.id)
        written.set("identificationScheme", scheme)
        written.set("value", value)
        written.set("objectType", f"{_ENTRY_TYPE}ExternalIdentifier")
        _write_localized(written, "Name", _EXTERNAL_NAMES.get(scheme, scheme))
    return element


def write_association(made: Association) -> Element:
    """An Association."""
    element = etree.Element(tag(RIM, "Association"), nsmap={"rim": RIM})
    element.set("id", made.id)
    element.set("objectType", f"{_ENTRY_TYPE}Association")
    element.set("associationType", made.type)
    element.set("sourceObject", made.source)
    element.set("targetObject", made.target)
    if made.status:
        element.set("status", made.status)
    write_slots(element, made.slots)
    return element


def write_slots(element: Element, slots: Slots) -> None:
    """Slots, those without a value left out."""
    for name, values in slots.items():
        if not values:
            continue
        slot = etree.SubElement(element, tag(RIM, "Slot"))
        slot.set("name", name)
        listed = etree.SubElement(slot, tag(RIM, "ValueList"))
        for value in values:
            etree.SubElement(listed, tag(RIM, "Value")).text = value


def code(scheme: str, value: str, system: str, display: str | None) -> Classification:
    """A code under a scheme."""
    return Classification(scheme, value, display, {"codingScheme": (system,)} if system else {})


def _classification(element: Element) -> Classification:
    return Classification(
        scheme=element.get("classificationScheme") or element.get("classificationNode") or "",
        code=element.get("nodeRepresentation", ""),
        display=_localized(element, _NAME),
        slots=read_slots(element),
    )


def _write_classification(element: Element, owner: str, number: int, made: Classification) -> None:
    written = etree.SubElement(element, tag(RIM, "Classification"))
    written.set("id", f"{owner}-c{number}")
    written.set("classifiedObject", owner)
    written.set("objectType", f"{_ENTRY_TYPE}Classification")
    if made.scheme in _NODES:
        written.set("classificationNode", made.scheme)
        return
    written.set("classificationScheme", made.scheme)
    written.set("nodeRepresentation", made.code)
    write_slots(written, made.slots)
    if made.display is not None:
        _write_localized(written, "Name", made.display)


def _localized(element: Element, name: str) -> str | None:
    for one in element.iterchildren(name):
        for found in one.iterchildren(_LOCALIZED):
            return (found.get("value") or "").strip() or None
    return None


def _write_localized(element: Element, name: str, text: str) -> None:
    written = etree.SubElement(etree.SubElement(element, tag(RIM, name)), tag(RIM, "LocalizedString"))
    written.set(_XML_LANG, "fr-FR")
    written.set("value", text)


_NODES: Final = frozenset({"urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"})
_EXTERNAL_NAMES: Final = {
    "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427": "XDSDocumentEntry.patientId",
    "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab": "XDSDocumentEntry.uniqueId",
    "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446": "XDSSubmissionSet.patientId",
    "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832": "XDSSubmissionSet.sourceId",
    "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8": "XDSSubmissionSet.uniqueId",
}


def ids_of(objects: Iterable[RegistryObject]) -> set[str]:
    """The ids of several objects."""
    return {one.id for one in objects}
