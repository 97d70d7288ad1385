"""Who calls `/xds`: what an assertion must be, and what each that is not opens: nothing."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from lxml import etree
from msgspec.structs import replace as with_fields

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.vihf.api import Making, Mode, Use, forget
from ambroise.modules.record.api import Record
from ambroise.trust.context import Purpose
from tests.integration.xds.conftest import letter
from tests.support.server import House
from tests.support.xds import (
    FAILURE,
    PROVIDE,
    RETRIEVE,
    SUCCESS,
    Answer,
    Software,
    enveloped,
    parts_of,
    read,
    retrieval,
    submission,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/xds/repository"


async def send(software: Software, assertion: bytes | None = None) -> Answer:
    entry = letter()
    return await software.call(PATH, PROVIDE, submission(entry), parts_of(entry), assertion=assertion)


async def refused(software: Software, assertion: bytes) -> str | None:
    answer = await send(software, assertion)
    assert answer.http.status_code == 401, answer.http.text
    return answer.fault


async def test_an_assertion_opens_once(author: Software) -> None:
    assertion = author.assertion()
    assert (await send(author, assertion)).status == SUCCESS
    assert await refused(author, assertion) == "VIHF_REPLAYED"


async def test_of_requests_that_come_together_with_one_assertion_one_is_answered(author: Software) -> None:
    """Neither has committed when the other arrives: they meet in the database, as those of two processes do."""
    assertion, entries = author.assertion(), [letter() for _ in range(4)]
    answers = await asyncio.gather(
        *(author.call(PATH, PROVIDE, submission(one), parts_of(one), assertion=assertion) for one in entries)
    )
    assert sorted(answer.fault or answer.status for answer in answers) == ["VIHF_REPLAYED"] * 3 + [SUCCESS]
    filed = [one for one, answer in zip(entries, answers, strict=True) if answer.fault is None]
    async with author.house.services.database.reader() as reader:
        sql = "select count(*) from record_unique_id where unique_id = any(%s)"
        assert await reader.fetch_value(sql, ([f"urn:oid:{one.unique_id}" for one in entries],)) == len(filed)


async def test_the_use_of_an_assertion_is_of_the_very_transaction_that_files(author: Software) -> None:
    """Whatever happens to the server, there is no document whose assertion is still good."""
    entry = letter()
    assert (await author.call(PATH, PROVIDE, submission(entry), parts_of(entry))).status == SUCCESS
    async with author.house.services.database.reader() as reader:
        sql = "select xmin::text from record_unique_id where unique_id = %s"
        filed = await reader.fetch_value(sql, (f"urn:oid:{entry.unique_id}",))
        assert filed is not None
        assert await reader.fetch_value("select count(*) from vihf_used where xmin::text = %s", (filed,)) == 1


async def test_what_is_wrong_with_a_request_is_told_once(author: Software) -> None:
    """Refused by the record, by XDS, or for its form: the assertion is used up all the same."""
    good, wrong = letter(), letter(type=("none", "2.16.840.1.113883.6.1"))
    refused_by_record, without_document, malformed = (author.assertion() for _ in range(3))
    for assertion, body, parts in (
        (refused_by_record, submission(wrong), parts_of(wrong)),
        (without_document, submission(good, documents=""), {}),
        (malformed, submission(good), {}),
    ):
        answer = await author.call(PATH, PROVIDE, body, parts, assertion=assertion)
        assert answer.fault == "XDS_MALFORMED" or answer.status == FAILURE
        assert await refused(author, assertion) == "VIHF_REPLAYED"


async def test_what_was_read_with_an_assertion_is_not_read_again(author: Software) -> None:
    assertion, asked = author.assertion(), retrieval("1.2.3", "2.25.1")
    assert (await author.call(PATH, RETRIEVE, asked, assertion=assertion)).errors
    assert (await author.call(PATH, RETRIEVE, asked, assertion=assertion)).fault == "VIHF_REPLAYED"


async def test_a_request_that_failed_on_our_side_may_be_sent_again(
    author: Software, monkeypatch: pytest.MonkeyPatch
) -> None:
    assertion = author.assertion()

    async def fails(*_: object) -> None:
        raise psycopg.OperationalError("the connection to the database was lost")

    with monkeypatch.context() as broken:
        broken.setattr(Record, "submit", fails)
        assert (await send(author, assertion)).http.status_code == 503
    assert (await send(author, assertion)).status == SUCCESS


async def test_a_request_cannot_outlast_the_memory_of_its_assertion(author: Software) -> None:
    clock = FixedClock(datetime(2026, 1, 15, tzinfo=UTC))
    use = Use(author.house.services.database, clock, b"number", clock.now() + timedelta(minutes=7))
    clock.move(timedelta(minutes=36))
    async with use.transaction():
        pass
    async with author.house.services.database.transaction() as tx:
        await forget(tx, clock.now())
    with pytest.raises(Refusal, match="VIHF_REPLAYED"):
        await use.first()
    clock.move(timedelta(minutes=2))
    with pytest.raises(Refusal, match="VIHF_EXPIRED"):
        await use.first()


async def test_nobody_enters_without_an_assertion(author: Software) -> None:
    assert await refused(author, b"") == "VIHF_MISSING"
    assert await refused(author, author.assertion() + author.assertion()) == "VIHF_MISSING"


CHANGES: dict[str, Callable[[str], str]] = {
    "another subject": lambda text: text.replace("801234567897</saml:NameID>", "801234567898</saml:NameID>"),
    "another purpose": lambda text: text.replace('code="normal"', 'code="bris_de_glace"'),
    "another patient": lambda text: text.replace("urn:dmp", "urn:dmq"),
    "no signature": lambda text: re.sub(r"<ds:Signature .*</ds:Signature>", "", text, flags=re.DOTALL),
    "a weak digest": lambda text: text.replace("xmlenc#sha256", "xmldsig#sha1").replace(
        "2001/04/xmldsig", "2000/09/xmldsig"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_assertion_is_no_longer_signed(author: Software, change: str) -> None:
    written = author.assertion().decode()
    changed = CHANGES[change](written)
    assert changed != written
    assert await refused(author, changed.encode()) == "VIHF_SIGNATURE"


async def test_what_is_wrapped_around_a_signed_assertion_is_not_believed(author: Software) -> None:
    """The signature is right, of an assertion that stands inside another one."""
    signed = author.assertion().decode()
    forged = re.sub(r"<ds:Signature .*</ds:Signature>", "", signed, flags=re.DOTALL)
    forged = re.sub(r'ID="_[^"]+"', 'ID="_forged"', forged).replace("801234567897<", "801234567898<")
    signature = re.search(r"<ds:Signature .*</ds:Signature>", signed, flags=re.DOTALL)
    assert signature is not None
    wrapped = forged.replace("</saml:Issuer>", f"</saml:Issuer>{signature[0]}", 1)
    inner = signed.replace(signature[0], "")
    wrapped = wrapped.replace("</saml:Assertion>", f"<saml:Advice>{inner}</saml:Advice></saml:Assertion>")
    assert await refused(author, wrapped.encode()) == "VIHF_SIGNATURE"


async def test_an_assertion_that_costs_more_to_check_than_to_write_is_refused_unchecked(author: Software) -> None:
    """A public certificate is enough to have a canonical form taken; who has no key must not keep others waiting."""
    names = " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(150))
    written = author.assertion().decode().replace("<saml:Assertion ", f"<saml:Assertion {names} ", 1)
    costly = written.replace("</ds:SignedInfo>", "<ds:Object/>" * 1_000 + "</ds:SignedInfo>", 1)
    assert costly.count("<ds:Object/>") == 1_000
    assert await refused(author, costly.encode()) == "VIHF_MALFORMED"


async def test_an_assertion_is_good_for_minutes(author: Software) -> None:
    now = author.house.services.clock.now()
    assert await refused(author, author.assertion(at=now - timedelta(minutes=8))) == "VIHF_EXPIRED"
    assert await refused(author, author.assertion(at=now + timedelta(minutes=4))) == "VIHF_NOT_YET"
    assert (await send(author, author.assertion(at=now + timedelta(seconds=30)))).status == SUCCESS


async def test_an_audience_is_ours_or_none(author: Software) -> None:
    assert await refused(author, author.assertion(Making(audience="https://elsewhere.example"))) == "VIHF_AUDIENCE"
    ours = Making(audience=author.house.services.public_url)
    assert (await send(author, author.assertion(ours))).status == SUCCESS


async def test_a_certificate_speaks_for_its_holder_only(house: House, author: Software) -> None:
    other = Software(house, author.who)
    other.certificate = other.authority.issue_person("899700000013", "AUTRE", "Alix")
    assert await refused(author, other.assertion()) == "VIHF_SIGNER"
    assert await refused(author, author.assertion(issuer="CN=Somebody")) == "VIHF_SIGNER"


async def test_a_seal_speaks_for_its_structure_only(house: House, author: Software) -> None:
    sealed = Software(house, author.who)
    assert author.who.organization is not None
    sealed.certificate = sealed.authority.issue("VIHF", "Cabinet", author.who.organization)
    assert (await send(author, sealed.assertion(Making(mode=Mode.INDIRECT)))).status == SUCCESS
    assert await refused(author, sealed.assertion()) == "VIHF_SIGNER"
    sealed.certificate = sealed.authority.issue("VIHF", "Autre", "1999999999")
    assert await refused(author, sealed.assertion(Making(mode=Mode.INDIRECT))) == "VIHF_SIGNER"


async def test_certificates_of_others_expired_or_revoked_open_nothing(
    house: House, author: Software, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Software(house, author.who)
    other.certificate = DemonstrationAuthority.open(tmp_path_factory.mktemp("pki")).issue_person(
        author.who.id, "ESSAI", "Camille"
    )
    assert await refused(author, other.assertion()) == "VIHF_CERTIFICATE"
    other.certificate = author.authority.issue_person(author.who.id, "ESSAI", "Camille", days=0)
    assert await refused(author, other.assertion()) == "VIHF_CERTIFICATE"
    other.certificate = author.authority.issue_person(author.who.id, "ESSAI", "Camille")
    assert (await send(author, other.assertion())).status == SUCCESS
    author.authority.revoke(other.certificate.serial)
    assert await refused(author, other.assertion()) == "VIHF_CERTIFICATE"


async def test_the_directory_says_who_practises_where_and_as_what(author: Software) -> None:
    elsewhere = _changed(author, organization="1999999999")
    assert await refused(author, author.assertion(who=elsewhere)) == "VIHF_SUBJECT"
    nurse = _changed(author, profession="60")
    assert await refused(author, author.assertion(who=nurse)) == "VIHF_ROLE"


async def test_an_assertion_about_a_patient_is_for_that_patient(author: Software) -> None:
    about = Making(patient="279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH", purpose=Purpose.NORMAL)
    assert (await send(author, author.assertion(about))).status == SUCCESS
    other = with_fields(about, patient="255069999999934^^^&1.2.250.1.213.1.4.10&ISO^NH")
    assert (await send(author, author.assertion(other))).errors == [("XDSPatientIdDoesNotMatch", "VIHF_PATIENT")]


async def test_who_is_not_known_is_refused_before_the_document_is_read(author: Software) -> None:
    body = submission(letter(), documents="<x:Document>not base64</x:Document>")
    assert (await author.call(PATH, PROVIDE, body, assertion=b"")).fault == "VIHF_MISSING"
    assert (await author.call(PATH, PROVIDE, body)).fault == "XDS_MALFORMED"


async def test_addressing_and_envelopes_that_are_not_understood_are_faults(author: Software) -> None:
    async def post(content: bytes) -> Answer:
        return read(await author.post(PATH, content, "application/soap+xml"))

    good = enveloped(PROVIDE, submission(letter(), inline=True), author.assertion())
    assert (await post(good.replace(PROVIDE.encode(), b"urn:other"))).fault == "XDS_ACTION"
    good = enveloped(PROVIDE, submission(letter(), inline=True), author.assertion())
    assert (
        await post(good.replace(b"<a:MessageID>", b"<a:Other>").replace(b"</a:MessageID>", b"</a:Other>"))
    ).fault == ("XDS_ADDRESSING")
    good = enveloped(PROVIDE, submission(letter(), inline=True), author.assertion())
    strange = good.replace(b"<s:Header>", b'<s:Header><q:Strange xmlns:q="urn:q" s:mustUnderstand="1"/>')
    answer = await post(strange)
    assert answer.fault == "XDS_NOT_UNDERSTOOD"
    assert answer.envelope.findtext(".//{*}Fault/{*}Code/{*}Value") == "S:MustUnderstand"
    assert (await post(b"<!DOCTYPE a><a/>")).fault == "XDS_MALFORMED"
    assert (await author.post(PATH, good, "text/plain")).status_code == 400
    old = b'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><a/></S:Body></S:Envelope>'
    for media in ("text/xml; charset=utf-8", "application/soap+xml"):
        told = await author.post(PATH, old, media)
        assert (told.status_code, told.headers["content-type"]) == (500, "text/xml; charset=utf-8")
        assert "<faultcode>S11:VersionMismatch</faultcode>" in told.text
        assert 'SupportedEnvelope qname="S:Envelope"' in told.text
    answered = await send(author)
    assert answered.envelope.findtext(".//{*}Header/{*}RelatesTo").startswith("urn:uuid:")
    assert answered.envelope.findtext(".//{*}Header/{*}Action") == PROVIDE + "Response"
    assert etree.QName(answered.envelope).localname == "Envelope"


def _changed(author: Software, **fields: object) -> object:
    return with_fields(author.who, **fields)  # type: ignore[arg-type]
