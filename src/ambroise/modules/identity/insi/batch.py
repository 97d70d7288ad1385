"""Verifying several identities at once: each line is one call, counted and traced, with its own result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.ins import Ins
from ambroise.modules.identity.insi.failures import MALFORMED, TOO_LARGE
from ambroise.modules.identity.insi.lexical import normal_query
from ambroise.modules.identity.insi.model import Answer, TraitsQuery
from ambroise.modules.identity.insi.service import Insi, limits
from ambroise.trust.context import Context


class Claim(Struct, frozen=True):
    """One line: an INS and the traits it is said to be of, names as people write them."""

    ins: Ins
    query: TraitsQuery


Verified: TypeAlias = Answer | Refusal
"""What came of one line: the answer of the service, or the failure of this line alone."""


async def verify_many(insi: Insi, ctx: Context, claims: Sequence[Claim]) -> list[Verified]:
    """The result of each line, in order. Refuses no line at all (INSI_MALFORMED) and too many (INSI_TOO_LARGE).

    A line that fails stops no other one; those beyond the limits of the caller say INSI_THROTTLED, to be sent again.
    """
    if not claims:
        MALFORMED.raised()
    if len(claims) > (most := limits()["per_batch"]):
        TOO_LARGE.raised(most=most)
    return [await _one(insi, ctx, claim) for claim in claims]


async def _one(insi: Insi, ctx: Context, claim: Claim) -> Verified:
    try:
        return await insi.verify(ctx, claim.ins, normal_query(claim.query))
    except Refusal as refusal:
        if refusal.kind is Kind.FORBIDDEN:
            # It is the caller who is refused, whatever the line.
            raise
        return refusal
