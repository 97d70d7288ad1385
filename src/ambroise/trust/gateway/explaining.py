"""Why, who, and what if: the rules made visible to the person whose record it is."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.search import Query, SearchResult, search
from ambroise.fhir.store.types import Scope, Stored
from ambroise.kernel.db import Reader
from ambroise.trust.access.decide import Action, Target, judge, refusal
from ambroise.trust.access.facts import Eyes, Facts, Viewer
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.matrix import Mark, matrix
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.scope import seen_as_scope
from ambroise.trust.access.viewpoint import Viewpoint
from ambroise.trust.audit.entry import Entry, Event
from ambroise.trust.context import Context, Professional
from ambroise.trust.gateway.finding import Finding


class Explanation(Struct, frozen=True):
    """Whether a viewer sees a document, under which rule, from which facts."""

    viewer: Professional
    allowed: bool
    rule: Rule
    facts: Facts
    role: str
    kind: str | None
    matrix_mark: Mark
    matrix_version: str


class Explaining(Finding):
    """The part of the gateway that explains."""

    async def explain(
        self, reader: Reader, ctx: Context, type: str, id: str, viewers: Sequence[Professional]
    ) -> list[Explanation]:
        """For each of these professionals: would he see this document now, and why. For who may read it himself."""
        return await self.explain_read(reader, ctx, await self.read(reader, ctx, type, id), viewers)

    async def explain_read(
        self, reader: Reader, ctx: Context, stored: Stored, viewers: Sequence[Professional]
    ) -> list[Explanation]:
        """The same of what the caller has just read through this door, without reading it again."""
        return [
            await self._explain(reader, ctx, Target(stored.type, stored.label, stored.key), viewer)
            for viewer in viewers
        ]

    async def _explain(self, reader: Reader, ctx: Context, target: Target, viewer: Professional) -> Explanation:
        theirs = Context(viewer, ctx.clock)
        eyes = Eyes.of(theirs)
        facts = await self.facts(reader, theirs, eyes, target.label.patient)
        verdict = judge(facts, eyes, Action.READ, target)
        present = matrix(ctx.now())
        role = present.role(viewer.profession_system, viewer.profession)
        kind = target.label.kind
        return Explanation(
            viewer,
            verdict.allowed,
            verdict.rule,
            facts,
            role.name,
            kinds().code(kind),
            role.mark(kind),
            present.version,
        )

    async def see_as(self, reader: Reader, ctx: Context, query: Query, viewpoint: Viewpoint) -> SearchResult:
        """What a professional would see of the caller's own space, no more than the caller sees."""
        eyes = Eyes.of(ctx)
        if eyes.viewer is not Viewer.CITIZEN or eyes.space is None:
            raise refusal(Action.CREATE, "Patient", Rule.WRITE_RESERVED)

        def scopes(type: str, patient: UUID | None) -> Scope:
            return seen_as_scope(ctx, type, viewpoint)

        result = await search(reader, scopes, query, pages=self._pages)
        details = {"role": viewpoint.eyes.role.name, "standing": viewpoint.facts.standing.name.lower()}
        entry = Entry("R", Event.SIMULATED, eyes.space, query.type, count=len(result.entries), details=details)
        await self.note(ctx, entry)
        return result
