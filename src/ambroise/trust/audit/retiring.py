"""The end of the trace: by the owner of the tables, who alone may remove from it, and only whole seals."""

from __future__ import annotations

from datetime import datetime

import psycopg
from msgspec import Struct


class Retired(Struct, frozen=True):
    """What left the trace, or would."""

    seals: int
    lines: int


def retire(owner_dsn: str, before: datetime, *, remove: bool) -> Retired:
    """Retire the seals older than an instant that concern nobody any more; `remove` false: only count them."""
    with psycopg.connect(owner_dsn) as owner:
        row = owner.execute("select seals, lines from trace_retire_ended(%s, %s)", (before, remove)).fetchone()
    assert row is not None  # noqa: S101 - the function always answers.
    return Retired(*row)
