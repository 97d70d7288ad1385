"""Reading a patch, whatever its form, into one function from a resource to the patched resource."""

from collections.abc import Callable
from typing import Any

import pybase64

from ambroise.fhir.json import decode
from ambroise.fhir.patch import apply_fhirpath_patch, apply_json_patch, apply_merge_patch
from ambroise.interfaces.fhir_rest.negotiation import FHIR_JSON, JSON_PATCH, MERGE_PATCH, media_type, require_json_body
from ambroise.kernel.errors import Kind, Refusal

Json = Any
Patch = Callable[[dict[str, Json]], dict[str, Json]]


def read_patch(content_type: str | None, body: bytes) -> Patch:
    """The patch in the body of a PATCH request: JSON Patch, FHIRPath Patch in a Parameters resource, or merge patch."""
    name = media_type(content_type or "").name
    if name == JSON_PATCH:
        return _json_patch(body)
    if name == MERGE_PATCH:
        return _merge_patch(decode(body))
    try:
        require_json_body(content_type)
    except Refusal:
        text = (
            f"Send a patch as {JSON_PATCH} (RFC 6902), or as {FHIR_JSON} with a Parameters resource (FHIRPath Patch)."
        )
        raise Refusal(Kind.UNSUPPORTED_MEDIA, "UNSUPPORTED_MEDIA_TYPE", text) from None
    sent = decode(body)
    # Plain JSON that is no resource says what changes: some clients (fhirpy) send a merge patch so.
    return _merge_patch(sent) if name != FHIR_JSON and "resourceType" not in sent else patch_of(sent)


def patch_of(resource: dict[str, Json]) -> Patch:
    """The patch carried by an entry of a Bundle: a Parameters (FHIRPath Patch), or a Binary holding a JSON Patch."""
    match resource.get("resourceType"):
        case "Parameters":
            return lambda target: apply_fhirpath_patch(target, resource)
        case "Binary" if media_type(str(resource.get("contentType", ""))).name == JSON_PATCH:
            return _json_patch(_data_of(resource))
        case _:
            text = f"A patch is a Parameters resource (FHIRPath Patch) or a Binary whose contentType is {JSON_PATCH}."
            raise Refusal(Kind.INVALID, "PATCH_MALFORMED", text)


def patched(resource: dict[str, Json], patch: Patch) -> dict[str, Json]:
    """The resource after a patch that did not touch what a patch cannot change: its type and its id."""
    result = patch(resource)
    for name in ("resourceType", "id"):
        if result.get(name) != resource.get(name):
            raise Refusal(
                Kind.UNPROCESSABLE, "PATCH_NOT_APPLICABLE", f"A patch does not change `{name}`.", element=name
            )
    return result


def _merge_patch(sent: dict[str, Json]) -> Patch:
    return lambda target: apply_merge_patch(target, sent)


def _json_patch(body: bytes) -> Patch:
    # The reader of FHIR JSON, which keeps decimals, takes one object: the operations are its only field.
    wrapped = decode(b'{"operations":' + body + b"}")
    if wrapped.keys() != {"operations"}:
        raise Refusal(Kind.INVALID, "JSON_MALFORMED", "The body is not readable JSON.")
    return lambda target: apply_json_patch(target, wrapped["operations"])


def _data_of(binary: dict[str, Json]) -> bytes:
    try:
        return pybase64.b64decode(str(binary.get("data", "")), validate=True)
    except ValueError as error:
        raise Refusal(Kind.INVALID, "BASE64_MALFORMED", "`data` is not base64.", element="Binary.data") from error
