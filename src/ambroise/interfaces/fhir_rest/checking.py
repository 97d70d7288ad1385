"""The check that every resource passes on its way in, before any use case sees it."""

from typing import Any

from ambroise.fhir.validation import validate
from ambroise.kernel.errors import Kind, Refusal


def require_valid(resource: dict[str, Any], at: str | None = None) -> None:
    """Refuse a resource that R4 itself does not allow, with every finding; `at` says where it stands in a Bundle."""
    errors = [issue for issue in validate(resource) if issue.severity in ("error", "fatal")]
    if not errors:
        return
    first = errors[0]
    where = f"{at}: " if at else ""
    raise Refusal(
        Kind.INVALID,
        "RESOURCE_INVALID",
        f"{where}{first.diagnostics}",
        element=first.expression,
        issues=errors,
    )
