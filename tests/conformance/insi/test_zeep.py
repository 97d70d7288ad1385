"""zeep, a SOAP client written by others, reads our WSDL and calls the INSi service on a real server."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import requests
from lxml import etree
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport

from ambroise.interfaces.token_claims import Role
from ambroise.modules.identity.ins import nir_key
from tests.conformance.fhir_clients.conftest import Served
from tests.conformance.insi.conftest import BUSY, FINESS, MANY, RPPS

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRAITS = {"NomNaissance": "ADRTROIS", "Prenom": ["DOMINIQUE"], "Sexe": "F", "DateNaissance": "1997-02-26"}


def context(client: Client, idam: str = "PDP17NF21DD0", **more: Any) -> dict[str, Any]:
    common = {"Id": "4994d193-31fb-4dd9-8b64-90004c072f68", "Temps": "2026-01-01T08:00:00Z", "Emetteur": RPPS}
    software = {"IDAM": {"_value_1": idam, "R": "4"}, "Version": "1", "Instance": "b3549edd", "Nom": "urn:lps:x:1"}
    return {
        "ContexteBAM": {**common, "Version": "01_02"},
        "ContexteLPS": {**common, "LPS": software, "Nature": "CTXLPS", "Version": "01_00"},
        **more,
    }


async def client_of(served: Served, role: Role | None = Role.PROFESSIONAL, **claims: Any) -> Client:
    session = requests.Session()
    session.trust_env = False
    if role is not None:
        if role is Role.PROFESSIONAL:
            claims = {"rpps": RPPS, "organization": FINESS, **claims}
        session.headers["authorization"] = f"Bearer {served.house.token(role, **claims)}"
    base = served.url.removesuffix("/fhir")
    transport = Transport(session=session)
    client = await asyncio.to_thread(Client, f"{base}/insi/soap?wsdl", transport=transport)
    # The instance believes itself elsewhere; a client may always choose the address.
    client.service._binding_options["address"] = f"{base}/insi/soap"
    return client


async def call(client: Client, operation: str, body: dict[str, Any], **headers: Any) -> Any:
    action: Callable[..., Any] = client.service[operation]
    return await asyncio.to_thread(action, **body, _soapheaders=context(client, **headers))


async def fault_of(client: Client, operation: str, body: dict[str, Any], **headers: Any) -> tuple[str, str, str]:
    with pytest.raises(Fault) as caught:
        await call(client, operation, body, **headers)
    detail = caught.value.detail
    assert detail is not None
    [error] = [one for one in detail.iter() if etree.QName(one).localname == "Erreur"]
    [subcode] = caught.value.subcodes
    return str(caught.value.code), subcode.localname, str(error.get("code"))


async def test_traits_find_one_person_with_the_former_matricules(insi: Served) -> None:
    client = await client_of(insi)
    found = await call(client, "rechercherInsAvecTraitsIdentite", TRAITS)
    assert (found.CR.CodeCR, found.CR.LibelleCR) == ("00", "OK")
    assert found.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "297022A020778"
    assert found.INDIVIDU.INSACTIF.IdIndividu.Cle == "78"
    assert (found.INDIVIDU.TIQ.ListePrenom, found.INDIVIDU.TIQ.LieuNaissance) == ("DOMINIQUE", "2A020")
    child = {"NomNaissance": "ECETINSI", "Prenom": ["PIERRE-ALAIN"], "Sexe": "M", "DateNaissance": "2009-07-14"}
    found = await call(client, "rechercherInsAvecTraitsIdentite", child)
    former = found.INDIVIDU.INSHISTO
    assert [one.IdIndividu.NumIdentifiant for one in former] == ["2090763220834", "2090663220123"]
    assert str(former[0].DateFin) == "2019-02-28"


async def test_nobody_and_several_have_their_codes_and_a_first_name_more_decides(insi: Served) -> None:
    client = await client_of(insi)
    nobody = {"NomNaissance": "HOUILLES", "Prenom": ["PIERRE"], "Sexe": "M", "DateNaissance": "1993-01-27"}
    several = {"NomNaissance": "DE VINCI", "Prenom": ["LEONARDO"], "Sexe": "M", "DateNaissance": "2014-02-01"}
    found = await call(client, "rechercherInsAvecTraitsIdentite", nobody)
    assert (found.CR.CodeCR, found.INDIVIDU) == ("01", None)
    found = await call(client, "rechercherInsAvecTraitsIdentite", several)
    assert (found.CR.CodeCR, found.CR.LibelleCR) == ("02", "Plusieurs identites trouvees")
    one = {**several, "Prenom": ["LEONARDO", "PIERO"]}
    assert (await call(client, "rechercherInsAvecTraitsIdentite", one)).CR.CodeCR == "00"
    placed = {**several, "LieuNaissance": "75056"}
    found = await call(client, "rechercherInsAvecTraitsIdentite", placed)
    assert found.INDIVIDU.TIQ.ListePrenom == "LEONARDO PAOLO"


async def test_a_card_finds_its_holder_and_its_beneficiaries(insi: Served) -> None:
    client = await client_of(insi)
    holder = {"MatriculeOD": {"NumIdentifiant": "297022A020778"}, "DateNaissance": "1997-02-26", "RangNaissance": "1"}
    found = await call(client, "rechercherInsAvecCarteVitale", holder)
    assert found.INDIVIDU.TIQ.NomNaissance == "ADRTROIS"
    child = {"MatriculeOD": {"NumIdentifiant": "2360663220836"}, "DateNaissance": "2009-07-14"}
    found = await call(client, "rechercherInsAvecCarteVitale", child)
    assert found.INDIVIDU.TIQ.NomNaissance == "ECETINSI"
    person = {**child, "MatriculeIndividu": {"NumIdentifiant": "1090763220834"}, "NomNaissance": "ECETINSI"}
    assert (await call(client, "rechercherInsAvecCarteVitale", person)).CR.CodeCR == "00"
    assert (await call(client, "rechercherInsAvecCarteVitale", {**person, "NomNaissance": "X"})).CR.CodeCR == "01"


@pytest.mark.parametrize(
    ("more", "first_names"),
    [
        ({}, None),
        ({"NomNaissance": "FAMILLE"}, "ANNA"),
        ({"NomNaissance": "RECOMPOSEE"}, "LINA"),
        ({"RangNaissance": "2"}, "NOE"),
        ({"MatriculeIndividu": {"NumIdentifiant": "2120569123104"}}, "LINA"),
    ],
)
async def test_on_a_card_of_a_family_nobody_is_guessed(
    insi: Served, more: dict[str, Any], first_names: str | None
) -> None:
    asked = {"MatriculeOD": {"NumIdentifiant": "1840275056101"}, "DateNaissance": "2012-05-20", **more}
    found = await call(await client_of(insi), "rechercherInsAvecCarteVitale", asked)
    assert found.CR.CodeCR == ("00" if first_names else "02")
    assert (found.INDIVIDU.TIQ.ListePrenom if found.INDIVIDU else None) == first_names


def verification(number: str, key: str, **traits: Any) -> dict[str, Any]:
    given = {"IdIndividu": {"NumIdentifiant": number, "Cle": key}, "OID": "1.2.250.1.213.1.4.10"}
    return {"INSFourni": given, "TraitsIdentiteIndividu": {**TRAITS, **traits}}


async def test_a_verification_confirms_denies_and_gives_the_present_matricule(insi: Served) -> None:
    client = await client_of(insi)
    operation = "verifierInsAvecTraitsIdentite"
    assert (await call(client, operation, verification("297022A020778", "78"))).CR.CodeCR == "00"
    denied = verification("297022A020778", "78", NomNaissance="ADRQUATRE")
    assert (await call(client, operation, denied)).CR.CodeCR == "01"
    child = {"NomNaissance": "ECETINSI", "Prenom": ["PIERRE-ALAIN"], "Sexe": "M", "DateNaissance": "2009-07-14"}
    found = await call(client, operation, verification("2090763220834", "39", **child))
    assert found.INDIVIDU.INSACTIF.IdIndividu.NumIdentifiant == "1090763220834"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"NomNaissance": ""}, ("Sender", "siram_10", "insi_19")),
        ({"Prenom": [""]}, ("Sender", "siram_10", "amb_01")),
        ({"NomNaissance": "Dupond"}, ("Sender", "siram_10", "amb_02")),
        ({"Sexe": "X"}, ("Sender", "siram_10", "amb_03")),
        (
            {"NomNaissance": "DE VINCI", "Prenom": ["RUTH"], "DateNaissance": "1976-07-14"},
            ("Receiver", "siram_40", "insi_102"),
        ),
        (
            {"NomNaissance": "TROPDAPPELS", "Prenom": ["ALIX"], "DateNaissance": "1990-01-01"},
            ("Receiver", "siram_40", "amb_20"),
        ),
    ],
)
async def test_each_fault_is_the_one_of_the_table(
    insi: Served, changed: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    client = await client_of(insi)
    code, subcode, detail = await fault_of(client, "rechercherInsAvecTraitsIdentite", {**TRAITS, **changed})
    assert (code.rpartition(":")[2], subcode, detail) == expected


async def test_who_calls_and_with_what_software_is_checked(insi: Served) -> None:
    operation = "rechercherInsAvecTraitsIdentite"
    doctor, nobody = await client_of(insi), await client_of(insi, None)
    operator = await client_of(insi, Role.OPERATOR, duties=("support",))
    assert (await fault_of(nobody, operation, TRAITS))[2] == "amb_10"
    assert (await fault_of(operator, operation, TRAITS))[2] == "amb_11"
    assert (await fault_of(doctor, operation, TRAITS, idam="FAKE-IDAM"))[1:] == ("siram_100", "desir_550")


SAML = "urn:oasis:names:tc:SAML:2.0:assertion"


def assertion(subject: str, **attributes: str) -> str:
    said = "".join(
        f'<a:Attribute Name="{name}"><a:AttributeValue>{value}</a:AttributeValue></a:Attribute>'
        for name, value in attributes.items()
    )
    return (
        f'<a:Assertion xmlns:a="{SAML}"><a:Subject><a:NameID NameQualifier="PSC">{subject}</a:NameID></a:Subject>'
        f"<a:AttributeStatement>{said}</a:AttributeStatement></a:Assertion>"
    )


def envelope(header: str, body: str) -> str:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://www.w3.org/2005/08/addressing">'
        '<s:Header><l:ContexteLPS xmlns:l="urn:siram:lps:ctxlps">'
        '<l:LPS><l:IDAM R="4">X</l:IDAM></l:LPS></l:ContexteLPS>'
        f"{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


BODY = (
    '<RECSANSVITALE xmlns="http://www.cnamts.fr/INSiRecSans"><NomNaissance>ADRTROIS</NomNaissance>'
    "<Prenom>DOMINIQUE</Prenom><Sexe>F</Sexe><DateNaissance>1997-02-26</DateNaissance></RECSANSVITALE>"
)
GOOD = {"identifiantFacturation": FINESS, "codeSpecialiteAMO": "01"}


@pytest.mark.parametrize(
    ("header", "body", "status", "holds"),
    [
        (assertion(f"8{RPPS}", **GOOD), BODY, 200, "<CodeCR>00</CodeCR>"),
        (assertion("899700000013", **GOOD), BODY, 400, 'code="amb_12"'),
        (assertion(RPPS, identifiantFacturation=FINESS), BODY, 400, 'code="amb_12"'),
        (assertion(RPPS, codeSpecialiteAMO="01"), BODY, 400, 'code="amb_12"'),
        ("", "<CREERLOT/>", 400, 'code="amb_07"'),
        ("<w:Action>urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecCarteVitale</w:Action>", BODY, 400, "amb_07"),
        ("<w:MessageID>uuid:42</w:MessageID>", BODY, 200, "<wsa:RelatesTo>uuid:42</wsa:RelatesTo>"),
        ("<w:MessageID>" + "x" * 70_000 + "</w:MessageID>", BODY, 400, 'code="amb_06"'),
        ("<!DOCTYPE a>", BODY, 400, 'code="amb_05"'),
    ],
)
async def test_envelopes_written_by_hand(insi: Served, header: str, body: str, status: int, holds: str) -> None:
    token = insi.house.token(Role.PROFESSIONAL, rpps=RPPS, organization=FINESS)
    url = insi.url.removesuffix("/fhir") + "/insi/soap"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/soap+xml"}
    answer = await asyncio.to_thread(
        requests.post, url, data=envelope(header, body).encode(), headers=headers, timeout=30
    )
    assert (answer.status_code, holds in answer.text) == (status, True), answer.text


async def test_json_answers_the_same_and_every_call_leaves_a_trace(insi: Served) -> None:
    token = insi.house.token(Role.PROFESSIONAL, rpps=RPPS, organization=FINESS)
    base = insi.url.removesuffix("/fhir") + "/insi/v1"
    headers = {"authorization": f"Bearer {token}"}
    sent = {"birthName": "Adrtrois", "givenNames": ["Dominique"], "sex": "f", "birthDate": "1997-02-26"}

    def post(path: str, body: Any, **more: str) -> requests.Response:
        return requests.post(f"{base}/{path}", json=body, headers={**headers, **more}, timeout=30)

    found = await asyncio.to_thread(post, "traits", sent)
    assert (found.status_code, found.json()["identity"]["ins"]["matricule"]) == (200, "297022A02077878")
    checked = {**sent, "matricule": "297022A02077878", "oid": "1.2.250.1.213.1.4.10"}
    assert (await asyncio.to_thread(post, "verification", checked)).json()["code"] == "00"
    wrong = await asyncio.to_thread(post, "verification", {**checked, "matricule": "297022A02077877"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "INSI_MATRICULE")
    card = {"holder": "297022A020778", "birthDate": "1997-02-26"}
    assert (await asyncio.to_thread(post, "card", card)).json()["code"] == "00"
    for path, body, code in (
        ("traits", [], "INSI_MALFORMED"),
        ("traits", {**sent, "birthName": "DUPOND_"}, "INSI_LEXICAL"),
        ("traits", {**sent, "givenNames": [1]}, "INSI_MALFORMED"),
        ("card", {**card, "holder": "12"}, "INSI_MATRICULE"),
        ("card", {**card, "birthRank": 0}, "INSI_VALUE"),
    ):
        assert (await asyncio.to_thread(post, path, body)).json()["code"] == code, (path, body)
    unknown = await asyncio.to_thread(post, "traits", sent, authorization="Bearer x")
    assert (unknown.status_code, "www-authenticate" in unknown.headers) == (401, True)

    async with insi.house.services.database.reader() as reader:
        rows = await reader.fetch_all(
            "select actor_id, outcome, details from trace where event = 'insi_called' order by id desc limit 3"
        )
        text = str(await reader.fetch_all("select query, details from trace where event = 'insi_called'"))
    assert {row[0] for row in rows} == {f"8{RPPS}"}
    assert "ADRTROIS" not in text.upper()


async def test_a_batch_has_a_result_a_line_and_one_that_fails_stops_no_other(insi: Served) -> None:
    token = insi.house.token(Role.PROFESSIONAL, rpps=MANY, organization=FINESS)
    url = insi.url.removesuffix("/fhir") + "/insi/v1/verifications"
    right = {
        "matricule": "297022A02077878", "oid": "1.2.250.1.213.1.4.10", "birthName": "Adrtrois",
        "givenNames": ["Dominique"], "sex": "F", "birthDate": "1997-02-26",
    }  # fmt: skip
    former = {
        **right, "matricule": f"2090763220834{nir_key('2090763220834'):02}", "birthName": "ECETINSI",
        "givenNames": ["PIERRE-ALAIN"], "sex": "M", "birthDate": "2009-07-14",
    }  # fmt: skip
    away = {**right, "birthName": "DE VINCI", "givenNames": ["RUTH"], "birthDate": "1976-07-14"}
    lines = [
        right, {**right, "birthName": "Autre"}, {**right, "matricule": "297022A02077879"}, {**right, "birthName": ""},
        {**right, "birthName": "DUPOND_"}, {**right, "sex": "X"}, away, former,
    ]  # fmt: skip

    def ask(sent: Any) -> requests.Response:
        return requests.post(url, json=sent, headers={"authorization": f"Bearer {token}"}, timeout=60)

    answer = await asyncio.to_thread(ask, {"identities": lines})
    results = answer.json()["results"]
    assert [one.get("code") or one["failure"]["code"] for one in results] == [
        "00", "01", "INSI_MATRICULE", "INSI_NAME_MISSING", "INSI_LEXICAL", "INSI_VALUE", "INSI_UNAVAILABLE", "00",
    ]  # fmt: skip
    assert results[7]["identity"]["ins"]["matricule"] == "109076322083489"
    async with insi.house.services.database.reader() as reader:
        traced = await reader.fetch_value(
            "select count(*) from trace where event = 'insi_called' and actor_id = %s", (f"8{MANY}",)
        )
    assert traced == len(lines) - 1, "names that cannot be written never reach the service"
    for sent, code in (({"identities": []}, "INSI_MALFORMED"), ({"identities": [right] * 51}, "INSI_TOO_LARGE")):
        assert (await asyncio.to_thread(ask, sent)).json()["code"] == code


async def test_calls_are_counted_and_a_caller_who_asks_too_much_waits(insi: Served) -> None:
    token = insi.house.token(Role.PROFESSIONAL, rpps=BUSY, organization=FINESS)
    url = insi.url.removesuffix("/fhir") + "/insi/v1/card"
    card = {"holder": "297022A020778", "birthDate": "1997-02-26"}

    def many() -> list[requests.Response]:
        with requests.Session() as session:
            session.headers["authorization"] = f"Bearer {token}"
            return [session.post(url, json=card, timeout=30) for _ in range(125)]

    answers = await asyncio.to_thread(many)
    throttled = [one for one in answers if one.status_code == 429]
    assert throttled
    assert throttled[0].json()["code"] == "INSI_THROTTLED"
    assert 1 <= int(throttled[0].headers["retry-after"]) <= 60
