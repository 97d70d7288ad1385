"""XDM zips in and out of one application: what is filed, what is refused, what another reader finds in them."""

import base64
import hashlib
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from ambroise.interfaces.token_claims import Role
from tests.integration.xds.asking import authorise, file, patient_key
from tests.integration.xds.conftest import COLLEAGUE, RPPS, STRANGER, author, house, letter, software
from tests.integration.xds.test_provide import letter_signature, signed
from tests.support.server import House
from tests.support.xdm import metadata, unzipped, xdm
from tests.support.xds import Entry, Software

__all__ = ["author", "house"]
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def send(house: House, content: bytes, rpps: str = RPPS) -> Any:
    async with house.client(Role.PROFESSIONAL, rpps=rpps) as client:
        return await client.post(
            "DocumentReference/$import-xdm", content=content, headers={"content-type": "application/zip"}
        )


def code_of(answer: Any) -> str:
    return answer.json()["issue"][0]["details"]["coding"][0]["code"]


def parts(submission: Any, name: str) -> list[Any]:
    return [one for one in submission["part"] if one["name"] == name]


async def reference(house: House, unique_id: str, rpps: str = RPPS) -> str | None:
    async with house.client(Role.PROFESSIONAL, rpps=rpps) as client:
        found = await client.get("DocumentReference", params={"identifier": f"urn:ietf:rfc:3986|urn:oid:{unique_id}"})
        return next((one["resource"]["id"] for one in found.json().get("entry", [])), None)


async def test_each_submission_set_is_filed_whole_and_the_others_beside_it(house: House, author: Software) -> None:
    await authorise(house, author, await patient_key(house))
    good = (letter(id="a"), letter(id="b"))
    spoilt = letter(id="d")
    bad = (letter(id="c"), replace(spoilt, slots={"hash": "00" * 20}))
    answer = await send(house, xdm(good, bad))
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["parameter"]
    assert [one["part"][0]["valueString"] for one in parts(first, "document")] == [
        "IHE_XDM/SUBSET01/a.XML",
        "IHE_XDM/SUBSET01/b.XML",
    ]
    issue = parts(second, "outcome")[0]["resource"]["issue"][0]
    assert issue["details"]["coding"][0]["code"] == "HASH_MISMATCH"
    assert "IHE_XDM/SUBSET02/d.XML" in issue["diagnostics"]
    assert [await reference(house, one.unique_id) is not None for one in (*good, *bad)] == [True, True, False, False]
    again = (await send(house, xdm(good))).json()["parameter"][0]
    assert all(one["part"][2]["valueBoolean"] for one in parts(again, "document"))


async def test_what_a_zip_gets_wrong_is_refused_by_the_name_of_its_file(house: House, author: Software) -> None:
    one = letter(id="doc")
    wrong: dict[str, tuple[bytes, str]] = {
        "XDM_EMPTY": (xdm(files={"a.txt": b"x"}), ""),
        "XDM_FILE_MISSING": (xdm((one,), files={"IHE_XDM/SUBSET01/doc.XML": None}), "IHE_XDM/SUBSET01/doc.XML"),
        "ZIP_UNSAFE": (xdm((replace(one, slots={"URI": "../../README.TXT"}),)), "../../README.TXT"),
        "XDM_HASH_MISSING": (xdm((replace(one, slots={"hash": None}),)), "IHE_XDM/SUBSET01/doc.XML"),
        "METADATA_INVALID": (
            xdm((one,), files={"IHE_XDM/SUBSET01/METADATA.XML": b"<!DOCTYPE x><x/>"}),
            "IHE_XDM/SUBSET01/METADATA.XML",
        ),
        "AUTHOR_MISMATCH": (xdm((replace(letter(id="doc"), author="899700000013^ESSAI^Camille", structure="1"),)), ""),
    }
    for code, (content, name) in wrong.items():
        answer = await send(house, content, COLLEAGUE if code == "AUTHOR_MISMATCH" else RPPS)
        assert (answer.status_code >= 400, code_of(answer)) == (True, code), answer.text
        assert name in answer.json()["issue"][0]["diagnostics"]
    assert await reference(house, one.unique_id) is None


