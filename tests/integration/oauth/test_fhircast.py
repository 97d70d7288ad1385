"""The tools of a professional open and close the same patient together: FHIRcast over real WebSockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ambroise.main import app as asgi
from ambroise.main.composition import compose
from ambroise.main.http import HttpProtocol
from ambroise.main.serving import config
from tests.integration.oauth.conftest import ADDRESS, Journey, Nation
from tests.integration.oauth.test_portal import back_from
from tests.integration.oauth.test_sharing import bag, put
from tests.integration.oauth.test_smart import Ward, ward
from tests.integration.record.conftest import PAT_TROIS
from tests.support.server import House

__all__ = ["ward"]
CAST = "openid fhircast/*.*"
INS = "urn:oid:1.2.250.1.213.1.4.10"


@pytest.fixture
async def port(nation: Nation) -> AsyncIterator[int]:
    """Where the application answers, served as an instance serves it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config(nation.house.app, http=HttpProtocol))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await serving


class Tool:
    """A software of the professional, with the token answer that it was given."""

    def __init__(self, nation: Nation, answer: dict[str, Any]) -> None:
        self.nation = nation
        self.answer = answer
        self.topic = answer.get("hub.topic", "")

    async def ask(self, method: str, path: str = "", **sent: Any) -> httpx.Response:
        async with self.nation.http(authorization=f"Bearer {self.answer['access_token']}") as http:
            return await http.request(method, "/fhircast" + path, **sent)

    async def subscribe(self, events: str = "patient-open,patient-close", **more: str) -> httpx.Response:
        asked = {"hub.mode": "subscribe", "hub.channel.type": "websocket", "hub.topic": self.topic}
        return await self.ask("POST", data={**asked, "hub.events": events, **more})

    async def event(self, name: str, topic: str | None = None, **patient: Any) -> httpx.Response:
        context = [{"key": "patient", "resource": {"resourceType": "Patient", **patient}}]
        event = {"hub.topic": topic or self.topic, "hub.event": name, "context": context}
        return await self.ask("POST", json={"timestamp": "2026-03-14T09:30:00Z", "id": "e1", "event": event})

    async def current(self) -> Any:
        return (await self.ask("GET", f"/{self.topic}")).json()


async def following(tool: Tool, port: int) -> ClientConnection:
    endpoint = (await tool.subscribe()).json()["hub.channel.endpoint"]
    return await connect(endpoint.replace(ADDRESS.replace("http", "ws"), f"ws://127.0.0.1:{port}"), proxy=None)


async def heard(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(socket.recv(), 20))


async def test_tools_of_one_session_open_and_close_the_same_patient(ward: Ward, port: int) -> None:
    nation, browser = ward.nation, ward.nation.browser()
    clients = [await nation.client(name=name, scopes=frozenset({"openid", "fhircast/*.*"})) for name in ("Un", "Deux")]
    one, two = [Tool(nation, await nation.tokens(browser, Journey(each), scope=CAST)) for each in clients]
    assert one.answer["hub.url"] == f"{ADDRESS}/fhircast"
    assert one.topic == two.topic
    assert (await one.current()) == {"context.type": "", "context": []}
    socket = await following(one, port)
    assert (await heard(socket))["hub.mode"] == "subscribe"
    assert (await two.event("Patient-open", identifier=[{"system": INS, "value": PAT_TROIS}])).status_code == 202
    told = await heard(socket)
    assert (told["id"], told["event"]["hub.event"], told["event"]["hub.topic"]) == ("e1", "patient-open", one.topic)
    same = {"resourceType": "Patient", "id": str(ward.patient), "identifier": [{"system": INS, "value": PAT_TROIS}]}
    assert told["event"]["context"] == [{"key": "patient", "resource": same}]
    await socket.send(json.dumps({"id": "e1", "status": "200"}))
    assert (await two.current())["context"][0]["resource"] == same
    # What the older way of sharing says is heard too, and who subscribes later is told what is open.
    plain = await nation.tokens(browser, Journey(ward.tool))
    await put(nation, plain["access_token"], bag())
    assert (await heard(socket))["event"]["hub.event"] == "patient-open"
    late = await following(two, port)
    assert [(await heard(late)).get("hub.mode"), (await heard(late))["event"]["context"][0]["key"]] == [
        "subscribe", "patient",
    ]  # fmt: skip
    await two.event("patient-close", id=str(ward.patient))
    assert (await heard(socket))["event"]["hub.event"] == "patient-close"
    assert (await heard(late))["event"]["hub.event"] == "patient-close"
    assert (await one.current())["context"] == []
    # Leaving closes the patient in the tools, then ends it all.
    await one.event("patient-open", id=str(ward.patient))
    await heard(socket)
    asked = await nation.provider.leaving.read({"id_token_hint": plain["id_token"]})
    await nation.provider.leaving.leave(asked.session, None)
    closed = (await heard(socket))["event"]
    assert (closed["hub.event"], closed["context"][0]["resource"]) == ("patient-close", same)
    assert (await heard(socket))["hub.mode"] == "denied"
    with pytest.raises(ConnectionClosed):
        await heard(socket)
    assert (await one.ask("GET", f"/{one.topic}")).status_code == 401
    async with nation.house.services.database.reader() as reader:
        assert await reader.fetch_value("select count(*) from shared_context") == 0
    events = [event for event, _, _ in await nation.traced()]
    assert events.count("context_shared") == 3
    assert events.count("context_closed") == 1
    assert "context_read" in events


