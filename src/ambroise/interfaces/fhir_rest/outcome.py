"""Refusals as HTTP answers: one status for each kind, and the OperationOutcome that says why and what to do."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ambroise.fhir.json import encode
from ambroise.kernel.errors import Issue, Kind, Refusal

REFUSAL_SYSTEM: Final = "https://ambroise.example/fhir/CodeSystem/refusal"

_STATUS: Final[Mapping[Kind, int]] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.UNSUPPORTED: 405,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.PRECONDITION_FAILED: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED_MEDIA: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.THROTTLED: 429,
    Kind.UNAVAILABLE: 503,
}
_ISSUE_TYPE: Final[Mapping[Kind, str]] = {
    Kind.INVALID: "invalid",
    Kind.UNAUTHENTICATED: "login",
    Kind.FORBIDDEN: "forbidden",
    Kind.NOT_FOUND: "not-found",
    Kind.UNSUPPORTED: "not-supported",
    Kind.CONFLICT: "conflict",
    Kind.GONE: "deleted",
    Kind.PRECONDITION_FAILED: "conflict",
    Kind.TOO_LARGE: "too-long",
    Kind.UNSUPPORTED_MEDIA: "not-supported",
    Kind.UNPROCESSABLE: "processing",
    Kind.THROTTLED: "throttled",
    Kind.UNAVAILABLE: "transient",
}
NOT_ACCEPTABLE: Final = "NOT_ACCEPTABLE"
MULTIPLE_MATCHES: Final = "MULTIPLE_MATCHES"
_STATUS_OF_CODE: Final[Mapping[str, int]] = {NOT_ACCEPTABLE: 406}
"""HTTP has one distinction that the kinds have not: a form we cannot send (406) and one we cannot read (415)."""
_ISSUE_TYPE_OF_CODE: Final[Mapping[str, str]] = {MULTIPLE_MATCHES: "multiple-matches"}


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return _STATUS_OF_CODE.get(refusal.code) or _STATUS[refusal.kind]


def outcome_of(refusal: Refusal) -> dict[str, Any]:
    """The OperationOutcome of a refusal; every issue carries a code of ours in `details.coding`."""
    kind = _ISSUE_TYPE_OF_CODE.get(refusal.code) or _ISSUE_TYPE[refusal.kind]
    issues = refusal.issues or (Issue("error", kind, refusal.diagnostics, refusal.element, refusal.code),)
    return outcome(issues, refusal.code)


def outcome(issues: Iterable[Issue], default_code: str | None = None) -> dict[str, Any]:
    """An OperationOutcome with these issues, in this order."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(issue, default_code) for issue in issues]}


def _issue(issue: Issue, default_code: str | None) -> dict[str, Any]:
    rendered: dict[str, Any] = {"severity": issue.severity, "code": issue.code}
    if code := issue.details_code or default_code:
        rendered["details"] = {"coding": [{"system": REFUSAL_SYSTEM, "code": code}]}
    if issue.diagnostics:
        rendered["diagnostics"] = issue.diagnostics
    if issue.expression:
        rendered["expression"] = [issue.expression]
    return rendered


def information(text: str, code: str = "informational") -> dict[str, Any]:
    """An OperationOutcome that reports success in one sentence."""
    return outcome([Issue("information", code, text)])


def headers_of(refusal: Refusal) -> dict[str, str]:
    """The headers that a refusal calls for: how to sign in, what is allowed, when to come back."""
    match refusal.kind:
        case Kind.UNAUTHENTICATED:
            return {"www-authenticate": _challenge(refusal)}
        case Kind.UNSUPPORTED:
            return {"allow": str(refusal.data.get("allow", "GET, HEAD"))}
        case Kind.THROTTLED | Kind.UNAVAILABLE:
            return {"retry-after": str(int(refusal.data.get("retry_after", 1)))}
        case _:
            return {}


def _challenge(refusal: Refusal) -> str:
    # RFC 6750 §3.1: no error code when the request carried no token at all.
    if refusal.code == "TOKEN_MISSING":
        return 'Bearer realm="ambroise"'
    plain = refusal.diagnostics.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "/")
    return f'Bearer realm="ambroise", error="invalid_token", error_description="{plain}"'


def outcome_bytes(refusal: Refusal) -> bytes:
    return encode(outcome_of(refusal))
