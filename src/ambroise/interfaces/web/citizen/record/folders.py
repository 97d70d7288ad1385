"""The citizen's own order of documents, on the real record."""

from __future__ import annotations

from collections.abc import Sequence

from ambroise.interfaces.web.citizen.record.base import space_of
from ambroise.interfaces.web.citizen.record.documents import Documents
from ambroise.interfaces.web.citizen.views import DocumentRow
from ambroise.interfaces.web.records import row_of
from ambroise.trust.context import Context


class Ordering(Documents):
    async def chosen(self, ctx: Context, ids: Sequence[str]) -> Sequence[DocumentRow]:
        found = await self._records.named(ctx, space_of(ctx), ids)
        return [row_of(document, ctx) for document in found.values()]

    async def create_folder(self, ctx: Context, name: str) -> None:
        async with self._database.transaction() as tx:
            await self._folders.create(tx, ctx, name)

    async def remove_folder(self, ctx: Context, folder: str) -> None:
        async with self._database.transaction() as tx:
            await self._folders.remove(tx, ctx, folder)

    async def put(self, ctx: Context, ids: Sequence[str], folder: str | None) -> None:
        # Only what the citizen sees is put somewhere: an id of anything else is as good as none.
        seen = await self._records.named(ctx, space_of(ctx), ids)
        async with self._database.transaction() as tx:
            await self._folders.put(tx, ctx, list(seen), folder)

    async def pin(self, ctx: Context, id: str, pinned: bool) -> None:
        document = await self._records.described(ctx, id)
        async with self._database.transaction() as tx:
            await self._folders.pin(tx, ctx, document.id, pinned)

    async def delete_all(self, ctx: Context, ids: Sequence[str]) -> None:
        async with self._database.transaction() as tx:
            for id in ids:
                await self._record.withdraw(tx, ctx, id)
