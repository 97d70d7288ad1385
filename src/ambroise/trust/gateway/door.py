"""The gateway: every read and write of clinical data, by any way in, passes here."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from ambroise.fhir.search import Query, SearchResult
from ambroise.fhir.store import keep_dictionaries, records
from ambroise.fhir.store.types import Label, Stored
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access import feeding
from ambroise.trust.access.decide import Action, Target, permit
from ambroise.trust.access.facts import Eyes, SpaceState, Viewer
from ambroise.trust.access.grants import clear_grants
from ambroise.trust.access.relations import clear_relations
from ambroise.trust.access.restrictions import clear_restrictions
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.access.spaces import set_state
from ambroise.trust.audit.entry import Entry, Event, record
from ambroise.trust.context import Context
from ambroise.trust.gateway.contents import Contents
from ambroise.trust.gateway.copies import Copies
from ambroise.trust.gateway.explaining import Explaining
from ambroise.trust.gateway.loading import Loading
from ambroise.trust.gateway.matrices import Matrices
from ambroise.trust.gateway.populations import Populations
from ambroise.trust.gateway.restating import Restating
from ambroise.trust.gateway.rights import Rights
from ambroise.trust.gateway.traces import Traces

TRACE_TYPE = "AuditEvent"


class Gateway(Loading, Contents, Explaining, Traces):
    """The one door.

    Every method takes (reader or tx, ctx, …), decides, acts on the store and traces in the same transaction. A `Reader`
    outside a transaction has its reads traced in commits shared with others, before the bytes leave. Refusals are
    traced in a transaction of their own.
    """

    async def prepare(self, tx: Transaction) -> None:
        """Put into the database what reading it takes besides the software; to call when an instance starts."""
        await keep_dictionaries(tx)

    @cached_property
    def rights(self) -> Rights:
        """The acts that change who may do what."""
        return Rights(self)

    @cached_property
    def matrices(self) -> Matrices:
        """The versions of the access matrix."""
        return Matrices(self)

    @cached_property
    def copies(self) -> Copies:
        """The copies of whole records."""
        return Copies(self, self._kept, self._held, self._lines)

    @cached_property
    def restating(self) -> Restating:
        """What documents state, stated again by a newer extraction."""
        return Restating()

    @cached_property
    def populations(self) -> Populations:
        """The acts of the instance on many spaces at once."""
        return Populations(self)

    async def read(self, reader: Reader, ctx: Context, type: str, id: str) -> Stored:
        """The present version, traced. Raises NOT_FOUND (also when existence is a secret), FORBIDDEN, GONE."""
        if type == TRACE_TYPE:
            return await self.read_audit_event(reader, ctx, id)
        return await super().read(reader, ctx, type, id)

    async def search(self, reader: Reader, ctx: Context, query: Query) -> SearchResult:
        """One page of what the caller sees; a search on AuditEvent is answered from the trace."""
        if query.type == TRACE_TYPE:
            return await self.search_audit_events(reader, ctx, query)
        return await super().search(reader, ctx, query)

    async def create(self, tx: Transaction, ctx: Context, resource: dict[str, Any], *, id: str | None = None) -> Stored:
        """Store a new resource. `id` is one that `reserve` gave, or one the caller may choose."""
        _refuse_trace(str(resource["resourceType"]))
        return await super().create(tx, ctx, resource, id=id)

    async def update(
        self, tx: Transaction, ctx: Context, resource: dict[str, Any], *, if_match: int | None = None
    ) -> Stored:
        """Store the next version of what the resource's id names, or create it there for who may choose ids."""
        _refuse_trace(str(resource["resourceType"]))
        return await super().update(tx, ctx, resource, if_match=if_match)

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None = None) -> None:
        """Delete a resource, leaving its history. Raises GONE when it was deleted before."""
        _refuse_trace(type)
        await super().delete(tx, ctx, type, id, if_match=if_match)

    async def purge(self, tx: Transaction, ctx: Context, patient: UUID) -> int:
        """Erase a record for ever: rows, versions, index, grants, and the key of its documents. The trace stays."""
        eyes = Eyes.of(ctx)
        trusted = eyes.viewer is Viewer.SYSTEM and eyes.trusted
        target = Target("Patient", Label(patient=patient))
        if not trusted:
            await self.trace_refusal(ctx, Action.DELETE, target, Rule.WRITE_RESERVED)
        allowed = permit(Action.DELETE, target, Verdict(trusted, Rule.SYSTEM if trusted else Rule.WRITE_RESERVED))
        removed = await records.purge(tx, allowed)
        await clear_grants(tx, ctx, patient)
        await clear_relations(tx, patient)
        await clear_restrictions(tx, patient)
        await feeding.allow_everybody(tx, patient)
        await set_state(tx, ctx, patient, SpaceState.PURGED)
        if self._blobs is not None:
            await self._blobs.purge(tx, patient)
        self.forget_facts(tx)
        await record(tx, ctx, Entry("D", Event.PURGED, patient, rule=allowed.rule, count=removed))
        return removed


def _refuse_trace(type: str) -> None:
    if type == TRACE_TYPE:
        raise Refusal(
            Kind.UNSUPPORTED,
            "TRACE_NOT_WRITABLE",
            "AuditEvents are made from the trace of what happens here: they are read and searched, never written.",
        )
