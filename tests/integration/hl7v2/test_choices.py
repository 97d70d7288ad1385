"""ADT of PAM France with a ZFA: what patients chose at an admission becomes rights of the structure, and no more."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from ambroise.interfaces.hl7v2.listener import Listener
from ambroise.interfaces.token_claims import Role
from ambroise.main.feeds import chosen, open_feeds
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context
from tests.integration.xds import asking
from tests.integration.xds.conftest import COLLEAGUE, RPPS, STRANGER, letter, people, software
from tests.support.database import TestDatabase
from tests.support.hl7v2 import Laboratory, mended
from tests.support.server import House, house_on
from tests.support.xds import Entry

pytestmark = pytest.mark.asyncio(loop_scope="module")
Sample = Callable[[str], Path]
ROOT = "Vague_2_Consentement_DMP_PAMFR_"
CONSENTS = f"{ROOT}ConsentementConsultation_NonOppositionAlimentation.er7"
REFUSES = f"{ROOT}NonConsentementConsultation_NonOppositionAlimentation.er7"
OPPOSES = f"{ROOT}NonConsentementConsultation_OppositionAlimentation.er7"
NOT_ASKED = f"{ROOT}NonRecueillieConsentementConsultation_NonOppositionAlimentation.er7"
NOTHING = f"{ROOT}NonRecueillieConsentementConsultation_NonRecueillieOppositionAlimentation.er7"
ORU = "ORU_Transmission_initiale_ORU_message_ORU_CR_Bio_INIT_N1_N3_2.hl7"


# Only a choice later than the last one told counts, and samples bear the days that they bear: each test begins anew.
@pytest_asyncio.fixture(loop_scope="module")
async def house(fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with house_on(fresh_database, tmp_path, roles={"api"}) as house:
        await people(house)
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def laboratory(house: House) -> AsyncIterator[Laboratory]:
    doors = open_feeds(msgspec.structs.replace(house.services.settings, port=0, hl7_plain_port=0), demonstration=True)
    async with Listener(house.services, doors):
        yield Laboratory(house, chosen(doors)["hl7_port"])


@pytest_asyncio.fixture(loop_scope="module")
async def elsewhere(house: House) -> Entry:
    """A document of another structure: who finds it reads the record."""
    entry = by_colleague()
    await asking.file(await software(house, COLLEAGUE), entry)
    return entry


def by_colleague() -> Entry:
    author = f"8{COLLEAGUE}^ESSAI^Camille^^^DR^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    entry = letter(author=author, structure="1750803454")
    content = entry.content.replace(b"801234567897", f"8{COLLEAGUE}".encode()).replace(b"1750803447", b"1750803454")
    return replace(entry, content=content)


async def sees(house: House, rpps: str, entry: Entry) -> bool:
    async with house.client(Role.PROFESSIONAL, rpps=rpps) as client:
        query = {
            "patient.identifier": "urn:oid:1.2.250.1.213.1.4.10|279035121518989",
            "identifier": f"urn:ietf:rfc:3986|urn:oid:{entry.unique_id}",
        }
        return bool((await client.get("DocumentReference", params=query)).json().get("entry"))


async def lines(house: House) -> list[tuple[str, str, int]]:
    """(event, channel, outcome) of the trace about rights, in order, without what was refused."""
    async with house.services.database.reader() as reader:
        rows = await reader.fetch_all(
            "select event, channel, outcome from trace where event in ('authorised', 'revoked', 'feed_opposition')"
            " and outcome = 0"
            " order by at, id"
        )
    return [(row[0], row[1], row[2]) for row in rows]


async def test_choices_follow_the_messages_of_a_stay_and_the_patient_has_the_last_word(
    house: House, laboratory: Laboratory, sample: Sample, elsewhere: Entry
) -> None:
    patient = await asking.patient_key(house)
    citizen = Context(Citizen(patient, "Dominique Pat-Trois"), house.services.clock, demonstration=True)
    assert not await sees(house, RPPS, elsewhere)
    consents = await laboratory.one(mended(sample(CONSENTS), b""))
    assert (consents.code, consents.codes) == ("AA", ["FEEDING_ALLOWED", "CONSENT_RECORDED"]), consents.texts
    assert await sees(house, RPPS, elsewhere)
    assert not await sees(house, STRANGER, elsewhere)
    async with house.services.database.transaction() as tx:
        structure = Party("1750803447", "Cabinet fictif", "organization")
        await house.services.gateway.rights.revoke(tx, citizen, patient, structure)
    again = await laboratory.one(mended(sample(CONSENTS), b""))
    assert again.codes == ["KNOWN_ALREADY", "KNOWN_ALREADY"]
    assert not await sees(house, RPPS, elsewhere)
    later = mended(sample(CONSENTS), b"", **{"IC|20240306111154": "IC|20240306120000"})
    assert (await laboratory.one(later)).codes == ["KNOWN_ALREADY", "CONSENT_RECORDED"]
    assert await sees(house, RPPS, elsewhere)
    refuses = await laboratory.one(mended(sample(REFUSES), b""))
    assert refuses.codes == ["FEEDING_ALLOWED", "REFUSAL_RECORDED"]
    assert not await sees(house, RPPS, elsewhere)
    done = [("feed_opposition", "hl7", 0), ("authorised", "hl7", 0)]
    assert [line for line in await lines(house) if line[1] == "hl7"] == [
        *done,
        ("authorised", "hl7", 0),
        ("feed_opposition", "hl7", 0),
        ("revoked", "hl7", 0),
    ]


async def test_an_opposition_to_feeding_stops_the_structure_that_collected_it_and_no_other(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    entry = letter()
    oru = mended(sample(ORU), entry.content)
    opposed = await laboratory.one(mended(sample(OPPOSES), b""))
    assert opposed.codes[0] == "FEEDING_OPPOSED"
    assert (await laboratory.one(oru)).notes == [("E", "207", "FEED_OPPOSED")]
    await asking.file(await software(house, COLLEAGUE), by_colleague())
    older = await laboratory.one(mended(sample(REFUSES), b""))
    assert older.codes == ["KNOWN_ALREADY", "KNOWN_ALREADY"]
    not_asked = await laboratory.one(mended(sample(NOT_ASKED), b""))
    assert not_asked.codes == ["FEEDING_ALLOWED"]
    assert (await laboratory.one(oru)).code == "AA"


async def test_the_patient_who_opposes_nobody_frees_every_structure(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    patient = await asking.patient_key(house)
    citizen = Context(Citizen(patient, "Dominique Pat-Trois"), house.services.clock, demonstration=True)
    date = {"IO|20240309111154": "IO|20250101", "INC|20240309111154": "NA|"}
    assert (await laboratory.one(mended(sample(OPPOSES), b"", **date))).codes == ["FEEDING_OPPOSED"]
    async with house.services.database.transaction() as tx:
        await house.services.gateway.rights.set_feed_opposed(tx, citizen, patient, False)
    assert (await laboratory.one(mended(sample(ORU), letter().content))).code == "AA"


async def test_what_was_not_collected_changes_nothing_and_movements_are_not_kept(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    before = await lines(house)
    assert (await laboratory.one(mended(sample(NOTHING), b""))).codes == ["NOTHING_COLLECTED"]
    assert (await laboratory.one(sample("SGL_sortie.er7").read_bytes())).codes == ["NOTHING_TO_RECORD"]
    for movement in ("ADT^A13^ADT_A01", "ADT^A54^ADT_A54", "ADT^Z99^ADT_A01"):
        other = sample("SGL_sortie.er7").read_text().replace("\n", "\r").replace("ADT^A03^ADT_A03", movement)
        assert movement in other
        assert (await laboratory.one(other)).notes == [("W", "0", "NOTHING_TO_RECORD")], movement
    nobody_answers = await laboratory.one(sample("SGL_admission.er7").read_bytes())
    assert nobody_answers.notes == [("E", "101", "HL7_SENDER_MISSING")]
    assert await lines(house) == before


REFUSALS: dict[str, tuple[dict[str, str], str]] = {
    "as it stands, its doctor is in no directory": ({"801234567897^R": "801234567898^R"}, "PROFESSIONAL_UNKNOWN"),
    "no doctor": ({"801234567897^Réault^Pierre": ""}, "HL7_SENDER_MISSING"),
    "an identity that is not qualified": ({"N||VALI": "N||RECUP"}, "INS_NOT_QUALIFIED"),
    "somebody unknown": ({"279035121518989^": "255069999999934^"}, "DMP_NOT_FOUND"),
    "other traits": ({"PAT-TROIS^DOMINIQUE^": "AUTRE^DOMINIQUE^"}, "TRAITS_MISMATCH"),
    "an unknown choice": ({"|IC|": "|OUI|"}, "HL7_ZFA"),
    "no date": ({"|IC|20240306111154": "|IC|"}, "HL7_FIELD_MISSING"),
    "a date to come": ({"|IC|20240306111154": "|IC|21240306111154"}, "HL7_DATE"),
    "the first day of all": ({"|IC|20240306111154": "|IC|00010101000000"}, "HL7_DATE"),
    "no date at all": ({"|IC|20240306111154": "|IC|hier"}, "HL7_DATE"),
    "a merge": ({"ADT^A01^ADT_A01": "ADT^A40^ADT_A39"}, "HL7_EVENT"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_choice_that_is_refused_changes_nothing(
    house: House, laboratory: Laboratory, sample: Sample, elsewhere: Entry, name: str
) -> None:
    changes, code = REFUSALS[name]
    before = await lines(house), await sees(house, RPPS, elsewhere)
    answer = await laboratory.one(mended(sample(CONSENTS), b"", **changes))
    assert answer.code in ("AE", "AR")
    assert answer.codes == [code]
    assert (await lines(house), await sees(house, RPPS, elsewhere)) == before
