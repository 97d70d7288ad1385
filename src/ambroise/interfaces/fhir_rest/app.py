"""The edge of the FHIR interface: find the interaction, say who calls, answer; refusals become outcomes here, once."""

from collections.abc import Awaitable, Callable
from typing import Final

import psycopg
from msgspec.structs import replace
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from ambroise.fhir.json import encode
from ambroise.interfaces.fhir_rest import outcome as outcomes
from ambroise.interfaces.fhir_rest.faults import as_refusal
from ambroise.interfaces.fhir_rest.http import PATH, Answer, Call, ClientGone
from ambroise.interfaces.fhir_rest.negotiation import FHIR_JSON, require_json_answer
from ambroise.interfaces.fhir_rest.shaping import pretty
from ambroise.kernel.crypto.certificates import ClientCertificate
from ambroise.kernel.errors import Issue, Refusal
from ambroise.kernel.log import logger
from ambroise.trust.context import Context

Handler = Callable[[Call], Awaitable[Answer]]
Authenticate = Callable[[str | None, str | None], Awaitable[Context]]
Router = Callable[[Call], Handler]
_log = logger(__name__)
_UNDER: Final = PATH + "/"
_OPEN: Final = (("metadata",), (".well-known", "smart-configuration"))
"""What is read without a token."""
_PLAIN_HEADERS: Final = ((b"cache-control", b"private, no-cache"), (b"x-content-type-options", b"nosniff"))


class FhirRoute(BaseRoute):
    """Everything at and under `/fhir` goes to the FHIR interface, which has its own table of interactions."""

    def __init__(self, app: "FhirEdge") -> None:
        self.app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        path: str = scope["path"]
        inside = path.startswith(_UNDER) or path == PATH
        return (Match.FULL, {"endpoint": self.app}) if inside else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class FhirEdge:
    """An ASGI application that speaks FHIR R4 under `/fhir`."""

    def __init__(self, route: Router, authenticate: Authenticate, *, public_url: str | None = None) -> None:
        self._route = route
        self._authenticate = authenticate
        self._base = public_url.rstrip("/") + PATH if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        segments = tuple([segment for segment in scope["path"][len(PATH) :].split("/") if segment])
        call = Call(scope, receive, segments, self._base)
        try:
            answer = await self._answer(call)
        except ClientGone:
            return
        await send_answer(answer, send, with_body=call.method != "HEAD", request=call.request_id)

    async def _answer(self, call: Call) -> Answer:
        try:
            if not call.segments or call.segments[0] != "Binary":
                require_json_answer(call.header(b"accept"), call.parameter("_format"))
            handler = self._route(call)
            if call.segments not in _OPEN:
                call.context = await self._authenticate(call.header(b"authorization"), _holder(call.scope))
            answer = await handler(call)
        except Refusal as refusal:
            answer = refused(refusal)
        except psycopg.Error as error:
            refusal = as_refusal(error)
            answer = refused(refusal) if refusal else self._broken(call)
        except ClientGone:
            raise
        except Exception:
            answer = self._broken(call)
        if b"_pretty=true" in call.scope["query_string"] and answer.content_type == FHIR_JSON:
            answer = _laid_out(answer)
        return answer

    def _broken(self, call: Call) -> Answer:
        request = call.request_id or "none"
        _log.exception("fhir_request_failed", request=request, method=call.method, depth=len(call.segments))
        text = f"Something went wrong on our side; nothing was changed. Quote request {request} to the operator."
        issue = Issue("fatal", "exception", text, None, "INTERNAL_ERROR")
        return Answer(500, encode(outcomes.outcome([issue])))


def _holder(scope: Scope) -> str | None:
    """The thumbprint of the certificate that the client showed, on the port where it may."""
    if "extensions" not in scope:
        return None
    shown: ClientCertificate | None = scope["extensions"].get("tls", {}).get("client_certificate")
    return shown.thumbprint if shown is not None else None


def refused(refusal: Refusal) -> Answer:
    """The answer that says no."""
    return Answer(outcomes.status_of(refusal), outcomes.outcome_bytes(refusal), headers=outcomes.headers_of(refusal))


def _laid_out(answer: Answer) -> Answer:
    """The same answer for people to read."""
    if not isinstance(answer.body, bytes) or not answer.body:
        return answer
    return replace(answer, body=pretty(answer.body))


async def send_answer(answer: Answer, send: Send, *, with_body: bool = True, request: str | None = None) -> None:
    """Write an answer out; a HEAD gets the headers of the GET and no body."""
    headers = _headers(answer)
    if request is not None:
        headers.append((b"x-request-id", request.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if isinstance(answer.body, bytes) or not with_body:
        body = answer.body if with_body and isinstance(answer.body, bytes) else b""
        await send({"type": "http.response.body", "body": body})
        return
    async for chunk in answer.body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    headers = [*_PLAIN_HEADERS]
    headers += [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers.items()]
    length = len(answer.body) if isinstance(answer.body, bytes) else answer.length
    if answer.status != 304 and (length or answer.status != 204):
        # A media type comes from whoever sent the document: nothing of it may end the header.
        named = answer.content_type if answer.content_type.isprintable() else "application/octet-stream"
        headers.append((b"content-type", named.encode("latin-1", "replace")))
    if length is not None and answer.status not in (204, 304):
        headers.append((b"content-length", str(length).encode()))
    return headers
