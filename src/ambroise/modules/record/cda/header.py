"""The parts of a CDA header, each read from the root element."""

from ambroise.modules.record.cda import values
from ambroise.modules.record.cda.gaps import Gaps
from ambroise.modules.record.cda.model import (
    Actor,
    Author,
    Code,
    Device,
    Encounter,
    Identifier,
    LegalAuthenticator,
    Moment,
    Order,
    Organization,
    Patient,
    Precision,
    RelatedDocument,
    ServiceEvent,
)
from ambroise.modules.record.cda.nodes import HL7, Element, attribute, local, many, one, text

_XDS_ID_LENGTH = 128
_STUDY = "113014"
_NOBODY = Actor()


def document_id(root: Element, gaps: Gaps) -> Identifier:
    """The unique id of the document: an OID or UUID root, and an extension if any."""
    found = gaps.need(next(iter(values.identifiers(root)), None), "id/@root", Identifier("0.0"))
    if not found.well_formed:
        gaps.missing("id/@root", "is neither an OID nor a UUID")
    if len(found.xds) > _XDS_ID_LENGTH:
        gaps.missing("id", f"has more than {_XDS_ID_LENGTH} characters with its extension")
    return found


def version(root: Element) -> int | None:
    """The version number within the set."""
    written = attribute(root, "value", "versionNumber") or ""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def effective_time(root: Element, gaps: Gaps) -> Moment:
    """When the document was made; a day at least."""
    found = values.moment(attribute(root, "value", "effectiveTime"))
    if found and found.precision.value < Precision.DAY.value:
        found = None
    return gaps.need(found, "effectiveTime/@value", values.EPOCH)


def confidentiality(root: Element, gaps: Gaps) -> tuple[Code, ...]:
    """The confidentiality codes, the level first."""
    found = tuple(item for item in map(values.coded, many(root, "confidentialityCode")) if item)
    return gaps.need(found, "confidentialityCode", ())


def patient(root: Element, gaps: Gaps) -> Patient:
    """The one patient of the document."""
    roles = many(root, "recordTarget/patientRole")
    if len(roles) > 1:
        gaps.missing("recordTarget", "is there more than once: a document has one patient")
    role = roles[0] if roles else None
    person = one(role, "patient")
    where = "recordTarget/patientRole"
    names = [(local(item), item.get("qualifier"), item) for part in many(person, "name") for item in part]
    birth_name = _named(names, "family", "BR") or _named(names, "family", None)
    return Patient(
        identifiers=gaps.need(values.identifiers(role), f"{where}/id", ()),
        birth_name=gaps.need(birth_name, f"{where}/patient/name/family[@qualifier='BR']", ""),
        first_given=_named(names, "given", "BR"),
        given_names=_named(names, "given", None),
        used_name=_named(names, "family", "CL"),
        used_given=_named(names, "given", "CL"),
        birth_date=gaps.need(attribute(person, "value", "birthTime"), f"{where}/patient/birthTime/@value", ""),
        sex=gaps.need(
            attribute(person, "code", "administrativeGenderCode"), f"{where}/patient/administrativeGenderCode/@code", ""
        ),
        birth_place=text(one(person, "birthplace/place"), "addr/county"),
    )


def authors(root: Element, gaps: Gaps) -> tuple[Author, ...]:
    """Every author."""
    found = tuple(
        Author(
            values.moment(attribute(item, "value", "time")),
            values.coded(one(item, "functionCode")),
            actor(one(item, "assignedAuthor")),
        )
        for item in many(root, "author")
    )
    return gaps.need(found, "author", ())


def legal_authenticator(root: Element, gaps: Gaps) -> LegalAuthenticator:
    """Who answers for the document."""
    element = one(root, "legalAuthenticator")
    who = actor(one(element, "assignedEntity"))
    if not who.identifiers:
        gaps.missing("legalAuthenticator/assignedEntity/id")
    return LegalAuthenticator(values.moment(attribute(element, "value", "time")), who)


def service_events(root: Element, gaps: Gaps) -> tuple[ServiceEvent, ...]:
    """The acts reported; one at least says when it began."""
    found = tuple(
        ServiceEvent(
            values.coded(one(item, "code")),
            values.period(one(item, "effectiveTime")),
            actor(one(item, "performer/assignedEntity")) if one(item, "performer") is not None else None,
        )
        for item in many(root, "documentationOf/serviceEvent")
    )
    if not any(item.period.low for item in found):
        gaps.missing("documentationOf/serviceEvent/effectiveTime/low")
    return found


def encounter(root: Element, gaps: Gaps) -> Encounter:
    """The encounter, with the kind of place where it happened."""
    element = one(root, "componentOf/encompassingEncounter")
    where = one(element, "location/healthCareFacility")
    facility = values.coded(one(where, "code"))
    if facility is None:
        gaps.missing("componentOf/encompassingEncounter/location/healthCareFacility/code")
    return Encounter(
        values.coded(one(element, "code")),
        facility,
        text(where, "location/name") or text(where, "serviceProviderOrganization/name"),
    )


def related(root: Element) -> tuple[RelatedDocument, ...]:
    """Links to other documents."""
    return tuple(
        RelatedDocument(
            attribute(item, "typeCode") or "",
            values.identifiers(item, "parentDocument/id"),
            next(iter(values.identifiers(item, "parentDocument/setId")), None),
        )
        for item in many(root, "relatedDocument")
    )


def orders(root: Element) -> tuple[Order, ...]:
    """Requests that this document answers, with accession numbers (an element of the imaging namespace)."""
    return tuple(
        Order(
            values.identifiers(item),
            tuple(
                Identifier(root_oid, attribute(part, "extension"))
                for part in item
                if local(part) == "accessionNumber" and (root_oid := attribute(part, "root"))
            ),
        )
        for item in many(root, "inFulfillmentOf/order")
    )


def studies(root: Element) -> tuple[Identifier, ...]:
    """The imaging studies that the body describes (study instance UIDs)."""
    acts = root.iter(f"{{{HL7}}}act")
    found = [act for act in acts if attribute(act, "code", "code") == _STUDY and attribute(act, "classCode") == "ACT"]
    return tuple(dict.fromkeys([item for act in found for item in values.identifiers(act)]))


def recipients(root: Element) -> tuple[Actor, ...]:
    """To whom the document was addressed."""
    return tuple(
        Actor(
            values.identifiers(item),
            None,
            values.name(one(item, "informationRecipient/name")),
            None,
            organization(one(item, "receivedOrganization")),
        )
        for item in many(root, "informationRecipient/intendedRecipient")
    )


def actor(element: Element | None) -> Actor:
    """An assigned entity or author."""
    if element is None:
        return _NOBODY
    device = one(element, "assignedAuthoringDevice")
    return Actor(
        values.identifiers(element),
        values.coded(one(element, "code")),
        values.name(one(element, "assignedPerson/name")),
        Device(text(device, "manufacturerModelName"), text(device, "softwareName")) if device is not None else None,
        organization(one(element, "representedOrganization")),
    )


def organization(element: Element | None) -> Organization | None:
    """A structure; None when the element is absent."""
    if element is None:
        return None
    return Organization(
        values.identifiers(element),
        text(element, "name"),
        values.coded(one(element, "standardIndustryClassCode")),
    )


def _named(parts: list[tuple[str, str | None, Element]], kind: str, qualifier: str | None) -> str | None:
    """The words of the name parts of one kind and qualifier; several `given` make the list of first names."""
    found = [text(item) for name, qualified, item in parts if name == kind and qualified == qualifier]
    return " ".join([words for words in found if words]) or None
