"""The hub of FHIRcast 3: `/fhircast`, where the tools of a professional open and close the same patient together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, cast
from uuid import UUID, uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ambroise.interfaces.authentication import People
from ambroise.interfaces.oauth.hub import HUB, Hub, Said
from ambroise.interfaces.oauth.wire import Answer, address_of, bearer, body, endpoint, form, holder_of, json
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import PatientIdentity, Provider
from ambroise.modules.identity.provider.api import CLOSED, EVENTS, LEFT, OPENED, REALM, Family, Subscription

CONFIGURATION: Final = f"{HUB}/.well-known/fhircast-configuration"
_BIND: Final = f"{HUB}/bind/"
_LARGEST: Final = 64 * 1024
_INS: Final = frozenset(f"urn:oid:1.2.250.1.213.1.4.{last}" for last in (8, 9, 10, 11))


def fhircast_routes(provider: Provider, people: People) -> Sequence[BaseRoute]:
    """The routes of the hub."""
    casting, hub = provider.casting, Hub(provider.ground.database)

    async def configuration(request: Request) -> Response:
        supported = {"websocketSupport": True, "getCurrentSupport": True, "fhirVersion": "4.0.1"}
        return json({"eventsSupported": list(EVENTS), "fhircastVersion": "3.0.0", **supported})

    async def receive(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            return await change(request)
        return await subscribe(request)

    async def subscribe(request: Request) -> Response:
        family, fields = await holder(request, "read"), await form(request)
        casting.check(family, fields.get("hub.topic", ""))
        match fields.get("hub.mode"), fields.get("hub.channel.type", "websocket"):
            case "subscribe", "websocket":
                secret = await casting.subscribe(family, fields.get("hub.events", ""), fields.get("hub.lease_seconds"))
                address = provider.ground.issuer_at(address_of(request)).removesuffix(REALM)
                bind = f"ws{address.removeprefix('http')}{_BIND}{secret}"
                return json({"hub.channel.endpoint": bind}, 202)
            case "unsubscribe", "websocket":
                await casting.unsubscribe(family, fields.get("hub.channel.endpoint", "").rpartition(_BIND)[2])
                return Response(status_code=202)
            case _:
                text = "Send hub.mode=subscribe or unsubscribe, with hub.channel.type=websocket."
                raise Refusal(Kind.INVALID, "INVALID_REQUEST", text)

    async def change(request: Request) -> Response:
        """Open or close a patient in every tool."""
        family = await holder(request, "write")
        sent = _object(await body(request, _LARGEST))
        event = _member(sent, "event")
        casting.check(family, str(event.get("hub.topic", "")))
        patient, id = await patient_of(event), str(sent.get("id", ""))
        match str(event.get("hub.event", "")).lower():
            case "patient-open":
                await casting.open(family, id, patient)
            case "patient-close":
                await casting.close(family, id, patient)
            case _:
                raise Refusal(Kind.INVALID, "INVALID_REQUEST", f"Send hub.event among {', '.join(EVENTS)}.")
        return Response(status_code=202)

    async def current(request: Request) -> Response:
        family = await holder(request, "read")
        casting.check(family, request.path_params["topic"])
        known = await casting.current(family)
        if known is None:
            return json({"context.type": "", "context": []})
        return json({"context.type": "patient", "context": _context(known)})

    async def holder(request: Request, act: str) -> Family:
        return await casting.holder(bearer(request), holder_of(request), act)

    async def patient_of(event: Mapping[str, Any]) -> UUID:
        """The one patient that an event is about: by our id, by INS, and never two.

        An INS of somebody else and one that nobody has here are refused alike: who tries one learns nothing of it.
        """
        named = [(key, await people.space(key)) for key in _keys(event)]
        found = {space.patient for _, space in named if space is not None}
        if len(found) != 1 or any(space is None for key, space in named if isinstance(key, str)):
            text = "This professional may not open that patient's record, or the id and the INS are not of one patient."
            raise Refusal(Kind.FORBIDDEN, "CONTEXT_FORBIDDEN", text)
        return found.pop()

    async def bind(socket: WebSocket) -> None:
        secret = str(socket.path_params["secret"])
        subscription = await casting.subscription(secret)
        if subscription is None:
            await socket.close()
            return
        async with hub.follow(subscription.family.sign_on) as heard:
            await socket.accept()
            away = asyncio.create_task(_until_away(socket))
            with suppress(TimeoutError):
                async with asyncio.timeout(subscription.lasts):
                    await tell(socket, secret, subscription, heard, away)
            away.cancel()
            # A tool that went away without a word has nothing left to close.
            with suppress(RuntimeError, WebSocketDisconnect):
                await socket.close()

    async def tell(
        socket: WebSocket,
        secret: str,
        subscription: Subscription,
        heard: asyncio.Queue[Said],
        away: asyncio.Task[None],
    ) -> None:
        """Confirm, say what is open, then every event, until the tool leaves or what it follows ends."""
        topic = casting.topic(subscription.family.sign_on)
        follows = {"hub.topic": topic, "hub.events": ",".join(subscription.events)}
        await socket.send_json({"hub.mode": "subscribe", "hub.lease_seconds": subscription.lasts, **follows})
        known = await casting.current(subscription.family) if OPENED in subscription.events else None
        if known is not None:
            await socket.send_json(_notification(topic, OPENED, uuid4().hex, known, provider))
        while True:
            following = asyncio.create_task(heard.get())
            done, _ = await asyncio.wait({following, away}, return_when=asyncio.FIRST_COMPLETED)
            if following not in done:
                following.cancel()
                return
            said, going_on = following.result(), await casting.subscription(secret)
            if said.event == LEFT and said.patient and CLOSED in subscription.events:
                # Who leaves closes the patient in the tools first: what stays on a screen is nobody's to look after.
                await send(socket, subscription, CLOSED, said)
            if going_on is None or said.event not in (OPENED, CLOSED, "unsubscribed"):
                await socket.send_json({"hub.mode": "denied", "hub.reason": "What it follows ended.", **follows})
                return
            if said.event in going_on.events:
                await send(socket, going_on, said.event, said)

    async def send(socket: WebSocket, follows: Subscription, event: str, said: Said) -> None:
        """Tell a tool what happened to a patient, whom this professional may still open."""
        known = await casting.told(follows.family, UUID(said.patient))
        if known is not None:
            topic = casting.topic(follows.family.sign_on)
            await socket.send_json(_notification(topic, event, said.id, known, provider))

    table: tuple[tuple[str, Answer, str], ...] = (
        (HUB, receive, "POST"),
        (CONFIGURATION, configuration, "GET"),
        (HUB + "/{topic}", current, "GET"),
    )
    routes = [endpoint(path, answer, method) for path, answer, method in table]
    return [*routes, WebSocketRoute(_BIND + "{secret}", bind)]


async def _until_away(socket: WebSocket) -> None:
    """Read what the tool answers, which changes nothing, until it leaves."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _notification(topic: str, event: str, id: str, known: PatientIdentity, provider: Provider) -> dict[str, Any]:
    told = {"hub.topic": topic, "hub.event": event, "context": _context(known)}
    return {"timestamp": provider.ground.clock.now().isoformat(), "id": id, "event": told}


