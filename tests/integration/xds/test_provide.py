"""ITI-41 over SOAP: what is filed, what is refused and under which code, in both forms of sending."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from ambroise.interfaces.token_claims import Role
from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.main import app as asgi
from tests.integration.xds.conftest import STRANGER, example_client, letter, software
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
    assert await errors(same_id) == [("XDSNonIdenticalHash", "DUPLICATE_UNIQUE_ID")]
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


# A submission that is signed (XAdES over the digests of its documents).


def signed(who: Software, lot: str, *entries: Entry, also: dict[str, bytes] | None = None) -> Entry:
    """The document that signs these, by the certificate of who sends, made by the reference client."""
    content = example_client("sign").signature(
        lot, {one.unique_id: one.content for one in entries} | (also or {}), who.certificate.certificate,
        who.certificate.key,
    )  # fmt: skip
    return letter_signature(content)


def letter_signature(content: bytes) -> Entry:
    return Entry(
        content,
        f"2.25.{uuid4().int}",
        id="signature",
        format="http://www.w3.org/2000/09/xmldsig#",
        type=("E1762", "ASTM"),
        flags=("MASQUE_PS", "INVISIBLE_PATIENT"),
    )


async def test_a_signed_submission_says_who_signed_it_in_the_answer_the_trace_and_the_list(
    house: House, author: Software
) -> None:
    lot, first, second = f"2.25.{uuid4().int}", letter(id="one"), letter(id="two")
    signature = signed(author, lot, first, second)
    answer = await provide(author, first, second, signature, set_id=lot)
    assert (answer.status, answer.errors) == (SUCCESS, []), answer.http.text
    slot = answer.envelope.find(".//{*}ResponseSlotList/{*}Slot")
    assert slot.get("name") == "urn:ambroise:xds:signedBy"
    assert slot.findtext(".//{*}Value").startswith(author.who.id)
    resource = await found(house, first)
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        lists = (await citizen.get("List", params={"item": f"DocumentReference/{resource['id']}"})).json()["entry"]
        query = {"identifier": f"urn:ietf:rfc:3986|urn:oid:{signature.unique_id}"}
        assert (await citizen.get("DocumentReference", params=query)).json().get("entry", []) == []
    [kept] = [
        one["valueSignature"]
        for one in lists[0]["resource"]["extension"]
        if one["url"] == "urn:ambroise:submission:signature"
    ]
    assert base64.b64decode(kept["data"]) == signature.content
    assert kept["who"]["identifier"] == {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": author.who.id}
    async with house.services.database.reader() as reader:
        traced = await reader.fetch_all(
            "select actor_id, details->>'party' from trace where event = 'submission_signed'"
        )
    assert (author.who.id, author.who.id) in traced


async def test_the_example_client_signs_what_it_sends(author: Software, tmp_path: Path) -> None:
    (tmp_path / "client.pem").write_bytes(author.certificate.certificate)
    (tmp_path / "client.key").write_bytes(author.certificate.key)
    entry = letter()
    body, media_type = example_client("provide").request_of(author.assertion().decode(), entry.content, tmp_path)
    answer = read(await author.post(PATH, body, media_type))
    assert (answer.status, answer.errors) == (SUCCESS, []), answer.http.text
    assert author.who.id in answer.envelope.find(".//{*}ResponseSlotList").findtext(".//{*}Value")


async def test_a_signature_that_is_wrong_files_nothing(house: House, author: Software, tmp_path: Path) -> None:
    stranger = await software(house, STRANGER)
    other = letter(id="other")

    async def refused(entry: Entry, signature: Entry, lot: str) -> list[tuple[str, str]]:
        answer = await provide(author, entry, signature, set_id=lot)
        assert answer.status == FAILURE
        assert await read_by_fhir(house, entry) is None
        return answer.errors

    lot = f"2.25.{uuid4().int}"
    code = "XDSRepositoryMetadataError"
    entry = letter()
    good = signed(author, lot, entry).content
    cases = {
        "SIGNATURE_SIGNER": signed(stranger, lot, entry).content,
        "SIGNATURE_MANIFEST": signed(author, lot, entry, other).content,
    }
    for ours, content in cases.items():
        assert await refused(entry, letter_signature(content), lot) == [(code, ours)]
    changed = [
        signed(author, lot, replace(entry, content=entry.content + b"<!-- later -->")).content,
        signed(author, f"2.25.{uuid4().int}", entry).content,
        signed(author, lot, other).content,
    ]
    for content in changed:
        assert await refused(entry, letter_signature(content), lot) == [(code, "SIGNATURE_MANIFEST")]
    broken = [
        good.replace(entry.unique_id.encode(), other.unique_id.encode()),
        good.replace(b"<SigningTime>2", b"<SigningTime>1"),
        re.sub(b"<SignatureValue>....", b"<SignatureValue>AAAA", good),
        re.sub(b"<X509Certificate>.*</X509Certificate>", b"<X509Certificate>AAAA</X509Certificate>", good),
        good.replace(b'URI="#IHEManifest"', b'URI="#purposeOfSignature"'),
        b"<Signature/>",
        b"not XML",
    ]
    for content in broken:
        assert await refused(entry, letter_signature(content), lot) == [(code, "SIGNATURE_INVALID")], content[:60]
    self_made = DemonstrationAuthority.open(tmp_path).issue_person(author.who.id, "ESSAI", "Camille")
    forged = example_client("sign").signature(
        lot, {entry.unique_id: entry.content}, self_made.certificate, self_made.key
    )
    assert await refused(entry, letter_signature(forged), lot) == [(code, "SIGNATURE_INVALID")]
    answer = await provide(author, entry, letter_signature(good), set_id=lot)
    assert answer.status == SUCCESS, "the control"


async def test_a_signature_made_with_sha_1_is_passed_over_with_a_warning(house: House, author: Software) -> None:
    lot, entry = f"2.25.{uuid4().int}", letter()
    weak = signed(author, lot, entry).content.replace(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1")
    answer = await provide(author, entry, letter_signature(weak), set_id=lot)
    assert answer.status == SUCCESS
    assert [ours for _, ours in answer.errors] == ["SIGNATURE_WEAK"]
    assert answer.envelope.find(".//{*}ResponseSlotList") is None
    assert await read_by_fhir(house, entry) == entry.content


async def test_an_instance_that_wants_signatures_takes_nothing_without_a_good_one(
    house: House, author: Software
) -> None:
    demanding = msgspec.structs.replace(house.services.settings, submission_signature="required")
    services = msgspec.structs.replace(house.services, settings=demanding)
    strict = Software(House(services, asgi.build(services)), author.who)
    entry, lot = letter(), f"2.25.{uuid4().int}"
    assert (await provide(strict, entry, set_id=lot)).errors == [("XDSRepositoryMetadataError", "SIGNATURE_REQUIRED")]
    weak = signed(strict, lot, entry).content.replace(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1")
    assert (await provide(strict, entry, letter_signature(weak), set_id=lot)).errors[0][1] == "SIGNATURE_WEAK"
    assert await read_by_fhir(house, entry) is None
    assert (await provide(strict, entry, signed(strict, lot, entry), set_id=lot)).status == SUCCESS