async def test_a_zip_given_out_is_the_same_documents_for_another_reader(house: House, author: Software) -> None:
    await authorise(house, author, await patient_key(house))
    entries = (letter(id="a", title="Lettre <d'un> & de deux"), letter(id="b"))
    await file(author, *entries)
    ids = [await reference(house, one.unique_id) for one in entries]
    async with house.client(Role.PROFESSIONAL, rpps=RPPS) as client:
        given = await client.get("DocumentReference/$export-xdm", params={"_id": ",".join(map(str, ids))})
    assert given.headers["content-type"] == "application/zip"
    files = unzipped(given.content)
    assert set(files) == {
        "INDEX.HTM",
        "README.TXT",
        "IHE_XDM/SUBSET01/METADATA.XML",
        "IHE_XDM/SUBSET01/DOC0001.XML",
        "IHE_XDM/SUBSET01/DOC0002.XML",
    }
    assert [files[f"IHE_XDM/SUBSET01/DOC000{n}.XML"] for n in (1, 2)] == [one.content for one in entries]
    index = files["INDEX.HTM"].decode()
    assert 'href="IHE_XDM/SUBSET01/DOC0001.XML"' in index
    assert "Lettre &lt;d&#x27;un&gt; &amp; de deux" in index
    metadata = files["IHE_XDM/SUBSET01/METADATA.XML"]
    assert hashlib.sha1(entries[0].content, usedforsecurity=False).hexdigest().encode() in metadata
    # What was given out comes back in by the same door: it is there already.
    again = (await send(house, given.content)).json()["parameter"][0]
    assert [one["part"][2]["valueBoolean"] for one in parts(again, "document")] == [True, True]


def signed_zip(entries: tuple[Entry, ...], signature: Entry, lot: str) -> bytes:
    """A zip of one submission with the document that signs it."""
    whole = metadata(*entries, signature, set_id=lot)
    return xdm((*entries, signature), files={"IHE_XDM/SUBSET01/METADATA.XML": whole})


async def test_the_signature_of_a_zip_is_checked_kept_and_told_as_that_of_xds(house: House, author: Software) -> None:
    await authorise(house, author, await patient_key(house))
    lot, entries = f"2.25.{uuid4().int}", (letter(id="a"), letter(id="b"))
    signature = signed(author, lot, *entries)
    answer = await send(house, signed_zip(entries, signature, lot))
    assert answer.status_code == 200, answer.text
    [submission] = answer.json()["parameter"]
    assert [one["part"][0]["valueString"] for one in parts(submission, "document")] == [
        "IHE_XDM/SUBSET01/a.XML",
        "IHE_XDM/SUBSET01/b.XML",
    ], "what signs is no document of the record"
    [by] = parts(submission, "signedBy")
    assert by["valueReference"]["identifier"] == {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": author.who.id}
    assert await reference(house, signature.unique_id) is None

    id = await reference(house, entries[0].unique_id)
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        lists = (await citizen.get("List", params={"item": f"DocumentReference/{id}"})).json()["entry"]
    [kept] = [
        one["valueSignature"]
        for one in lists[0]["resource"]["extension"]
        if one["url"] == "urn:ambroise:submission:signature"
    ]
    assert base64.b64decode(kept["data"]) == signature.content
    async with house.services.database.reader() as reader:
        rows = await reader.fetch_all("select channel, count from trace where event = 'submission_signed'")
    assert ("fhir", 2) in rows

    other = letter(id="c")
    for code, wrong in (
        ("SIGNATURE_MANIFEST", signature),
        ("SIGNATURE_SIGNER", signed(await software(house, STRANGER), lot, other)),
        ("SIGNATURE_INVALID", replace(signature, content=b"<Signature/>")),
    ):
        refused = await send(house, signed_zip((other,), wrong, lot))
        assert (refused.status_code, code_of(refused)) == (422, code)
    assert await reference(house, other.unique_id) is None
    weak = signed(author, lot, other).content.replace(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1")
    [told] = (await send(house, signed_zip((other,), letter_signature(weak), lot))).json()["parameter"]
    assert parts(told, "outcome")[0]["resource"]["issue"][0]["details"]["coding"][0]["code"] == "SIGNATURE_WEAK"
    assert await reference(house, other.unique_id) is not None
