"""ITI-41 over SOAP: what is filed, what is refused and under which code, in both forms of sending."""

from dataclasses import replace
from typing import Any

import pytest

from ambroise.interfaces.token_claims import Role
from tests.integration.xds.conftest import example_client, letter
from tests.support.server import House
from tests.support.xds import FAILURE, PROVIDE, SUCCESS, Answer, Entry, Software, parts_of, read, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/xds/repository"


async def provide(software: Software, *entries: Entry, **changes: object) -> Answer:
    return await software.call(PATH, PROVIDE, submission(*entries, **changes), parts_of(*entries))  # type: ignore[arg-type]


async def read_by_fhir(house: House, entry: Entry) -> bytes | None:
    """What the citizen reads of it by FHIR."""
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        query = {"identifier": f"urn:ietf:rfc:3986|urn:oid:{entry.unique_id}"}
        found = (await citizen.get("DocumentReference", params=query)).json().get("entry", [])
        if not found:
            return None
        answer = await citizen.get(found[0]["resource"]["content"][0]["attachment"]["url"])
        return answer.content


@pytest.mark.parametrize("inline", [False, True])
async def test_a_document_sent_by_xds_is_read_by_fhir_byte_for_byte(
    house: House, author: Software, inline: bool
) -> None:
    entry = letter()
    parts = None if inline else parts_of(entry)
    answer = await author.call(PATH, PROVIDE, submission(entry, inline=inline), parts)
    assert (answer.status, answer.errors) == (SUCCESS, []), answer.http.text
    assert await read_by_fhir(house, entry) == entry.content
    again = await provide(author, entry)
    assert again.status == SUCCESS


