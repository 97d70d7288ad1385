"""What the scopes of a token leave (SMART App Launch 2): asked before the door, which never opens wider for them."""

from __future__ import annotations

from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context
from ambroise.trust.limits import ANY


def require(ctx: Context, letter: str, type_: str | None) -> None:
    """Refuse an act (c, r, u, d, s) on a type, or on every type, that the token does not carry. SCOPE_INSUFFICIENT."""
    if ctx.limits is None or ctx.limits.allows(letter, type_ or ANY):
        return
    wanted = f"{type_ or ANY}.{letter}"
    text = f"The token has no scope for this: ask for `patient/{wanted}` or `user/{wanted}`."
    raise Refusal(Kind.FORBIDDEN, "SCOPE_INSUFFICIENT", text)
