"""The face of the medical profile."""

from __future__ import annotations

from ambroise.modules.profile import boxes, codes, growth, links
from ambroise.modules.profile.emergency import OFFERED, EmergencyCode, EmergencyCodes, Opened, forget_purged
from ambroise.modules.profile.limits import CHOICES
from ambroise.modules.profile.measures import Figure, Measure, measure_of, measures
from ambroise.modules.profile.model import DECLARABLE, EXPECTED, Code, Draft, Item, Origin, Part, Section, Sheet
from ambroise.modules.profile.orders import Often, Order
from ambroise.modules.profile.service import CHANGED, Profile
from ambroise.modules.profile.summary import summary
from ambroise.modules.profile.writing import KINSHIP

__all__ = [
    "CHANGED",
    "CHOICES",
    "DECLARABLE",
    "EXPECTED",
    "KINSHIP",
    "OFFERED",
    "Code",
    "Draft",
    "EmergencyCode",
    "EmergencyCodes",
    "Figure",
    "Item",
    "Measure",
    "Often",
    "Opened",
    "Order",
    "Origin",
    "Part",
    "Profile",
    "Section",
    "Sheet",
    "boxes",
    "codes",
    "forget_purged",
    "growth",
    "links",
    "measure_of",
    "measures",
    "summary",
]
