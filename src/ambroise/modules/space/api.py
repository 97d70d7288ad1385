"""The face of the life of spaces: notice, objection, opening, activation, closing, archive, deletion, death."""

from __future__ import annotations

from ambroise.modules.space.jobs import end_delays
from ambroise.modules.space.model import Channel, Life, Reason, Step, Suspicion
from ambroise.modules.space.service import TERMS, Spaces

__all__ = ["TERMS", "Channel", "Life", "Reason", "Spaces", "Step", "Suspicion", "end_delays"]
