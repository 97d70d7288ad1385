"""The letters of a run, made into sheets for the printer."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from jinja2 import Environment
from msgspec import Struct

from ambroise.interfaces.web.ui.paper import printed
from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event
from ambroise.modules.space.api import Printings


class Printer(Struct, frozen=True):
    """Makes the sheets of a run, one transaction each."""

    printings: Printings
    templates: Callable[[], Environment]
    address: str

    async def make(self, tx: Transaction, event: Event) -> None:
        """Make them all. The event is this transaction's; the sheets have theirs, so that a new try goes on."""
        id = UUID(event.payload["printing"])
        while await self._sheet(id):
            pass

    async def _sheet(self, id: UUID) -> bool:
        async with self.printings.database.transaction() as tx:
            notices = await self.printings.take(tx, id)
            if notices:
                content = await printed(
                    self.templates(), "fr", "desk/notice_paper.html", notices=notices, place=self.address
                )
                await self.printings.keep(tx, id, len(notices), content)
        return bool(notices)
