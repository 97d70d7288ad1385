"""The facts that the life of a space tells others, by the outbox: `space.<step>` when somebody takes a step."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "space."
OPENED_MANY: Final = "space.opened_many"
"""A batch of spaces opened by themselves; `patients` names them."""


def event_of(step: str) -> str:
    """The name of the event of a step."""
    return f"{PREFIX}{step}"
