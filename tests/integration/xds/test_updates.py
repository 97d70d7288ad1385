"""ITI-57 over SOAP: who may mask, disclose, archive and delete, and what each changes for everybody."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from tests.integration.xds.asking import ARCHIVED, authorise, file, find, get, patient_key
from tests.integration.xds.conftest import COLLEAGUE, letter, software
from tests.support.server import House
from tests.support.xds import NS, SUCCESS, UPDATE, Answer, Entry, Software, external, slot

pytestmark = pytest.mark.asyncio(loop_scope="module")
STATUS = "urn:oasis:names:tc:ebxml-regrep:StatusType:"
FRENCH = "urn:asip:ci-sis:2010:StatusType:"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(house: House, author: Software) -> Software:
    """The author, authorised by the patient."""
    await authorise(house, author, await patient_key(house))
    return author


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def colleague(house: House) -> Software:
    """A colleague elsewhere, authorised too."""
    found = await software(house, COLLEAGUE)
    await authorise(house, found, await patient_key(house))
    return found


async def update(who: Software, *parts: str) -> Answer:
    body = (
        f'<l:SubmitObjectsRequest xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="{NS["rim"]}">'
        '<rim:RegistryObjectList><rim:RegistryPackage id="set">'
        + slot("submissionTime", "20260116093000")
        + external("6b5aea1a-874d-4603-a4bc-96a0a7b38446", "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH", "set")
        + external("554ac39e-e3fe-47fe-b233-965d2a147832", "1.2.250.1.999.1", "set")
        + external("96fdda7c-d067-4183-912e-bf5ee74998a8", f"2.25.{uuid4().int}", "set")
        + '<rim:Classification id="n" classifiedObject="set" '
        'classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/></rim:RegistryPackage>'
        + "".join(parts)
        + "</rim:RegistryObjectList></l:SubmitObjectsRequest>"
    )
    return await who.call("/xds/registry", UPDATE, body)


def new_version(entry: Entry, found: Any, version: str | None = None, **changes: Any) -> str:
    """The DocumentEntry again under its lid, and its membership."""
    written = Entry(entry.content, entry.unique_id, id="again", **changes).xml()
    written = written.replace("<rim:ExtrinsicObject ", f'<rim:ExtrinsicObject lid="{found.get("lid")}" ', 1)
    previous = version or found.find("rim:VersionInfo", NS).get("versionName")
    return (
        written + '<rim:Association id="m" sourceObject="set" targetObject="again" '
        'associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember">'
        + slot("PreviousVersion", previous)
        + "</rim:Association>"
    )


def new_status(found: Any, wanted: str, original: str = STATUS + "Approved") -> str:
    return (
        f'<rim:Association id="u" sourceObject="set" targetObject="{found.get("id")}" '
        'associationType="urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus">'
        + slot("OriginalStatus", original)
        + slot("NewStatus", wanted)
        + "</rim:Association>"
    )


async def test_a_professional_masks_a_document_and_shows_it_again(reader: Software, colleague: Software) -> None:
    entry = letter()
    await file(reader, entry)
    assert entry.unique_id in await find(colleague)
    first = await get(reader, entry)
    answer = await update(colleague, new_version(entry, first, flags=("MASQUE_PS",)))
    assert (answer.status, answer.errors) == (SUCCESS, []), answer.http.text
    assert entry.unique_id not in await find(colleague)
    second = await get(reader, entry)
    assert second.get("lid") == first.get("lid")
    assert second.get("id") != first.get("id")
    assert second.find("rim:VersionInfo", NS).get("versionName") == "2"
    unseen = await update(colleague, new_version(entry, second))
    assert unseen.errors == [("XDSMetadataUpdateError", "XDS_UNRESOLVED")]
    assert (await update(reader, new_version(entry, second))).status == SUCCESS
    assert entry.unique_id in await find(colleague)
    stale = await update(reader, new_version(entry, first, version="1", flags=("MASQUE_PS",)))
    assert stale.errors == [("XDSMetadataVersionError", "VERSION_MISMATCH")]


async def test_nothing_else_of_a_document_changes(reader: Software) -> None:
    entry = letter()
    await file(reader, entry)
    found = await get(reader, entry)
    every: tuple[dict[str, Any], ...] = ({"title": "Autre titre"}, {"type": ("34112-3", "2.16.840.1.113883.6.1")})
    for changes in every:
        answer = await update(reader, new_version(entry, found, **changes))
        assert answer.errors == [("XDSMetadataUpdateError", "METADATA_IMMUTABLE")]
    withheld = await update(reader, new_version(entry, found, flags=("INVISIBLE_PATIENT",)))
    assert withheld.errors == [("XDSMetadataUpdateError", "WITHHOLDING_AT_FILING")]


async def test_what_an_update_gets_wrong_has_the_code_of_the_standard(reader: Software) -> None:
    entry, other = letter(), letter()
    await file(reader, entry)
    found = await get(reader, entry)
    version = new_version(entry, found)
    operation, error = "XDSMetadataUpdateOperationError", "XDSMetadataUpdateError"
    wrong = {
        version.replace(
            entry.patient.replace("&", "&amp;"), "180120987612334^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"
        ): (
            "XDSPatientIDReconciliationError",
            "METADATA_PATIENT",
        ),
        version.replace(entry.unique_id, other.unique_id): ("XDSMetadataIdentifierError", "METADATA_IDENTIFIER"),
        "": (operation, "XDS_UPDATE_UNKNOWN"),
        new_status(found, FRENCH + "Archived").replace("UpdateAvailabilityStatus", "SubmitAssociation"): (
            operation,
            "XDS_UPDATE_UNKNOWN",
        ),
        new_status(found, FRENCH + "Archived").replace('sourceObject="set"', 'sourceObject="other"'): (
            operation,
            "XDS_UPDATE_UNKNOWN",
        ),
        new_status(found, STATUS + "Submitted"): (error, "XDS_STATUS_UNKNOWN"),
        new_status(found, FRENCH + "Archived").replace(found.get("id"), f"urn:uuid:{uuid4()}"): (
            error,
            "XDS_UNRESOLVED",
        ),
    }
    for parts, codes in wrong.items():
        answer = await update(reader, parts)
        assert answer.errors == [codes], answer.http.text
    assert entry.unique_id in await find(reader), "nothing changed"


async def test_a_withheld_document_is_made_visible_to_the_patient(house: House, reader: Software) -> None:
    entry = letter(flags=("INVISIBLE_PATIENT",))
    await file(reader, entry)
    found = await get(reader, entry)
    document = UUID(found.get("lid"))
    assert not await seen_by_patient(house, document)
    assert (await update(reader, new_version(entry, found))).status == SUCCESS
    assert await seen_by_patient(house, document)


async def test_a_document_is_archived_and_brought_back(reader: Software) -> None:
    entry = letter()
    await file(reader, entry)
    found = await get(reader, entry)
    wrong = await update(reader, new_status(found, FRENCH + "Archived", original=STATUS + "Deprecated"))
    assert wrong.errors == [("XDSMetadataUpdateError", "XDS_STATUS_MISMATCH")]
    assert (await update(reader, new_status(found, FRENCH + "Archived"))).status == SUCCESS
    assert entry.unique_id not in await find(reader)
    assert entry.unique_id in await find(reader, XDSDocumentEntryStatus=ARCHIVED)
    archived = await get(reader, entry)
    assert archived.get("status") == FRENCH + "Archived"
    back = new_status(archived, STATUS + "Approved", original=FRENCH + "Archived")
    assert (await update(reader, back)).status == SUCCESS
    assert entry.unique_id in await find(reader)


async def test_only_its_author_deletes_a_document(reader: Software, colleague: Software) -> None:
    entry = letter()
    await file(reader, entry)
    found = await get(reader, entry)
    refused = await update(colleague, new_status(found, FRENCH + "Deleted"))
    assert refused.errors[0][0] == "XDSRegistryError"
    assert entry.unique_id in await find(colleague)
    assert (await update(reader, new_status(found, FRENCH + "Deleted"))).status == SUCCESS
    assert entry.unique_id not in await find(reader)
    assert (await update(reader, new_status(found, STATUS + "Approved"))).errors == [
        ("XDSMetadataUpdateError", "XDS_UNRESOLVED")
    ]


async def seen_by_patient(house: House, document: UUID) -> bool:
    from ambroise.interfaces.token_claims import Role

    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        return (await citizen.get(f"DocumentReference/{document}")).status_code == 200
