"""What the instance does to many spaces at once: people enter, spaces open. Each is traced by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from ambroise.fhir.store.bulk import Draft, bulk_insert
from ambroise.fhir.store.types import Label
from ambroise.kernel.db import Transaction
from ambroise.trust.access import spaces
from ambroise.trust.access.decide import Action, Target, judge, permit, refusal
from ambroise.trust.access.facts import Eyes, Facts, SpaceState
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import Entry, Event, record_alike
from ambroise.trust.context import Context
from ambroise.trust.gateway.labels import label_for

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
        people: Sequence[tuple[UUID, dict[str, Any]]],
        state: SpaceState,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Give spaces in this state, and their Patient, to people who never had one."""
        self._refuse_others(ctx)
        patients = [key for key, _ in people]
        await spaces.enter_many(tx, ctx, patients, state)
        await self._traced(tx, ctx, patients, Event.SPACE_STATE, {"state": state.value, **(details or {})})
        # Nothing but the state is known of any of them, and all are of one kind: what is judged of one holds for all.
        target = Target("Patient", label_for("Patient", people[0][1], patient=patients[0]))
        verdict = judge(Facts(state=state), Eyes.of(ctx), Action.CREATE, target)
        allowed = permit(Action.CREATE, Target("Patient", Label()), verdict)
        drafts = (Draft(resource, msgspec.structs.replace(target.label, patient=key), key) for key, resource in people)
        await bulk_insert(tx, allowed, drafts, now=ctx.now())
        loaded = Entry("C", Event.LOADED, None, "Patient", None, target.label.kind, 1, rule=verdict.rule.value)
        await record_alike(tx, ctx, loaded, patients)

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
        entry = Entry("U", event, None, "Patient", rule=Rule.SYSTEM.value, details=details)
        await record_alike(tx, ctx, entry, patients)

    def _refuse_others(self, ctx: Context) -> None:
        eyes = Eyes.of(ctx)
        if not eyes.trusted:
            raise refusal(Action.CREATE, "Patient", Rule.WRITE_RESERVED)
