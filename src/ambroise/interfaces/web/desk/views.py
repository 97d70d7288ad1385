"""What the desk's pages show, and the service that they ask for it. Never any health content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from msgspec import Struct, field

from ambroise.trust.context import Context

ReportKind = Literal["misfiled_document", "unrecognised_access", "duplicate_identity", "changed_ins", "wrong_traits"]
State = Literal["open", "taken", "closed"]


class ReportRow(Struct, frozen=True):
    """One report in a queue."""

    id: UUID
    patient: UUID
    kind: ReportKind
    state: State
    subject: str
    reported_at: datetime
    reported_by: str
    taken_by: str | None = None
    mine: bool = False


class ReportPage(Struct, frozen=True):
    """One report, open: facts for the desk. `access` tells who, when and under which rule, never what was read."""

    row: ReportRow
    words: str = ""
    facts: Sequence[tuple[str, str]] = ()
    outcome: str | None = None
    outcome_note: str | None = None
    closed_at: datetime | None = None
    proposed: str = ""
    """What the report proposes for its end: the other space, or the new matricule."""


class QueueFilter(Struct, frozen=True):
    kind: str = ""
    state: str = "open"
    mine: bool = False
    cursor: str = ""


class Queue(Struct, frozen=True):
    rows: Sequence[ReportRow]
    older: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many wait, by kind, and under `mine`, `open`, `late`."""
    closed_by_week: Sequence[tuple[date, int]] = ()


class DeskService(Protocol):
    """What the desk's pages ask for. Every method passes the one door, and may raise a Refusal."""

    async def queue(self, ctx: Context, wanted: QueueFilter) -> Queue: ...

    async def report(self, ctx: Context, patient: UUID, id: UUID) -> ReportPage: ...

    async def take(self, ctx: Context, patient: UUID, id: UUID) -> None: ...

    async def close(self, ctx: Context, patient: UUID, id: UUID, outcome: str, note: str, other: str = "") -> None:
        """End a report; `other`: what the outcome needs besides (the space to merge into, the new INS)."""
        ...