def _context(known: PatientIdentity) -> list[dict[str, Any]]:
    """The patient as FHIRcast tells it: no more than it takes to find the same one."""
    resource: dict[str, Any] = {"resourceType": "Patient", "id": str(known.patient)}
    if known.ins is not None:
        resource["identifier"] = [{"system": known.ins.system, "value": known.ins.matricule}]
    return [{"key": "patient", "resource": resource}]


def _keys(event: Mapping[str, Any]) -> list[UUID | str]:
    listed = event.get("context")
    contexts = cast("list[Any]", listed) if isinstance(listed, list) else []
    about = [one for one in contexts if isinstance(one, dict) and cast("dict[str, Any]", one).get("key") == "patient"]
    patient = _member(cast("dict[str, Any]", about[0]), "resource") if len(about) == 1 else {}
    identifiers = patient.get("identifier")
    keys: list[UUID | str] = []
    with suppress(ValueError):
        keys.append(UUID(str(patient.get("id"))))
    for one in cast("list[Any]", identifiers) if isinstance(identifiers, list) else []:
        named = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
        if named.get("system") in _INS and isinstance(named.get("value"), str):
            keys.append(named["value"])
    return keys[:10]


def _object(sent: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(sent)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Send JSON: {timestamp, id, event}.")
    return found


def _member(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = of.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
