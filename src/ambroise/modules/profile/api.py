"""The face of the medical profile."""

from __future__ import annotations

from ambroise.modules.profile import codes
from ambroise.modules.profile.limits import CHOICES
from ambroise.modules.profile.measures import Figure, Measure, measure_of, measures
from ambroise.modules.profile.model import DECLARABLE, EXPECTED, Code, Draft, Item, Origin, Part, Section, Sheet
from ambroise.modules.profile.service import Profile
from ambroise.modules.profile.summary import summary

__all__ = [
    "CHOICES",
    "DECLARABLE",
    "EXPECTED",
    "Code",
    "Draft",
    "Figure",
    "Item",
    "Measure",
    "Origin",
    "Part",
    "Profile",
    "Section",
    "Sheet",
    "codes",
    "measure_of",
    "measures",
    "summary",
]
