"""What the tests of queries ask, and of whom."""

from typing import Any
from uuid import UUID

from ambroise.interfaces.xds.names import repository_id
from ambroise.modules.identity.vihf.api import Making
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context
from tests.support.server import House
from tests.support.xds import (
    NS,
    PROVIDE,
    QUERY,
    RETRIEVE,
    SUCCESS,
    Answer,
    Entry,
    Software,
    parts_of,
    retrieval,
    stored_query,
    submission,
)

INS = "279035121518989"
PATIENT = f"'{INS}^^^&1.2.250.1.213.1.4.10&ISO^NH'"
FIND, GET = "14d4debf-8f97-4251-9a74-a90016b0af0d", "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
FIND_SETS, GET_SETS = "f26abbcb-ac74-4422-8a30-edb644bbc1a9", "51224314-5390-4169-9b91-b1980040715a"
CONTENTS, LINKS = "e8e3cb2c-e39c-46b9-99e4-c12f57260b83", "a7ae438b-4bc2-4642-93e9-be891f7bb155"
BOTH, RELATED = "bab9529a-4a10-40b3-a01f-f68a615d247a", "d90e5407-b356-4d91-a89f-873917b4b0e6"
BY_REFERENCE, FOLDERS = "12941a89-e02e-4be5-967c-ce4bfc8fe492", "958f3006-baad-4929-a4de-ff1114824431"
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
DEPRECATED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')"
ARCHIVED = "('urn:asip:ci-sis:2010:StatusType:Archived')"
RPLC = "urn:ihe:iti:2007:AssociationType:RPLC"


async def patient_key(house: House) -> UUID:
    """The patient of the example documents."""
    space = await house.services.authenticator.people.space(INS)
    assert space is not None
    return space.patient


async def authorise(house: House, who: Software, patient: UUID) -> None:
    ctx = Context(Citizen(patient, "Dominique Pat-Trois"), house.services.clock, demonstration=True)
    async with house.services.database.transaction() as tx:
        await house.services.gateway.rights.authorise(tx, ctx, patient, Party.of(who.who))


async def file(who: Software, *entries: Entry) -> None:
    answer = await who.call("/xds/repository", PROVIDE, submission(*entries), parts_of(*entries))
    assert answer.status == SUCCESS, answer.http.text


async def ask(who: Software, query: str, form: str = "LeafClass", said: Making | None = None, **slots: Any) -> Answer:
    assertion = who.assertion(said) if said else None
    return await who.call("/xds/registry", QUERY, stored_query(query, form, **slots), assertion=assertion)


async def find(who: Software, said: Making | None = None, **slots: Any) -> list[str]:
    """The unique ids of what FindDocuments finds."""
    slots = {"XDSDocumentEntryPatientId": PATIENT, "XDSDocumentEntryStatus": APPROVED, **slots}
    answer = await ask(who, FIND, said=said, **slots)
    assert answer.status == SUCCESS, answer.http.text
    return [unique_id(one) for one in answer.entries]


async def get(who: Software, entry: Entry) -> Any:
    """The DocumentEntry of a document."""
    answer = await ask(who, GET, XDSDocumentEntryUniqueId=f"('{entry.unique_id}')")
    assert len(answer.entries) == 1, answer.http.text
    return answer.entries[0]


async def retrieve(
    who: Software, *unique_ids: str, said: Making | None = None, repository: str | None = None
) -> Answer:
    own = repository or repository_id(None, who.house.services.installation.id)
    assertion = who.assertion(said) if said else None
    return await who.call("/xds/repository", RETRIEVE, retrieval(own, *unique_ids), assertion=assertion)


def unique_id(element: Any) -> str:
    scheme = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
    return element.find(f"rim:ExternalIdentifier[@identificationScheme='{scheme}']", NS).get("value")


def slot(element: Any, name: str) -> list[str]:
    return [one.text for one in element.iterfind(f"rim:Slot[@name='{name}']/rim:ValueList/rim:Value", NS)]
