"""Notices that go by post (CSP R. 1111-28): one for a person at the desk, or all that wait, for a printer.

A run is asked for at the desk and made by a job, sheet after sheet: each is one transaction that takes people who have
no letter yet, gives each a code, and keeps the PDF. Killed at any moment, it goes on; nobody is printed twice.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.kernel.outbox import emit
from ambroise.modules.identity.api import Sealer
from ambroise.modules.space import repository as lives
from ambroise.modules.space.model import Life
from ambroise.modules.space.telling import repository
from ambroise.modules.space.telling.codes import digest, new_code
from ambroise.modules.space.telling.repository import Printing
from ambroise.trust.access.authority import Act
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.context import Context, Operator, System
from ambroise.trust.gateway import Gateway

PRINTING_ASKED: Final = "space.printing_asked"
PER_SHEET: Final = 100
_KEPT: Final = timedelta(days=60)


class Notice(Struct, frozen=True):
    """One letter to print: to whom, where, until when one may object, by which code."""

    patient: UUID
    name: str
    address: tuple[str, ...]
    until: datetime
    code: str


class Printings(Struct, frozen=True):
    """Prints the notices that go by post."""

    database: Database
    gateway: Gateway
    sealer: Sealer
    clock: Clock
    demonstration: bool

    async def one(self, ctx: Context, patient: UUID) -> Notice:
        """The letter of one person, as somebody of the desk prints it. Raises NOTICE_OVER, ADDRESS_UNKNOWN."""
        async with self.database.transaction() as tx:
            await self.gateway.rights.allow(tx, ctx, patient, Act.STATE)
            life = await lives.life(tx, patient, lock=True)
            if life is None or life.state is not SpaceState.NOTIFIED or life.due_at is None:
                raise Refusal(Kind.CONFLICT, "NOTICE_OVER", "This person is not waiting for the opening of a space.")
            made = await self._notice(tx, ctx, life, life.due_at)
            if made is None:
                raise Refusal(Kind.UNPROCESSABLE, "ADDRESS_UNKNOWN", "Nobody knows where this person lives.")
            await repository.mark_printed(tx, [patient], self.clock.now())
        return made

    async def waiting(self, reader: Reader, ctx: Context) -> int:
        """How many letters wait to be printed."""
        _refuse_others(ctx)
        return await repository.count_to_print(reader)

    async def ask(self, ctx: Context) -> Printing:
        """Have all that wait printed. Raises NOTHING_TO_PRINT."""
        _refuse_others(ctx)
        async with self.database.transaction() as tx:
            total = await repository.count_to_print(tx)
            if not total:
                raise Refusal(Kind.CONFLICT, "NOTHING_TO_PRINT", "No letter waits to be printed.")
            begun = Printing(new_id(), str(ctx.actor.name), self.clock.now(), total, 0, 0, None)
            await repository.begin_printing(tx, begun)
            await emit(tx, PRINTING_ASKED, {"printing": str(begun.id)})
        return begun

    async def latest(self, reader: Reader, ctx: Context, count: int = 10) -> list[tuple[Printing, list[int]]]:
        """The latest runs, each with the number of letters of its sheets."""
        _refuse_others(ctx)
        return [(one, await repository.sheets(reader, one.id)) for one in await repository.latest(reader, count)]

    async def sheet(self, reader: Reader, ctx: Context, id: UUID, number: int) -> bytes:
        """The PDF of one sheet. Raises SHEET_UNKNOWN."""
        _refuse_others(ctx)
        sealed = await repository.sheet(reader, id, number)
        if sealed is None:
            raise Refusal(Kind.NOT_FOUND, "SHEET_UNKNOWN", "There is no such sheet, or it was forgotten.")
        return self.sealer.unseal(_purpose(id, number), sealed)

    async def take(self, tx: Transaction, id: UUID) -> list[Notice]:
        """The letters of the next sheet of a run, for this transaction; none when the run is over."""
        ctx = Context(System("space"), self.clock, channel="job", demonstration=self.demonstration)
        printing = await repository.hold_printing(tx, id)
        if printing is None or printing.finished_at is not None:
            return []
        made: list[Notice] = []
        while not made and (due := await repository.to_print(tx, PER_SHEET)):
            for patient, until in due:
                life = await lives.life(tx, patient)
                notice = await self._notice(tx, ctx, life, until) if life is not None else None
                if notice is not None:
                    made.append(notice)
            await repository.mark_printed(tx, [patient for patient, _ in due], self.clock.now())
            await repository.advance_printing(tx, id, len(made), len(due) - len(made))
        if not made:
            await repository.finish_printing(tx, id, self.clock.now())
        return made

    async def keep(self, tx: Transaction, id: UUID, letters: int, content: bytes) -> None:
        """Keep the PDF of a sheet that was taken in this transaction."""
        number = len(await repository.sheets(tx, id)) + 1
        await repository.keep_sheet(tx, id, number, letters, self.sealer.seal(_purpose(id, number), content))

    async def sweep(self, tx: Transaction) -> int:
        """Forget the runs whose codes are worth nothing any more."""
        return await repository.forget_printings(tx, self.clock.now() - _KEPT)

    async def _notice(self, tx: Transaction, ctx: Context, life: Life, until: datetime) -> Notice | None:
        stored = await self.gateway.read(tx, ctx, "Patient", str(life.patient))
        resource: dict[str, Any] = json.loads(stored.body)
        address = _lines(resource)
        if not address:
            return None
        code = new_code()
        await repository.put(tx, digest(code), life.patient, until)
        return Notice(life.patient, _name(resource), address, until, code)


def _name(resource: dict[str, Any]) -> str:
    names: list[dict[str, Any]] = resource.get("name") or [{}]
    used = next((one for one in names if one.get("use") == "usual"), names[0])
    return " ".join([*used.get("given", [])[:1], str(used.get("family", ""))]).strip()


def _lines(resource: dict[str, Any]) -> tuple[str, ...]:
    for address in resource.get("address") or ():
        town = f"{address.get('postalCode', '')} {address.get('city', '')}".strip()
        if address.get("city"):
            return (*(str(line) for line in address.get("line", ())), town)
    return ()


def _purpose(id: UUID, number: int) -> str:
    return f"printing {id} {number}"


def _refuse_others(ctx: Context) -> None:
    if not isinstance(ctx.actor, Operator):
        raise Refusal(Kind.FORBIDDEN, "DESK_ONLY", "Letters are printed by the desk.")
