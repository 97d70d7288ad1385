"""Importing an extraction file: batch after batch, each with the place reached: an interrupted import goes on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.directory.extraction import repository
from ambroise.modules.directory.extraction.lines import BadLine, Reader, Rows
from ambroise.modules.directory.extraction.mapping import Columns, FileKind, kind_of, shipped
from ambroise.modules.directory.extraction.repository import Import
from ambroise.trust.context import Context

_log = logger(__name__)

_BATCH: Final = 2000
_LONGEST_LINE: Final = 64 * 1024
# Below this share of departures an extraction is believed; above, an operator has to say so.
_BELIEVED: Final = 0.05
_FEW: Final = 50

Followers = Callable[[Transaction, Context, Sequence[str], Sequence[str]], Awaitable[None]]
Report = Callable[[Import], None]


async def import_file(
    database: Database,
    ctx: Context,
    file: Path,
    *,
    follow: Followers,
    kind: FileKind | None = None,
    mapping: Mapping[FileKind, Columns] | None = None,
    partial: bool = False,
    many_departures: bool = False,
    report: Report = lambda progress: None,
) -> Import:
    """Read a file into the directory; go on where an earlier call for the same file stopped.

    `follow` is told, in the same transaction, who left and who is back. A `partial` file makes nobody leave. Refuses
    EXTRACTION_COLUMNS, EXTRACTION_UNKNOWN, and EXTRACTION_DEPARTURES when more than one in twenty would leave without
    `many_departures`.
    """
    columns = (mapping or shipped())[kind or kind_of(file.name, mapping or shipped())]
    digest = await asyncio.to_thread(_digest, file)
    async with database.transaction() as tx:
        begun = await repository.begin(tx, columns.kind.value, file.name, digest, file.stat().st_size, ctx.now())
    with file.open("rb") as stream:
        header = _header(stream)
        reader = Reader(columns, header, fictitious=ctx.demonstration)
        stream.seek(begun.position or stream.tell())
        line = begun.line or 1
        while batch := await asyncio.to_thread(_lines, stream):
            begun = await _take(database, ctx, begun, reader, batch, line, stream.tell(), follow)
            line += len(batch)
            report(begun)
    return await _close(database, ctx, begun, follow, partial=partial, many_departures=many_departures)


async def _take(
    database: Database,
    ctx: Context,
    begun: Import,
    reader: Reader,
    batch: Sequence[bytes],
    line: int,
    position: int,
    follow: Followers,
) -> Import:
    rows, bad = Rows(), list[tuple[int, BadLine]]()
    for number, raw in enumerate(batch, start=line + 1):
        try:
            reader.read(_text(raw), rows)
        except BadLine as error:
            bad.append((number, error))
    async with database.transaction() as tx:
        returned = await repository.write(tx, rows, begun.number, ctx.now())
        if returned:
            await follow(tx, ctx, (), returned)
            repository.count_returned(tx, begun.number, len(returned))
        repository.refuse(tx, begun.number, begun.refused, bad)
        repository.advance(tx, begun.number, position, line + len(batch), len(batch) - len(bad), len(bad))
        return await repository.by_number(tx, begun.number)


async def _close(
    database: Database, ctx: Context, begun: Import, follow: Followers, *, partial: bool, many_departures: bool
) -> Import:
    """Let those go whom a whole file no longer holds, and close the import."""
    async with database.transaction() as tx:
        departed: list[str] = []
        if not partial and begun.kind == FileKind.ACTIVITY:
            gone, held = await repository.departures(tx, begun.number)
            if gone > max(_FEW, held * _BELIEVED) and not many_departures:
                raise Refusal(
                    Kind.CONFLICT,
                    "EXTRACTION_DEPARTURES",
                    f"{gone} of {held} professionals would leave: is the file whole? If it is, say --many-departures; "
                    "if it is a part, --partial.",
                    data={"departures": gone, "held": held},
                )
            departed = await repository.depart(tx, begun.number, ctx.now())
            if departed:
                await follow(tx, ctx, departed, ())
        elif not partial:
            await repository.drop_unseen(tx, begun.kind, begun.number)
        repository.finish(tx, begun.number, len(departed), 0, ctx.now())
        done = await repository.by_number(tx, begun.number)
    _log.info("directory_imported", kind=done.kind, accepted=done.accepted, refused=done.refused)
    return done


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _header(stream: BinaryIO) -> list[str]:
    first = stream.readline(_LONGEST_LINE)
    text = _text(first).removeprefix("\ufeff")
    names = text.split("|")
    return names[:-1] if names and not names[-1] else names


def _lines(stream: BinaryIO) -> list[bytes]:
    batch: list[bytes] = []
    while len(batch) < _BATCH and (line := stream.readline(_LONGEST_LINE)):
        batch.append(line)
    return batch


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadLine("ENCODING") from None
