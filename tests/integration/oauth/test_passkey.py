"""A professional's first passkey, by a code, and signing on to software with it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.errors import Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import AccountKind, Invitations, NewAccount, Origin, hash_password
from ambroise.trust.context import Context, Operator, System
from tests.integration.oauth.conftest import BACK, CABINET, RPPS, Browser, Journey, Nation
from tests.support.authenticator import Authenticator
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

SITE = "https://test.example"
THERE = Origin("198.51.100.7")


@pytest.fixture
async def house(fresh_database: TestDatabase, tmp_path: Path, clock: FixedClock) -> AsyncIterator[House]:
    """An instance with a professional whom the directory knows and who never came."""
    async with house_on(fresh_database, tmp_path, clock=clock, public_url=SITE) as made:
        services = made.services
        ctx = Context(System(), clock, demonstration=True)
        async with services.database.transaction() as tx:
            place = directory.Structure(
                CABINET, "Cabinet", "SA07", postal_code="37000", city="Tours", test_identity=True
            )
            await directory.register_structure(tx, ctx, services.gateway, place)
            entry = directory.ProfessionalEntry(
                RPPS, "FICTIF", "CAMILLE", "10", specialty="SM54", sex="female", title="DR", test_identity=True
            )
            await directory.register(tx, ctx, services.gateway, entry, [directory.Situation(CABINET)])
            await services.identity.create_account(
                tx,
                NewAccount(
                    AccountKind.OPERATOR, "nadia@exemple.fr", "Nadia Inventée", password=hash_password("quatre bateaux")
                ),
            )
        yield made


def desk(house: House, *duties: str) -> Context:
    return Context(Operator("desk-1", "Nadia Inventée", frozenset(duties)), house.services.clock, demonstration=True)


def browser(house: House) -> Browser:
    transport = httpx.ASGITransport(app=house.app, client=("203.0.113.9", 40000))
    return Browser(httpx.AsyncClient(transport=transport, base_url=SITE))


async def challenged(visitor: Browser, purpose: str) -> tuple[dict[str, str], dict[str, Any]]:
    """What the script gets for the form of this page: the fields of the form with the reference, and the options."""
    form = visitor.page.cssselect(f"form[data-cle={purpose}]")[0]
    fields = {name: value or "" for name, value in form.form_values()}  # type: ignore[attr-defined]
    answer = await visitor.http.post("/cle/defi", data=fields)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    return {**fields, "defi": made["reference"]}, made["options"]


async def first_key(house: House, visitor: Browser) -> Authenticator:
    _, code = await Invitations(house.services.passkeys).give(desk(house, "identity"), RPPS)
    await visitor.get("/cle/premiere")
    await visitor.press("Continuer", identifiant=RPPS, code=code.upper())
    fields, options = await challenged(visitor, "premiere")
    key = Authenticator(SITE)
    await visitor.post("/cle/premiere/ajouter", {**fields, "nom": "Clé du cabinet", "reponse": key.create(options)})
    assert visitor.address == "/connexion"
    assert "Clé d’accès ajoutée." in visitor.text
    return key


async def test_a_professional_signs_on_with_a_passkey_and_the_client_learns_how(
    house: House, clock: FixedClock
) -> None:
    visitor = browser(house)
    key = await first_key(house, visitor)
    client = await Nation(house, clock).client()
    journey = Journey(client)
    await visitor.get(journey.address())
    fields, options = await challenged(visitor, "logiciel")
    assert options["allowCredentials"] == []
    address = visitor.page.cssselect("form[data-cle=logiciel]")[0].get("action")
    await visitor.post(str(address), {**fields, "reponse": key.get(options)})
    await visitor.press("Continuer")
    sent = {
        "grant_type": "authorization_code",
        "code": visitor.back["code"],
        "redirect_uri": BACK,
        "code_verifier": journey.verifier,
    }
    path = "/auth/realms/esante-wallet/protocol/openid-connect/token"
    answer = await visitor.http.post(path, data=sent, auth=(client.client.id, client.secret or ""))
    assert answer.status_code == 200, answer.text
    middle = answer.json()["id_token"].split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert told["acr"] == "eidas1"
    assert set(told["amr"]) == {"mfa", "pop", "user"}
    assert told["preferred_username"] == "8" + RPPS


async def test_a_passkey_that_is_nobodys_signs_nobody_on(house: House, clock: FixedClock) -> None:
    visitor = browser(house)
    await visitor.get(Journey(await Nation(house, clock).client()).address())
    fields, options = await challenged(visitor, "logiciel")
    address = visitor.page.cssselect("form[data-cle=logiciel]")[0].get("action")
    await visitor.post(str(address), {**fields, "reponse": Authenticator(SITE, holder=b"x" * 16).get(options)})
    assert visitor.status == 422
    assert "Cette clé d’accès n’ouvre rien ici." in visitor.words


async def test_a_handed_code_is_good_once_for_a_day_and_for_one_browser(house: House, clock: FixedClock) -> None:
    invitations = Invitations(house.services.passkeys)
    here = browser(house)
    await first_key(house, here)
    _, code = await invitations.give(desk(house, "identity"), RPPS)
    _, newer = await invitations.give(desk(house, "identity"), RPPS)
    for wrong in (code, "xxxxx-xxxxx", ""):
        with pytest.raises(Refusal, match="INVITATION_WRONG"):
            await invitations.redeem(RPPS, wrong, "one browser", THERE)
    ticket = await invitations.redeem(RPPS, newer, "one browser", THERE)
    with pytest.raises(Refusal, match="INVITATION_WRONG"):
        await invitations.redeem(RPPS, newer, "one browser", THERE)
    with pytest.raises(Refusal, match="INVITATION_OVER"):
        await invitations.begin(ticket, "another browser")
    assert (await invitations.begin(ticket, "one browser")).options
    clock.move(timedelta(minutes=11))
    with pytest.raises(Refusal, match="INVITATION_OVER"):
        await invitations.begin(ticket, "one browser")
    _, late = await invitations.give(desk(house, "identity"), RPPS)
    clock.move(timedelta(hours=25))
    with pytest.raises(Refusal, match="INVITATION_WRONG"):
        await invitations.redeem(RPPS, late, "one browser", THERE)


async def test_the_desk_gives_codes_to_professionals_alone_and_with_the_duty(house: House) -> None:
    invitations = Invitations(house.services.passkeys)
    with pytest.raises(Refusal):
        await invitations.give(desk(house, "support"), RPPS)
    for name in ("nadia@exemple.fr", "10000000099", "nobody"):
        with pytest.raises(Refusal, match="NO_SUCH_ACCOUNT"):
            await invitations.give(desk(house, "identity"), name)
    cli = Context(System("cli"), house.services.clock, channel="cli", demonstration=True)
    account, _ = await invitations.give(cli, "nadia@exemple.fr")
    assert account.kind is AccountKind.OPERATOR
    async with house.services.database.reader() as reader:
        told = await reader.fetch_all("select actor_name from trace where event = 'passkey_code_given'")
    assert told == [("cli",)], "what was given is traced"
