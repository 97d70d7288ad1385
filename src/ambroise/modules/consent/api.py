"""The face of requests for consent."""

from __future__ import annotations

from ambroise.modules.consent.model import Limits, Request, State, limits
from ambroise.modules.consent.repository import erase
from ambroise.modules.consent.service import Requests

__all__ = ["Limits", "Request", "Requests", "State", "erase", "limits"]
