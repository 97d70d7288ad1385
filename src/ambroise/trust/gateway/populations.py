"""What the instance does to many spaces at once: people enter, spaces open. Each is traced by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.trust.access import spaces
from ambroise.trust.access.decide import Action, refusal
from ambroise.trust.access.facts import Eyes, SpaceState
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import Entry, Event, Line, record_lines
from ambroise.trust.context import Context

if TYPE_CHECKING:
    from ambroise.trust.gateway.core import Core


class Populations:
    """For the instance's own jobs only: nobody else may act on everybody."""

    def __init__(self, door: Core) -> None:
        self._door = door

    async def enter(
        self,
        tx: Transaction,
        ctx: Context,
        patients: Sequence[UUID],
        state: SpaceState,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Give spaces in this state to people who never had one."""
        self._refuse_others(ctx)
        await spaces.enter_many(tx, ctx, patients, state)
        await self._traced(tx, ctx, patients, Event.SPACE_STATE, {"state": state.value, **(details or {})})

    async def move(
        self,
        tx: Transaction,
        ctx: Context,
        patients: Sequence[UUID],
        state: SpaceState,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Move spaces that the caller has locked to another state."""
        self._refuse_others(ctx)
        await spaces.move_many(tx, ctx, patients, state)
        self._door.forget_facts(tx)
        event = Event.SPACE_OPENED if state is SpaceState.OPEN_INACTIVE else Event.SPACE_STATE
        await self._traced(tx, ctx, patients, event, {"state": state.value, **(details or {})})

    async def _traced(
        self, tx: Transaction, ctx: Context, patients: Sequence[UUID], event: Event, details: Mapping[str, Any]
    ) -> None:
        rule = Rule.SYSTEM.value
        entries = (Entry("U", event, patient, "Patient", patient, rule=rule, details=details) for patient in patients)
        await record_lines(tx, [Line.of(ctx, entry) for entry in entries])

    def _refuse_others(self, ctx: Context) -> None:
        eyes = Eyes.of(ctx)
        if not eyes.trusted:
            raise refusal(Action.CREATE, "Patient", Rule.WRITE_RESERVED)
