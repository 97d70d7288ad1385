"""One address that answers SOAP: read, know who calls, find the operation, answer; refusals become faults here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol
from uuid import uuid4

import psycopg
from lxml import etree
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ambroise.interfaces import soap
from ambroise.interfaces.fhir_rest.faults import as_refusal
from ambroise.interfaces.soap import MEDIA, Element, Envelope, Malformed, TooLarge, WrongVersion
from ambroise.interfaces.xds import faults
from ambroise.interfaces.xds.arrival import Arrival, receive
from ambroise.interfaces.xds.caller import Caller, Callers
from ambroise.interfaces.xds.mtom import multipart
from ambroise.interfaces.xds.names import WSSE
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

_log = logger(__name__)
_SPEAK: Final = "XDS_SOAP_VERSION: these services speak SOAP 1.2 (application/soap+xml), as the DMP does."
_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Answered(Struct, frozen=True):
    """The element that answers, and the documents that go with it in parts, by Content-ID.

    `action` is the WS-Addressing action of the answer, where it is not that of the request with `Response`.
    """

    body: Element
    parts: dict[str, bytes] | None = None
    action: str | None = None


class Operation(Protocol):
    """One transaction: `action` is the WS-Addressing action that asks for it, `element` what stands in the body."""

    action: str
    element: str

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """Do it. What the transaction itself may refuse is said in its answer, not as a fault."""
        ...


class UsesAssertion:
    """An operation that uses the assertion up in the transaction of what it writes; before any other it is used up."""


class _Call:
    """What is known of a request while it is answered."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._caller: Caller | None = None
        self.message_id: str | None = None

    async def identify(self, header: Element | None) -> Caller:
        self._caller = await self._callers.identify(header)
        return self._caller

    async def ensure_used(self) -> None:
        if self._caller is not None:
            await self._caller.use.ensure()


class Endpoint:
    """The operations of one address."""

    def __init__(self, path: str, callers: Callers, operations: Sequence[Operation], *, content_limit: int) -> None:
        self._path = path
        self._callers = callers
        self._operations = {operation.action: operation for operation in operations}
        self._content_limit = content_limit

    def route(self) -> Route:
        return Route(self._path, self._call, methods=["POST"])

    async def _call(self, request: Request) -> Response:
        call = _Call(self._callers)
        try:
            try:
                return await self._answer(request, call)
            except WrongVersion:
                return Response(soap.of_another_version(_SPEAK), 500, _HEADERS, "text/xml; charset=utf-8")
            except (Malformed, TooLarge, Refusal) as problem:
                refusal = self._refusal(problem)
            # What is wrong with a request is told once, too.
            await call.ensure_used()
        except Refusal as found:
            refusal = found
        except psycopg.Error as error:
            known = as_refusal(error)
            if known is None:
                return self._broken(call.message_id)
            refusal = known
        except Exception:
            return self._broken(call.message_id)
        return _fault(faults.fault(refusal, call.message_id))

    async def _answer(self, request: Request, call: _Call) -> Response:
        arrival = await receive(request, call.identify, content_limit=self._content_limit)
        call.message_id = arrival.envelope.message_id
        operation = self._operation(arrival.envelope)
        if not isinstance(operation, UsesAssertion):
            await arrival.known.use.first()
        answered = await operation.answer(arrival)
        await arrival.known.use.ensure()
        return _response(answered.action or f"{operation.action}Response", call.message_id, answered)

    def _refusal(self, problem: Malformed | TooLarge | Refusal) -> Refusal:
        match problem:
            case Malformed():
                return Refusal(Kind.INVALID, "XDS_MALFORMED", f"This is no SOAP 1.2 that we read: {problem}.")
            case TooLarge():
                return Refusal(Kind.TOO_LARGE, "TOO_LARGE", f"Too large: {problem} ({self._content_limit} bytes).")
            case Refusal():
                return problem

    def _operation(self, envelope: Envelope) -> Operation:
        block = envelope.not_understood(WSSE)
        if block is not None:
            text = f"The header block {etree.QName(block).localname[:80]} is not understood here."
            raise Refusal(Kind.INVALID, "XDS_NOT_UNDERSTOOD", text)
        if envelope.action is None or envelope.message_id is None:
            raise Refusal(Kind.INVALID, "XDS_ADDRESSING", "Say wsa:Action and wsa:MessageID in the header.")
        operation = self._operations.get(envelope.action)
        if operation is None or envelope.body.tag != operation.element:
            known = ", ".join(sorted(self._operations))
            raise Refusal(Kind.INVALID, "XDS_ACTION", f"Here are, each with its body: {known}.")
        return operation

    def _broken(self, relates_to: str | None) -> Response:
        _log.exception("xds_failed", path=self._path)
        return _fault(faults.broken(relates_to))


def _response(action: str, relates_to: str | None, answered: Answered) -> Response:
    envelope, body = soap.new_envelope(action, relates_to, f"urn:uuid:{uuid4()}")
    body.append(answered.body)
    content = soap.to_bytes(envelope)
    if answered.parts is None:
        return Response(content, 200, _HEADERS, f"{MEDIA}; charset=utf-8")
    media_type, chunks = multipart(content, answered.parts)
    return StreamingResponse(_each(chunks), 200, {**_HEADERS, "content-type": media_type})


async def _each(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _fault(written: tuple[int, bytes]) -> Response:
    status, content = written
    return Response(content, status, _HEADERS, f"{MEDIA}; charset=utf-8")
