"""Changing the access matrix: previewed by numbers, published as a version, undone by another, all of it traced."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from ambroise.fhir.store.counting import by_kind
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Refusal
from ambroise.trust.access import versions
from ambroise.trust.access.decide import inspection
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.matrix import Rows
from ambroise.trust.access.versions import Version
from ambroise.trust.audit.entry import REFUSED, Entry, Event, record
from ambroise.trust.context import Context

if TYPE_CHECKING:
    from ambroise.trust.gateway.core import Core


class Matrices:
    """The versions of the access matrix."""

    def __init__(self, door: Core) -> None:
        self._door = door

    async def publish(
        self, tx: Transaction, ctx: Context, rows: Rows, *, reason: str, source: str, effective: datetime | None = None
    ) -> Version:
        """Publish these rows as the next version, for operators with that duty."""
        try:
            made = await versions.publish(tx, ctx, rows, reason=reason, source=source, effective=effective)
        except Refusal as refusal:
            await self._refused(ctx, refusal)
            raise
        return await self._published(tx, ctx, made)

    async def undo(self, tx: Transaction, ctx: Context, number: int, *, reason: str) -> Version:
        """Publish a version that takes back what this one changed."""
        try:
            made = await versions.undo(tx, ctx, number, reason=reason)
        except Refusal as refusal:
            await self._refused(ctx, refusal)
            raise
        return await self._published(tx, ctx, made)

    async def documents(self, reader: Reader, codes: Collection[str]) -> int:
        """How many documents of these types the instance holds."""
        numbers = [kinds().numbers[code] for code in codes]
        return sum((await by_kind(reader, inspection(), "DocumentReference", numbers)).values())

    async def _published(self, tx: Transaction, ctx: Context, made: Version) -> Version:
        details = {"version": made.number, "undoes": made.undoes, "reason": made.reason, "source": made.source}
        await record(tx, ctx, Entry("C", Event.MATRIX_PUBLISHED, details=details))
        return made

    async def _refused(self, ctx: Context, refusal: Refusal) -> None:
        details = {"code": refusal.code}
        await self._door.note(ctx, Entry("C", Event.MATRIX_PUBLISHED, outcome=REFUSED, details=details))
