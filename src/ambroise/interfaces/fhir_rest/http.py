"""One HTTP exchange, in the few terms that the interactions need."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Struct, field
from starlette.types import Receive, Scope

from ambroise.fhir.json import decode
from ambroise.interfaces.fhir_rest.negotiation import FHIR_JSON, FORM, media_type, require_json_body, unsupported_body
from ambroise.interfaces.fhir_rest.preferences import Preferences, preferences
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context

Pairs = list[tuple[str, str]]
_MAX_FIELDS: Final = 500
MAX_FORM: Final = 256 * 1024
PATH: Final = "/fhir"


class Answer(Struct, frozen=True):
    """What goes back to the client. `body` is whole, or a stream of known length."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = FHIR_JSON
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    length: int | None = None


class Call:
    """A request: its parts are read when they are asked for."""

    __slots__ = ("_base", "_headers", "_preferences", "_query", "context", "method", "receive", "scope", "segments")

    def __init__(self, scope: Scope, receive: Receive, segments: tuple[str, ...], base: str | None = None) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.segments = segments
        self._base = base
        self.context: Context
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._query: Pairs | None = None
        self._preferences: Preferences | None = None

    @property
    def base(self) -> str:
        """The address of this FHIR interface, as the client knows it."""
        if self._base is None:
            host = self.header(b"host") or "localhost"
            self._base = f"{self.scope.get('scheme', 'http')}://{host}{PATH}"
        return self._base

    @property
    def request_id(self) -> str | None:
        """What the trace and the logs call this request, once we know who calls."""
        context: Context | None = getattr(self, "context", None)
        return str(context.request_id) if context is not None else None

    def header(self, name: bytes) -> str | None:
        """A header by its lower-case name."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def query(self) -> Pairs:
        """The parameters of the URL, in order."""
        if self._query is None:
            raw: bytes = self.scope["query_string"]
            self._query = pairs_of(raw) if raw else []
        return self._query

    def parameter(self, name: str) -> str | None:
        """The last value of one parameter of the URL."""
        for key, value in reversed(self.query):
            if key == name:
                return value
        return None

    @property
    def preferences(self) -> Preferences:
        if self._preferences is None:
            self._preferences = preferences(self.header(b"prefer"))
        return self._preferences

    async def chunks(self, limit: int) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises TOO_LARGE as soon as it passes `limit` bytes."""
        declared = self.header(b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > limit:
            raise too_large(limit)
        if (self.header(b"content-encoding") or "identity").lower() != "identity":
            raise Refusal(
                Kind.UNSUPPORTED_MEDIA,
                "UNSUPPORTED_CONTENT_ENCODING",
                "Send the body as it is, without Content-Encoding.",
            )
        received = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            received += len(chunk)
            if received > limit:
                raise too_large(limit)
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def body(self, limit: int) -> bytes:
        """The whole body, in one piece."""
        parts = [chunk async for chunk in self.chunks(limit)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def resource(self, limit: int) -> dict[str, Any]:
        """The body as a FHIR resource in JSON."""
        require_json_body(self.header(b"content-type"))
        resource = decode(await self.body(limit), max_bytes=limit)
        if not isinstance(resource.get("resourceType"), str):
            raise Refusal(
                Kind.INVALID, "RESOURCE_TYPE_MISSING", "The body has no `resourceType`.", element="resourceType"
            )
        return resource

    async def form(self) -> Pairs:
        """The parameters of a form body (`_search`)."""
        content_type = self.header(b"content-type")
        body = await self.body(MAX_FORM)
        if not body:
            return []
        if media_type(content_type or "").name != FORM:
            raise unsupported_body(content_type)
        return pairs_of(body)


class ClientGone(Exception):
    """The client went away before its request was read."""


def pairs_of(raw: bytes) -> Pairs:
    """The parameters of a query string or form, decoded; refuses what no search could mean."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise Refusal(
            Kind.INVALID, "QUERY_MALFORMED", f"The parameters are not URL-encoded UTF-8, or exceed {_MAX_FIELDS}."
        ) from error
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise Refusal(Kind.INVALID, "QUERY_MALFORMED", "A parameter holds the character U+0000.")
    return pairs


def too_large(limit: int) -> Refusal:
    """413, with the limit."""
    return Refusal(Kind.TOO_LARGE, "TOO_LARGE", f"The body is larger than the {limit} bytes that are read here.")
