"""The Prefer header (RFC 7240) as FHIR uses it."""

from typing import Final, Literal

from msgspec import Struct

ReturnForm = Literal["minimal", "representation", "OperationOutcome"]


class Preferences(Struct, frozen=True):
    """What the client would like back, and how strict we should be with what we do not understand."""

    form: ReturnForm | None = None
    """What was asked for: nothing said means the representation for one resource, and no resources for a Bundle."""
    lenient: bool = False


_NONE: Final = Preferences()
_FORMS: Final[dict[str, ReturnForm]] = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


def preferences(header: str | None) -> Preferences:
    """What a Prefer header says; an unknown preference is passed over, as the RFC asks."""
    if not header:
        return _NONE
    form: ReturnForm | None = None
    lenient = False
    for part in header[:1024].replace(";", ",").split(","):
        name, _, value = part.partition("=")
        wanted = value.strip().strip('"').lower()
        match name.strip().lower():
            case "return":
                form = _FORMS.get(wanted) or form
            case "handling":
                lenient = wanted == "lenient"
            case _:
                pass
    return Preferences(form, lenient)
