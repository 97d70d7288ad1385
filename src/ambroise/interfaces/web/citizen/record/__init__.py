"""The citizen's pages on the real record: every question and every act goes through the door."""

from __future__ import annotations

from ambroise.interfaces.web.citizen.record.audience import Audiences
from ambroise.interfaces.web.citizen.record.folders import Ordering
from ambroise.interfaces.web.citizen.record.history import Histories
from ambroise.interfaces.web.citizen.record.home import Homes
from ambroise.interfaces.web.citizen.record.keeping import Keeping

__all__ = ["CitizenRecord"]


class CitizenRecord(Homes, Ordering, Audiences, Keeping, Histories):
    """Answers the citizen's pages."""
