"""Documents cross every pair of ways: sent by each one, read by each other, byte for byte."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import structs

from ambroise.interfaces.cli.submission.folder import Folder
from ambroise.interfaces.cli.submission.papers import Sender
from ambroise.interfaces.cli.submission.watching import Watcher
from ambroise.interfaces.cli.submission.ways import LocalWay
from ambroise.interfaces.hl7v2.listener import Listener
from ambroise.interfaces.token_claims import Role
from ambroise.main.feeds import chosen, open_feeds
from ambroise.modules.identity.api import AccountKind, NewAccount, Situation
from ambroise.trust.context import Context
from tests.integration.xds.asking import authorise, file, patient_key, retrieve
from tests.integration.xds.conftest import FINESS, RPPS, example_client, letter, people, software
from tests.journeys.support.strict import StrictClient
from tests.support.database import TestDatabase
from tests.support.hl7v2 import Laboratory
from tests.support.server import House, house_on
from tests.support.xdm import unzipped, xdm
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


async def by_fhir(author: Author, entry: Entry) -> None:
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


async def by_message(author: Author, entry: Entry) -> None:
    example = example_client("send", "hl7v2")
    assert (await author.laboratory.one(example.message_of(entry.content))).code == "AA"


# The ways out.


async def fhir_gives(author: Author, entry: Entry) -> bytes:
    async with await author.fhir() as client:
        found = (await client.get(f"DocumentReference/{await author.id_of(entry)}")).json()
        return (await client.get(found["content"][0]["attachment"]["url"], headers={"accept": "*/*"})).content


async def xds_gives(author: Author, entry: Entry) -> bytes:
    return next(iter((await retrieve(author.software, entry.unique_id)).parts.values()))


async def xdm_gives(author: Author, entry: Entry) -> bytes:
    async with await author.fhir() as client:
        query = {"_id": await author.id_of(entry)}
        given = unzipped((await client.get("DocumentReference/$export-xdm", params=query)).content)
    return given["IHE_XDM/SUBSET01/DOC0001.XML"]


async def page_gives(author: Author, entry: Entry) -> bytes:
    return (await author.page.http.get(f"{author.record}/documents/{await author.id_of(entry)}/fichier")).content


async def page_zips(author: Author, entry: Entry) -> bytes:
    """The citizen takes it away."""
    await author.citizen.get("/documents/emporter")
    token = author.citizen.page.cssselect("form:has(input[name=document]) input[name=jeton]")[0].get("value")
    data = {"jeton": token, "document": await author.id_of(entry)}
    answer = await author.citizen.http.post("/documents/emporter", data=data)
    assert "IHE_XDM.ZIP" in answer.headers["content-disposition"]
    return unzipped(answer.content)["IHE_XDM/SUBSET01/DOC0001.XML"]


IN: tuple[Callable[[Author, Entry], Awaitable[None]], ...] = (
    by_fhir, by_xds, by_xdm, by_page, by_folder, by_message,
)  # fmt: skip
OUT: tuple[Callable[[Author, Entry], Awaitable[bytes]], ...] = (
    fhir_gives, xds_gives, xdm_gives, page_gives, page_zips,
)  # fmt: skip


@pytest.mark.parametrize("sent", IN, ids=lambda way: way.__name__)
async def test_what_is_sent_one_way_is_read_by_every_other(author: Author, sent: Any) -> None:
    entry = letter()
    await sent(author, entry)
    for gives in OUT:
        assert await gives(author, entry) == entry.content, gives.__name__


async def test_a_practice_deposits_several_files_at_once_and_is_told_of_each(author: Author) -> None:
    page, cda = author.page, letter()
    lot, strange = letter(id="lot"), replace(letter(id="autre"), patient="255069999999934^^^&1.2.250.1.213.1.4.10&ISO")
    await page.get(f"{author.record}/deposer")
    await page.press("Continuer", titre="Radio du poignet")
    sent: list[tuple[str, tuple[str, bytes, str]]] = [
        ("fichiers", ("lettre.xml", cda.content, "text/xml")),
        ("fichiers", ("lot.zip", xdm((lot,), (strange,)), "application/zip")),
        ("fichiers", ("notes.txt", b"Notes de consultation", "text/plain")),
        ("fichiers", ("programme.exe", b"MZ\x90\x00\x03\x00\x00\x00\x04", "application/octet-stream")),
    ]
    await page.press("Déposer", sent)
    told = {
        " ".join(row.cssselect("th")[0].text_content().split()): " ".join(row.cssselect("td")[0].text_content().split())
        for row in page.page.cssselect("main tbody tr")
    }
    assert "Déposé" in told["lettre.xml"]
    assert "Déposé" in told["lot.zip (SUBSET01)"]
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
