"""Binary in its two forms (R4 binary.html#rest): the bytes themselves, or the resource in JSON. ITI-68 reads here."""

from typing import Any, Final

import pybase64

from ambroise.fhir.json import decode
from ambroise.interfaces.fhir_rest.actions import Actions
from ambroise.interfaces.fhir_rest.answers import read_answer, write_answer
from ambroise.interfaces.fhir_rest.done import Done
from ambroise.interfaces.fhir_rest.http import Answer, Call
from ambroise.interfaces.fhir_rest.limits import require
from ambroise.interfaces.fhir_rest.negotiation import FHIR_JSON, accepted, is_json, media_type
from ambroise.interfaces.fhir_rest.outcome import NOT_ACCEPTABLE
from ambroise.interfaces.fhir_rest.routing import Table
from ambroise.interfaces.fhir_rest.shaping import shape_of
from ambroise.interfaces.fhir_rest.versions import if_match
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.gateway import Gateway

Json = Any
SECURITY_CONTEXT: Final = b"x-security-context"
_SANDBOX: Final = {"content-security-policy": "sandbox; default-src 'none'", "content-disposition": "inline"}
"""Bytes that strangers wrote: a browser that shows them gives them no power over this origin."""


class Binaries:
    """Reading and writing Binary resources."""

    def __init__(self, database: Database, gateway: Gateway, actions: Actions, *, max_raw: int, max_json: int) -> None:
        self._database = database
        self._gateway = gateway
        self._actions = actions
        self._max_raw = max_raw
        self._max_json = max_json

    def table(self) -> Table:
        """The handlers that replace the usual ones for this type."""
        return {"Type": {"POST": self.create}, "Type/id": {"GET": self.read, "PUT": self.update}}

    async def read(self, call: Call) -> Answer:
        """The bytes, unless the client asks for the resource in JSON."""
        require(call.context, "r", "Binary")
        if wants_resource(call):
            return await self._read_resource(call)
        id = call.segments[1]
        async with self._database.reader() as reader:
            try:
                stream = await self._gateway.open_content(reader, call.context, "Binary", id)
            except Refusal as refusal:
                if refusal.code != "BLOB_UNKNOWN":
                    raise
                stored = await self._gateway.read(reader, call.context, "Binary", id)
                return self._inline(call, decode(stored.body))
        require_acceptable(call, stream.info.content_type)
        tag = f'"{stream.info.sha256.hex()}"'
        headers = {"etag": tag, **_SANDBOX}
        if call.header(b"if-none-match") == tag:
            return Answer(304, headers=headers)
        return Answer(200, stream.chunks, stream.info.content_type, headers, stream.info.size)

    async def _read_resource(self, call: Call) -> Answer:
        async with self._database.reader() as reader:
            stored, content = await self._gateway.resource_and_content(reader, call.context, "Binary", call.segments[1])
        answer = read_answer(call, Done(200, stored), shape_of(call.query))
        if answer.status == 304 or content is None:
            return answer
        # Spliced in: the resource is small and the data are not, so neither is decoded.
        body = stored.body[:-1] + b',"data":"' + pybase64.b64encode(content) + b'"}'
        return Answer(200, body, headers=answer.headers)

    def _inline(self, call: Call, resource: dict[str, Json]) -> Answer:
        content_type = str(resource.get("contentType", "application/octet-stream"))
        require_acceptable(call, content_type)
        return Answer(200, pybase64.b64decode(str(resource.get("data", ""))), content_type, _SANDBOX)

    async def create(self, call: Call) -> Answer:
        resource = await self._received(call)
        async with self._database.transaction() as tx:
            done = await self._actions.create(tx, call.context, "Binary", resource, call.header(b"if-none-exist"))
        return _written(call, done)

    async def update(self, call: Call) -> Answer:
        resource = await self._received(call)
        expected, id = if_match(call.header(b"if-match")), call.segments[1]
        resource.setdefault("id", id)
        async with self._database.transaction() as tx:
            done = await self._actions.update(tx, call.context, "Binary", id, resource, expected)
        return _written(call, done)

    async def _received(self, call: Call) -> dict[str, Json]:
        """The Binary in the body: as JSON when the body says so, else the bytes themselves."""
        content_type = call.header(b"content-type")
        sent = media_type(content_type or "")
        if sent.name == FHIR_JSON:
            return await call.resource(self._max_json)
        if "/" not in sent.name:
            raise Refusal(Kind.UNSUPPORTED_MEDIA, "UNSUPPORTED_MEDIA_TYPE", "Say in Content-Type what the bytes are.")
        resource: dict[str, Json] = {"resourceType": "Binary", "contentType": sent.name}
        context = call.header(SECURITY_CONTEXT)
        if context is not None:
            resource["securityContext"] = {"reference": context}
        resource["data"] = pybase64.b64encode_as_string(await call.body(self._max_raw))
        return resource


def wants_resource(call: Call) -> bool:
    """Whether the client asks for the Binary as a FHIR resource rather than for its bytes."""
    format_parameter = call.parameter("_format")
    if format_parameter is not None:
        return is_json(format_parameter.replace(" ", "+"))
    best = accepted(call.header(b"accept"))
    return bool(best) and is_json(best[0].name)


def require_acceptable(call: Call, content_type: str) -> None:
    """Refuse to send bytes of a sort that the client does not accept."""
    held = media_type(content_type).name
    wanted = [each.name for each in accepted(call.header(b"accept"))]
    if not any(name in ("*/*", held, held.partition("/")[0] + "/*") for name in wanted):
        text = f"These bytes are {held}: accept that, or application/fhir+json for the Binary resource."
        raise Refusal(Kind.UNSUPPORTED_MEDIA, NOT_ACCEPTABLE, text)


def _written(call: Call, done: Done) -> Answer:
    answer = write_answer(call, done)
    raw = media_type(call.header(b"content-type") or "").name != FHIR_JSON
    # Bytes that were just sent are not sent back as JSON unless it is asked for.
    return Answer(answer.status, b"", headers=answer.headers) if raw and not call.preferences.form else answer
