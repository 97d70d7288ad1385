"""The face of prevention: the rules, and what they say for one person at a date."""

from __future__ import annotations

from ambroise.modules.prevention.engine import path
from ambroise.modules.prevention.model import Act, Declined, Given, History, Item, Kind, Person, Rule, Source, State
from ambroise.modules.prevention.shipped import antigens, shipped

__all__ = [
    "Act",
    "Declined",
    "Given",
    "History",
    "Item",
    "Kind",
    "Person",
    "Rule",
    "Source",
    "State",
    "antigens",
    "path",
    "shipped",
]
