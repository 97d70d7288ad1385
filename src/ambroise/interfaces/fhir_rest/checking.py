"""The check that every resource passes on its way in, before any use case sees it."""

from typing import Any

from msgspec.structs import replace

from ambroise.fhir.validation import validate
from ambroise.kernel.errors import Issue, Kind, Refusal


def require_valid(resource: dict[str, Any], at: str | None = None) -> None:
    """Refuse a resource that R4 itself does not allow, with every finding.

    `at` is the place of the resource in a Bundle, such as `Bundle.entry[2].resource`: the findings then say it.
    """
    errors = [issue for issue in validate(resource) if issue.severity in ("error", "fatal")]
    if not errors:
        return
    if at is not None:
        errors = [_placed(issue, at) for issue in errors]
    first = errors[0]
    raise Refusal(Kind.INVALID, "RESOURCE_INVALID", first.diagnostics, element=first.expression, issues=errors)


def placed(expression: str | None, at: str) -> str:
    """`Patient.gender` of the resource at `Bundle.entry[2].resource` is `Bundle.entry[2].resource.gender`."""
    _, dot, rest = (expression or "").partition(".")
    return at + dot + rest


def _placed(issue: Issue, at: str) -> Issue:
    return replace(issue, diagnostics=f"{at}: {issue.diagnostics}", expression=placed(issue.expression, at))
