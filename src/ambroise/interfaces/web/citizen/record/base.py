"""What every part of the citizen's service shares: the record, the door, and whose space is open."""

from __future__ import annotations

from uuid import UUID

from ambroise.interfaces.web.examinations import Examined
from ambroise.interfaces.web.records import Records
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.consent.api import Requests
from ambroise.modules.prevention.api import Prevention
from ambroise.modules.record.api import Folders, Record
from ambroise.trust.access.decide import Action, judge_entry, refusal
from ambroise.trust.access.facts import Eyes
from ambroise.trust.context import Citizen, Context


class Base:
    """The shared part."""

    def __init__(self, records: Records, record: Record) -> None:
        self._records = records
        self._examined = Examined(records)
        self._record = record
        self._database = records.database
        self._gateway = records.gateway
        self._folders = Folders(records.gateway)
        self._requests = Requests(records.gateway)
        self._prevention = Prevention(records.gateway)

    async def _hold(self, reader: Reader, ctx: Context) -> None:
        """Make sure, from the facts of now, that this citizen may look at the space."""
        eyes = Eyes.of(ctx)
        verdict = judge_entry(await self._gateway.facts(reader, ctx, eyes, space_of(ctx)), eyes)
        if not verdict.allowed:
            raise refusal(Action.READ, "Patient", verdict.rule)


def citizen_of(ctx: Context) -> Citizen:
    """The citizen who visits."""
    if not isinstance(ctx.actor, Citizen):
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return ctx.actor


def space_of(ctx: Context) -> UUID:
    """The space that is open: one's own, or that of the person one acts for."""
    return ctx.acting_for or citizen_of(ctx).patient
