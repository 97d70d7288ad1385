"""The face of prevention: the rules, what they say for one person at a date, and what that person says of it."""

from __future__ import annotations

from ambroise.modules.prevention.engine import path
from ambroise.modules.prevention.jobs import Handlers, remind
from ambroise.modules.prevention.model import (
    Act,
    Declined,
    Given,
    History,
    Item,
    Kind,
    Person,
    Rule,
    Source,
    State,
    Words,
)
from ambroise.modules.prevention.service import Calendar, Prevention, Waiting, day_of
from ambroise.modules.prevention.shipped import antigens, shipped

__all__ = [
    "Act",
    "Calendar",
    "Declined",
    "Given",
    "Handlers",
    "History",
    "Item",
    "Kind",
    "Person",
    "Prevention",
    "Rule",
    "Source",
    "State",
    "Waiting",
    "Words",
    "antigens",
    "day_of",
    "path",
    "remind",
    "shipped",
]
