"""Secret codes of cards: which are accepted. Pure."""

from __future__ import annotations

from datetime import date

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.vitale.model import limits

_RUN = "01234567890123456789"


def check_code(code: str, birth: date | None) -> None:
    """Refuse a code that is no code (VITALE_CODE_FORM), or that anybody would try first (VITALE_CODE_WEAK)."""
    if not (limits().shortest <= len(code) <= limits().longest and code.isascii() and code.isdigit()):
        raise Refusal(
            Kind.UNPROCESSABLE,
            "VITALE_CODE_FORM",
            f"The secret code has {limits().shortest} to {limits().longest} digits.",
            element="code",
        )
    if len(set(code)) == 1 or code in _RUN or code in _RUN[::-1] or _is_birthday(code, birth):
        raise Refusal(
            Kind.UNPROCESSABLE, "VITALE_CODE_WEAK", "This code is among the first to be tried.", element="code"
        )


def _is_birthday(code: str, birth: date | None) -> bool:
    if birth is None:
        return False
    forms = ("%Y", "%d%m", "%m%d", "%d%m%y", "%y%m%d", "%d%m%Y", "%Y%m%d", "%m%Y")
    return code in {birth.strftime(form) for form in forms}