async def test_the_metadata_that_were_sent_are_those_of_fhir(house: House, author: Software) -> None:
    entry = letter(flags=("MASQUE_PS",), slots={"urn:ihe:iti:xds:2013:referenceIdList": ORDER})
    assert (await provide(author, entry)).status == SUCCESS
    resource = await found(house, entry)
    assert resource["type"]["coding"][0]["code"] == "11488-4"
    assert resource["date"] == "2026-01-15T09:30:00+00:00"
    assert resource["context"]["period"]["start"] == "2026-01-15T09:10:00+00:00"
    assert {one["coding"][0]["code"] for one in resource["securityLabel"]} == {"N", "MASQUE_PS"}
    assert resource["context"]["related"][0]["identifier"]["value"] == "ORDER-1"
    person = next(one for one in resource["contained"] if one["id"] == "author-1-person")
    assert person["identifier"] == [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "801234567897"}]
    assert person["name"] == [{"family": "AUTEUR-EXEMPLE", "given": ["Charles"], "prefix": ["DR"]}]
    source = next(one for one in resource["contained"] if one["id"] == "source-patient")
    assert source["name"] == [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE", "MARIE-LOUISE"]}]
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        lists = (await citizen.get("List", params={"item": f"DocumentReference/{resource['id']}"})).json()["entry"]
    assert [one["resource"]["title"] for one in lists] == ["Lot"]


async def test_a_replacement_supersedes_the_document_it_names(house: House, author: Software) -> None:
    first = letter()
    await provide(author, first)
    old = await found(house, first)
    uuid = next(one["value"] for one in old["identifier"] if one["value"].startswith("urn:uuid:"))
    second = letter(replaces=uuid)
    assert (await provide(author, second)).status == SUCCESS
    assert (await found(house, first))["status"] == "superseded"
    assert (await found(house, second))["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{old['id']}"
    newer = (await found(house, first))["identifier"]
    third = letter(replaces=next(one["value"] for one in newer if one["value"].startswith("urn:uuid:")))
    assert (await provide(author, third)).errors == [("XDSRegistryDeprecatedDocumentError", "REPLACED_ALREADY")]


async def test_refusals_have_the_codes_of_xds_and_ours(house: House, author: Software) -> None:
    async def errors(entry: Entry, **changes: object) -> list[tuple[str, str]]:
        answer = await provide(author, entry, **changes)
        assert answer.status == FAILURE
        return answer.errors

    known = letter()
    await provide(author, known)
    other = letter()
    same_id = replace(other, unique_id=known.unique_id, content=other.content.replace(_id(other), _id(known)) + b"\n")
    assert await errors(same_id) == [("XDSDuplicateUniqueIdInRegistry", "DUPLICATE_UNIQUE_ID")]
    wrong_hash = letter(slots={"hash": "0" * 40})
    assert await errors(wrong_hash) == [("XDSRepositoryMetadataError", "HASH_MISMATCH")]
    stranger = "801999999999^AUTRE^Alix^^^DR^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    by_others = letter(author=stranger, structure="1999999999")
    assert await errors(by_others) == [("XDSRepositoryError", "AUTHOR_MISMATCH")]
    unknown = "255069999999934^^^&1.2.250.1.213.1.4.10&ISO^NH"
    assert (await errors(letter(patient=unknown)))[0][0] in ("XDSUnknownPatientId", "XDSPatientIdDoesNotMatch")
    mixed = await errors(letter(), patient=unknown)
    assert mixed == [("XDSPatientIdDoesNotMatch", "SUBMISSION_SEVERAL_PATIENTS")]
    assert await errors(letter(), documents="") == [("XDSMissingDocument", "XDS_DOCUMENT_MISSING")]
    entry = letter()
    extra = f'<x:Document id="nobody">{"AAAA"}</x:Document>'
    assert await errors(entry, documents=extra) == [("XDSMissingDocumentMetadata", "XDS_DOCUMENT_WITHOUT_METADATA")]
    bad_type = letter(type=("99999-9", "2.16.840.1.113883.6.1"))
    assert ("XDSRepositoryMetadataError", "METADATA_MISMATCH") in await errors(bad_type)
    for one in (wrong_hash, other, entry, bad_type):
        assert await read_by_fhir(house, one) is None


async def test_a_submission_is_filed_whole_or_not_at_all(house: House, author: Software) -> None:
    good, bad = letter(id="one"), letter(id="two", slots={"size": "1"})
    answer = await provide(author, good, bad)
    assert answer.errors == [("XDSRepositoryMetadataError", "HASH_MISMATCH")]
    assert answer.envelope.find(".//{*}RegistryError").get("location").startswith("two ")
    assert await read_by_fhir(house, good) is None
    assert (await provide(author, letter(id="one"), letter(id="two"))).status == SUCCESS
    twice = letter(id="one")
    answer = await provide(author, twice, replace(twice, id="two"))
    assert answer.errors == [("XDSRepositoryDuplicateUniqueIdInMessage", "XDS_DUPLICATE_IN_MESSAGE")]


async def test_a_submission_leaves_a_trace_of_the_way_it_came(house: House, author: Software) -> None:
    entry = letter()
    await provide(author, entry)
    document = (await found(house, entry))["id"]
    async with house.services.database.reader() as reader:
        rows = await reader.fetch_all("select channel, event from trace where resource = %s order by at", (document,))
    assert ("xds", "create") in [tuple(row) for row in rows], rows


async def test_the_example_client_files_its_document(house: House, author: Software) -> None:
    example = example_client("provide")
    entry = letter()
    body, media_type = example.request_of(author.assertion().decode(), entry.content)
    assert read(await author.post(PATH, body, media_type)).status == SUCCESS
    assert await read_by_fhir(house, entry) == entry.content


async def found(house: House, entry: Entry) -> dict[str, Any]:
    """The DocumentReference as the citizen sees it."""
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        query = {"identifier": f"urn:ietf:rfc:3986|urn:oid:{entry.unique_id}"}
        bundle = (await citizen.get("DocumentReference", params=query)).json()
        return bundle["entry"][0]["resource"]


def _id(entry: Entry) -> bytes:
    return f'root="{entry.unique_id}"'.encode()


ORDER = "ORDER-1^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:order"
