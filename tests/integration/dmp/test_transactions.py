"""The administrative transactions of the DMP over SOAP, told as software lives them."""

import json
from typing import Any

import pytest
import pytest_asyncio

from ambroise.modules.identity.vihf.api import Making
from ambroise.modules.space.api import Reason
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context, Purpose, System
from tests.integration.record.conftest import patient_resource
from tests.integration.xds.asking import INS, file, patient_key
from tests.integration.xds.conftest import COLLEAGUE, STRANGER, author, example_client, house, letter, software
from tests.support.dmp import Lps, candidates, demographics, opposition, revision
from tests.support.server import House
from tests.support.xds import Software

__all__ = ["author", "house"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
NOBODY = "279035121518800"
LEAVER = "180120987612334"
TRAITS = ("PAT-TROIS", "Dominique", "19790328", "F")
REACHED = {
    "telecom": [
        {"system": "phone", "value": "06 12 34 56 78", "use": "mobile"},
        {"system": "email", "value": "d@p.fr"},
    ],
    "address": [{"line": ["1 rue du Chat"], "postalCode": "35000", "city": "Rennes", "country": "FR"}],
}


@pytest_asyncio.fixture(loop_scope="module")
async def lps(house: House) -> Any:
    """The software of a professional whom the patient has not authorised, before and after."""
    made = await software(house, COLLEAGUE)
    yield Lps(made)
    rights, patient = house.services.gateway.rights, await patient_key(house)
    async with house.services.database.transaction() as tx:
        ctx = citizen(house, patient)
        await rights.unblock(tx, ctx, patient, Party.of(made.who))
        await rights.revoke(tx, ctx, patient, Party.of(made.who))


def citizen(house: House, patient: Any) -> Context:
    return Context(Citizen(patient, "Dominique Pat-Trois"), house.services.clock, channel="web", demonstration=True)


async def test_an_authorisation_from_nothing_to_treating_doctor_and_back(house: House, lps: Lps) -> None:
    patient = await patient_key(house)
    async with house.services.database.transaction() as tx:
        ctx = Context(System(), house.services.clock, channel="load", demonstration=True)
        body = await house.services.gateway.read(tx, ctx, "Patient", str(patient))
        await house.services.gateway.update(tx, ctx, {**json.loads(body.body), **REACHED})

    stranger = await lps.exists(INS)
    assert (stranger.acknowledged, stranger.response) == (("AA", None), "OK")
    assert (stranger.attention("AUTORISATION"), stranger.attention("STATUT_MT")) == ("NON_EXISTE", "false")
    assert stranger.one("h:patient/h:statusCode").get("code") == "active"
    assert stranger.one("h:patient/h:id").get("extension") == INS
    assert stranger.values("h:name/h:family") == ["PAT-TROIS"]
    assert stranger.observed("RATTACHEMENT_ENS") == "true"
    assert stranger.observed("COMPTE_INTERNET_OUVERT") is None, "whether a space is used is for who may read it"
    assert stranger.one("h:telecom") is None
    assert stranger.one("h:targetMessage/h:id").get("extension") == "1633a409-3d61-4869-aed8-74d92ae20272"
    assert stranger.one("h:queryAck/h:queryId").get("extension") == "q-1"
    assert stranger.one("h:reasonCode").get("code") == "TEST_EXST"
    assert order(stranger, "PRPA_IN201308UV02") == [
        "id", "creationTime", "interactionId", "processingCode", "processingModeCode", "acceptAckCode", "receiver",
        "sender", "attentionLine", "attentionLine", "acknowledgement", "controlActProcess",
    ]  # fmt: skip
    action = stranger.answer.envelope.find(".//{http://www.w3.org/2005/08/addressing}Action").text
    assert action == "urn:hl7-org:v3:PRPA_IN201308UV02"

    refused = await lps.patients(demographics(INS, "CNSLT_DATA"))
    assert (refused.acknowledged, refused.response) == (("AE", "ACCESS_NOT_AUTHORISED"), "AE")
    assert "0612345678" not in refused.text

    assert (await lps.set(INS, "AJOUT")).status == ("DMPOk", "")
    assert (await lps.set(INS, "AJOUT")).status == ("DMPOk", "AUTHORISATION_THERE")
    known = await lps.exists(INS)
    assert (known.attention("AUTORISATION"), known.attention("STATUT_MT")) == ("VALIDE", "false")
    assert known.observed("COMPTE_INTERNET_OUVERT") == "false"
    assert [one.get("value") for one in known.answer.envelope.iterfind(".//{*}telecom")] == [
        "tel:0612345678",
        "mailto:d@p.fr",
    ]
    data = await lps.patients(demographics(INS, "CNSLT_DATA"))
    assert data.values("h:addr/h:streetAddressLine") == ["1 rue du Chat"]
    assert (data.observed("OPPOSITION_BRIS_DE_GLACE"), data.observed("OPPOSITION_ACCES_URGENCE")) == ("false", "false")
    assert (await lps.authorised(INS)).status == ("ACCESS_WRITE_RESERVED", "ACCESS_WRITE_RESERVED")

    assert (await lps.set(INS, "AJOUT", role="MEDECIN_TRAITANT")).status == ("DMPOk", "")
    assert (await lps.exists(INS)).attention("STATUT_MT") == "true"
    listed = await lps.authorised(INS, "ACTIVE")
    mine = listed.one("a:listOfAuthorizationByPatient[a:nationalId='8" + COLLEAGUE + "']")
    assert [(one.tag.rpartition("}")[2], one.text) for one in mine if "start" not in one.tag] == [
        ("nationalId", "8" + COLLEAGUE),
        ("nationalIdType", "1.2.250.1.71.4.2.1"),
        ("firstName", "Camille"),
        ("lastName", "ESSAI"),
        ("codeSpeciality", "G15_10/SM54"),
        ("mode", "ACTIVE"),
        ("specificRight", "MEDECIN_TRAITANT"),
    ]
    assert (await lps.set(INS, "SUPPRESSION", role="MEDECIN_TRAITANT")).status == ("DMPOk", "")
    without = await lps.exists(INS)
    assert (without.attention("AUTORISATION"), without.attention("STATUT_MT")) == ("VALIDE", "false")
    assert (await lps.set(INS, "SUPPRESSION", role="MEDECIN_TRAITANT")).status == ("DMPOk", "AUTHORISATION_ABSENT")
    assert (await lps.set(INS, "SUPPRESSION")).status == ("DMPOk", "")
    assert (await lps.exists(INS)).attention("AUTORISATION") == "NON_EXISTE"
    assert (await lps.set(INS, "SUPPRESSION")).status == ("DMPOk", "AUTHORISATION_ABSENT")

    async with house.services.database.reader() as reader:
        rows = await reader.fetch_all(
            "select event, outcome from trace where patient = %s and actor_id = %s and channel = 'xds' order by id",
            (patient, "8" + COLLEAGUE),
        )
    assert {"person_found", "authorised", "treating_declared", "revoked", "rights_read", "read"} <= {r[0] for r in rows}
    assert ("rights_read", 4) in rows, "who was refused the list stands in the trace"


async def test_a_test_of_existence_tells_nobody_from_somebody_and_says_what_is_wrong(lps: Lps) -> None:
    nobody = await lps.exists(NOBODY)
    assert (nobody.acknowledged, nobody.response, nobody.one("h:patient")) == (("AA", None), "NF", None)
    assert (await lps.patients(demographics(INS), NOBODY)).acknowledged == ("AE", "VIHF_PATIENT")
    for wrong in (
        demographics(INS, "CREA_RD"),
        demographics(INS).replace('extension="PRPA_IN201307UV02"', 'extension="PRPA_IN201305UV02"'),
        demographics(INS).replace("patientIdentifier", "patientIdentity"),
        demographics(INS).replace('codeSystem="1.2.250.1.213.1.1.4.11"', 'codeSystem="1.2.3"'),
    ):
        answer = await lps.patients(wrong)
        assert (answer.answer.http.status_code, answer.answer.fault) == (400, "DMP_MESSAGE")
    elsewhere = await lps.call("/xds/habilitations", "urn:hl7-org:v3:PRPA_IN201307UV02", demographics(INS))
    assert elsewhere.answer.fault == "XDS_ACTION"
    # As the example code published for vendors names it: by its answer.
    named = await lps.call("/xds/patients", "urn:hl7-org:v3:PRPA_IN201308UV02", demographics(INS))
    assert named.response == "OK"
    unknown = demographics(INS).replace("1.2.250.1.213.1.4.10", "1.2.3.4")
    assert (await lps.patients(unknown)).acknowledged == ("AE", "INS_SYSTEM_UNKNOWN")


async def test_a_person_is_found_by_every_trait_and_by_nothing_less(lps: Lps) -> None:
    found = await lps.find(*TRAITS)
    assert (found.acknowledged, found.response) == (("AA", None), "OK")
    assert found.one("h:resultTotalQuantity").get("value") == "1"
    assert found.one("h:patient/h:id").get("extension") == INS
    assert found.one("h:controlActProcess/h:queryByParameter//h:family").text == "PAT-TROIS"
    assert found.one("h:telecom") is None
    assert (await lps.find("PAT-TROIS", "Dominique", "19790329", "F")).response == "NF"
    for less in (TRAITS[:1], TRAITS[:2], TRAITS[:3], ("PAT-TROIS", "Dominique", "1979", "F")):
        few = await lps.find(*less)
        assert (few.acknowledged, few.response) == (("AE", "TRAITS_MISSING"), "AE")
    assert "PRPA_IN201305UV02" in candidates("X")


async def test_the_list_holds_the_records_of_the_caller_by_date(house: House, author: Software, lps: Lps) -> None:
    assert (await lps.list()).values("p:nationalId") == []
    await lps.set(INS, "AJOUT")
    listed = await lps.list(startDate="20200101", dateType="LASTAUTORIZATION")
    assert listed.status == ("DMPOk", "")
    assert (listed.values("p:nationalId"), listed.values("p:MT")) == ([INS], ["false"])
    assert listed.values("p:lastAddDate") == []
    assert (await lps.list(startDate="29990101")).values("p:nationalId") == []
    before = len((await lps.list(dateType="LASTDOC")).values("p:nationalId"))
    writer = Lps(author)
    await writer.set(INS, "AJOUT")
    await file(author, letter(flags=("MASQUE_PS",)))
    assert (await writer.list(dateType="LASTDOC")).values("p:nationalId") == [INS], "the control: it is there"
    assert len((await lps.list(dateType="LASTDOC")).values("p:nationalId")) == before, "a masked one dates nothing"
    await file(author, letter())
    dated = await lps.list(dateType="LASTDOC")
    assert (dated.values("p:nationalId"), [len(one) for one in dated.values("p:lastAddDate")]) == ([INS], [14])
    assert (await lps.list(psOwnerId="801234567897")).status == ("DMP_OTHER_LIST", "DMP_OTHER_LIST")
    assert (await lps.list(startDate="soon")).answer.fault == "DMP_MESSAGE"
    assert (await lps.list(dateType="FIRST")).answer.fault == "DMP_MESSAGE"


async def test_a_consent_is_recorded_for_the_patient_of_the_assertion_in_mode_normal_alone(lps: Lps) -> None:
    assert (await lps.set(None, "AJOUT")).status == ("DMP_PATIENT", "DMP_PATIENT")
    assert (await lps.set(NOBODY, "AJOUT")).status == ("DMP_NOT_FOUND", "DMP_NOT_FOUND")
    glass = Making(purpose=Purpose.BREAK_GLASS, reason="Malaise")
    assert (await lps.set(INS, "AJOUT", glass)).status == ("CONSENT_IN_EMERGENCY", "CONSENT_IN_EMERGENCY")
    assert (await lps.set(INS, "AJOUT", role="INFIRMIER")).answer.fault == "DMP_MESSAGE"
    assert (await lps.set(INS, "DEMANDE")).answer.fault == "DMP_MESSAGE"
    assert (await lps.exists(INS)).attention("AUTORISATION") == "NON_EXISTE"


async def test_what_is_the_holder_s_or_the_nation_s_is_refused_and_traced(house: House, lps: Lps) -> None:
    create = revision(NOBODY, "CREA_RD", interaction="PRPA_IN201311UV02")
    reserved = await lps.patients(create)
    assert reserved.acknowledged == ("AE", "DMP_CREATION_RESERVED")
    assert reserved.one("h:PRPA_IN201313UV02").getparent().tag == "{asip:ci-sis:gdp:2010}PRPA_IN201311UV02_Response"
    there = revision(INS, "CREA_RD", interaction="PRPA_IN201311UV02")
    assert (await lps.patients(there)).acknowledged == ("AE", "DMPFound")

    closing = await lps.patients(revision(INS, "FERM"))
    assert closing.acknowledged == ("AE", "ACCESS_WRITE_RESERVED")
    assert closing.one("h:PRPA_IN201316UV02").getparent().tag == "{asip:ci-sis:gdp:2010}PRPA_IN201314UV02_Response"
    assert (await lps.patients(revision(INS, "REAC"))).acknowledged == ("AE", "DMPFound")
    assert (await lps.patients(revision(NOBODY, "FERM"))).acknowledged == ("AE", "DMP_NOT_FOUND")
    assert (await lps.patients(revision(INS, "MODIF_DATA"))).acknowledged == ("AE", "DMP_NOTHING_TO_CHANGE")
    telecom = '<telecom value="tel:0600000000" use="MC"/>'
    assert (await lps.patients(revision(INS, "MODIF_DATA", telecom))).acknowledged == ("AE", "ACCESS_NOT_AUTHORISED")
    await lps.set(INS, "AJOUT")
    assert (await lps.patients(revision(INS, "MODIF_DATA", telecom))).acknowledged == ("AE", "ACCESS_NOT_AUTHOR")
    opposed = revision(INS, "MODIF_DATA", more=opposition("OPPOSITION_BRIS_DE_GLACE"))
    assert (await lps.patients(opposed)).acknowledged == ("AE", "ACCESS_WRITE_RESERVED")
    kept = await lps.patients(demographics(INS, "CNSLT_DATA"))
    assert kept.observed("OPPOSITION_BRIS_DE_GLACE") == "false"
    assert "0600000000" not in kept.text

    async with house.services.database.reader() as reader:
        refused = await reader.fetch_value(
            "select count(*) from trace"
            " where patient = %s and event = 'space_state' and outcome <> 0 and actor_id = %s",
            (await patient_key(house), "8" + COLLEAGUE),
        )
    assert refused == 1, "who tried to close the space is told to its holder"


async def test_a_closed_record_says_when_it_closed_and_never_why_its_holder_did(house: House, lps: Lps) -> None:
    services = house.services
    async with services.database.transaction() as tx:
        ctx = Context(System(), services.clock, channel="load", demonstration=True)
        names = [{"use": "official", "family": "PARTANT", "given": ["LOU"]}]
        patient = (await services.gateway.create(tx, ctx, patient_resource(LEAVER, name=names))).key
        await services.spaces.close(tx, citizen(house, patient), patient, Reason.CONFIDENTIALITY)
    closed = await lps.exists(LEAVER)
    assert closed.response == "OK"
    assert closed.one("h:patient/h:statusCode").get("code") == "terminated"
    assert closed.one("h:detectedIssueEvent/h:code").get("code") == "FERMETURE_DEMANDE_PATIENT"
    assert closed.one("h:registrationEvent/h:effectiveTime").get("value").endswith("+0000")
    assert "confidentiality" not in closed.text
    assert closed.observed("RATTACHEMENT_ENS") == "false"
    assert (await lps.patients(revision(LEAVER, "FERM"))).acknowledged == ("AE", "DMPClosed")
    assert (await lps.patients(revision(LEAVER, "REAC"))).acknowledged[0] == "AE"
    assert (await lps.set(LEAVER, "AJOUT")).status[0] == "ACCESS_SPACE_CLOSED"
    assert (await lps.exists(LEAVER)).one("h:patient/h:statusCode").get("code") == "terminated"


async def test_who_was_blocked_learns_it_of_himself_and_nothing_else(house: House, lps: Lps) -> None:
    patient, other = await patient_key(house), await software(house, STRANGER)
    await lps.set(INS, "AJOUT")
    async with house.services.database.transaction() as tx:
        await house.services.gateway.rights.block(tx, citizen(house, patient), patient, Party.of(lps.software.who))
    told = await lps.exists(INS)
    assert (told.attention("AUTORISATION"), told.one("h:telecom")) == ("INTERDIT", None)
    assert (await lps.set(INS, "AJOUT")).status[0] == "ACCESS_BLOCKED"
    assert (await lps.authorised(INS)).status[0] == "ACCESS_BLOCKED"
    assert (await lps.list()).values("p:nationalId") == []
    colleague = Lps(other)
    assert (await colleague.exists(INS)).attention("AUTORISATION") == "NON_EXISTE"
    await colleague.set(INS, "AJOUT", role="MEDECIN_TRAITANT")
    blocked = await colleague.authorised(INS, "INTERDITE")
    assert (blocked.values("a:nationalId"), blocked.values("a:mode")) == (["8" + COLLEAGUE], ["INTERDITE"])
    assert "8" + COLLEAGUE not in (await colleague.authorised(INS, "ACTIVE")).text
    await colleague.set(INS, "SUPPRESSION")


async def test_the_example_asks_what_the_services_answer(lps: Lps) -> None:
    example = example_client("administrative")
    for what, about in (("exists", INS), ("add", None), ("data", INS), ("list", None), ("withdraw", None)):
        asked = ("LASTAUTORIZATION", "20200101") if what == "list" else (about,) if about else ()
        path, action, body = example.request_of(what, *asked)
        answer = await lps.call(path, action, body, INS)
        assert answer.answer.fault is None, answer.text
        assert INS in answer.text or answer.status == ("DMPOk", ""), answer.text
    path, action, body = example.request_of("find", *TRAITS)
    assert (await lps.call(path, action, body)).response == "OK"
    path, action, body = example.request_of("authorised")
    assert (await lps.call(path, action, body, INS)).status[0] == "ACCESS_WRITE_RESERVED"


def order(said: Any, interaction: str) -> list[str]:
    """The names of the children of a message, in their order."""
    message = said.one(f"h:{interaction}")
    if message is None:
        message = said.answer.envelope.find(f".//{{*}}{interaction}")
    return [one.tag.rpartition("}")[2] for one in message]
