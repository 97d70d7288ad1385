"""Operations: `$validate` on every type, `$summary` of a Patient, `$generate-metadata` on DocumentReference."""

from typing import Any, cast
from uuid import UUID

from ambroise.fhir.json import decode, encode
from ambroise.fhir.validation import validate
from ambroise.interfaces.fhir_rest import outcome as outcomes
from ambroise.interfaces.fhir_rest.documents import Documents
from ambroise.interfaces.fhir_rest.http import Answer, Call
from ambroise.interfaces.fhir_rest.negotiation import FHIR_JSON, media_type, require_json_body
from ambroise.interfaces.fhir_rest.routing import Table
from ambroise.interfaces.fhir_rest.submissions import decoded
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Issue, Kind, Refusal
from ambroise.modules.profile.api import Profile, summary
from ambroise.modules.record.api import Incoming
from ambroise.trust.access.decide import unknown
from ambroise.trust.gateway import Gateway

Json = Any
_THERE_ALREADY = Issue(
    "information", "informational", "This document was there already; nothing was changed.", None, "ALREADY_FILED"
)
_MODES = frozenset({"create", "update", "delete", "profile"})


class Validation:
    """`$validate`: says of a resource what a write would say, and changes nothing."""

    def __init__(self, *, max_json: int) -> None:
        self._max_json = max_json

    def table(self) -> Table:
        """The handlers, for every type."""
        return {"Type/$validate": {"POST": self.validate}, "Type/id/$validate": {"POST": self.validate}}

    async def validate(self, call: Call) -> Answer:
        require_json_body(call.header(b"content-type"))
        sent = decode(await call.body(self._max_json), max_bytes=self._max_json)
        resource = _subject(sent, call.segments[0])
        if resource.get("resourceType") != call.segments[0]:
            text = f"The URL says {call.segments[0]}."
            raise Refusal(Kind.INVALID, "RESOURCE_TYPE_MISMATCH", text, element="resourceType")
        issues = validate(resource)
        found = outcomes.outcome(issues) if issues else outcomes.information("The resource is valid.")
        return Answer(200, encode(found))


class Summary:
    """`Patient/[id]/$summary`: the International Patient Summary of what the caller may see."""

    def __init__(self, database: Database, gateway: Gateway) -> None:
        self._profile = Profile(database, gateway)

    def table(self) -> Table:
        """The handlers of Patient's own."""
        return {"Type/id/$summary": {"GET": self.summary, "POST": self.summary}}

    async def summary(self, call: Call) -> Answer:
        key = _key(call.segments[1])
        if key is None:
            raise unknown("Patient")
        return Answer(200, encode(await summary(self._profile, call.context, key, call.base)))


class GenerateMetadata:
    """`$generate-metadata`: files a document whose metadata are read from its own header."""

    def __init__(
        self, database: Database, documents: Documents, *, max_raw: int, max_json: int, max_inline: int
    ) -> None:
        self._database = database
        self._documents = documents
        self._max_raw = max_raw
        self._max_json = max_json
        self._max_inline = max_inline

    def table(self) -> Table:
        """The handlers of DocumentReference's own."""
        return {"Type/$generate-metadata": {"POST": self.generate}}

    async def generate(self, call: Call) -> Answer:
        incoming = await self._incoming(call)
        async with self._database.transaction() as tx:
            done = await self._documents.file(tx, call.context, incoming)
        stored = done.stored
        reference = f"{stored.type}/{stored.id}" if stored else done.place
        parameters: list[Json] = [{"name": "DocumentReference", "valueReference": {"reference": reference}}]
        if done.status != 201:
            parameters.append({"name": "outcome", "resource": outcomes.outcome([_THERE_ALREADY])})
        body = encode({"resourceType": "Parameters", "parameter": parameters})
        return Answer(200, body, headers={"location": f"{call.base}/{reference}"})

    async def _incoming(self, call: Call) -> Incoming:
        """The document: the body itself, or a Binary (alone or as the parameter `document`)."""
        sent = media_type(call.header(b"content-type") or "")
        if sent.name != FHIR_JSON:
            if "/" not in sent.name:
                text = "Say in Content-Type what the document is: application/xml for a CDA."
                raise Refusal(Kind.UNSUPPORTED_MEDIA, "UNSUPPORTED_MEDIA_TYPE", text)
            return Incoming(await call.body(self._max_raw), sent.name)
        resource = await call.resource(self._max_json)
        binary = _parameter(resource, "document") if resource["resourceType"] == "Parameters" else resource
        if binary is None or binary.get("resourceType") != "Binary" or not isinstance(binary.get("data"), str):
            text = "Send the document as the body, or as a Binary with `data` in the parameter `document`."
            raise Refusal(Kind.INVALID, "PARAMETER_MISSING", text, element="Parameters.parameter")
        content = decoded(binary.pop("data"), self._max_inline, "Binary.data")
        named = binary.get("contentType")
        return Incoming(content, named if isinstance(named, str) else None)


def _subject(sent: dict[str, Json], type_: str) -> dict[str, Json]:
    """The resource to validate: the body itself, or the parameter `resource` of a Parameters."""
    if sent.get("resourceType") != "Parameters" or type_ == "Parameters":
        return sent
    for parameter in _listed(sent):
        if parameter.get("name") == "mode" and parameter.get("valueCode") not in _MODES:
            raise Refusal(Kind.INVALID, "PARAMETER_MALFORMED", f"`mode` is one of {', '.join(sorted(_MODES))}.")
        if parameter.get("name") == "profile":
            text = "Validation against a named profile is not offered; leave `profile` out."
            raise Refusal(Kind.UNPROCESSABLE, "PROFILE_UNSUPPORTED", text, element="Parameters.parameter")
    resource = _parameter(sent, "resource")
    if resource is None:
        raise Refusal(Kind.INVALID, "PARAMETER_MISSING", "Give the resource to validate in the parameter `resource`.")
    return resource


def _parameter(sent: dict[str, Json], name: str) -> dict[str, Json] | None:
    """The resource in the parameter of this name."""
    for parameter in _listed(sent):
        resource: Json = parameter.get("resource")
        if parameter.get("name") == name and isinstance(resource, dict):
            return cast("dict[str, Json]", resource)
    return None


def _listed(sent: dict[str, Json]) -> list[dict[str, Json]]:
    parameters: Json = sent.get("parameter")
    listed = cast("list[Json]", parameters) if isinstance(parameters, list) else []
    return [cast("dict[str, Json]", each) for each in listed if isinstance(each, dict)]


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