async def test_the_hub_knows_whose_session_and_which_patients(ward: Ward, port: int) -> None:
    nation, browser = ward.nation, ward.nation.browser()
    reading = await nation.client(name="Lecteur", scopes=frozenset({"openid", "fhircast/patient-open.read"}))
    tool = Tool(nation, await nation.tokens(browser, Journey(reading), scope="openid fhircast/patient-open.read"))
    plain = Tool(nation, await nation.tokens(browser, Journey(ward.tool)))
    assert "hub.topic" not in plain.answer
    assert (await plain.ask("GET", f"/{tool.topic}")).status_code == 403, "no scope"
    assert (await tool.event("patient-open", id=str(ward.patient))).status_code == 403, "it reads only"
    assert (await tool.subscribe("patient-close")).status_code == 403
    assert (await tool.subscribe("encounter-open")).status_code == 400
    assert (await tool.subscribe("patient-open", **{"hub.topic": "another"})).status_code == 403
    writing = await nation.client(name="Auteur", scopes=frozenset({"openid", "fhircast/*.*"}))
    author = Tool(nation, await nation.tokens(browser, Journey(writing), scope=CAST))
    of_another = {"id": str(ward.other), "identifier": [{"system": INS, "value": PAT_TROIS}]}
    of_nobody = {"id": str(ward.patient), "identifier": [{"system": INS, "value": "279035121518890"}]}
    refused = [await author.event("patient-open", **patient) for patient in (of_another, of_nobody, {})]
    assert [one.status_code for one in refused] == [403] * 3
    assert len({one.text for one in refused}) == 1, "whether an INS is known here is not to be learnt by trying"
    assert (await author.event("patient-open", topic="another", id=str(ward.patient))).status_code == 403
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{port}/fhircast/bind/nothing", proxy=None)
    socket = await following(author, port)
    await heard(socket)
    async with nation.house.services.database.transaction() as tx:
        await tx.execute("delete from access_grant where patient = %s", (ward.patient,))
    assert (await author.event("patient-open", id=str(ward.patient))).status_code == 403, "no longer authorised"
    endpoint = (await author.subscribe()).json()["hub.channel.endpoint"]
    left = {"hub.mode": "unsubscribe", "hub.topic": author.topic, "hub.channel.endpoint": endpoint}
    assert (await author.ask("POST", data=left)).status_code == 202
    assert (await author.ask("POST", data=left)).status_code == 404
    await socket.close()


