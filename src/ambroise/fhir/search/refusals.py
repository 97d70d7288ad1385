"""How a search is refused: the parameter is named, and the nearest one that would work."""

from collections.abc import Iterable
from difflib import get_close_matches

from ambroise.kernel.errors import Kind, Refusal


def unknown_parameter(type: str, name: str, known: Iterable[str]) -> Refusal:
    """`name` is no search parameter of `type`."""
    return _refusal(
        "SEARCH_PARAMETER_UNKNOWN", name, f"{type} has no search parameter '{name}'{_hint(name, known)}", name, known
    )


def unsupported_parameter(type: str, name: str, why: str) -> Refusal:
    """The parameter exists but cannot be searched by here."""
    return Refusal(
        Kind.INVALID, "SEARCH_PARAMETER_UNSUPPORTED", f"'{name}' of {type} is not supported: {why}.", element=name
    )


def unsupported_modifier(name: str, modifier: str, known: Iterable[str]) -> Refusal:
    """The modifier does not go with the parameter."""
    allowed = sorted(known)
    able = f"it takes {', '.join(':' + word for word in allowed)}" if allowed else "it takes none"
    text = f"'{name}' does not take the modifier ':{modifier}'{_hint(modifier, allowed)} ({able})."
    return _refusal("SEARCH_MODIFIER_UNSUPPORTED", name, text, modifier, allowed)


def unreadable(name: str, value: str, wanted: str, known: Iterable[str] = ()) -> Refusal:
    """The value does not have the form that the parameter takes."""
    text = f"'{value}' is not a value of '{name}'{_hint(value, known)} Give {wanted}."
    return _refusal("SEARCH_VALUE_INVALID", name, text, value, known)


def _refusal(code: str, name: str, text: str, wrong: str, known: Iterable[str]) -> Refusal:
    near = nearest(wrong, known)
    return Refusal(Kind.INVALID, code, text, element=name, data={"nearest": near} if near else {})


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The known word that is most like the wrong one, if one is."""
    folded = {word.lower(): word for word in known}
    found = get_close_matches(wrong.lower(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _hint(wrong: str, known: Iterable[str]) -> str:
    near = nearest(wrong, known)
    return f"; did you mean '{near}'?" if near else "."
