"""The refusals that a client can meet."""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any

from msgspec import Struct


class Kind(Enum):
    """What sort of refusal this is; each edge maps it to its own status."""

    INVALID = "invalid"
    UNPROCESSABLE = "unprocessable"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    GONE = "gone"
    PRECONDITION_FAILED = "precondition-failed"
    UNSUPPORTED = "unsupported"
    UNSUPPORTED_MEDIA = "unsupported-media"
    TOO_LARGE = "too-large"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"


class Issue(Struct, frozen=True):
    """One finding about a resource or a request: severity and code are FHIR's, expression is a FHIRPath."""

    severity: str
    code: str
    diagnostics: str
    expression: str | None = None
    details_code: str | None = None


_EMPTY: Mapping[str, Any] = MappingProxyType({})


class Refusal(Exception):
    """An answer that says no, why, and what to do about it.

    `code` is stable and in upper snake case; pages translate by it. `diagnostics` is plain English for developers.
    The edge turns a refusal once into its own form: status and OperationOutcome, SOAP fault, page.
    """

    def __init__(
        self,
        kind: Kind,
        code: str,
        diagnostics: str = "",
        *,
        element: str | None = None,
        data: Mapping[str, Any] = _EMPTY,
        issues: Sequence[Issue] = (),
    ) -> None:
        super().__init__(kind, code, diagnostics)
        self.kind = kind
        self.code = code
        self.diagnostics = diagnostics
        self.element = element
        self.data = data
        self.issues = tuple(issues)

    def __str__(self) -> str:
        return f"{self.code}: {self.diagnostics}" if self.diagnostics else self.code
