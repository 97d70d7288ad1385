"""Notices by post: the desk prints one, or all that wait; whoever holds the paper objects without an account."""

from __future__ import annotations

import asyncio
import io
import re
import sys
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest

from ambroise.interfaces.web import templates
from ambroise.interfaces.web.printing import Printer
from ambroise.interfaces.web.proofs import Proofs
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.ins import nir_key
from ambroise.modules.letters.api import Channel, Kind, Letter
from ambroise.modules.space.api import PRINTING_ASKED, Notices, Populations, Printings
from ambroise.modules.space.telling import printing
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import count_by_state
from ambroise.trust.context import Context, System
from tests.integration.record.conftest import world
from tests.journeys.test_lives import Town, town

__all__ = ["town", "world"]

HEADER = "matricule;nom_naissance;premier_prenom;date_naissance;sexe;courriel;adresse;code_postal;commune\n"


def line(number: int, mail: str = "") -> str:
    digits = f"2800275{number:06}"
    return f"{digits}{nir_key(digits):02};FICTIF;ALIX;1980-02-01;F;{mail};{number} rue Fictive;75011;Paris\n"


async def told_by_post(town: Town, tmp_path: Path, count: int) -> None:
    path = tmp_path / "people.csv"
    path.write_text(HEADER + "".join(line(number) for number in range(count)) + line(900, "m@exemple.fr"))
    world = town.family.world
    ctx = Context(System("space"), world.clock, channel="load", demonstration=True)
    await Populations(world.database, world.gateway).open_file(ctx, path)


def printings(town: Town) -> Printings:
    world, identity = town.family.world, town.identity
    return Printings(world.database, world.gateway, identity.sealer, world.clock, demonstration=True)


async def deliver(town: Town) -> None:
    world = town.family.world
    subscriptions = Subscriptions()
    subscriptions.on(PRINTING_ASKED, Printer(printings(town), templates, "https://ambroise.exemple").make)
    await Delivery(world.database, subscriptions, world.clock).deliver_all()


async def test_the_desk_prints_the_letters_that_wait_once_each(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "PER_SHEET", 2)
    await told_by_post(town, tmp_path, 3)
    desk = await (await town.enter("Nadia Inventée")).get("/guichet/espaces/lettres")
    assert "3 personnes sont à informer par la poste." in desk.words
    await desk.press("Préparer les lettres")
    assert "0 %" in desk.words
    await deliver(town)
    await desk.get("/guichet/espaces/lettres")
    assert "Personne n’est à informer par la poste pour l’instant." in desk.words
    assert "Préparer les lettres" not in desk.words
    assert "PDF 2, 1 lettre" in desk.words
    address = re.search(r"/guichet/espaces/lettres/[^\"]+/1\.pdf", desk.text)
    assert address is not None
    sheet = await desk.http.get(address[0])
    assert sheet.headers["content-type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(sheet.content)) as pdf:
        assert len(pdf.pages) == 2


async def test_a_run_whose_worker_is_killed_goes_on_with_nobody_left_out_nor_printed_twice(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "PER_SHEET", 2)
    await told_by_post(town, tmp_path, 7)
    world = town.family.world
    run = await printings(town).ask(town.family.desk)
    command = [sys.executable, "-m", "tests.integration.letters.printing_worker", world.database.dsn]
    worker = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert worker.stdout is not None
    for _ in range(2):
        assert await worker.stdout.readline() == b"sheet\n"
    # It has kept one sheet, and is within the second.
    worker.kill()
    await worker.wait()
    async with world.database.reader() as reader:
        ((half, sheets),) = await printings(town).latest(reader, town.family.desk)
    assert (half.printed, sheets, half.finished_at) == (2, [2], None)
    await deliver(town)
    pages = 0
    async with world.database.reader() as reader:
        ((done, sheets),) = await printings(town).latest(reader, town.family.desk)
        for number in range(1, len(sheets) + 1):
            pdf = await printings(town).sheet(reader, town.family.desk, run.id, number)
            with pikepdf.open(io.BytesIO(pdf)) as opened:
                pages += len(opened.pages)
        twice = await reader.fetch_value("select count(*) - count(distinct patient) from space_notice")
    assert (done.printed, sum(sheets), pages) == (7, 7, 7)
    assert done.finished_at is not None
    assert twice == 0, "one code for each person"


async def test_the_code_on_paper_objects_without_an_account(town: Town, tmp_path: Path) -> None:
    await told_by_post(town, tmp_path, 1)
    world = town.family.world
    desk = await town.enter("Nadia Inventée")
    async with world.database.reader() as reader:
        patient = await reader.fetch_value("select patient from space_life where notified_by = 'post'")
    await desk.get(f"/guichet/espaces?dossier={patient}")
    await desk.press("Imprimer sa lettre")
    assert desk.headers["content-type"] == "application/pdf"
    async with world.database.reader() as reader:
        traced = await reader.fetch_value(
            "select count(*) from trace where patient = %s and actor_kind = 'operator'", (patient,)
        )
        kept = await reader.fetch_value("select count(*) from space_notice where patient = %s", (patient,))
    assert (traced >= 1, kept) == (True, 1)
    notice = await printings(town).one(town.family.desk, patient)
    assert notice.address == ("0 rue Fictive", "75011 Paris")
    notices = Notices(world.database, town.lives.spaces, world.clock, demonstration=True)
    await notices.object(notice.code)
    async with world.database.reader() as reader:
        assert (await count_by_state(reader))[SpaceState.OPPOSED] == 1


async def test_a_sheet_is_forgotten_when_its_codes_are_worth_nothing(town: Town, tmp_path: Path) -> None:
    await told_by_post(town, tmp_path, 1)
    world = town.family.world
    await (await (await town.enter("Nadia Inventée")).get("/guichet/espaces/lettres")).press("Préparer les lettres")
    await deliver(town)
    world.clock.move(timedelta(days=61))
    async with world.database.transaction() as tx:
        assert await printings(town).sweep(tx) == 1
        assert await tx.fetch_value("select count(*) from space_printing_sheet") == 0


async def test_the_letters_of_an_objection_and_of_a_closing_take_their_proof_with_them(town: Town) -> None:
    world = town.family.world
    person = await town.resident("Zoé Fictive")
    await town.notified(person)
    proofs = Proofs(templates, world.clock)

    async def proof(kind: Kind) -> str | None:
        details = {"patient": str(person)}
        letter = Letter(person, Channel.MAIL, kind, "fr", "zoe@exemple.fr", details, world.clock.now(), None)
        async with world.database.transaction() as tx:
            made = await proofs.of(tx, letter)
        if made is None:
            return None
        with pikepdf.open(io.BytesIO(made.content)) as pdf:
            return f"{made.name} {pdf.docinfo['/Title']}"

    assert await proof(Kind.SPACE_OBJECTED) is None
    citizen = await town.enter("Zoé Fictive")
    await citizen.press("M’opposer à l’ouverture")
    assert await proof(Kind.SPACE_OBJECTED) == "opposition.pdf Preuve d’opposition"
    await citizen.press("Activer mon espace", conditions="y")
    await citizen.click("Fermer mon espace")
    await citizen.press("Fermer mon espace", raison="no_use", donnees="garder")
    assert await proof(Kind.SPACE_CLOSED) == "fermeture.pdf Preuve de fermeture"
    assert await proof(Kind.SPACE_OPENED) is None
