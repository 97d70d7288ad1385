"""Bringing one's data from elsewhere: what is shown first, what is taken, what is refused, taking it back."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.fhir.validation import validate
from ambroise.interfaces.web import templates
from ambroise.interfaces.web.copies.filer import Filing
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.portability.api import TAKES_ON, Import, Imports, ImportState, Problem
from ambroise.modules.profile.api import Draft, Profile, Section
from ambroise.modules.record.api import MASKED
from ambroise.trust.context import Citizen, Context
from tests.integration.portability.conftest import Copying
from tests.integration.record.conftest import World
from tests.integration.record.test_feed_checks import LETTER
from tests.integration.record.test_visibility import flagged
from tests.support.cda_samples import cda_names, mended

IPS: bytes = (Path(__file__).parents[3] / "examples" / "fhir" / "ips.json").read_bytes()
IPS_CDA = "IPS-FR_2024.01.xml"


@dataclass(frozen=True)
class Bringing:
    world: World
    imports: Imports

    async def propose(self, content: bytes, ctx: Context | None = None) -> Import:
        return await self.imports.propose(ctx or self.world.citizen, self.world.patient, content)

    async def taken(self, content: bytes) -> Import:
        one = await self.propose(content)
        await self.imports.take(self.world.citizen, self.world.patient, one.id)
        subscriptions = Subscriptions()
        subscriptions.on(TAKES_ON, self.imports.go_on)
        await Delivery(self.world.database, subscriptions, self.world.clock).deliver_all()
        return (await self.imports.shown(self.world.citizen, self.world.patient, one.id))[0]

    async def refused(self, content: bytes, ctx: Context | None = None) -> Refusal:
        with pytest.raises(Refusal) as refusal:
            await self.propose(content, ctx)
        return refusal.value

    async def found(
        self, type: str, ctx: Context | None = None, about: dict[str, str] | None = None
    ) -> list[dict[str, Any]]:
        async with self.world.database.reader() as reader:
            query = parse(type, [*(about or {"patient": str(self.world.patient)}).items(), ("_count", "200")])
            found = await self.world.gateway.search(reader, ctx or self.world.citizen, query)
        return [decode(one.body) for one, _ in found.entries]


@pytest.fixture
async def bringing(world: World) -> Bringing:
    return Bringing(
        world, Imports(world.database, world.gateway, world.record, world.clock, Filing(templates), demonstration=True)
    )


def changed(**patient: Any) -> bytes:
    """The same summary with other words about the person."""
    bundle = json.loads(IPS)
    next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient").update(patient)
    return json.dumps(bundle).encode()


async def test_a_summary_of_another_country_is_shown_taken_once_and_undone(bringing: Bringing) -> None:
    world = bringing.world
    proposed = await bringing.propose(IPS)
    _, offered = await bringing.imports.shown(world.citizen, world.patient, proposed.id)
    assert offered is not None
    (paper,) = offered.papers
    assert offered.origin == "Hospital Ficticio de Sevilla (ES)"
    assert [(one.type, one.problem) for one in paper.items] == [
        ("AllergyIntolerance", None), ("Condition", None), ("MedicationStatement", None), ("Immunization", None),
    ]  # fmt: skip
    assert await bringing.found("AllergyIntolerance") == [], "nothing is taken before one decides"
    await bringing.imports.drop(world.citizen, world.patient, proposed.id)

    done = await bringing.taken(IPS)
    assert (done.state, done.papers, done.items) == (ImportState.DONE, 1, 4)
    (allergy,) = await bringing.found("AllergyIntolerance")
    assert allergy["recorder"] == {"display": "Lucía Inventada"}
    (treatment,) = await bringing.found("MedicationStatement")
    assert treatment["medicationCodeableConcept"]["coding"][0]["code"] == "R03AC02"
    (document,) = await bringing.found("DocumentReference")
    assert document["content"][0]["attachment"]["contentType"] == "application/pdf"
    assert "Hospital Ficticio de Sevilla" in document["description"]
    assert allergy["meta"]["source"] == f"DocumentReference/{document['id']}"
    whence = {"target": f"AllergyIntolerance/{allergy['id']}"}
    (provenance,) = await bringing.found("Provenance", about=whence)
    assert provenance["agent"][0]["who"] == {"display": "Hospital Ficticio de Sevilla (ES)"}
    assert len(provenance["target"]) == 4
    for one in (allergy, treatment, provenance):
        assert validate(one) == []
    await world.authorise(world.professional(1))
    assert await bringing.found("AllergyIntolerance", world.professional(1)), "the doctor sees it live"

    assert (await bringing.refused(IPS)).code == "IMPORT_TAKEN_BEFORE"
    assert await bringing.imports.undo(world.citizen, world.patient, done.id) == 1
    for type in ("AllergyIntolerance", "MedicationStatement", "DocumentReference"):
        assert await bringing.found(type) == [], type
    assert await bringing.found("Provenance", about=whence) == []
    again = await bringing.taken(IPS)
    assert again.items == 4, "what was undone can be taken again"


async def test_a_file_about_somebody_else_is_refused_with_what_differs(bringing: Bringing) -> None:
    world = bringing.world
    for said, wrong in (
        ({"birthDate": "1979-03-29"}, ["birth_date"]),
        ({"name": [{"family": "Otra", "given": ["Dominique"]}]}, ["name"]),
        ({"name": [{"family": "PAT TROIS", "given": ["Lola"]}], "gender": "male"}, ["given", "sex"]),
    ):
        refusal = await bringing.refused(changed(**said))
        assert (refusal.code, refusal.data["traits"]) == ("IMPORT_OTHER_PERSON", wrong)
    for content in (b"{}", b"PK\x03\x04 nothing", b"<a/>", b"hello", IPS.replace(b'"document"', b'"collection"', 1)):
        assert (await bringing.refused(content)).code == "IMPORT_NOT_UNDERSTOOD"
    stranger = world.context(Citizen(await world.create_space("279035121518890"), "Autre"))
    assert (await bringing.refused(IPS, stranger)).code in ("NOT_FOUND", "ACCESS_OTHER_SPACE")


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()


def a_copy(data: bytes, *listed: dict[str, str], **files: bytes) -> bytes:
    manifest = {"format": "ambroise-copy", "files": [{"path": "fhir/a.ndjson"}, *listed]}
    return zipped({"manifest.json": json.dumps(manifest).encode(), "fhir/a.ndjson": data, **files})


def hostile_files() -> dict[str, tuple[bytes, str]]:
    """Files made to keep the reader busy, to fill its memory or to make it stumble, and what is said of each."""
    encrypted = bytearray(a_copy(b"{}"))
    encrypted[6] |= 1
    encrypted[encrypted.rindex(b"PK\x01\x02") + 8] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    damaged = bytearray(a_copy(b"{}" * 4000))
    damaged[damaged.index(b"fhir/a.ndjson") + 15] ^= 0xFF
    documents = b"".join(
        json.dumps(
            {
                "resourceType": "DocumentReference",
                "id": str(number),
                "meta": {"versionId": "1", "lastUpdated": "2020-01-01T00:00:00Z"},
                "status": "current",
                "type": {"coding": [{"code": "11502-2"}]},
                "subject": {"reference": f"Patient/{UUID(int=1)}"},
                "masterIdentifier": {"value": "urn:oid:1.2"},
                "date": "2020-01-01T00:00:00Z",
                "content": [{"attachment": {"title": "a", "contentType": "text/plain", "size": 1}}],
            }
        ).encode()
        + b"\n"
        for number in range(30)
    )
    person = b'{"resourceType":"Patient","id":"1"}\n'
    same = [{"path": "big", "sha256": "", "about": f"DocumentReference/{number}"} for number in range(30)]
    bundle = json.loads(IPS)
    bundle["entry"][0]["resource"]["section"][0]["text"]["div"] = "<p>" + "word " * 300_000 + "</p>"
    return {
        "encrypted": (bytes(encrypted), "IMPORT_NOT_UNDERSTOOD"),
        "damaged": (bytes(damaged), "IMPORT_NOT_UNDERSTOOD"),
        "deep": (a_copy(b'{"a":' * 50_000), "IMPORT_NOT_UNDERSTOOD"),
        "a list of 3 MB": (a_copy(b'{"a":[' + b"[]," * 1_000_000 + b"0]}"), "IMPORT_TOO_LARGE"),
        "a summary of empty lists": (b'{"a":[' + b"[]," * 1_000_000 + b"0]}", "IMPORT_TOO_LARGE"),
        "a large list": (a_copy(b'{"a":[' + b"[]," * 9_000_000 + b"0]}"), "IMPORT_TOO_LARGE"),
        "one file for many": (a_copy(person + documents, *same, big=bytes(10_000_000)), "IMPORT_TOO_LARGE"),
        "many words": (json.dumps(bundle).encode(), "IMPORT_TOO_LARGE"),
    }


async def test_a_file_made_to_exhaust_its_reader_is_refused_at_little_cost(bringing: Bringing) -> None:
    for name, (content, code) in hostile_files().items():
        began = time.process_time()
        assert (await bringing.refused(content)).code == code, name
        assert time.process_time() - began < 3, name


async def test_a_file_too_many_takes_the_place_of_the_oldest_that_was_not_decided(bringing: Bringing) -> None:
    world = bringing.world
    asked = [await bringing.propose(changed(active=True, multipleBirthInteger=number)) for number in range(4)]
    states = [(await bringing.imports.shown(world.citizen, world.patient, one.id))[0] for one in asked]
    assert [one.state for one in states] == [ImportState.DROPPED, *[ImportState.PROPOSED] * 3]
    assert states[0].source is None, "its file is deleted"


async def test_what_cannot_be_taken_says_why(bringing: Bringing) -> None:
    bundle = json.loads(IPS)
    subject = {"reference": bundle["entry"][1]["fullUrl"]}
    wrong = {"resourceType": "Condition", "code": {"text": "Asma"}, "subject": subject, "onsetDateTime": "el lunes"}
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Correr"}, "subject": subject}
    bundle["entry"] += [{"fullUrl": "urn:uuid:1", "resource": wrong}, {"fullUrl": "urn:uuid:2", "resource": goal}]
    proposed = await bringing.propose(json.dumps(bundle).encode())
    _, offered = await bringing.imports.shown(bringing.world.citizen, bringing.world.patient, proposed.id)
    assert offered is not None
    assert [one.problem for one in offered.papers[0].items][-2:] == [Problem.INVALID, Problem.TYPE]


@pytest.mark.skipif(IPS_CDA not in cda_names(), reason="the sample documents are not installed")
async def test_a_summary_as_cda_is_taken_with_its_facts(bringing: Bringing) -> None:
    done = await bringing.taken(mended(IPS_CDA))
    assert done.papers == 1
    assert done.items > 3


async def test_a_copy_of_another_instance_is_taken_as_ones_own_documents(copying: Copying, bringing: Bringing) -> None:
    world = bringing.world
    await world.submit(world.author, LETTER)
    taken = await copying.exports.take(world.citizen, world.patient, (await _made(copying)).id)
    content = b"".join([chunk async for chunk in taken.chunks])
    done = await bringing.taken(content)
    assert done.papers == 1
    documents = await bringing.found("DocumentReference")
    assert len(documents) == 2, "the original is untouched, the copy stands beside it"
    mine = next(one for one in documents if "description" in one and "Repris par moi" in one["description"])
    assert mine["author"][0]["reference"] == f"Patient/{world.patient}"
    assert mine["content"][0]["attachment"]["contentType"] == "application/pdf"


async def test_what_was_told_or_masked_there_is_told_and_masked_here(copying: Copying, bringing: Bringing) -> None:
    world = bringing.world
    await world.submit(world.author, LETTER, flagged(MASKED))
    profile = Profile(world.database, world.gateway)
    async with world.database.transaction() as tx:
        await profile.add(tx, world.citizen, world.patient, Draft(Section.ILLNESSES, "Goutte", start="2020"))
        await profile.add(tx, world.citizen, world.patient, Draft(Section.ILLNESSES, "Eczéma", start="2021"))
        items = (await profile.sheet_in(tx, world.citizen, world.patient, (Section.ILLNESSES,)))[
            Section.ILLNESSES
        ].items
        secret = next(one for one in items if one.name == "Eczéma")
        await profile.hide(tx, world.citizen, world.patient, secret.reference, hidden=True)
    taken = await copying.exports.take(world.citizen, world.patient, (await _made(copying)).id)
    done = await bringing.taken(b"".join([chunk async for chunk in taken.chunks]))
    assert (done.papers, done.items) == (3, 2)
    brought = [
        one for one in await bringing.found("DocumentReference") if "Repris par moi" in one.get("description", "")
    ]
    shown = {one["id"]: MASKED not in str(one["securityLabel"]) for one in brought}
    assert sorted(shown.values()) == [False, False, True]
    facts = [one for one in await bringing.found("Condition") if one["meta"].get("source")]
    seen = {one["code"]["text"]: shown[one["meta"]["source"].partition("/")[2]] for one in facts}
    assert seen == {"Goutte": True, "Eczéma": False}
    assert {one["content"][0]["attachment"]["title"] for one in brought} >= {"Mon profil médical"}


async def _made(copying: Copying) -> Any:
    asked = await copying.ask(copying.world.citizen)
    return await copying.exports.finish(asked.id)


class Picky:
    """A filer with whose first document something is wrong."""

    def __init__(self) -> None:
        self._filing, self._calls = Filing(templates), 0

    def metadata(self, *arguments: Any) -> Any:
        self._calls += 1
        if self._calls == 1:
            raise Refusal(Kind.UNPROCESSABLE, "ACTIVE_CONTENT", "This file holds a program.")
        return self._filing.metadata(*arguments)

    def origin(self, *arguments: Any) -> str:
        return self._filing.origin(*arguments)

    async def pdf(self, *arguments: Any) -> bytes:
        return await self._filing.pdf(*arguments)


async def test_what_the_record_refuses_is_left_out_and_the_rest_is_taken(copying: Copying) -> None:
    world = copying.world
    await world.submit(world.author, LETTER)
    await world.submit(world.author, LETTER.replace(b'<id root="2.25.6', b'<id root="2.25.76', 1))
    taken = await copying.exports.take(world.citizen, world.patient, (await _made(copying)).id)
    content = b"".join([chunk async for chunk in taken.chunks])
    imports = Imports(world.database, world.gateway, world.record, world.clock, cast(Any, Picky()), demonstration=True)
    done = await Bringing(world, imports).taken(content)
    assert (done.state, done.papers, done.following) == (ImportState.DONE, 1, 2)
