"""Units as people write them: UCUM (The Unified Code for Units of Measure) is made for machines."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ambroise.interfaces.web.ui.i18n import N_, current, gettext

_WHOLE: Mapping[str, str] = {
    "1": "",
    "{score}": "",
    "{ratio}": "",
    "{INR}": "",
    "/d": "",
    "wk": N_("semaines"),
    "mo": N_("mois"),
    "{pack}/a": N_("paquets-années"),
    "{drink}/d": N_("verres par jour"),
    "{cigarette}/d": N_("cigarettes par jour"),
}
_PIECES = (
    (re.compile(r"\[IU\]|\[iU\]"), "UI"),
    (re.compile(r"\[Hg\]"), "Hg"),
    (re.compile(r"\[pH\]"), "pH"),
    (re.compile(r"(?<![A-Za-z])u(?=(?:g|L|l|m|mol|kat|s|UI)(?![a-z]))"), "µ"),
    (re.compile(r"(?<![A-Za-z])Cel(?![A-Za-z])"), "°C"),
    (re.compile(r"(?<=m)2(?!\d)"), "²"),
    (re.compile(r"(?<=m)3(?!\d)"), "³"),
    (re.compile(r"[{}]"), ""),
    # « {1.73_m2} »: an annotation has no spaces of its own.
    (re.compile(r"_"), "\u00a0"),
)
_POWER = re.compile(r"10[*^](-?\d+)")
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def unit(code: str) -> str:
    """The unit in the reader's signs: « 10*9/L » is 10⁹/L, « m[IU]/L » is mUI/L, a mere annotation is nothing."""
    whole = _WHOLE.get(code)
    if whole is not None:
        return gettext(whole) if whole else ""
    written = _POWER.sub(lambda power: "10" + power[1].translate(_RAISED), code)
    for piece, sign in _PIECES:
        written = piece.sub(sign, written)
    return _POINT.sub(",", written) if current().code == "fr" else written
