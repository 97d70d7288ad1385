"""Showing and verifying: what is returned, what is refused and how, receipts, and what attackers get."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from ambroise.interfaces.token_claims import sign
from ambroise.kernel.errors import Refusal
from ambroise.modules.relations.api import Known
from ambroise.modules.vitale.repositories.cards import erase
from ambroise.modules.vitale.tokens import TYPE, sign_showing
from ambroise.trust.access import spaces
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.context import Context
from tests.integration.vitale.conftest import CODE, Bench, code_of


async def test_a_shown_card_returns_the_identity_the_ins_and_the_rights_and_leaves_a_receipt(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    card = await bench.card(ana)
    shown = await bench.shown(ana)
    assert shown.expires_at == bench.now + timedelta(seconds=30)
    verified = await bench.verified(shown.token)
    assert verified.identity.ins is not None
    assert (verified.card.id, verified.identity.traits.birth_name) == (card.id, "FICTIF")
    assert verified.rights is not None
    assert verified.rights.source == "demonstration"
    assert verified.rights.since <= bench.now.date() <= verified.rights.until
    (receipt,) = await bench.vitale.showings.receipts(ana)
    assert receipt == verified.receipt
    assert (receipt.reader_name, receipt.organization_name, receipt.way) == ("Dr 1", "Cabinet", "online")
    assert receipt.returned == ("ins", "identity", "card", "rights")
    assert ana.space is not None
    ((outcome, said),) = await bench.traced(ana.space, "vitale_verified")
    assert (outcome, said["receipt"]) == (0, str(receipt.id))


async def test_a_telephone_shows_the_card_by_itself(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    phone = await bench.phone(ana)
    verified = await bench.verified(phone.token(bench.now))
    assert (verified.receipt.way, verified.receipt.person) == ("device", ana.space)


@pytest.mark.parametrize("way", ["online", "device"])
async def test_a_token_serves_once_even_at_the_same_moment(bench: Bench, way: str) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    token = (await bench.shown(ana)).token if way == "online" else (await bench.phone(ana)).token(bench.now)
    answers = await asyncio.gather(*(bench.verified(token) for _ in range(4)), return_exceptions=True)
    codes = [one.code for one in answers if isinstance(one, Refusal)]
    assert codes == ["VITALE_TOKEN_REPLAYED"] * 3
    assert len(await bench.vitale.showings.receipts(ana)) == 1
    assert ana.space is not None
    assert [outcome for outcome, _ in await bench.traced(ana.space, "vitale_verified")].count(4) == 3


async def test_a_token_of_a_telephone_made_before_the_last_one_is_refused(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    phone = await bench.phone(ana)
    earlier = phone.token(bench.now - timedelta(seconds=5))
    await bench.verified(phone.token(bench.now))
    assert await code_of(bench.verified(earlier)) == "VITALE_TOKEN_REPLAYED"


async def test_a_token_expires_in_seconds(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    shown = await bench.shown(ana)
    bench.family.world.clock.move(timedelta(seconds=30))
    assert await code_of(bench.verified(shown.token)) == "VITALE_TOKEN_EXPIRED"


@pytest.mark.parametrize(
    ("ahead", "code"),
    [(-61, "VITALE_TOKEN_EXPIRED"), (-59, None), (-29, None), (29, None), (31, "VITALE_TOKEN_EARLY")],
)
async def test_the_clock_of_a_telephone_may_be_half_a_minute_wrong(bench: Bench, ahead: int, code: str | None) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    token = (await bench.phone(ana)).token(bench.now + timedelta(seconds=ahead))
    if code is None:
        await bench.verified(token)
    else:
        assert await code_of(bench.verified(token)) == code


async def test_a_contactless_token_answers_the_challenge_of_one_reader(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    phone, other = await bench.phone(ana), bench.family.world.professional(2)
    challenge = await bench.vitale.showings.challenge(bench.doctor)
    token = phone.token(bench.now, reader=challenge.id)
    assert await code_of(bench.verified(token, other, "nfc")) == "VITALE_WRONG_READER"
    assert await code_of(bench.verified(token, bench.doctor, "qr")) == "VITALE_WRONG_READER"
    assert await code_of(bench.verified(phone.token(bench.now), bench.doctor, "nfc")) == "VITALE_WRONG_READER"
    verified = await bench.verified(token, bench.doctor, "nfc")
    assert verified.receipt.medium == "nfc"
    ours = (await bench.shown(ana, reader=challenge.id)).token
    assert await code_of(bench.verified(ours, other, "nfc")) == "VITALE_WRONG_READER"
    await bench.verified(ours, bench.doctor, "nfc")
    assert await code_of(bench.verified(phone.token(bench.now, reader=uuid4()), bench.doctor, "nfc")) in (
        "VITALE_WRONG_READER",
        "VITALE_TOKEN_REPLAYED",
    )
    bench.family.world.clock.move(timedelta(seconds=121))
    late = phone.token(bench.now, reader=challenge.id)
    assert await code_of(bench.verified(late, bench.doctor, "nfc")) == "VITALE_WRONG_READER"


async def test_only_a_professional_reads_cards(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    token = (await bench.shown(ana)).token
    for reader in (ana, bench.desk, bench.family.world.system):
        assert await code_of(bench.verified(token, reader)) == "VITALE_READER_UNKNOWN"
        assert await code_of(bench.vitale.showings.challenge(reader)) == "VITALE_READER_UNKNOWN"


async def test_a_forged_token_is_refused(bench: Bench) -> None:
    ana, bob = bench.family.of(await bench.family.person()), bench.family.of(await bench.family.person())
    await bench.card(ana)
    await bench.card(bob)
    phone, stranger = await bench.phone(ana), ECKey.generate_key("P-256")
    mine = phone.registered.device.id.hex
    header: dict[str, Any] = {"alg": "ES256", "typ": TYPE, "kid": f"d.{mine}"}
    payload = orjson.dumps({"n": int(bench.now.timestamp() * 1000), "m": "x"})

    def signed(key: Any, **changed: Any) -> str:
        made = header | changed
        return jws.serialize_compact(made, payload, key, algorithms=[made["alg"]])

    secret = OctKey.import_key(b"a secret that both sides would know")
    genuine = phone.token(bench.now)
    head, _, signature = genuine.split(".")
    forged = {
        "another key": (signed(stranger), "VITALE_SIGNATURE"),
        "the telephone of somebody else": (signed((await bench.phone(bob)).key), "VITALE_SIGNATURE"),
        "an unknown telephone": (signed(stranger, kid=f"d.{uuid4().hex}"), "VITALE_SIGNATURE"),
        "a wrong proof of the code": (phone.token(bench.now, m="AAAA"), "VITALE_SIGNATURE"),
        "a later time": (phone.token(bench.now, n=int(bench.now.timestamp() * 1000) + 9), "VITALE_SIGNATURE"),
        "the record opened against the will": (phone.token(bench.now, a=1), "VITALE_SIGNATURE"),
        "another payload": (f"{head}.{signed(stranger).split('.')[1]}.{signature}", "VITALE_SIGNATURE"),
        "no algorithm": (signed(secret, alg="HS256"), "VITALE_TOKEN_MALFORMED"),
        "our own key for another use": (signed(bench.keys.signer, typ="at+jwt"), "VITALE_TOKEN_MALFORMED"),
        "a key that we do not have": (signed(stranger, kid="s.none"), "VITALE_SIGNATURE"),
        "an access token": (sign({"sub": "x"}, bench.keys.signer), "VITALE_TOKEN_MALFORMED"),
        "a showing that never was": (
            sign_showing(uuid4(), bench.now + timedelta(seconds=20), bench.keys.signer),
            "VITALE_TOKEN_EXPIRED",
        ),
        "nothing": ("", "VITALE_TOKEN_MALFORMED"),
        "dots": ("..", "VITALE_TOKEN_MALFORMED"),
        "too long": ("a" * 2000 + "..", "VITALE_TOKEN_MALFORMED"),
        "letters": ("é.é.é", "VITALE_TOKEN_MALFORMED"),
    }
    for name, (token, code) in forged.items():
        assert await code_of(bench.verified(token)) == code, name
    assert not await bench.vitale.showings.receipts(ana)
    await bench.verified(genuine)


async def test_a_telephone_registers_a_public_key_and_the_code(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    key = ECKey.generate_key("P-256")
    other = ECKey.generate_key("P-384").as_dict(private=False)
    public = key.as_dict(private=False)
    for poor in (key.as_dict(private=True), other, {**public, "x": "AAAA"}, {}, "key", None):
        assert await code_of(bench.vitale.cards.register_device(ana, CODE, poor, "")) == "VITALE_KEY"
    assert await code_of(bench.vitale.cards.register_device(ana, "0001", public, "")) == "VITALE_CODE_WRONG"


async def test_a_new_telephone_ends_the_former_one(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    former, present = await bench.phone(ana), await bench.phone(ana)
    assert await code_of(bench.verified(former.token(bench.now))) == "VITALE_DEVICE_ENDED"
    await bench.verified(present.token(bench.now))
    await bench.vitale.cards.forget_device(ana)
    later = present.token(bench.now + timedelta(seconds=1))
    assert await code_of(bench.verified(later)) == "VITALE_DEVICE_ENDED"


async def test_a_card_dies_with_its_person(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    phone, world = await bench.phone(ana), bench.family.world
    assert ana.space is not None
    async with world.database.transaction() as tx:
        await spaces.set_state(tx, world.system, ana.space, SpaceState.DECEASED)
    assert await code_of(bench.verified(phone.token(bench.now))) == "VITALE_REVOKED"


async def test_nothing_of_a_card_stays_after_a_purge(bench: Bench) -> None:
    ana = bench.family.of(await bench.family.person())
    await bench.card(ana)
    phone = await bench.phone(ana)
    await bench.verified(phone.token(bench.now))
    assert ana.space is not None
    async with bench.family.world.database.transaction() as tx:
        await erase(tx, ana.space)
        for table in ("card", "check", "device", "showing", "use", "delegation", "rights", "unlock"):
            left = await tx.fetch_value(f"select count(*) from vitale_{table} where patient = %s", (ana.space,))  # type: ignore[arg-type]
            assert left == 0, table
    assert await code_of(bench.verified(phone.token(bench.now))) == "VITALE_SIGNATURE"


async def test_a_reader_reads_so_many_cards_in_a_minute(bench: Bench) -> None:
    for _ in range(60):
        await bench.vitale.showings.challenge(bench.doctor)
    assert await code_of(bench.vitale.showings.challenge(bench.doctor)) == "VITALE_TOO_MANY"


async def test_the_application_cannot_rewrite_a_receipt(bench: Bench) -> None:
    async with bench.family.world.database.reader() as reader:
        may = await reader.fetch_value("select has_table_privilege('vitale_use', 'update')")
    assert may is False


async def test_a_trusted_person_shows_the_card_for_a_time_and_both_sides_see_it(bench: Bench) -> None:
    family, delegations = bench.family, bench.vitale.delegations
    ana, gran = family.of(await family.person()), family.of(await family.person(first="MAMIE"))
    await bench.card(ana)
    given = await delegations.give(ana, _known(gran), bench.now + timedelta(days=3))
    assert await code_of(bench.shown(gran, delegation=given.id)) == "VITALE_OWN_CARD"
    await bench.card(gran, "8260")
    assert await code_of(bench.shown(gran, code="8260", delegation=given.id)) == "VITALE_DELEGATION_ENDED"
    assert await code_of(delegations.accept(ana, given.id)) == "VITALE_DELEGATION_ENDED"
    await delegations.accept(gran, given.id)
    verified = await bench.verified((await bench.shown(gran, code="8260", delegation=given.id)).token)
    assert (verified.identity.patient, verified.receipt.person) == (ana.space, gran.space)
    assert verified.receipt.delegation == given.id
    assert [one.id for one in await bench.vitale.showings.receipts(ana)] == [verified.receipt.id]
    assert [one.id for one in await bench.vitale.showings.receipts_for_others(gran)] == [verified.receipt.id]
    assert [one.state for one in await delegations.given(ana)] == ["accepted"]
    assert [(one.state, whose) for one, whose in await delegations.received(gran)] == [("accepted", "ALIX FICTIF")]
    assert await code_of(bench.shown(gran, code="8260", delegation=given.id, opens=True)) == "VITALE_DELEGATE"


async def test_a_delegation_ends_by_itself_and_at_once_when_revoked(bench: Bench) -> None:
    family, delegations = bench.family, bench.vitale.delegations
    ana, gran = family.of(await family.person()), family.of(await family.person())
    await bench.card(ana)
    await bench.card(gran, "8260")
    first = await delegations.give(ana, _known(gran), bench.now + timedelta(hours=1))
    assert await code_of(delegations.give(ana, _known(gran), first.until)) == "VITALE_DELEGATION_EXISTS"
    await delegations.accept(gran, first.id)
    shown = await bench.shown(gran, code="8260", delegation=first.id)
    await delegations.revoke(ana, first.id)
    assert await code_of(bench.verified(shown.token)) == "VITALE_DELEGATION_ENDED"
    second = await delegations.give(ana, _known(gran), bench.now + timedelta(seconds=20))
    await delegations.accept(gran, second.id)
    shown = await bench.shown(gran, code="8260", delegation=second.id)
    bench.family.world.clock.move(timedelta(seconds=25))
    assert await code_of(bench.verified(shown.token)) == "VITALE_DELEGATION_ENDED"
    assert (
        await code_of(delegations.give(ana, _known(gran), bench.now + timedelta(days=200))) == "VITALE_DELEGATION_END"
    )
    assert await code_of(delegations.give(ana, _known(ana), bench.now + timedelta(days=1))) == "VITALE_DELEGATION_SELF"


def _known(ctx: Context) -> Known:
    assert ctx.space is not None
    return Known(ctx.space, "Mamie Fictive")
