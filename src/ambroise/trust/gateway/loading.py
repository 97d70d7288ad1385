"""Loading many new resources: decided and traced one by one, written together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from ambroise.fhir.store import keys
from ambroise.fhir.store.bulk import Draft, bulk_insert
from ambroise.fhir.store.types import Label
from ambroise.kernel.db import Transaction
from ambroise.trust.access.decide import Action, Target, judge, permit, refusal
from ambroise.trust.access.facts import Eyes, Facts, Viewer
from ambroise.trust.access.loader import Question, load_facts
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.audit.entry import Entry, Event, Line, record_lines
from ambroise.trust.context import Context
from ambroise.trust.gateway.labels import label_of_new, unknown_patient, with_defaults
from ambroise.trust.gateway.writes import Writes

_NOTHING = Facts()


class New(Struct, frozen=True):
    """One resource to load. A module that knows the label gives it; a client's comes without."""

    resource: dict[str, Any]
    label: Label | None = None
    key: UUID | None = None
    id: str | None = None


class Loading(Writes):
    """The part of the gateway that loads."""

    async def load(self, tx: Transaction, ctx: Context, resources: Sequence[New]) -> int:
        """Store them all, or none; how many. Patients, and types with an owner, go one by one as `create` does."""
        eyes = Eyes.of(ctx)
        drafts = [draft for one in resources if (draft := await self._draft(tx, ctx, one)) is not None]
        facts = await _facts(tx, ctx, eyes, drafts)
        by_patient: dict[UUID | None, list[Draft]] = {}
        lines: list[Line] = []
        for draft in drafts:
            known = facts.get(draft.label.patient, _NOTHING)
            draft = msgspec.structs.replace(draft, label=with_defaults(ctx, draft.label, known))
            # The instance itself may write in any record: one permit does, and one load.
            patient = None if eyes.viewer is Viewer.SYSTEM else draft.label.patient
            by_patient.setdefault(patient, []).append(draft)
            lines.append(await self._judged(ctx, eyes, draft, known))
        for patient, group in by_patient.items():
            # Every resource of the group was judged above; one permit for their patient lets them in.
            allowed = permit(Action.CREATE, Target("Patient", Label(patient=patient)), Verdict(True, Rule.FEEDING))
            await bulk_insert(tx, allowed, group, now=ctx.now())
        await record_lines(tx, lines)
        return len(resources)

    async def _draft(self, tx: Transaction, ctx: Context, new: New) -> Draft | None:
        """What goes to the bulk; None for what was created at once."""
        type = str(new.resource["resourceType"])
        if new.label is None and (type == "Patient" or type in self._owners):
            await self.create(tx, ctx, new.resource, id=new.id)
            return None
        label = new.label or await label_of_new(tx, ctx, new.resource)
        key, name = (new.key, new.id) if new.label else self._place(ctx, type, new.id, label.patient)
        return Draft(new.resource, label, key or keys.new_key(label.patient), name)

    async def _judged(self, ctx: Context, eyes: Eyes, draft: Draft, facts: Facts) -> Line:
        """The line of one resource; raises its refusal, traced."""
        label, type = draft.label, str(draft.resource["resourceType"])
        if label.patient is not None and facts.state is None:
            raise unknown_patient(str(label.patient))
        target = Target(type, label)
        verdict = judge(facts, eyes, Action.CREATE, target)
        if not verdict.allowed:
            await self.trace_refusal(ctx, Action.CREATE, target, verdict.rule)
            raise refusal(Action.CREATE, type, verdict.rule)
        entry = Entry("C", Event.LOADED, label.patient, type, draft.key, label.kind, 1, rule=verdict.rule.value)
        return Line.of(ctx, entry)


async def _facts(tx: Transaction, ctx: Context, eyes: Eyes, drafts: Sequence[Draft]) -> Mapping[UUID | None, Facts]:
    patients = list({draft.label.patient for draft in drafts if draft.label.patient is not None})
    found = await load_facts(tx, [Question(eyes, patient, ctx.now()) for patient in patients])
    return dict(zip(patients, found, strict=True))
