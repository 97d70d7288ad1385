"""The copy of a whole record: `python -m bench.copies --documents 5000` (filing them first takes longer).

A database of its own, one citizen with so many documents, filed by the use case of the record; then the copy as the
worker makes it, piece after piece. Counts documents a second, and how much the memory of the process grows once the
first pieces are made: it must not depend on how much there is. Writes COPIES.md beside the other results; the entry
`export` of `ambroise bench` measures the same.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from ambroise.interfaces.web import templates
from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.interfaces.web.copies.scribe import Pages
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.objects import Blobs, open_store
from ambroise.modules.portability.api import Exports, State
from ambroise.modules.record.api import Incoming, Record, Submission
from ambroise.trust.context import Citizen, Context
from ambroise.trust.gateway import Gateway
from bench.alone import Alone, alone, options, publish
from bench.person import person

DOCUMENT_BYTES = 100_000
_TOGETHER = 50


class Measured(Struct, frozen=True):
    """What a copy took: documents, bytes of the zip, seconds of making and of taking, MB at the start and at most."""

    documents: int
    document: int
    """Bytes of each."""
    size: int
    making: float
    taking: float
    before: float
    most: float


def main() -> None:
    parser = options("copies", __doc__)
    parser.add_argument("--documents", type=int, default=5000, metavar="N", help="documents of the record")
    parser.add_argument("--bytes", type=int, default=DOCUMENT_BYTES, metavar="N", help="of each document")
    given = parser.parse_args()
    with alone("copies") as own:
        done = measure(own, given.documents, given.bytes)
        publish("COPIES", [*_page(done), *own.ended()], quietly=given.quietly)


def measure(own: Alone, documents: int, size: int = DOCUMENT_BYTES) -> Measured:
    """File so many documents of `size` bytes for one citizen, and copy their record."""
    return asyncio.run(_run(own.server.app_dsn, own.folder, documents, size))


def told(done: Measured) -> list[str]:
    """What a copy took, as lines of a list."""
    return [
        f"{done.documents:,} documents of {done.document:,} bytes, a zip of {done.size / 1_000_000:,.0f} MB:",
        "",
        f"- made in {done.making:.1f} s: **{done.documents / done.making:,.0f} documents a second**;",
        f"- taken in {done.taking:.1f} s: {done.size / 1_000_000 / done.taking:,.0f} MB a second, decrypted;",
        f"- memory of the process: {done.before:.0f} MB after three pieces, {done.most:.0f} MB at most"
        f" (**{done.most - done.before:+.0f} MB**).",
    ]


async def _run(dsn: str, folder: Path, documents: int, size: int) -> Measured:
    keys = DataKeys(MasterKeys.open(folder / "master.key", create=True))
    async with person(dsn, Blobs(keys, open_store(f"file://{folder}/objects"))) as one:
        await _fill(one.database, one.record, one.ctx, one.patient, documents, size)
        return await _copy(one.database, one.gateway, one.ctx, one.patient, documents, size)


async def _fill(database: Database, record: Record, ctx: Context, patient: UUID, documents: int, size: int) -> None:
    for start in range(0, documents, _TOGETHER):
        together = [_document(ctx, patient, number, size) for number in range(start, min(start + _TOGETHER, documents))]
        async with database.transaction() as tx:
            for one in together:
                await record.submit(tx, ctx, Submission((one,)))


def _document(ctx: Context, patient: UUID, number: int, size: int) -> Incoming:
    assert isinstance(ctx.actor, Citizen)
    content = b"Compte rendu fictif.\n" + os.urandom(size // 2).hex().encode()
    new = NewDocument(content, "text/plain", f"Document {number}", "CPT_REND", date(2026, 1, 15), masked=False)
    return Incoming(content, None, metadata(patient, ctx.actor.name, new, "text/plain"))


async def _copy(
    database: Database, gateway: Gateway, ctx: Context, patient: UUID, documents: int, document: int
) -> Measured:
    exports = Exports.over(
        database, gateway, ctx.clock, Pages(templates), kept=timedelta(days=1), address="", demonstration=True
    )
    async with database.transaction() as tx:
        export = await exports.ask(tx, ctx, patient)
    before = most = 0.0
    begun = time.monotonic()
    while export.state is State.MAKING:
        async with database.transaction() as tx:
            advanced = await exports.advance(tx, export.id)
        assert advanced is not None
        export = advanced
        # The first pieces bring templates and buffers in; what matters is what comes after them.
        before = before or (_resident() if export.parts >= 3 else 0.0)
        most = max(most, _resident())
    making = time.monotonic() - begun
    begun, size = time.monotonic(), 0
    taken = await exports.take(ctx, patient, export.id)
    async for chunk in taken.chunks:
        size += len(chunk)
        most = max(most, _resident())
    assert size == taken.size
    return Measured(documents, document, size, making, time.monotonic() - begun, before, most)


def _resident() -> float:
    """MB of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def _page(done: Measured) -> list[str]:
    return [
        "# The copy of a whole record",
        "",
        "`python -m bench.copies --documents N` writes this page. Made as a worker does, one transaction a piece.",
        "",
        *told(done),
    ]


if __name__ == "__main__":
    main()
