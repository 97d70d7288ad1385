"""A copy of a whole record: what is in it, who may have it, what happens when its making is cut short."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ambroise.fhir.json import decode
from ambroise.fhir.validation import validate
from ambroise.kernel.errors import Refusal
from ambroise.kernel.outbox import MAX_ATTEMPTS
from ambroise.modules.notification.api import notices
from ambroise.modules.portability.api import Export, State
from ambroise.modules.portability.making import MANIFEST
from ambroise.trust.context import Citizen, Context, Operator
from tests.integration.portability.conftest import Copying
from tests.integration.record.test_feed_checks import LETTER
from tests.integration.record.test_visibility import flagged

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<<>>\n"


def read(copy: zipfile.ZipFile) -> dict[str, bytes]:
    assert copy.testzip() is None
    return {name: copy.read(name) for name in copy.namelist()}


def resources(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [
        decode(line) for name, content in files.items() if name.endswith(".ndjson") for line in content.splitlines()
    ]


async def observation(copying: Copying, code: str) -> str:
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{copying.world.patient}"},
        "valueQuantity": {"value": 7.10, "unit": "mmol/L"},
    }
    async with copying.world.database.transaction() as tx:
        return (await copying.world.gateway.create(tx, copying.world.author, resource)).id


async def test_a_copy_holds_everything_its_person_may_see_and_proves_it(copying: Copying) -> None:
    world = copying.world
    filed = (await world.submit(world.author, LETTER)).documents[0]
    await observation(copying, "4548-4")
    files = read(await copying.whole(world.citizen))

    manifest = json.loads(files[MANIFEST])
    assert {one["path"] for one in manifest["files"]} == set(files) - {MANIFEST}
    for one in manifest["files"]:
        assert hashlib.sha256(files[one["path"]]).hexdigest() == one["sha256"], one["path"]
        assert len(files[one["path"]]) == one["size"]

    (path,) = [one["path"] for one in manifest["files"] if one.get("about") == f"DocumentReference/{filed.document}"]
    assert files[path] == LETTER
    assert path.startswith("documents/0001 20")

    held = resources(files)
    assert {"Patient", "DocumentReference", "Observation", "AuditEvent"} <= {one["resourceType"] for one in held}
    assert [problem for one in held for problem in validate(one)] == []

    for name in (one for one in files if one.endswith(".html")):
        text = files[name].decode()
        assert "<script" not in text
        assert 'src="http' not in text
        assert 'href="/' not in text, name
    assert "Dominique" in files["index.html"].decode()
    assert {"README.txt", "reglages.html", "reglages.json"} <= set(files)


async def test_a_document_of_before_that_could_act_in_a_browser_leaves_as_a_text(
    copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    acting = LETTER.replace(
        b"</title>", b'<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script></title>', 1
    )
    with monkeypatch.context() as earlier:
        earlier.setattr("ambroise.modules.record.content.check.active_markup", lambda source: ())
        await copying.world.submit(copying.world.author, acting)
    files = read(await copying.whole(copying.world.citizen))
    (path,) = [name for name, content in files.items() if content == acting]
    assert path.endswith(".xml.txt")
    assert not [name for name in files if name.endswith(".xml")]


async def test_what_is_withheld_is_not_in_a_copy_and_nothing_tells_that_it_is_missing(copying: Copying) -> None:
    world = copying.world
    secret = (await world.submit(world.author, LETTER, flagged("INVISIBLE_PATIENT"))).documents[0]
    files = read(await copying.whole(world.citizen))
    everything = b"".join(files.values())
    assert str(secret.document).encode() not in everything
    assert b"Compte rendu de consultation" not in everything
    assert [one for one in resources(files) if one["resourceType"] == "DocumentReference"] == []
    async with world.database.reader() as reader:
        (copy,) = await copying.exports.mine(reader, world.citizen, world.patient)
    assert copy.done == copy.total


async def test_a_copy_whose_worker_is_killed_goes_on_from_the_last_piece(copying: Copying, tmp_path: Path) -> None:
    world = copying.world
    for number in (b"1", b"2", b"3"):
        await world.submit(world.author, LETTER.replace(b'<id root="2.25.6', b'<id root="2.25.7' + number, 1))
    asked = await copying.ask(world.citizen)
    command = [sys.executable, "-m", "tests.integration.portability.worker", world.database.dsn, str(tmp_path)]
    worker = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert worker.stdout is not None
    for _ in range(2):
        assert await worker.stdout.readline() == b"piece\n"
    worker.kill()
    await worker.wait()
    kept = await _pieces(copying)
    assert kept
    assert await copying.state(world.citizen) is State.MAKING
    await copying.worker().deliver_all()
    assert (await _pieces(copying))[: len(kept)] == kept
    files = read(await copying.taken(world.citizen, asked.id))
    documents = [one["id"] for one in resources(files) if one["resourceType"] == "DocumentReference"]
    assert len(documents) == len(set(documents)) == 3
    async with world.database.reader() as reader:
        told = [one.code for one in await notices(reader, world.citizen)]
    assert told.count("EXPORT_PRET") == 1


async def test_a_copy_belongs_to_who_asked_for_it_and_ends(copying: Copying) -> None:
    world = copying.world
    asked = await copying.ask(world.citizen)
    assert await _refused(copying, world.citizen, asked.id) == "COPY_NOT_READY"
    with pytest.raises(Refusal) as refusal:
        await copying.ask(world.citizen)
    assert refusal.value.code == "COPY_UNDER_WAY"
    await copying.worker().deliver_all()
    await copying.taken(world.citizen, asked.id)
    await copying.taken(world.citizen, asked.id)

    other = await world.create_space("279035121518890")
    stranger = world.context(Citizen(other, "Autre"))
    assert await _refused(copying, stranger, asked.id) == "COPY_UNKNOWN"
    carer = world.context(Citizen(other, "Autre"), acting_for=world.patient, relation="carer")
    assert await _refused(copying, carer, asked.id) == "COPY_UNKNOWN"

    world.clock.move(timedelta(days=7))
    assert await _refused(copying, world.citizen, asked.id) == "COPY_OVER"
    async with world.database.transaction() as tx:
        assert await copying.exports.sweep(tx) == 1
    assert await copying.state(world.citizen) is State.GONE
    async with world.database.reader() as reader:
        assert await reader.fetch_value("select count(*) from portability_part") == 0
        told = await reader.fetch_all(
            "select event, outcome from trace where patient = %s and event like 'copy%%' order by xid, id",
            (world.patient,),
        )
    assert told == [("copy_asked", 0), ("copy_taken", 0), ("copy_taken", 0)]


async def test_a_copy_never_leaves_with_a_document_that_was_withdrawn_since(copying: Copying) -> None:
    world = copying.world
    filed = (await world.submit(world.author, LETTER)).documents[0]
    asked = await copying.ask(world.citizen)
    await copying.worker().deliver_all()
    assert LETTER in read(await copying.taken(world.citizen, asked.id)).values()
    async with world.database.transaction() as tx:
        await world.record.withdraw(tx, world.author, str(filed.document))
    assert await _refused(copying, world.citizen, asked.id) == "COPY_OUTDATED"
    assert await copying.state(world.citizen) is State.GONE
    assert await _pieces(copying) == []


async def test_only_the_latest_copies_are_kept(copying: Copying) -> None:
    for _ in range(4):
        await copying.whole(copying.world.citizen)
        copying.world.clock.move(timedelta(minutes=1))
    async with copying.world.database.reader() as reader:
        found = await copying.exports.mine(reader, copying.world.citizen, copying.world.patient)
    assert [one.state for one in found] == [State.READY] * 3 + [State.GONE]


async def test_a_copy_that_can_never_be_made_is_given_up_and_told(
    copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = copying.world

    async def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("ambroise.modules.portability.making.Maker.next", broken)
    await copying.ask(world.citizen)
    for _ in range(MAX_ATTEMPTS):
        await copying.worker().deliver_all()
        world.clock.move(timedelta(hours=6))
    assert await copying.state(world.citizen) is State.STOPPED
    async with world.database.reader() as reader:
        assert "EXPORT_ECHEC" in [one.code for one in await notices(reader, world.citizen)]
    monkeypatch.undo()
    await copying.whole(world.citizen)


async def test_an_operator_takes_a_copy_only_with_that_duty_and_of_what_the_holder_sees(copying: Copying) -> None:
    world = copying.world
    await world.submit(world.author, LETTER)
    with pytest.raises(Refusal):
        await copying.ask(world.context(Operator("desk-1", "Guichet", frozenset({"support"}))))
    desk = world.context(Operator("desk-2", "Guichet", frozenset({"copies"})))
    asked = await copying.ask(desk)
    await copying.exports.finish(asked.id)
    files = read(await copying.taken(desk, asked.id))
    assert LETTER in files.values()
    async with world.database.reader() as reader:
        who = await reader.fetch_all(
            "select distinct actor_kind, outcome from trace where patient = %s and event like 'cop%%' order by 1, 2",
            (world.patient,),
        )
    assert who == [("operator", 0), ("operator", 4)]


async def _pieces(copying: Copying) -> list[Any]:
    async with copying.world.database.reader() as reader:
        return await reader.fetch_all("select export, number, piece from portability_part order by export, number")


async def _refused(copying: Copying, ctx: Context, id: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        await copying.taken(ctx, id)
    return refusal.value.code


async def test_an_english_copy_has_english_names_and_its_links_lead_somewhere(copying: Copying) -> None:
    world = copying.world
    async with world.database.transaction() as tx:
        asked = await copying.exports.ask(tx, world.citizen, world.patient, language="en")
    await copying.worker().deliver_all()
    files = read(await copying.taken(world.citizen, asked.id))
    assert {"history/page-0001.html", "settings.html", "settings.json"} <= set(files)
    assert not any(name.startswith(("historique", "reglages")) for name in files)
    index, readme = files["index.html"].decode(), files["README.txt"].decode()
    links = re.findall(r'href="([^"#:]+)"', index)
    assert "settings.html" in links
    assert set(links) <= set(files)
    assert "history/" in readme
    assert "settings.html" in readme


async def test_copies_asked_at_the_same_moment_are_one(copying: Copying) -> None:
    asked = await asyncio.gather(*(copying.ask(copying.world.citizen) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, Export) for one in asked) == 1
    assert [one.code for one in asked if isinstance(one, Refusal)] == ["COPY_UNDER_WAY"] * 4
