"""Opening an account: nobody learns anything before proving, and every refusal has its official code."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import (
    Claim,
    Codes,
    Enrolments,
    EnrolmentStep,
    Identity,
    KeySealer,
    Origin,
    SignedIn,
    note_cards,
)
from ambroise.modules.identity.ins import TEST_OID, Ins, Sex, nir_key
from ambroise.modules.identity.insi import repository as insi
from ambroise.modules.identity.insi.model import Individual
from ambroise.modules.letters.api import Channel, Kind, Letters
from ambroise.modules.record.api import Record
from ambroise.modules.space.api import TERMS, Spaces
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import set_state, space_of
from tests.integration.identity.conftest import PAT_TROIS, Registry

HOME = Origin("203.0.113.7")
MAIL, MOBILE = "dominique@exemple.fr", "06 12 34 56 78"
PASSWORD = "Bateaux-9"
HERS = Claim(PAT_TROIS, date(1979, 3, 28), birth_name="Pat Trois", first_name="dominique")
ANOTHER = "260058815400233"


@pytest.fixture
async def enrolments(registry: Registry, tmp_path: Path) -> Enrolments:
    database, clock = registry.database, registry.clock
    secret = ApplicationSecret(b"s" * 32)
    letters = Letters.over(clock, secret, channels=frozenset(), demonstration=True)
    codes = Codes(database, clock, KeySealer(secret), letters)
    identity = Identity(database, clock, codes.sealer, demonstration=True, codes=codes)
    spaces = Spaces(registry.gateway, Record(registry.gateway))
    await _contacts(registry, registry.patient)
    return Enrolments(identity, registry.gateway, codes, spaces.begin)


async def _contacts(registry: Registry, patient: UUID) -> None:
    async with registry.database.transaction() as tx:
        stored = await registry.gateway.read(tx, registry.system, "Patient", str(patient))
        resource = json.loads(stored.body)
        resource["telecom"] = [{"system": "email", "value": MAIL}, {"system": "phone", "value": MOBILE}]
        await registry.gateway.update(tx, registry.system, resource)


async def code_of(enrolments: Enrolments) -> str:
    async with enrolments.identity.database.reader() as reader:
        newest = (await enrolments.codes.letters.latest(reader))[0]
    return newest.details["code"]


async def refusal_of(promise: object) -> str:
    with pytest.raises(Refusal) as refused:
        await promise  # type: ignore[misc]
    return refused.value.code


async def proven(enrolments: Enrolments, claim: Claim = HERS) -> str:
    token, _ = await enrolments.begin(claim, HOME)
    await enrolments.send_code(token, Channel.MAIL, HOME)
    await enrolments.prove(token, await code_of(enrolments))
    return token


async def test_an_account_is_opened_from_the_first_page_to_the_first_sign_in(
    enrolments: Enrolments, registry: Registry, clock: FixedClock
) -> None:
    token, begun = await enrolments.begin(HERS, HOME)
    assert begun.masked == {Channel.MAIL: "d•••@e•••.fr", Channel.SMS: "•• •• •• •• 78"}
    await enrolments.send_code(token, Channel.SMS, HOME)
    assert (await enrolments.prove(token, await code_of(enrolments))).step is EnrolmentStep.PROVEN
    assert await refusal_of(enrolments.keep_contacts(token)) == "MAIL_NOT_PROVEN"
    await enrolments.send_contact_code(token, Channel.MAIL, " Autre@Exemple.FR ")
    await enrolments.prove_contact(token, Channel.MAIL, await code_of(enrolments))
    await enrolments.keep_contacts(token)
    assert (await enrolments.suggestions(token))[0] == "dominique.pat-trois"
    await enrolments.choose_credentials(token, "d.pattrois", PASSWORD)
    account = await enrolments.finish(token, TERMS)
    assert (account.patient, account.demonstration) == (registry.patient, False)
    async with registry.database.reader() as reader:
        space = await space_of(reader, registry.patient)
        told = (await enrolments.codes.letters.latest(reader))[0]
    assert space is not None
    assert space.state is SpaceState.OPEN_ACTIVE
    assert (told.kind, told.address) == (Kind.ACCOUNT_OPENED, "autre@exemple.fr")
    assert isinstance(await enrolments.identity.sign_in("D.PATTROIS", PASSWORD, HOME), SignedIn)
    assert await refusal_of(enrolments.present(token)) == "SESSION_TIMED_OUT"


@pytest.mark.parametrize(
    "wrong",
    [
        replace(HERS, matricule=ANOTHER),
        replace(HERS, matricule="123"),
        replace(HERS, birth_date=date(1979, 3, 29)),
        replace(HERS, birth_name="Autre"),
        replace(HERS, first_name=""),
        Claim(PAT_TROIS, date(1979, 3, 28), card="80250000021234567890 1"),
    ],
)
async def test_any_wrong_detail_is_the_same_nobody(enrolments: Enrolments, wrong: Claim) -> None:
    assert await refusal_of(enrolments.begin(wrong, HOME)) == "NO_USER_FOUND"


async def test_the_serial_of_a_card_takes_the_place_of_names(enrolments: Enrolments, registry: Registry) -> None:
    async with registry.database.transaction() as tx:
        await note_cards(tx, [(registry.patient, "8025000002 12345678901"), (registry.patient, "not a serial")])
    _, begun = await enrolments.begin(Claim(PAT_TROIS, date(1979, 3, 28), card="12345678901"), HOME)
    assert begun.patient == registry.patient


async def test_among_several_people_of_one_card_the_names_choose_and_nothing_is_guessed(
    enrolments: Enrolments, registry: Registry
) -> None:
    number, born = f"{PAT_TROIS[:12]}1", date(1979, 3, 28)
    twins = Ins(f"{number}{nir_key(number):02}", TEST_OID)
    async with registry.database.transaction() as tx:
        insi.put(tx, Individual(twins, "PAT-TROIS", "CLAUDE", Sex.FEMALE, born, None, holder=PAT_TROIS[:13]))
    twin = await registry.open(twins.matricule, name=[{"use": "official", "family": "PAT-TROIS", "given": ["CLAUDE"]}])
    await _contacts(registry, twin)
    async with registry.database.transaction() as tx:
        await note_cards(tx, [(registry.patient, "12345678901"), (twin, "12345678901")])
    family = Claim(PAT_TROIS, born, card="12345678901")
    assert await refusal_of(enrolments.begin(family, HOME)) == "SEVERAL_HOLDERS"
    for first_name, patient in (("Dominique", registry.patient), ("claude", twin)):
        named = replace(family, birth_name="Pat Trois", first_name=first_name)
        assert (await enrolments.begin(named, HOME))[1].patient == patient
    assert await refusal_of(enrolments.begin(replace(family, first_name="Alix"), HOME)) == "NO_USER_FOUND"
    other_card = replace(family, card="12345678902", birth_name="Pat Trois", first_name="claude")
    assert await refusal_of(enrolments.begin(other_card, HOME)) == "NO_USER_FOUND"


async def test_that_somebody_died_or_has_an_account_is_told_after_the_code_only(
    enrolments: Enrolments, registry: Registry, clock: FixedClock
) -> None:
    token, _ = await enrolments.begin(HERS, HOME)
    await enrolments.send_code(token, Channel.MAIL, HOME)
    async with registry.database.transaction() as tx:
        await set_state(tx, registry.system, registry.patient, SpaceState.DECEASED)
    assert await refusal_of(enrolments.prove(token, await code_of(enrolments))) == "DECEASED_INDIVIDUAL"
    assert await refusal_of(enrolments.present(token)) == "SESSION_TIMED_OUT"


async def test_codes_are_kept_thirty_seconds_apart_even_by_another_enrolment(
    enrolments: Enrolments, clock: FixedClock
) -> None:
    token, _ = await enrolments.begin(HERS, HOME)
    await enrolments.send_code(token, Channel.MAIL, HOME)
    assert await refusal_of(enrolments.send_code(token, Channel.MAIL, HOME)) == "MIN_DELAY_ERROR"
    other, _ = await enrolments.begin(HERS, HOME)
    assert await refusal_of(enrolments.send_code(other, Channel.SMS, HOME)) == "MIN_DELAY_ERROR"
    clock.move(timedelta(seconds=30))
    await enrolments.send_code(token, Channel.MAIL, HOME)


async def test_a_code_is_good_once_for_ten_minutes_and_five_tries(enrolments: Enrolments, clock: FixedClock) -> None:
    token = await proven(enrolments)
    clock.move(timedelta(seconds=31))
    await enrolments.send_contact_code(token, Channel.MAIL, "autre@exemple.fr")
    code = await code_of(enrolments)
    wrong = "000000" if code != "000000" else "111111"
    assert await refusal_of(enrolments.prove_contact(token, Channel.MAIL, wrong)) == "CODE_WRONG"
    await enrolments.prove_contact(token, Channel.MAIL, code)
    assert await refusal_of(enrolments.prove_contact(token, Channel.MAIL, code)) == "CODE_ALREADY_USED"
    clock.move(timedelta(seconds=31))
    await enrolments.send_contact_code(token, Channel.MAIL, "autre@exemple.fr")
    for _ in range(5):
        assert await refusal_of(enrolments.prove_contact(token, Channel.MAIL, "no digits")) == "CODE_WRONG"
    assert await refusal_of(enrolments.prove_contact(token, Channel.MAIL, await code_of(enrolments))) == "CODE_EXPIRED"
    clock.move(timedelta(seconds=31))
    await enrolments.send_contact_code(token, Channel.MAIL, "autre@exemple.fr")
    clock.move(timedelta(minutes=10))
    assert await refusal_of(enrolments.prove_contact(token, Channel.MAIL, await code_of(enrolments))) == "CODE_EXPIRED"


async def test_a_stranger_who_fails_makes_only_his_own_network_wait(enrolments: Enrolments) -> None:
    wrong = replace(HERS, first_name="Autre")
    stranger = Origin("198.51.100.9")
    for _ in range(5):
        assert await refusal_of(enrolments.begin(wrong, stranger)) == "NO_USER_FOUND"
    assert await refusal_of(enrolments.begin(HERS, stranger)) == "ENROLMENT_WAIT"
    await enrolments.begin(HERS, HOME)


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [
        ("court", PASSWORD, "LOGIN_FORMAT"),
        ("dominiqué.trois", PASSWORD, "LOGIN_FORMAT"),
        ("moi@exemple.fr", PASSWORD, "LOGIN_FORMAT"),
        (PAT_TROIS, PASSWORD, "LOGIN_FORBIDDEN"),
        ("fr7630006000011234567890189", PASSWORD, "LOGIN_FORBIDDEN"),
        ("d.pattrois", "Bat-9", "PASSWORD_TOO_SHORT"),
        ("d.pattrois", "bateaux-9", "PASSWORD_CLASSES"),
        ("d.pattrois", "Dominique-9!", "PASSWORD_PERSONAL"),
        ("d.pattrois", "Bateau28031979", "PASSWORD_PERSONAL"),
        ("d.pattrois", "Motdepasse123!", "PASSWORD_COMMON"),
    ],
)
async def test_a_name_or_a_password_against_the_rules_is_refused(
    enrolments: Enrolments, name: str, password: str, code: str
) -> None:
    token = await proven(enrolments)
    await enrolments.keep_contacts(token)
    assert await refusal_of(enrolments.choose_credentials(token, name, password)) == code


async def test_a_minor_needs_a_legal_representative(enrolments: Enrolments, registry: Registry) -> None:
    claim = Claim("212017511612357", date(2012, 1, 15), birth_name="Petit", first_name="Ami")
    child = {"name": [{"use": "official", "family": "PETIT", "given": ["AMI"]}], "birthDate": "2012-01-15"}
    number = claim.matricule[:13]
    claim = replace(claim, matricule=f"{number}{nir_key(number):02}")
    patient = await registry.open(claim.matricule, gender="male", **child)
    await _contacts(registry, patient)
    token, _ = await enrolments.begin(claim, HOME)
    await enrolments.send_code(token, Channel.MAIL, HOME)
    code = await code_of(enrolments)
    assert await refusal_of(enrolments.prove(token, code)) == "LEGAL_REPRESENTATIVE_REQUIRED"


async def test_who_has_no_contact_is_sent_to_the_insurer(enrolments: Enrolments, registry: Registry) -> None:
    await registry.open(ANOTHER, birthDate="1960-05-02")
    claim = Claim(ANOTHER, date(1960, 5, 2), birth_name="PAT-TROIS", first_name="DOMINIQUE")
    assert await refusal_of(enrolments.begin(claim, HOME)) == "CONTACTS_NOT_FOUND"


async def test_an_enrolment_ends_after_an_hour(enrolments: Enrolments, clock: FixedClock) -> None:
    token, _ = await enrolments.begin(HERS, HOME)
    clock.move(timedelta(hours=1))
    assert await refusal_of(enrolments.present(token)) == "SESSION_TIMED_OUT"
    async with enrolments.identity.database.transaction() as tx:
        await enrolments.sweep(tx)


async def test_a_step_cannot_be_skipped(enrolments: Enrolments) -> None:
    token, _ = await enrolments.begin(HERS, HOME)
    assert await refusal_of(enrolments.choose_credentials(token, "d.pattrois", PASSWORD)) == "ENROLMENT_STEP"
    assert await refusal_of(enrolments.finish(token, TERMS)) == "ENROLMENT_STEP"
