"""The face of portability: copies of a whole record, and what is brought from elsewhere."""

from __future__ import annotations

from ambroise.modules.portability.model import Export, Listed, Names, Scribe, State, Summary
from ambroise.modules.portability.service import GOES_ON, Exports, Taken
from ambroise.modules.portability.taking_in.model import Brought, Import, Item, Paper, Problem, Section
from ambroise.modules.portability.taking_in.model import Sort as ImportSort
from ambroise.modules.portability.taking_in.model import State as ImportState
from ambroise.modules.portability.taking_in.service import TAKES_ON, Imports

__all__ = [
    "GOES_ON",
    "TAKES_ON",
    "Brought",
    "Export",
    "Exports",
    "Import",
    "ImportSort",
    "ImportState",
    "Imports",
    "Item",
    "Listed",
    "Names",
    "Paper",
    "Problem",
    "Scribe",
    "Section",
    "State",
    "Summary",
    "Taken",
]
