"""Which forms we read and write: FHIR JSON, and nothing that claims to be it."""

from typing import Final

from msgspec import Struct

from ambroise.interfaces.fhir_rest.outcome import NOT_ACCEPTABLE
from ambroise.kernel.errors import Kind, Refusal

FHIR_JSON: Final = "application/fhir+json"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
FORM: Final = "application/x-www-form-urlencoded"
_JSON_NAMES: Final = frozenset({FHIR_JSON, "application/json", "application/json+fhir", "text/json", "json"})
_XML_NAMES: Final = frozenset({"application/fhir+xml", "application/xml", "application/xml+fhir", "text/xml", "xml"})
_R4: Final = frozenset({"4.0", "4.0.1"})
_MAX_HEADER: Final = 4096


class MediaType(Struct, frozen=True):
    """A media type of a header, in lower case, with its parameters."""

    name: str
    parameters: dict[str, str]

    @property
    def quality(self) -> float:
        try:
            return float(self.parameters.get("q", "1"))
        except ValueError:
            return 0.0


def media_type(text: str) -> MediaType:
    """`application/fhir+json; fhirVersion=4.0` → its name and parameters."""
    name, *rest = text[:_MAX_HEADER].split(";")
    parameters: dict[str, str] = {}
    for part in rest:
        key, _, value = part.partition("=")
        parameters[key.strip().lower()] = value.strip().strip('"')
    return MediaType(name.strip().lower(), parameters)


def accepted(accept: str | None) -> list[MediaType]:
    """The media types of an Accept header, the preferred first."""
    if not accept:
        return [MediaType("*/*", {})]
    listed = [media_type(part) for part in accept[:_MAX_HEADER].split(",") if part.strip()]
    return sorted((each for each in listed if each.quality > 0), key=lambda each: -each.quality)


def is_json(name: str) -> bool:
    """Whether a media type or a value of `_format` means FHIR JSON."""
    return media_type(name).name in _JSON_NAMES


def require_json_answer(accept: str | None, format_parameter: str | None) -> None:
    """Refuse a request that wants its answer in a form we do not write. `_format` wins over Accept."""
    if format_parameter is not None:
        # An unescaped plus sign in a query means a space: `_format=application/fhir+json` is meant as written.
        wanted = media_type(format_parameter.replace(" ", "+"))
        if wanted.name not in _JSON_NAMES:
            raise _not_acceptable(wanted.name)
        _require_r4(wanted)
        return
    if accept is None or accept == "*/*" or accept == FHIR_JSON:
        return
    for wanted in accepted(accept):
        if wanted.name in _JSON_NAMES or wanted.name in ("*/*", "application/*", "text/*"):
            _require_r4(wanted)
            return
    raise _not_acceptable(accept)


def require_json_body(content_type: str | None) -> None:
    """Refuse a body that does not say it is FHIR JSON."""
    if content_type == FHIR_JSON:
        return
    sent = media_type(content_type or "")
    if sent.name not in _JSON_NAMES - {"json"}:
        raise unsupported_body(content_type)
    charset = sent.parameters.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8"):
        raise unsupported_body(content_type)
    _require_r4(sent, Kind.UNSUPPORTED_MEDIA)


def unsupported_body(content_type: str | None) -> Refusal:
    """415, with what to send instead."""
    sent = media_type(content_type or "").name
    if sent in _XML_NAMES:
        text = f"XML is not read here; send the same resource as JSON with Content-Type: {FHIR_JSON}."
    else:
        named = f"`{sent}` is not read here" if sent else "The request does not say what its body is"
        text = f"{named}; send Content-Type: {FHIR_JSON}."
    return Refusal(Kind.UNSUPPORTED_MEDIA, "UNSUPPORTED_MEDIA_TYPE", text)


def _not_acceptable(wanted: str) -> Refusal:
    if "xml" in wanted:
        text = f"XML is not written here; ask for {FHIR_JSON} in Accept or with _format=json."
    else:
        text = f"`{wanted}` is not a form we write; ask for {FHIR_JSON} in Accept or with _format=json."
    return Refusal(Kind.UNSUPPORTED_MEDIA, NOT_ACCEPTABLE, text)


def _require_r4(media: MediaType, kind: Kind | None = None) -> None:
    version = media.parameters.get("fhirversion", "4.0")
    if version not in _R4:
        code = "UNSUPPORTED_MEDIA_TYPE" if kind else NOT_ACCEPTABLE
        raise Refusal(Kind.UNSUPPORTED_MEDIA, code, f"fhirVersion={version} is not spoken here; 4.0 is.")
