"""The leak pack through HL7 v2: acknowledgements say nothing of what the sender may not know, each with its control."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context
from tests.integration.hl7v2.conftest import house, laboratory, ports, sample
from tests.integration.hl7v2.test_choices import by_colleague, sees
from tests.integration.xds import asking
from tests.integration.xds.conftest import COLLEAGUE, RPPS, letter, software
from tests.support.hl7v2 import Ack, Laboratory, mended
from tests.support.server import House

__all__ = ["house", "laboratory", "ports", "sample"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
Sample = Callable[[str], Path]
SEND = "ORU_Transmission_initiale_ORU_message_ORU_CR_Bio_INIT_N1_N3_2.hl7"
DELETE = "ORU_Suppression_ORU_message_ORU_CR_Bio_DEL_N1_N3_2.er7"
CONSENT = "Vague_2_Consentement_DMP_PAMFR_ConsentementConsultation_NonOppositionAlimentation.er7"
MASKED = {"Santé^MetaDMPMSS||N": "Santé^MetaDMPMSS||Y"}
ELSEWHERE = {"801234567866": f"8{COLLEAGUE}", "1120459876": "1750803454"}


def said(answer: Ack) -> tuple[str, list[tuple[str, str, str]], list[str], list[str]]:
    """All that an acknowledgement says of a message."""
    return answer.code, answer.notes, answer.places, answer.texts


async def test_who_did_not_write_a_document_cannot_tell_it_from_none(
    house: House, ports: dict[str, int], laboratory: Laboratory, sample: Sample
) -> None:
    stranger = Laboratory(house, ports["hl7_port"], "1750803454")
    for changes in ({}, MASKED):
        hidden, nothing = letter(), letter()
        filed = await laboratory.one(mended(sample(SEND), hidden.content, **changes))
        assert filed.codes[0] == "FILED"
        unknown = await stranger.one(mended(sample(DELETE), nothing.content, **ELSEWHERE))
        assert unknown.codes == ["NOT_FOUND"]
        known = await stranger.one(mended(sample(DELETE), hidden.content, **ELSEWHERE))
        assert said(known) == said(unknown)
        withdrawn = await laboratory.one(mended(sample(DELETE), hidden.content))
        assert withdrawn.codes[0] == "WITHDRAWN"
        assert withdrawn.documents == filed.documents
        assert said(await stranger.one(mended(sample(DELETE), hidden.content, **ELSEWHERE))) == said(unknown)


async def test_an_answer_says_which_trait_differs_and_never_what_the_registry_holds(
    laboratory: Laboratory, sample: Sample
) -> None:
    wrong = {"PAT-TROIS^DOMINIQUE^": "AUTRE^DOMINIQUE^", "|19790328|F": "|19500101|F"}
    answer = await laboratory.one(mended(sample(SEND), letter().content, **wrong))
    assert answer.codes == ["TRAITS_MISMATCH"]
    assert "birth_name" in answer.texts[0]
    assert not any(held in str(answer.message) for held in ("PAT-TROIS", "1979"))


async def test_a_structure_that_the_patient_blocked_gets_no_right_by_telling_of_a_consent(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    patient = await asking.patient_key(house)
    citizen = Context(Citizen(patient, "Dominique Pat-Trois"), house.services.clock, demonstration=True)
    rights, structure = house.services.gateway.rights, Party("1750803447", "Cabinet fictif", "organization")
    secret = by_colleague()
    await asking.file(await software(house, COLLEAGUE), secret)
    async with house.services.database.transaction() as tx:
        await rights.block(tx, citizen, patient, structure)
    refused = await laboratory.one(mended(sample(CONSENT), b""))
    assert refused.code == "AE"
    assert not await sees(house, RPPS, secret)
    async with house.services.database.transaction() as tx:
        await rights.unblock(tx, citizen, patient, structure)
    assert (await laboratory.one(mended(sample(CONSENT), b""))).codes[1] == "CONSENT_RECORDED"
    assert await sees(house, RPPS, secret)
