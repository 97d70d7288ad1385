"""The leak pack through XDS.b, the DMP's administrative services and XDM.

Every question is asked by who may see some of the record, and by who is blocked.

Each case has its control: the author finds what is hidden, so it is there.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from ambroise.interfaces.token_claims import Role
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context, System
from tests.integration.record.conftest import patient_resource
from tests.integration.xds.asking import (
    APPROVED,
    BOTH,
    BY_REFERENCE,
    CONTENTS,
    FIND,
    FIND_SETS,
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
    get,
    patient_key,
    retrieve,
)
from tests.integration.xds.conftest import COLLEAGUE, STRANGER, author, house, letter, software
from tests.integration.xds.test_updates import FRENCH, new_status, new_version, update
from tests.support.dmp import Lps, demographics, revision
from tests.support.server import House
from tests.support.xdm import unzipped
from tests.support.xds import PROVIDE, Answer, Entry, Software, parts_of, submission

__all__ = ["author", "house"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
OPPOSED, NOBODY = "180120987612334", "279035121518800"
ORDER = "SECRET-1^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:order"
OF_PATIENT: dict[str, Any] = {"XDSDocumentEntryPatientId": PATIENT, "XDSDocumentEntryStatus": APPROVED}


@dataclass(frozen=True)
class Secrets:
    """A document shown beside one that is masked, filed together; a shown one that replaces another masked one."""

    knower: Software
    viewer: Software
    shown: Entry
    hidden: Entry
    replaced: Entry
    replacing: Entry
    shown_uuid: str
    hidden_uuid: str
    replacing_uuid: str
    set_uuid: str
    hidden_lid: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secrets(house: House, author: Software) -> Secrets:
    viewer, patient = await software(house, COLLEAGUE), await patient_key(house)
    for who in (author, viewer):
        await authorise(house, who, patient)
    references = {"urn:ihe:iti:xds:2013:referenceIdList": ORDER}
    shown = letter(id="shown")
    hidden = letter(id="hidden", flags=("MASQUE_PS",), title="Secret", slots=references)
    await file(author, shown, hidden)
    replaced = letter(flags=("MASQUE_PS",), title="Secret")
    await file(author, replaced)
    replacing = letter(replaces=(await get(author, replaced)).get("id"))
    await file(author, replacing)
    entries = [await get(author, one) for one in (shown, hidden, replacing)]
    uuids = [one.get("id") for one in entries]
    sets = await ask(author, GET_SETS, uuid=f"('{uuids[1]}')")
    return Secrets(
        author,
        viewer,
        shown,
        hidden,
        replaced,
        replacing,
        uuids[0],
        uuids[1],
        uuids[2],
        sets.ids("RegistryPackage")[0],
        entries[1].get("lid"),
    )


Question = Callable[[Software, Secrets], Awaitable[Answer]]
QUESTIONS: dict[str, Question] = {
    "FindDocuments": lambda who, it: ask(who, FIND, **OF_PATIENT),
    "FindDocuments, references": lambda who, it: ask(who, FIND, "ObjectRef", **OF_PATIENT),
    "FindDocuments, masked ones": lambda who, it: ask(
        who, FIND, XDSDocumentEntryConfidentialityCode="('MASQUE_PS^^1.2.250.1.213.1.1.4.13')", **OF_PATIENT
    ),
    "FindDocumentsByReferenceId": lambda who, it: ask(
        who, BY_REFERENCE, XDSDocumentEntryReferenceIdList=f"('{ORDER}')", **OF_PATIENT
    ),
    "FindSubmissionSets": lambda who, it: ask(
        who, FIND_SETS, XDSSubmissionSetPatientId=PATIENT, XDSSubmissionSetStatus=APPROVED
    ),
    "GetDocuments by entryUUID": lambda who, it: ask(who, GET, XDSDocumentEntryEntryUUID=f"('{it.hidden_uuid}')"),
    "GetDocuments by uniqueId": lambda who, it: ask(who, GET, XDSDocumentEntryUniqueId=f"('{it.hidden.unique_id}')"),
    "GetDocuments by logical id": lambda who, it: ask(who, GET, XDSDocumentEntryLogicalID=f"('{it.hidden_lid}')"),
    "GetAll": lambda who, it: ask(
        who,
        "10b545ea-725c-446d-9b95-8aeb444eddf3",
        patientId=PATIENT,
        XDSDocumentEntryStatus=APPROVED,
        XDSSubmissionSetStatus=APPROVED,
        XDSFolderStatus=APPROVED,
    ),
    "GetSubmissionSets": lambda who, it: ask(who, GET_SETS, uuid=f"('{it.hidden_uuid}')"),
    "GetSubmissionSets of its neighbour": lambda who, it: ask(who, GET_SETS, uuid=f"('{it.shown_uuid}')"),
    "GetAssociations": lambda who, it: ask(who, LINKS, uuid=f"('{it.hidden_uuid}')"),
    "GetAssociations of its neighbour": lambda who, it: ask(who, LINKS, uuid=f"('{it.shown_uuid}')"),
    "GetAssociations of its submission": lambda who, it: ask(who, LINKS, uuid=f"('{it.set_uuid}')"),
    "GetDocumentsAndAssociations": lambda who, it: ask(who, BOTH, XDSDocumentEntryEntryUUID=f"('{it.hidden_uuid}')"),
    "GetSubmissionSetAndContents": lambda who, it: ask(who, CONTENTS, XDSSubmissionSetEntryUUID=f"'{it.set_uuid}'"),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_nothing_hidden_is_answered(name: str, secrets: Secrets) -> None:
    known = (await QUESTIONS[name](secrets.knower, secrets)).http.text
    seen = (await QUESTIONS[name](secrets.viewer, secrets)).http.text
    words = [secrets.hidden_uuid, secrets.set_uuid, secrets.hidden.unique_id]
    assert any(word in known for word in words), f"the control of {name} answers {known}"
    assert not any(word in seen for word in [*words, "Secret"]), f"{name} shows {seen}"


async def test_the_link_to_a_hidden_document_is_not_answered(secrets: Secrets) -> None:
    slots: dict[str, Any] = {
        "XDSDocumentEntryEntryUUID": f"'{secrets.replacing_uuid}'",
        "AssociationTypes": f"('{RPLC}')",
    }
    known, seen = await ask(secrets.knower, RELATED, **slots), await ask(secrets.viewer, RELATED, **slots)
    assert len(known.ids("Association")) == 1
    assert secrets.replaced.unique_id in known.http.text
    assert seen.ids("Association") == []
    links = await ask(secrets.viewer, LINKS, uuid=f"('{secrets.replacing_uuid}')")
    assert [one.get("associationType") for one in links.envelope.iterfind(".//{*}Association")] == [
        "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
    ]


async def test_a_hidden_document_is_not_retrieved_nor_told_from_none(secrets: Secrets) -> None:
    assert list((await retrieve(secrets.knower, secrets.hidden.unique_id)).parts.values()) == [secrets.hidden.content]
    hidden = await retrieve(secrets.viewer, secrets.hidden.unique_id)
    nothing = await retrieve(secrets.viewer, "2.25.404")
    assert hidden.parts == {}
    assert hidden.errors == nothing.errors
    context = [one.get("codeContext") for one in hidden.envelope.iterfind(".//{*}RegistryError")]
    assert context == [one.get("codeContext") for one in nothing.envelope.iterfind(".//{*}RegistryError")]


async def test_a_zip_holds_nothing_hidden_nor_tells_it_from_nothing(house: House, secrets: Secrets) -> None:
    shown, hidden = [(await get(secrets.knower, one)).get("lid")[9:] for one in (secrets.shown, secrets.hidden)]

    async def export(who: Software, *ids: str) -> httpx.Response:
        async with house.client(Role.PROFESSIONAL, rpps=who.who.rpps) as client:
            return await client.get("DocumentReference/$export-xdm", params={"_id": ",".join(ids)})

    known = unzipped((await export(secrets.knower, shown, hidden)).content)
    assert secrets.hidden.content in known.values()
    seen, nothing = await export(secrets.viewer, shown, hidden), await export(secrets.viewer, shown, str(uuid4()))
    assert (seen.status_code, seen.json()) == (404, nothing.json())
    alone = unzipped((await export(secrets.viewer, shown)).content)
    assert secrets.shown.content in alone.values()
    assert not any(word.encode() in each for each in alone.values() for word in (hidden, secrets.set_uuid, "Secret"))


async def test_administrative_services_show_the_identity_alone_and_no_rights_of_others(
    house: House, secrets: Secrets
) -> None:
    services, patient = house.services, await patient_key(house)
    ctx = Context(System(), services.clock, channel="load", demonstration=True)
    async with services.database.transaction() as tx:
        whole = json.loads((await services.gateway.read(tx, ctx, "Patient", str(patient))).body)
        await services.gateway.update(tx, ctx, {**whole, "telecom": [{"system": "phone", "value": "0699999999"}]})
    viewer, stranger = Lps(secrets.viewer), Lps(await software(house, STRANGER))
    for ask_about in (demographics(INS), demographics(INS, "CNSLT_DATA")):
        assert "0699999999" in (await viewer.patients(ask_about)).text, "the control"
        seen = (await stranger.patients(ask_about)).text
        assert not any(word in seen for word in ("0699999999", "COMPTE_INTERNET", "OPPOSITION"))
    found = await stranger.find("PAT-TROIS", "Dominique", "19790328", "F")
    assert found.response == "OK"
    assert "0699999999" not in found.text
    # Who reads, and who is blocked, is for the doctor in charge alone.
    known = secrets.knower.who.id
    assert known not in (await viewer.authorised(INS)).text
    await viewer.set(INS, "AJOUT", role="MEDECIN_TRAITANT")
    assert known in (await viewer.authorised(INS)).text, "the control"
    await viewer.set(INS, "SUPPRESSION", role="MEDECIN_TRAITANT")


async def test_a_space_that_never_opened_is_told_from_nobody_by_no_service(house: House, secrets: Secrets) -> None:
    services, lps = house.services, Lps(secrets.viewer)
    ctx = Context(System(), services.clock, channel="load", demonstration=True)
    names = [{"use": "official", "family": "OPPOSANT", "given": ["LOU"]}]
    async with services.database.transaction() as tx:
        patient = (await services.gateway.create(tx, ctx, patient_resource(OPPOSED, name=names))).key
    assert (await lps.exists(OPPOSED)).response == "OK", "the control"
    async with services.database.transaction() as tx:
        await services.gateway.rights.set_state(tx, ctx, patient, SpaceState.OPPOSED)
    opposed, nobody = await lps.exists(OPPOSED), await lps.exists(NOBODY)
    assert (opposed.response, opposed.one("h:patient")) == (nobody.response, nobody.one("h:patient")) == ("NF", None)
    for ask_of in (
        lambda ins: lps.set(ins, "AJOUT"),
        lambda ins: lps.authorised(ins),
        lambda ins: lps.patients(revision(ins, "FERM")),
        lambda ins: lps.patients(revision(ins, "REAC")),
        lambda ins: lps.patients(revision(ins, "CREA_RD", interaction="PRPA_IN201311UV02")),
    ):
        mine, theirs = await ask_of(OPPOSED), await ask_of(NOBODY)
        assert mine.values("{*}context") + mine.values("h:text") == theirs.values("{*}context") + theirs.values(
            "h:text"
        )
        assert not any("OPPOSANT" in one.text for one in (mine, theirs))


async def test_who_is_blocked_finds_nothing_at_the_next_request(house: House, secrets: Secrets) -> None:
    patient = await patient_key(house)
    assert secrets.shown.unique_id in (await ask(secrets.viewer, FIND, **OF_PATIENT)).http.text
    ctx = Context(Citizen(patient, "Dominique Pat-Trois"), house.services.clock, demonstration=True)
    rights, blocked = house.services.gateway.rights, Party.of(secrets.viewer.who)
    async with house.services.database.transaction() as tx:
        await rights.block(tx, ctx, patient, blocked)
    try:
        for question in QUESTIONS.values():
            answer = await question(secrets.viewer, secrets)
            assert answer.envelope.findall(".//{*}RegistryObjectList/*") == []
        assert (await retrieve(secrets.viewer, secrets.shown.unique_id)).parts == {}
        assert secrets.shown.unique_id in (await ask(secrets.knower, FIND, **OF_PATIENT)).http.text
    finally:
        # The record serves the other tests too, in whatever order.
        async with house.services.database.transaction() as tx:
            await rights.unblock(tx, ctx, patient, blocked)
        await authorise(house, secrets.viewer, patient)


async def test_something_hidden_is_neither_replaced_nor_changed_nor_told_from_nothing(secrets: Secrets) -> None:
    """Its author may; who does not see it is answered as about nothing."""
    hidden = letter(flags=("MASQUE_PS",))
    await file(secrets.knower, hidden)
    found, nothing = await get(secrets.knower, hidden), f"urn:uuid:{uuid4()}"

    async def replaced(who: Software, uuid: str) -> tuple[str, list[tuple[str, str]]]:
        entry = letter(replaces=uuid)
        answer = await who.call("/xds/repository", PROVIDE, submission(entry), parts_of(entry))
        return answer.status, answer.errors

    async def changed(who: Software, target: Entry, lid: str) -> tuple[str, list[tuple[str, str]]]:
        change = new_version(target, found, flags=()).replace(found.get("lid"), lid)
        answer = await update(who, change)
        return answer.status, answer.errors

    async def archived(who: Software, uuid: str) -> tuple[str, list[tuple[str, str]]]:
        answer = await update(who, new_status(found, FRENCH + "Archived").replace(found.get("id"), uuid))
        return answer.status, answer.errors

    viewer, uuid = secrets.viewer, found.get("id")
    assert await replaced(viewer, uuid) == await replaced(viewer, nothing)
    assert await archived(viewer, uuid) == await archived(viewer, nothing)
    unknown = await changed(viewer, letter(), f"urn:uuid:{uuid4()}")
    assert await changed(viewer, hidden, found.get("lid")) == unknown
    assert (await get(secrets.knower, hidden)).get("id") == uuid, "nothing was done to it"
    assert (await archived(secrets.knower, uuid))[1] == [], "the control"


async def test_what_is_kept_from_one_person_and_a_closed_space_answer_nothing(house: House, secrets: Secrets) -> None:
    patient, services = await patient_key(house), house.services
    ctx = Context(Citizen(patient, "Dominique Pat-Trois"), services.clock, demonstration=True)
    shown = UUID((await get(secrets.knower, secrets.shown)).get("lid")[9:])

    async def finds(who: Software) -> bool:
        found = secrets.shown.unique_id in (await ask(who, FIND, **OF_PATIENT)).http.text
        assert found == bool((await retrieve(who, secrets.shown.unique_id)).parts)
        return found

    assert await finds(secrets.viewer)
    async with services.database.transaction() as tx:
        kept = await services.gateway.rights.restrict(tx, ctx, patient, Party.of(secrets.viewer.who), document=shown)
    assert not await finds(secrets.viewer)
    assert await finds(secrets.knower), "the control"
    async with services.database.transaction() as tx:
        await services.gateway.rights.lift_restriction(tx, ctx, patient, kept)
    async with services.database.reader() as reader:
        state = await reader.fetch_value("select state from access_space where patient = %s", (patient,))
    try:
        await _put(house, patient, "closed")
        assert not await finds(secrets.viewer)
        assert not await finds(secrets.knower), "the author either"
    finally:
        await _put(house, patient, state)
    assert await finds(secrets.viewer)


async def _put(house: House, patient: UUID, state: str) -> None:
    async with house.services.database.transaction() as tx:
        await tx.execute("update access_space set state = %s where patient = %s", (state, patient))
