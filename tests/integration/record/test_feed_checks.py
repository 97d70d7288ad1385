"""Each feed check refuses with its own code, and what is refused leaves nothing behind."""

import io
import re
from pathlib import Path
from typing import Any

import pikepdf
import pybase64
import pytest
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.people import Party
from tests.integration.record.conftest import World, doctor

ROOT = Path(__file__).parents[3]
LETTER = (ROOT / "examples" / "documents" / "letter.xml").read_bytes()
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


async def refusal_of(world: World, content: bytes, metadata: Any = None, ctx: Any = None, **details: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await world.submit(ctx or world.author, content, metadata, **details)
    async with world.database.reader() as reader:
        assert await reader.fetch_value("select count(*) from resource where type <> 0 and source is not null") == 0
        assert await reader.fetch_value("select count(*) from blob") == 0
        assert await reader.fetch_value("select count(*) from record_unique_id") == 0
    return refused.value


def with_pdf(pdf: bytes) -> bytes:
    """The letter, with another file inside."""
    before, _, rest = LETTER.partition(b'representation="B64">')
    _, _, after = rest.partition(b"</text>")
    return before + b'representation="B64">' + pybase64.b64encode(pdf) + b"</text>" + after


async def test_a_letter_of_its_author_is_filed(world: World) -> None:
    submitted = await world.submit(world.author, LETTER)
    assert not submitted.documents[0].replayed


async def test_the_author_must_be_the_caller_or_of_the_caller_s_structure(world: World) -> None:
    stranger = world.context(doctor("810000000009", "Dr Ailleurs", organization="1690000019"))
    assert (await refusal_of(world, LETTER, ctx=stranger)).code == "AUTHOR_MISMATCH"


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (b"279035121518989", b"279035121518988", "INS_INVALID"),
        (b"1.2.250.1.213.1.4.10", b"1.2.250.1.213.1.4.8", "INS_INVALID"),
        (b"279035121518989", b"124018852493334", "DMP_NOT_FOUND"),
        (b"PAT-TROIS</family>", b"PAT-QUATRE</family>", "TRAITS_MISMATCH"),
        (b'value="19790328"', b'value="19790329"', "TRAITS_MISMATCH"),
        (b'<confidentialityCode code="N"', b'<confidentialityCode code="R"', "CONFIDENTIALITY_UNSUPPORTED"),
        (b"<ClinicalDocument", b"<!DOCTYPE x><ClinicalDocument", "XML_DTD_FORBIDDEN"),
        (b"</ClinicalDocument>", b"</ClinicalDocumen>", "XML_MALFORMED"),
        (
            b"<ClinicalDocument",
            b'<?xml-stylesheet href="https://example.org/a.xsl"?><ClinicalDocument',
            "ACTIVE_CONTENT",
        ),
        (b"</title>", b'<s xmlns="http://www.w3.org/2000/svg" onload="a()"/></title>', "ACTIVE_CONTENT"),
    ],
)
async def test_a_document_that_says_something_wrong_is_refused(
    world: World, before: bytes, after: bytes, code: str
) -> None:
    assert before in LETTER
    assert (await refusal_of(world, LETTER.replace(before, after))).code == code


async def test_a_closed_space_takes_nothing(world: World) -> None:
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_state(tx, world.citizen, world.patient, SpaceState.CLOSED)
    assert (await refusal_of(world, LETTER)).code == "DMP_CLOSED"


async def test_opposition_to_feeding_is_respected(world: World) -> None:
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_feed_opposed(
            tx, world.citizen, world.patient, True, reason="a conflict of interest"
        )
    refused = await refusal_of(world, LETTER)
    assert (refused.code, refused.kind) == ("FEED_OPPOSED", Kind.CONFLICT)


async def test_a_blocked_professional_can_still_deposit_and_reads_only_that(world: World) -> None:
    other = (await world.submit(world.system, renumbered(LETTER, b"9001"))).documents[0]
    async with world.database.transaction() as tx:
        await world.gateway.rights.block(tx, world.citizen, world.patient, Party.of(world.author.actor))
    filed = (await world.submit(world.author, LETTER)).documents[0]
    async with world.database.reader() as reader:
        own = await world.gateway.read(reader, world.author, "DocumentReference", str(filed.document))
        assert own.id == str(filed.document)
        stranger_author = replace(world.author, actor=doctor("801234567897", "Charles Muller", organization=None))
        assert (await world.gateway.read(reader, stranger_author, "DocumentReference", own.id)).id == own.id
    assert other.document != filed.document


def renumbered(content: bytes, suffix: bytes) -> bytes:
    """The same document under another unique id."""
    head, _, tail = content.partition(b"<id ")
    one, _, rest = tail.partition(b"/>")
    return head + b"<id " + re.sub(rb'root="([^"]+)"', rb'root="\1.' + suffix + b'"', one) + b"/>" + rest


async def test_malware_is_refused_wherever_it_hides(world: World) -> None:
    assert (await refusal_of(world, with_pdf(b"%PDF-1.4\n" + EICAR))).code == "MALWARE"


async def test_a_pdf_that_runs_a_script_is_refused(world: World) -> None:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    made = io.BytesIO()
    pdf.save(made)
    assert (await refusal_of(world, with_pdf(made.getvalue()))).code == "ACTIVE_CONTENT"


async def test_too_large_is_refused_before_it_is_read(world: World) -> None:
    refused = await refusal_of(world, b" " * (50_000_001))
    assert (refused.code, refused.kind) == ("TOO_LARGE", Kind.TOO_LARGE)


async def test_the_same_document_twice_is_one_and_another_under_its_id_is_refused(world: World) -> None:
    first = (await world.submit(world.author, LETTER)).documents[0]
    again = (await world.submit(world.author, LETTER)).documents[0]
    assert (again.document, again.replayed) == (first.document, True)
    with pytest.raises(Refusal) as refused:
        await world.submit(world.author, LETTER.replace(b"</title>", b" bis</title>"))
    assert refused.value.code == "DUPLICATE_UNIQUE_ID"


def said(**details: Any) -> dict[str, Any]:
    return {"resourceType": "DocumentReference", "status": "current", **details}


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        (said(masterIdentifier={"value": "urn:oid:1.2.3.4"}), "METADATA_MISMATCH"),
        (said(type={"coding": [{"system": "http://loinc.org", "code": "11502-2"}]}), "METADATA_MISMATCH"),
        (said(date="2001-01-01T00:00:00Z"), "METADATA_MISMATCH"),
        (
            said(category=[{"coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.1", "code": "42"}]}]),
            "CLASS_TYPE_MISMATCH",
        ),
        (said(content=[{"attachment": {"hash": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}}]), "HASH_MISMATCH"),
        (said(securityLabel=[{"coding": [{"code": "SECRET"}]}]), "CONFIDENTIALITY_UNKNOWN"),
        (said(securityLabel=[{"coding": [{"code": "R"}]}]), "CONFIDENTIALITY_UNSUPPORTED"),
        (said(subject={"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "1"}}), "INS_INVALID"),
    ],
)
async def test_metadata_that_does_not_fit_the_document_is_refused(world: World, metadata: Any, code: str) -> None:
    assert (await refusal_of(world, LETTER, metadata)).code == code
