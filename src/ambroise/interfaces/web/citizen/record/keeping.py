"""What is kept from one person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ambroise.interfaces.web.citizen.keeping import Kept
from ambroise.interfaces.web.citizen.record.access import Accesses
from ambroise.interfaces.web.citizen.record.base import space_of
from ambroise.interfaces.web.names import proper
from ambroise.modules.record.api import Category, category_of, types_of
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.restrictions import Restriction, restrictions_of
from ambroise.trust.context import Context


class Keeping(Accesses):
    async def kept(self, ctx: Context, *, person: str = "", document: str = "") -> Sequence[Kept]:
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            found = [one for one in await restrictions_of(reader, space_of(ctx)) if one.in_force(ctx.now())]
            wanted = await self._gateway.read(reader, ctx, "DocumentReference", document) if document else None
        if wanted is None:
            return [_kept(one) for one in found if one.party.id == person]
        return [_kept(one) for one in found if wanted.key in one.documents or wanted.label.kind in one.kinds]

    async def keep_categories(
        self, ctx: Context, person: str, categories: Sequence[str], until: datetime | None
    ) -> None:
        table = kinds().numbers
        numbers = {table[code] for one in categories for code in types_of(Category(one)) if code in table}
        async with self._database.transaction() as tx:
            party = await self._party(tx, ctx, person)
            await self._gateway.rights.restrict(tx, ctx, space_of(ctx), party, kinds=numbers, until=until)

    async def keep_document(self, ctx: Context, person: str, document: str, until: datetime | None) -> None:
        async with self._database.transaction() as tx:
            found = await self._gateway.read(tx, ctx, "DocumentReference", document)
            party = await self._party(tx, ctx, person)
            await self._gateway.rights.restrict(tx, ctx, space_of(ctx), party, document=found.key, until=until)

    async def lift(self, ctx: Context, id: UUID) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.lift_restriction(tx, ctx, space_of(ctx), id)


def _kept(one: Restriction) -> Kept:
    codes = (kinds().code(kind) for kind in sorted(one.kinds))
    categories = dict.fromkeys(category_of(code).value for code in codes if code)
    return Kept(
        id=one.id,
        person=one.party.id,
        name=proper(one.party.name),
        since=one.since,
        until=one.until,
        categories=tuple(categories),
        document=str(max(one.documents)) if one.documents else None,
    )
