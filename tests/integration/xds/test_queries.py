"""ITI-18 and ITI-43 over SOAP: what one way files the other finds, and nobody finds what is not theirs to see."""

from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from ambroise.interfaces.token_claims import Role
from ambroise.modules.identity.vihf.api import Making
from ambroise.trust.context import Purpose
from tests.integration.xds.asking import (
    APPROVED,
    BOTH,
    BY_REFERENCE,
    CONTENTS,
    DEPRECATED,
    FIND,
    FIND_SETS,
    FOLDERS,
    GET,
    GET_SETS,
    INS,
    LINKS,
    PATIENT,
    RELATED,
    RPLC,
    ask,
    authorise,
    file,
    find,
    get,
    patient_key,
    retrieve,
    slot,
    unique_id,
)
from tests.integration.xds.conftest import COLLEAGUE, STRANGER, example_client, letter, software
from tests.support.server import House
from tests.support.xds import FAILURE, NS, SUCCESS, Software

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(house: House) -> UUID:
    return await patient_key(house)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def colleague(house: House) -> Software:
    """A doctor elsewhere, whom the patient has not authorised."""
    return await software(house, COLLEAGUE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(house: House, author: Software, patient: UUID) -> Software:
    """The author, authorised by the patient."""
    await authorise(house, author, patient)
    return author


async def test_a_document_sent_by_xds_is_found_and_retrieved_as_it_was(reader: Software) -> None:
    entry = letter()
    await file(reader, entry)
    assert entry.unique_id in await find(reader)
    answer = await retrieve(reader, entry.unique_id)
    assert answer.status == SUCCESS
    assert list(answer.parts.values()) == [entry.content]
    assert answer.envelope.findtext(".//xdsb:DocumentResponse/xdsb:mimeType", None, NS) == "text/xml"


async def test_a_document_sent_by_fhir_is_found_and_retrieved_by_xds(house: House, reader: Software) -> None:
    entry = letter()
    async with house.client(Role.PROFESSIONAL, rpps=reader.who.rpps) as client:
        path = "DocumentReference/$generate-metadata"
        sent = await client.post(path, content=entry.content, headers={"content-type": "application/xml"})
        assert sent.status_code == 200, sent.text
    assert entry.unique_id in await find(reader)
    found = await get(reader, entry)
    assert slot(found, "creationTime") == ["20260115093000"]
    assert slot(found, "size") == [str(len(entry.content))]
    assert slot(found, "legalAuthenticator")[0].startswith("801234567897^AUTEUR-EXEMPLE^Charles")
    answer = await retrieve(reader, entry.unique_id)
    assert list(answer.parts.values()) == [entry.content]


async def test_metadata_come_back_as_they_were_sent(reader: Software) -> None:
    order = "ORDER-7^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:order"
    entry = letter(slots={"urn:ihe:iti:xds:2013:referenceIdList": order}, title="Compte rendu & suites")
    await file(reader, entry)
    found = await get(reader, entry)
    assert found.get("objectType") == "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
    assert found.get("id").startswith("urn:uuid:")
    assert found.get("lid").startswith("urn:uuid:")
    assert found.find("rim:VersionInfo", NS).get("versionName") == "1"
    assert found.find("rim:Name/rim:LocalizedString", NS).get("value") == "Compte rendu & suites"
    for name, value in {
        "creationTime": "20260115093000",
        "serviceStartTime": "20260115091000",
        "serviceStopTime": "20260115093000",
        "languageCode": "fr-FR",
        "sourcePatientId": "0351215189^^^&2.25.1052470340049222730073704739799062558&ISO^PI",
        "urn:ihe:iti:xds:2013:referenceIdList": order,
        "legalAuthenticator": entry.author,
    }.items():
        assert slot(found, name) == [value], name
    assert "PID-5|PAT-TROIS^DOMINIQUE^MARIE-LOUISE^^^^L" in slot(found, "sourcePatientInfo")
    codes = {
        (one.get("classificationScheme"), one.get("nodeRepresentation"), *slot(one, "codingScheme"))
        for one in found.iterfind("rim:Classification", NS)
    }
    assert ("urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", "11488-4", "2.16.840.1.113883.6.1") in codes
    assert ("urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "SA07", "1.2.250.1.71.4.2.4") in codes
    author = found.find("rim:Classification[@classificationScheme='urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d']", NS)
    assert slot(author, "authorPerson") == [entry.author]
    assert slot(author, "authorInstitution") == ["Cabinet^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750803447"]
    assert slot(author, "authorSpecialty") == ["G15_10/SM54^Médecine générale^1.2.250.1.213.1.1.4.5"]


async def test_find_documents_keeps_what_its_parameters_say(reader: Software) -> None:
    entry = letter(flags=("INVISIBLE_REPRESENTANTS_LEGAUX",))
    await file(reader, entry)
    loinc, other = "2.16.840.1.113883.6.1", "1.2.250.1.213.1.1.4.12"
    kept: list[dict[str, Any]] = [
        {"XDSDocumentEntryTypeCode": [f"('11488-4^^{loinc}','34112-3^^{loinc}')"]},
        {"XDSDocumentEntryClassCode": "('10^^1.2.250.1.213.1.1.4.1')"},
        {"XDSDocumentEntryHealthcareFacilityTypeCode": "('SA07^^1.2.250.1.71.4.2.4')"},
        {"XDSDocumentEntryPracticeSettingCode": "('AMBULATOIRE^^1.2.250.1.213.1.1.4.9')"},
        {"XDSDocumentEntryCreationTimeFrom": "'20260115093000'", "XDSDocumentEntryCreationTimeTo": "'20260115093001'"},
        {"XDSDocumentEntryServiceStartTimeFrom": "'2026'", "XDSDocumentEntryServiceStartTimeTo": "'20260116'"},
        {"XDSDocumentEntryServiceStopTimeFrom": "'20260115'"},
        {"XDSDocumentEntryAuthorPerson": "('%AUTEUR-EXEMPLE%')"},
        {"XDSDocumentEntryConfidentialityCode": "('INVISIBLE_REPRESENTANTS_LEGAUX^^1.2.250.1.213.1.1.4.13')"},
        {"XDSDocumentEntryType": "('urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1')"},
    ]
    left_out: list[dict[str, Any]] = [
        {"XDSDocumentEntryTypeCode": f"('11488-4^^{other}')"},
        {"XDSDocumentEntryTypeCode": f"('34112-3^^{loinc}')"},
        {"XDSDocumentEntryCreationTimeTo": "'20260115093000'"},
        {"XDSDocumentEntryCreationTimeFrom": "'20260115093001'"},
        {"XDSDocumentEntryServiceStartTimeTo": "'2026'"},
        {"XDSDocumentEntryAuthorPerson": "('AUTEUR-EXEMPLE')"},
        {"XDSDocumentEntryConfidentialityCode": "('MASQUE_PS^^1.2.250.1.213.1.1.4.13')"},
        {"XDSDocumentEntryType": "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')"},
        {"XDSDocumentEntryStatus": DEPRECATED},
    ]
    for slots in kept:
        assert entry.unique_id in await find(reader, **slots), slots
    for slots in left_out:
        assert entry.unique_id not in await find(reader, **slots), slots
    answer = await ask(reader, FIND, "ObjectRef", XDSDocumentEntryPatientId=PATIENT, XDSDocumentEntryStatus=APPROVED)
    assert (await get(reader, entry)).get("id") in answer.ids("ObjectRef")
    assert answer.entries == []


async def test_a_document_is_found_by_what_it_refers_to(reader: Software) -> None:
    order = "ORDER-8^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:order"
    entry = letter(slots={"urn:ihe:iti:xds:2013:referenceIdList": order})
    await file(reader, entry)
    slots: dict[str, Any] = {"XDSDocumentEntryPatientId": PATIENT, "XDSDocumentEntryStatus": APPROVED}
    answer = await ask(reader, BY_REFERENCE, XDSDocumentEntryReferenceIdList=f"('{order}')", **slots)
    assert [unique_id(one) for one in answer.entries] == [entry.unique_id]


async def test_submissions_and_links_lead_to_documents(reader: Software) -> None:
    one, two = letter(id="one"), letter(id="two")
    await file(reader, one, two)
    first = (await get(reader, one)).get("id")
    sets = await ask(reader, GET_SETS, uuid=f"('{first}')")
    assert len(sets.ids("RegistryPackage")) == 1
    found = await ask(reader, FIND_SETS, XDSSubmissionSetPatientId=PATIENT, XDSSubmissionSetStatus=APPROVED)
    assert sets.ids("RegistryPackage")[0] in found.ids("RegistryPackage")
    sources: dict[str, Any] = {"XDSSubmissionSetPatientId": PATIENT, "XDSSubmissionSetStatus": APPROVED}
    none = await ask(reader, FIND_SETS, XDSSubmissionSetSourceId="('1.2.3')", **sources)
    assert none.ids("RegistryPackage") == []
    package = sets.envelope.find(".//rim:RegistryPackage", NS)
    assert slot(package, "submissionTime") == ["20260115093000"]
    contents = await ask(reader, CONTENTS, XDSSubmissionSetEntryUUID=f"'{package.get('id')}'")
    assert {unique_id(each) for each in contents.entries} == {one.unique_id, two.unique_id}
    assert len(contents.ids("Association")) == 2
    links = await ask(reader, LINKS, uuid=f"('{package.get('id')}')")
    assert {each.get("targetObject") for each in links.envelope.iterfind(".//rim:Association", NS)} == {
        each.get("id") for each in contents.entries
    }
    both = await ask(reader, BOTH, XDSDocumentEntryEntryUUID=f"('{first}')")
    assert [unique_id(each) for each in both.entries] == [one.unique_id]
    assert len(both.ids("Association")) == 1


async def test_a_replacement_is_told_by_status_and_by_link(reader: Software) -> None:
    old = letter()
    await file(reader, old)
    new = letter(replaces=(await get(reader, old)).get("id"))
    await file(reader, new)
    assert old.unique_id in await find(reader, XDSDocumentEntryStatus=DEPRECATED)
    assert old.unique_id not in await find(reader)
    answer = await ask(reader, RELATED, XDSDocumentEntryUniqueId=f"'{new.unique_id}'", AssociationTypes=f"('{RPLC}')")
    assert {unique_id(each) for each in answer.entries} == {old.unique_id, new.unique_id}
    link = answer.envelope.find(".//rim:Association", NS)
    assert (link.get("sourceObject"), link.get("targetObject")) == (
        (await get(reader, new)).get("id"),
        (await get(reader, old)).get("id"),
    )


async def test_who_is_not_authorised_finds_nothing_and_retrieves_nothing(
    house: House, reader: Software, colleague: Software, patient: UUID
) -> None:
    shown, masked = letter(), letter(flags=("MASQUE_PS",))
    await file(reader, shown)
    await file(reader, masked)
    assert {shown.unique_id, masked.unique_id} <= set(await find(reader))
    uuid = (await get(reader, shown)).get("id")
    assert await find(colleague) == []
    assert (await ask(colleague, GET, XDSDocumentEntryEntryUUID=f"('{uuid}')")).entries == []
    assert (await ask(colleague, LINKS, uuid=f"('{uuid}')")).ids("Association") == []
    refused = await retrieve(colleague, shown.unique_id, masked.unique_id)
    assert refused.status == FAILURE
    assert refused.parts == {}
    # Authorised: what is masked stays away, and is not told from what does not exist.
    await authorise(house, colleague, patient)
    assert shown.unique_id in (seen := await find(colleague))
    assert masked.unique_id not in seen
    answer = await retrieve(colleague, shown.unique_id, masked.unique_id, "2.25.1")
    assert list(answer.parts.values()) == [shown.content]
    assert answer.status.endswith("PartialSuccess")
    assert answer.errors == [("XDSDocumentUniqueIdError", "XDS_UNKNOWN_DOCUMENT")] * 2
    contexts = {one.get("codeContext") for one in answer.envelope.iterfind(".//rs:RegistryError", NS)}
    assert len(contexts) == 1


async def test_an_emergency_opens_the_record_for_its_reason(house: House, reader: Software) -> None:
    entry = letter()
    await file(reader, entry)
    stranger = await software(house, STRANGER)
    assert await find(stranger) == []
    asked: dict[str, Any] = {"XDSDocumentEntryPatientId": PATIENT, "XDSDocumentEntryStatus": APPROVED}
    unexplained = await ask(stranger, FIND, said=Making(purpose=Purpose.BREAK_GLASS), **asked)
    assert unexplained.status == FAILURE
    emergency = Making(purpose=Purpose.BREAK_GLASS, reason="Malaise")
    assert entry.unique_id in await find(stranger, said=emergency)
    answer = await retrieve(stranger, entry.unique_id, said=emergency)
    assert list(answer.parts.values()) == [entry.content]
    async with house.services.database.reader() as database:
        rows = await database.fetch_all(
            "select distinct event, reason from trace where actor_id = %s and purpose = 'bris_de_glace'",
            (stranger.who.id,),
        )
    assert ("content_read", "Malaise") in [tuple(row) for row in rows]


async def test_an_assertion_about_another_patient_finds_nothing(reader: Software) -> None:
    entry = letter()
    await file(reader, entry)
    other = Making(patient="255069999999934^^^&1.2.250.1.213.1.4.10&ISO^NH")
    answer = await ask(reader, FIND, said=other, XDSDocumentEntryPatientId=PATIENT, XDSDocumentEntryStatus=APPROVED)
    assert answer.errors == [("XDSPatientIdDoesNotMatch", "VIHF_PATIENT")]
    answer = await ask(reader, GET, said=other, XDSDocumentEntryUniqueId=f"'{entry.unique_id}'")
    assert answer.entries == []
    assert (await retrieve(reader, entry.unique_id, said=other)).errors == [
        ("XDSDocumentUniqueIdError", "XDS_UNKNOWN_DOCUMENT")
    ]
    mine = Making(patient=PATIENT.strip("'"))
    assert list((await retrieve(reader, entry.unique_id, said=mine)).parts.values()) == [entry.content]
    answer = await ask(reader, GET, said=mine, XDSDocumentEntryUniqueId=f"'{entry.unique_id}'")
    assert len(answer.entries) == 1


async def test_queries_that_cannot_be_read_have_the_codes_of_xds(reader: Software) -> None:
    async def errors(query: str, form: str = "LeafClass", **slots: Any) -> list[tuple[str, str]]:
        answer = await ask(reader, query, form, **slots)
        assert answer.status == FAILURE
        return answer.errors

    assert await errors(FIND) == [("XDSStoredQueryMissingParam", "XDS_PARAMETER_MISSING")]
    two = f"({PATIENT},{PATIENT})"
    assert await errors(FIND, XDSDocumentEntryPatientId=two, XDSDocumentEntryStatus=APPROVED) == [
        ("XDSStoredQueryParamNumber", "XDS_PARAMETER_NUMBER")
    ]
    assert await errors("00000000-0000-0000-0000-000000000000") == [("XDSUnknownStoredQuery", "XDS_UNKNOWN_QUERY")]
    assert await errors(GET, "Everything") == [("XDSRegistryError", "XDS_PARAMETER_INVALID")]
    assert await errors(GET, XDSDocumentEntryUniqueId="('a'") == [("XDSRegistryError", "XDS_PARAMETER_INVALID")]
    assert (await retrieve(reader, "1.2.3", repository="1.2.3")).errors == [
        ("XDSUnknownRepositoryId", "XDS_UNKNOWN_REPOSITORY")
    ]
    assert (await ask(reader, FOLDERS)).status == SUCCESS
    nobody = "'255069999999934^^^&1.2.250.1.213.1.4.10&ISO^NH'"
    assert await find(reader, XDSDocumentEntryPatientId=nobody) == []


async def test_each_reading_by_xds_is_traced_for_the_patient(house: House, reader: Software, patient: UUID) -> None:
    entry = letter()
    await file(reader, entry)
    await find(reader)
    await retrieve(reader, entry.unique_id)
    async with house.services.database.reader() as database:
        rows = await database.fetch_all(
            "select event from trace where patient = %s and channel = 'xds' order by at, id", (patient,)
        )
    assert [row[0] for row in rows][-2:] == ["search", "content_read"]


async def test_the_example_client_finds_and_retrieves(reader: Software) -> None:
    example = example_client("find")
    entry = letter()
    await file(reader, entry)
    request = example.find_request(INS, reader.assertion().decode())
    answer = await reader.post("/xds/registry", request, "application/soap+xml")
    line = next(one for one in example.found(answer.content) if one["unique id"] == entry.unique_id)
    request = example.retrieve_request(entry.unique_id, line["repository"], reader.assertion().decode())
    answer = await reader.post("/xds/repository", request, "application/soap+xml")
    assert example.document_of(answer.content, answer.headers["content-type"]) == entry.content
