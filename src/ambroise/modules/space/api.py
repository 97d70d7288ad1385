"""The face of the life of spaces: notice, objection, opening, activation, closing, archive, deletion, death."""

from __future__ import annotations

from ambroise.modules.space import repository as lives
from ambroise.modules.space.events import event_of
from ambroise.modules.space.jobs import end_delays
from ambroise.modules.space.model import Channel, Delay, Life, Reason, Step, Suspicion, delays, deletion_limit
from ambroise.modules.space.population import repository as populations
from ambroise.modules.space.population.loading import Handlers, Populations
from ambroise.modules.space.population.model import Population, Refused
from ambroise.modules.space.population.model import table as population_format
from ambroise.modules.space.service import TERMS, Spaces
from ambroise.modules.space.telling.printing import PRINTING_ASKED, Notice, Printings
from ambroise.modules.space.telling.repository import Printing
from ambroise.modules.space.telling.service import Notices, Telling

PURGED = event_of(Step.PURGE.value)
"""The event of a space whose data were destroyed."""

__all__ = [
    "PRINTING_ASKED",
    "PURGED",
    "TERMS",
    "Channel",
    "Delay",
    "Handlers",
    "Life",
    "Notice",
    "Notices",
    "Population",
    "Populations",
    "Printing",
    "Printings",
    "Reason",
    "Refused",
    "Spaces",
    "Step",
    "Suspicion",
    "Telling",
    "delays",
    "deletion_limit",
    "end_delays",
    "lives",
    "population_format",
    "populations",
]
