"""What an interaction did, before anybody says it in HTTP or in a Bundle."""

from dataclasses import dataclass

from ambroise.trust.gateway import Stored


@dataclass(frozen=True)
class Done:
    """The HTTP status that it deserves, and the version it concerns."""

    status: int
    stored: Stored | None = None
    place: str | None = None
    """`Type/id` of what was written, where its version is not at hand."""
