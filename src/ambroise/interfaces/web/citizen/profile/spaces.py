"""Whose profile a page is about."""

from __future__ import annotations

from uuid import UUID

from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context


def space_of(ctx: Context) -> UUID:
    """The space that a citizen looks at."""
    if ctx.space is None:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return ctx.space