async def test_the_pages_of_the_portal_open_and_close_the_patient_in_the_tools_of_their_session(
    ward: Ward, port: int
) -> None:
    nation, page, elsewhere = ward.nation, ward.nation.browser(), ward.nation.browser()
    record, other = (f"/pro/patients/{patient}" for patient in (ward.patient, ward.other))
    client = await nation.client(name="Suivi", scopes=frozenset({"openid", "fhircast/*.*"}))
    await page.get(await back_from(nation, page))
    tool = Tool(nation, await nation.tokens(page, Journey(client), scope=CAST))
    async with nation.house.services.database.reader() as reader:
        until = "select followed_until from session where closed_at is null"
        assert await reader.fetch_value(until) is None
        await page.get(record)
        assert await reader.fetch_value("select count(*) from shared_context") == 0, "nobody follows"
        socket = await following(tool, port)
        assert await reader.fetch_value(until) is not None
    assert (await heard(socket))["hub.mode"] == "subscribe"

    async def told() -> tuple[str, str]:
        event = (await heard(socket))["event"]
        return event["hub.event"], event["context"][0]["resource"]["id"]

    await page.get(record)
    assert await told() == ("patient-open", str(ward.patient))
    # The same record again says nothing more; another one closes it; the list leaves them all.
    await page.get(record)
    await page.get(other)
    assert [await told(), await told()] == [("patient-close", str(ward.patient)), ("patient-open", str(ward.other))]
    await page.get("/pro/patients")
    assert await told() == ("patient-close", str(ward.other))
    # What another tool opened, the list does not close; the page of another session says nothing here.
    await tool.event("patient-open", id=str(ward.patient))
    assert await told() == ("patient-open", str(ward.patient))
    await page.get("/pro/patients")
    await elsewhere.get(await back_from(nation, elsewhere))
    await elsewhere.get(other)
    # A record that is closed to this professional is not told, and closes what the portal had opened.
    await page.get(other)
    assert [await told(), await told()] == [("patient-close", str(ward.patient)), ("patient-open", str(ward.other))]
    async with nation.house.services.database.transaction() as tx:
        await tx.execute("delete from access_grant where patient = %s", (ward.patient,))
    await page.get(record)
    assert "Vous ne pouvez pas lire ce dossier" in page.words
    assert await told() == ("patient-close", str(ward.other))
    await page.get(other)
    assert await told() == ("patient-open", str(ward.other))
    async with nation.house.services.database.reader() as reader:
        by_page = await reader.fetch_all(
            "select event, channel from trace where software = 'portail' and event like 'context%%' order by at, id"
        )
    done = [event.removeprefix("context_") for event, _ in by_page]
    assert done == ["shared", "closed", "shared", "closed", "closed", "shared", "closed", "shared"]
    assert {channel for _, channel in by_page} == {"web"}
    await socket.close()


async def test_what_is_opened_in_one_process_reaches_who_follows_another(ward: Ward, port: int) -> None:
    nation, first = ward.nation, ward.nation.house.services
    client = await nation.client(name="Suivi", scopes=frozenset({"openid", "fhircast/*.*"}))
    async with compose(first.settings, str(first.settings.database_url), clock=nation.clock) as application:
        assert application.services.database is not first.database
        other = Nation(House(application.services, asgi.build(application.services)), nation.clock)
        # Signed in, subscribed and followed by one process; said by the other.
        answer = await nation.tokens(nation.browser(), Journey(client), scope=CAST)
        here, there = Tool(nation, answer), Tool(other, answer)
        socket = await following(here, port)
        assert (await heard(socket))["hub.mode"] == "subscribe"
        for event in ("patient-open", "patient-close"):
            assert (await there.event(event, id=str(ward.patient))).status_code == 202
            assert (await heard(socket))["event"]["hub.event"] == event
        assert (await here.current()) == (await there.current())
        # A subscription made by one process is followed in the other, and ended there.
        late = await following(there, port)
        assert (await heard(late))["hub.mode"] == "subscribe"
        asked = await other.provider.leaving.read({"id_token_hint": answer["id_token"]})
        await other.provider.leaving.leave(asked.session, None)
        for each in (socket, late):
            assert (await heard(each))["hub.mode"] == "denied"
