"""What an interaction did, before anybody says it in HTTP or in a Bundle."""

from msgspec import Struct

from ambroise.trust.gateway import Stored


class Done(Struct, frozen=True):
    """The HTTP status that it deserves, and the version it concerns."""

    status: int
    stored: Stored | None = None
    place: str | None = None
    """`Type/id` of what was written, where its version is not at hand."""
