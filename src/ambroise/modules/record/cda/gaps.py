"""Collect what a header lacks, so that one refusal names it all."""

from typing import TypeVar

from msgspec import Struct, field

from ambroise.kernel.errors import Issue, Kind, Refusal

T = TypeVar("T")


class Gaps(Struct):
    """The header elements that are missing or unreadable."""

    issues: list[Issue] = field(default_factory=list[Issue])

    def need(self, value: T | None, path: str, instead: T) -> T:
        """Note `path` when there is no value, and go on with `instead`, which nobody will see."""
        if value:
            return value
        self.missing(path)
        return instead

    def missing(self, path: str, what: str = "is missing or unreadable") -> None:
        """Note a gap at a path below ClinicalDocument."""
        self.issues.append(Issue("error", "required", f"{path} {what}", f"ClinicalDocument/{path}"))

    def refuse(self) -> None:
        """Raise Refusal CDA_HEADER_INVALID if anything was noted."""
        if self.issues:
            raise Refusal(
                Kind.UNPROCESSABLE,
                "CDA_HEADER_INVALID",
                "; ".join(issue.diagnostics for issue in self.issues) + ": complete the header and send it again",
                element=self.issues[0].expression,
                issues=self.issues,
            )
