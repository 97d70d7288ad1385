"""The face of consents: those that are asked for from afar, those that a professional records."""

from __future__ import annotations

from ambroise.modules.consent.collecting import Collected, Collecting, Matter
from ambroise.modules.consent.model import Limits, Request, State, limits
from ambroise.modules.consent.recording import Consents
from ambroise.modules.consent.repository import erase
from ambroise.modules.consent.service import Requests

__all__ = [
    "Collected",
    "Collecting",
    "Consents",
    "Limits",
    "Matter",
    "Request",
    "Requests",
    "State",
    "erase",
    "limits",
]
