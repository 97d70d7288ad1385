"""The face of who helps whom: representatives, carers, guardians, mediators."""

from __future__ import annotations

from ambroise.modules.relations.handlers import Handlers
from ambroise.modules.relations.mediation import HelpCode, Mediation
from ambroise.modules.relations.model import Answer, Invitation, Known, Mediator, is_minor, limits, majority
from ambroise.modules.relations.service import Relations

__all__ = [
    "Answer",
    "Handlers",
    "HelpCode",
    "Invitation",
    "Known",
    "Mediation",
    "Mediator",
    "Relations",
    "is_minor",
    "limits",
    "majority",
]
