"""What software for the DMP does in its own order: feeding without an authorisation, replacing what changed since."""

from typing import Any

import pytest

from ambroise.interfaces.xds.names import repository_id
from tests.integration.xds.asking import (
    APPROVED,
    BOTH,
    DEPRECATED,
    GET,
    PATIENT,
    RPLC,
    ask,
    authorise,
    file,
    find,
    get,
    patient_key,
    retrieve,
    unique_id,
)
from tests.integration.xds.conftest import COLLEAGUE, OTHER_FINESS, letter, software
from tests.integration.xds.test_updates import FRENCH, new_status, new_version, update
from tests.support.server import House
from tests.support.xds import PROVIDE, RETRIEVE, SUCCESS, Entry, Software, parts_of, retrieval, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")


def letter_of_colleague(**changes: Any) -> Entry:
    """The letter as a doctor elsewhere would write it."""
    entry = letter(
        author=f"8{COLLEAGUE}^ESSAI^Camille^^^DR^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
        structure=f"1{OTHER_FINESS}",
        **changes,
    )
    entry.content = entry.content.replace(b"801234567897", f"8{COLLEAGUE}".encode()).replace(
        b"1750803447", f"1{OTHER_FINESS}".encode()
    )
    return entry


async def test_an_author_whom_the_patient_has_not_authorised_follows_his_own_documents(house: House) -> None:
    """DMP integration guide, profile "Alimentation": no authorisation is needed to feed, replace and delete."""
    author = await software(house, COLLEAGUE)
    first, second = letter_of_colleague(), letter_of_colleague()
    await file(author, first)
    assert await find(author) == [first.unique_id], "his own, and no other"
    known = await get(author, first)
    assert next(iter((await retrieve(author, first.unique_id)).parts.values())) == first.content
    second.replaces = known.get("id")
    await file(author, second)
    assert await find(author) == [second.unique_id]
    gone = await update(author, new_status(await get(author, second), FRENCH + "Deleted"))
    assert (gone.status, gone.errors) == (SUCCESS, [])
    assert await find(author) == []


async def test_what_is_replaced_is_found_by_the_entry_uuid_that_the_sender_knew(house: House, author: Software) -> None:
    """Each change of who sees a document gives its metadata a new entryUUID, which the sender may not have read."""
    await authorise(house, author, await patient_key(house))
    first, second = letter(), letter()
    await file(author, first)
    known = await get(author, first)
    assert (await update(author, new_version(first, known, flags=("MASQUE_PS",)))).status == SUCCESS
    second.replaces = known.get("id")
    await file(author, second)
    found = await find(author)
    assert second.unique_id in found
    assert first.unique_id not in found, "it is superseded, by whatever entryUUID it is named"


GET_ALL = "10b545ea-725c-446d-9b95-8aeb444eddf3"


async def test_everything_of_a_patient_is_asked_at_once(house: House, author: Software) -> None:
    """GetAll (IHE ITI TF-2, 3.18.4.1.2.3.7.4): documents, submissions and the links among them."""
    await authorise(house, author, await patient_key(house))
    first, second = letter(), letter()
    await file(author, first)
    second.replaces = (await get(author, first)).get("id")
    await file(author, second)
    both = f"({APPROVED[1:-1]},{DEPRECATED[1:-1]})"
    asked: dict[str, Any] = {
        "XDSDocumentEntryStatus": both,
        "XDSSubmissionSetStatus": APPROVED,
        "XDSFolderStatus": APPROVED,
    }
    answer = await ask(author, GET_ALL, patientId=PATIENT, **asked)
    assert answer.status == SUCCESS, answer.http.text
    found = {unique_id(one): one.get("id") for one in answer.entries}
    assert {first.unique_id, second.unique_id} <= set(found)
    links = [
        (one.get("associationType"), one.get("sourceObject"), one.get("targetObject"))
        for one in answer.envelope.iterfind(".//{*}Association")
    ]
    assert (RPLC, found[second.unique_id], found[first.unique_id]) in links
    assert set(answer.ids("RegistryPackage")) == {source for kind, source, _ in links if kind != RPLC}
    assert (await ask(author, GET_ALL, patientId=PATIENT)).errors[0][0] == "XDSStoredQueryMissingParam"


async def test_documents_are_named_by_their_logical_id_too_and_in_one_way_alone(house: House, author: Software) -> None:
    await authorise(house, author, await patient_key(house))
    entry = letter()
    await file(author, entry)
    known = await get(author, entry)
    for query in (GET, BOTH):
        found = await ask(author, query, XDSDocumentEntryLogicalID=f"('{known.get('lid')}')")
        assert [unique_id(one) for one in found.entries] == [entry.unique_id]
    assert (await ask(author, GET, XDSDocumentEntryLogicalID="('x')")).entries == []
    twice = await ask(
        author, GET, XDSDocumentEntryUniqueId=f"('{entry.unique_id}')", XDSDocumentEntryEntryUUID="('urn:uuid:1')"
    )
    assert twice.errors == [("XDSStoredQueryParamNumber", "XDS_PARAMETER_NUMBER")]


async def test_a_unique_id_of_the_past_is_told_from_one_of_another_document(house: House, author: Software) -> None:
    await authorise(house, author, await patient_key(house))
    entry = letter()
    await file(author, entry)
    assert (await update(author, new_status(await get(author, entry), FRENCH + "Deleted"))).status == SUCCESS
    again = await author.call("/xds/repository", PROVIDE, submission(entry), parts_of(entry))
    assert again.errors == [("XDSDuplicateUniqueIdInRegistry", "DUPLICATE_UNIQUE_ID")]


async def test_a_request_for_nothing_or_for_too_much_is_told_apart(author: Software) -> None:
    own = repository_id(None, author.house.services.installation.id)
    assert (await author.call("/xds/repository", RETRIEVE, retrieval(own))).fault == "XDS_MALFORMED"
    many = await retrieve(author, *(f"2.25.{number}" for number in range(101)))
    assert many.errors == [("XDSRepositoryOutOfResources", "XDS_ANSWER_TOO_LARGE")]
