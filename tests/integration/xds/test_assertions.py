"""Who calls `/xds`: what an assertion must be, and what each that is not opens: nothing."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree
from msgspec.structs import replace as with_fields

from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.modules.identity.vihf.api import Making, Mode
from ambroise.trust.context import Purpose
from tests.integration.xds.conftest import letter
from tests.support.server import House
from tests.support.xds import PROVIDE, SUCCESS, Answer, Software, enveloped, parts_of, read, submission

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
    answered = await send(author)
    assert answered.envelope.findtext(".//{*}Header/{*}RelatesTo").startswith("urn:uuid:")
    assert answered.envelope.findtext(".//{*}Header/{*}Action") == PROVIDE + "Response"
    assert etree.QName(answered.envelope).localname == "Envelope"


def _changed(author: Software, **fields: object) -> object:
    return with_fields(author.who, **fields)  # type: ignore[arg-type]
