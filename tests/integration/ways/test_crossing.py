"""Documents cross every pair of ways: sent by each one, read by each other, byte for byte."""

import asyncio
import base64
import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from msgspec import structs
from typer.testing import CliRunner

from ambroise.interfaces.cli import build
from ambroise.interfaces.cli.submission.folder import Folder
from ambroise.interfaces.cli.submission.papers import Sender
from ambroise.interfaces.cli.submission.watching import Watcher
from ambroise.interfaces.cli.submission.ways import LocalWay
from ambroise.interfaces.hl7v2.listener import Listener
from ambroise.interfaces.token_claims import Role
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.main.builder import InstanceBuilder
from ambroise.main.feeds import chosen, open_feeds
from ambroise.modules.identity.api import AccountKind, NewAccount, Situation
from ambroise.modules.portability.api import GOES_ON
from ambroise.trust.context import Context
from tests.integration.fhir_rest.test_documents import bundle_of_letter
from tests.integration.xds.asking import authorise, file, patient_key, retrieve
from tests.integration.xds.conftest import FINESS, RPPS, example_client, letter, people, software
from tests.integration.xds.test_provide import signed
from tests.journeys.support.strict import StrictClient
from tests.support.database import TestDatabase
from tests.support.hl7v2 import Laboratory
from tests.support.server import House, house_on
from tests.support.xdm import metadata, unzipped, xdm
from tests.support.xds import Entry, Software

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Author:
    """The author of the examples with every tool at once."""

    house: House
    software: Software
    page: StrictClient
    citizen: StrictClient
    record: str
    inbox: Path
    laboratory: Laboratory
    copy: dict[str, bytes] | None = None

    async def fhir(self) -> httpx.AsyncClient:
        return self.house.client(Role.PROFESSIONAL, rpps=RPPS)

    async def id_of(self, entry: Entry) -> str:
        async with await self.fhir() as client:
            query = {"identifier": f"urn:ietf:rfc:3986|urn:oid:{entry.unique_id}"}
            found: Any = (await client.get("DocumentReference", params=query)).json()
        return str(found["entry"][0]["resource"]["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def author(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Author]:
    async with house_on(module_database, tmp_path_factory.mktemp("house"), roles={"api", "web"}) as house:
        await people(house)
        patient, sender = await patient_key(house), await software(house, RPPS)
        await authorise(house, sender, patient)
        work = Situation("10", specialty="SM54", organization=f"1{FINESS}", organization_name="Cabinet fictif")
        async with house.services.database.transaction() as tx:
            for account in (
                NewAccount(AccountKind.CITIZEN, "d@exemple.fr", "Dominique P", patient=patient, demonstration=True),
                NewAccount(
                    AccountKind.PROFESSIONAL, "doc", "Camille Essai", professional=f"8{RPPS}",
                    situations=(work,), demonstration=True,
                ),
            ):  # fmt: skip
                await house.services.identity.create_account(tx, account)
        settings = structs.replace(house.services.settings, port=0)
        doors = open_feeds(settings, demonstration=True)
        async with Listener(house.services, doors):
            yield Author(
                house,
                sender,
                await enter(house, "Camille Essai"),
                await enter(house, "Dominique P"),
                f"/pro/patients/{patient}",
                tmp_path_factory.mktemp("arrivees"),
                Laboratory(house, chosen(doors)["hl7_port"]),
            )


async def enter(house: House, name: str) -> StrictClient:
    transport = httpx.ASGITransport(house.app)
    visitor = StrictClient(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000"))
    await visitor.get("/etre")
    return await visitor.press(f"Entrer : {name}")


# The ways in.


async def by_iti_65(author: Author, entry: Entry) -> None:
    bundle, _, _ = bundle_of_letter()
    reference = next(one["resource"] for one in bundle["entry"] if "masterIdentifier" in one["resource"])
    binary = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Binary")
    reference["masterIdentifier"]["value"] = f"urn:oid:{entry.unique_id}"
    digest = hashlib.sha1(entry.content, usedforsecurity=False).digest()
    reference["content"][0]["attachment"] |= {
        "size": len(entry.content),
        "hash": base64.b64encode(digest).decode(),
    }
    binary["data"] = base64.b64encode(entry.content).decode()
    async with await author.fhir() as client:
        answer = await client.post("", json=bundle)
    assert answer.status_code == 200, answer.text


async def by_iti_105(author: Author, entry: Entry) -> None:
    attachment = {"contentType": "application/xml", "data": base64.b64encode(entry.content).decode()}
    reference = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
    async with await author.fhir() as client:
        answer = await client.post("DocumentReference", json=reference)
    assert answer.status_code == 201, answer.text


async def by_iti_106(author: Author, entry: Entry) -> None:
    async with await author.fhir() as client:
        kind = {"content-type": "application/xml"}
        path = "DocumentReference/$generate-metadata"
        assert (await client.post(path, content=entry.content, headers=kind)).status_code == 200


async def by_xds(author: Author, entry: Entry) -> None:
    await file(author.software, entry)


async def by_xdm(author: Author, entry: Entry) -> None:
    async with await author.fhir() as client:
        kind = {"content-type": "application/zip"}
        answer = await client.post("DocumentReference/$import-xdm", content=xdm((entry,)), headers=kind)
    assert answer.status_code == 200, answer.text


async def by_page(author: Author, entry: Entry) -> None:
    await author.page.get(f"{author.record}/deposer")
    await author.page.press("Continuer")
    await author.page.press("Déposer", {"fichiers": ("lettre.xml", entry.content, "text/xml")})
    assert "Document déposé" in author.page.words


async def by_folder(author: Author, entry: Entry) -> None:
    services = author.house.services

    async def context() -> Context:
        return Context(author.software.who, services.clock, channel="cli", demonstration=True)

    watched = Folder(author.inbox, settled=0.01, patience=0)
    watcher = Watcher(watched, LocalWay(services, context), Sender(f"8{RPPS}"), "1.2.250.1.213.1.4.10", print)
    (author.inbox / f"{entry.unique_id}.xml").write_bytes(entry.content)
    with watched.held():
        await watcher.once(0.02)
    assert (author.inbox / f"done/{entry.unique_id}.xml").read_bytes() == entry.content


async def by_command(author: Author, entry: Entry) -> None:
    """`ambroise submit` of a file, beside the running instance."""
    settings, file = author.house.services.settings, author.inbox / "lettre.xml"
    file.write_bytes(entry.content)
    named = {
        "AMBROISE_DATABASE_URL": str(settings.database_url),
        "AMBROISE_DATABASE_OWNER_URL": str(settings.database_owner_url),
    }
    command = ["submit", str(file), "--as", f"professional:{RPPS}", "--data", str(settings.data)]
    done = await asyncio.to_thread(CliRunner().invoke, build(InstanceBuilder()), command, env={**os.environ, **named})
    assert done.exit_code == 0, done.output


async def by_oru(author: Author, entry: Entry) -> None:
    assert (await author.laboratory.one(_message(entry))).code == "AA"


async def by_mdm(author: Author, entry: Entry) -> None:
    """The same in the message of documents, which names the document in its TXA."""
    lines = _message(entry).replace("ORU^R01^ORU_R01", "MDM^T02^MDM_T02").split("\r")
    now = lines[0].split("|")[6]
    txa = f"TXA|1|11488-4|TEXT|{now}||||||||{entry.unique_id}|||||AU"
    order = next(number for number, line in enumerate(lines) if line.startswith("OBR"))
    message = [lines[0], f"EVN||{now}", *lines[1 : order + 1], txa, *lines[order + 1 :]]
    ack = await author.laboratory.one("\r".join(message))
    assert ack.code == "AA", ack.notes


def _message(entry: Entry) -> str:
    message: str = example_client("send", "hl7v2").message_of(entry.content)
    return message


# The ways out.


async def fhir_gives(author: Author, entry: Entry) -> bytes:
    """ITI-68: what the metadata (ITI-67) name."""
    async with await author.fhir() as client:
        return (await client.get(await _url(author, client, entry), headers={"accept": "*/*"})).content


async def binary_gives(author: Author, entry: Entry) -> bytes:
    """The same as a resource of FHIR."""
    async with await author.fhir() as client:
        url = await _url(author, client, entry)
        return base64.b64decode((await client.get(url, headers={"accept": "application/fhir+json"})).json()["data"])


async def _url(author: Author, client: httpx.AsyncClient, entry: Entry) -> str:
    found = (await client.get(f"DocumentReference/{await author.id_of(entry)}")).json()
    return str(found["content"][0]["attachment"]["url"])


async def xds_gives(author: Author, entry: Entry) -> bytes:
    return next(iter((await retrieve(author.software, entry.unique_id)).parts.values()))


async def xdm_gives(author: Author, entry: Entry) -> bytes:
    async with await author.fhir() as client:
        query = {"_id": await author.id_of(entry)}
        given = unzipped((await client.get("DocumentReference/$export-xdm", params=query)).content)
    return given["IHE_XDM/SUBSET01/DOC0001.XML"]


async def page_gives(author: Author, entry: Entry) -> bytes:
    return (await author.page.http.get(f"{author.record}/documents/{await author.id_of(entry)}/fichier")).content


async def citizen_page_gives(author: Author, entry: Entry) -> bytes:
    return (await author.citizen.http.get(f"/documents/{await author.id_of(entry)}/fichier")).content


async def page_zips(author: Author, entry: Entry) -> bytes:
    """The citizen takes it away."""
    await author.citizen.get("/documents/emporter")
    token = author.citizen.page.cssselect("form:has(input[name=document]) input[name=jeton]")[0].get("value")
    data = {"jeton": token, "document": await author.id_of(entry)}
    answer = await author.citizen.http.post("/documents/emporter", data=data)
    assert "IHE_XDM.ZIP" in answer.headers["content-disposition"]
    return unzipped(answer.content)["IHE_XDM/SUBSET01/DOC0001.XML"]


async def copy_gives(author: Author, entry: Entry) -> bytes:
    """The copy of the whole record that the citizen asks for: made once, when every document is there."""
    if author.copy is None:
        author.copy = await _copy(author)
    manifest = json.loads(author.copy["manifest.json"])
    about = f"DocumentReference/{await author.id_of(entry)}"
    return author.copy[next(one["path"] for one in manifest["files"] if one.get("about") == about)]


async def _copy(author: Author) -> dict[str, bytes]:
    services, page = author.house.services, author.citizen
    await page.get("/mes-donnees")
    await page.press("Préparer une copie")
    subscriptions = Subscriptions()
    subscriptions.on(GOES_ON, services.exports.go_on)
    await Delivery(services.database, subscriptions, services.clock).deliver_all()
    await page.get("/mes-donnees")
    form: Any = next(one for one in page.page.iter("form") if str(one.get("action")).endswith("/telecharger"))
    answer = await page.http.post(str(form.get("action")), data=dict(form.form_values()), follow_redirects=True)
    return unzipped(answer.content)


IN: dict[str, Callable[[Author, Entry], Awaitable[None]]] = {
    "FHIR ITI-65": by_iti_65,
    "FHIR ITI-105": by_iti_105,
    "FHIR ITI-106 (CDA)": by_iti_106,
    "XDS ITI-41 (MTOM)": by_xds,
    "HL7 v2 ORU (MLLP)": by_oru,
    "HL7 v2 MDM (MLLP)": by_mdm,
    "XDM zip": by_xdm,
    "web upload": by_page,
    "watched folder": by_folder,
    "ambroise submit": by_command,
}
OUT: dict[str, Callable[[Author, Entry], Awaitable[bytes]]] = {
    "ITI-68": fhir_gives,
    "Binary": binary_gives,
    "ITI-43": xds_gives,
    "XDM out": xdm_gives,
    "page (professional)": page_gives,
    "page (citizen)": citizen_page_gives,
    "taken away": page_zips,
    "copy of all": copy_gives,
}


async def test_documents_cross_every_pair_of_ways_byte_for_byte(author: Author) -> None:
    """`pytest -s` of this test prints the matrix."""
    sent = {name: letter() for name in IN}
    for name, way in IN.items():
        await way(author, sent[name])
    same = {
        name: {out: await gives(author, entry) == entry.content for out, gives in OUT.items()}
        for name, entry in sent.items()
    }
    print("\n" + matrix(same))
    assert all(all(row.values()) for row in same.values()), matrix(same)


def matrix(same: dict[str, dict[str, bool]]) -> str:
    """What came in one way (rows) and was read another (columns)."""
    wide = max(map(len, same))
    lines = [" " * wide + "".join(f"  {out}" for out in OUT)]
    for name, row in same.items():
        cells = ("same" if row[out] else "OTHER" for out in OUT)
        lines.append(name.ljust(wide) + "".join(f"  {cell:^{len(out)}}" for cell, out in zip(cells, OUT, strict=True)))
    return "\n".join(lines)


async def test_a_practice_deposits_several_files_at_once_and_is_told_of_each(author: Author) -> None:
    page, cda = author.page, letter()
    lot, strange = letter(id="lot"), replace(letter(id="autre"), patient="255069999999934^^^&1.2.250.1.213.1.4.10&ISO")
    number = f"2.25.{uuid4().int}"
    signature = signed(author.software, number, lot)
    first = {"IHE_XDM/SUBSET01/METADATA.XML": metadata(lot, signature, set_id=number)}
    await page.get(f"{author.record}/deposer")
    await page.press("Continuer", titre="Radio du poignet")
    sent: list[tuple[str, tuple[str, bytes, str]]] = [
        ("fichiers", ("lettre.xml", cda.content, "text/xml")),
        ("fichiers", ("lot.zip", xdm((lot, signature), (strange,), files=first), "application/zip")),
        ("fichiers", ("notes.txt", b"Notes de consultation", "text/plain")),
        ("fichiers", ("programme.exe", b"MZ\x90\x00\x03\x00\x00\x00\x04", "application/octet-stream")),
    ]
    await page.press("Déposer", sent)
    told = {
        " ".join(row.cssselect("th")[0].text_content().split()): " ".join(row.cssselect("td")[0].text_content().split())
        for row in page.page.cssselect("main tbody tr")
    }
    assert "Déposé" in told["lettre.xml"]
    assert "Déposé Lot signé par Camille Essai" in told["lot.zip (SUBSET01)"]
    assert "concerne quelqu’un d’autre" in told["lot.zip (SUBSET02)"]
    assert "choisissez un type" in told["notes.txt"]
    assert told["programme.exe"].startswith("Refusé")
    assert await xds_gives(author, lot) == lot.content
    links = page.page.cssselect("main tbody a")
    assert all(re.search(r"/documents/[0-9a-f-]{36}$", str(one.get("href"))) for one in links)
    assert len(links) == 2


async def test_who_sees_a_zip_is_not_chosen_on_the_page(author: Author) -> None:
    await author.page.get(f"{author.record}/deposer")
    await author.page.press("Continuer", annonce="y")
    entry = letter(id="annonce")
    await author.page.press("Déposer", {"fichiers": ("lot.zip", xdm((entry,)), "application/zip")})
    assert "Déposez-le à part, sans choix de visibilité." in author.page.words
    with pytest.raises(KeyError):
        await author.id_of(entry)
