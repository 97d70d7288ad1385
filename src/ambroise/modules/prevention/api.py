"""The face of prevention: the rules, what they say for one person at a date, and what that person says of it."""

from __future__ import annotations

from ambroise.modules.prevention.advice import Advice
from ambroise.modules.prevention.advice import chosen as chosen_advice
from ambroise.modules.prevention.advice import library as advice_library
from ambroise.modules.prevention.checkups import BANDS, Checkups, Filled, Question
from ambroise.modules.prevention.checkups import kept as kept_answers
from ambroise.modules.prevention.checkups import questions as checkup_questions
from ambroise.modules.prevention.desk import DUTY, Gesture, RuleDesk, Touched, differences
from ambroise.modules.prevention.engine import path
from ambroise.modules.prevention.engine.pregnancy import TERM_WEEKS
from ambroise.modules.prevention.follow_ups import FollowUp, FollowUps, Standing
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
    plain,
    read_rule,
)
from ambroise.modules.prevention.plans import Plan, PlanLine, Plans, checkup_of, document_of
from ambroise.modules.prevention.repository import Draft, Version
from ambroise.modules.prevention.service import Calendar, Prevention, Waiting, day_of
from ambroise.modules.prevention.shipped import antigens, shipped
from ambroise.modules.prevention.spans import Span

__all__ = [
    "BANDS",
    "DUTY",
    "TERM_WEEKS",
    "Act",
    "Advice",
    "Calendar",
    "Checkups",
    "Declined",
    "Draft",
    "Filled",
    "FollowUp",
    "FollowUps",
    "Gesture",
    "Given",
    "Handlers",
    "History",
    "Item",
    "Kind",
    "Person",
    "Plan",
    "PlanLine",
    "Plans",
    "Prevention",
    "Question",
    "Rule",
    "RuleDesk",
    "Source",
    "Span",
    "Standing",
    "State",
    "Touched",
    "Version",
    "Waiting",
    "Words",
    "advice_library",
    "antigens",
    "checkup_of",
    "checkup_questions",
    "chosen_advice",
    "day_of",
    "differences",
    "document_of",
    "kept_answers",
    "path",
    "plain",
    "read_rule",
    "remind",
    "shipped",
]
