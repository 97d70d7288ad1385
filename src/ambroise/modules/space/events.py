"""The facts that the life of a space tells others, by the outbox: one for each step, `space.<step>`."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "space."


def event_of(step: str) -> str:
    """The name of the event of a step."""
    return f"{PREFIX}{step}"
