"""The facts about who helps whom, told by the outbox."""

from __future__ import annotations

from typing import Final

INVITED: Final = "relations.invited"
ANSWERED: Final = "relations.answered"
ENDED: Final = "relations.ended"
MAJORITY: Final = "relations.majority"
"""Due on somebody's eighteenth birthday."""
