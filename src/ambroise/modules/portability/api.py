"""The face of portability: copies of a whole record."""

from __future__ import annotations

from ambroise.modules.portability.model import Export, Listed, Scribe, State, Summary
from ambroise.modules.portability.service import GOES_ON, Exports, Taken

__all__ = ["GOES_ON", "Export", "Exports", "Listed", "Scribe", "State", "Summary", "Taken"]
