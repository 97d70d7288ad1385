"""Reading an insurer's file in batches: each batch is one transaction, with how far the file was read.

Killed at any moment, it goes on where the last batch ended: the same file, known by its digest, is never read twice.
Who has a space already is left as he or she is.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import SHARDS, new_id
from ambroise.kernel.outbox import Event, Handler, emit
from ambroise.modules.identity.api import DEFAULT_OID, Ins, PatientIdentity, Status, enter_many, known_among, note_cards
from ambroise.modules.space import repository as lives
from ambroise.modules.space.model import Life, due
from ambroise.modules.space.population import repository
from ambroise.modules.space.population.model import Person, Population, Reader, Refused
from ambroise.modules.space.population.resources import patient_of
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.people import recorder
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import Gateway

POPULATION_RECEIVED: Final = "space.population_received"
POPULATION_LOADED: Final = "space.population_loaded"
_BATCH_BYTES: Final = 256 * 1024
_NEIGHBOURS: Final = 16
_LONGEST_LINE: Final = 16 * 1024
_ATTEMPTS: Final = 3
_PARIS: Final = ZoneInfo("Europe/Paris")

_AHEAD: Final = 2
"""Batches under way at once."""

Progress = Callable[[Population], None]


class Source(Protocol):
    """The bytes of a file."""

    async def read(self, position: int, size: int) -> bytes:
        """Some bytes from a position: at most `size`, none at the end."""
        ...


class FileSource(Struct, frozen=True):
    """A file of this machine."""

    file: BinaryIO

    async def read(self, position: int, size: int) -> bytes:
        self.file.seek(position)
        return self.file.read(size)


class KeptSource(Struct, frozen=True):
    """A file that came by the desk."""

    database: Database
    id: UUID

    async def read(self, position: int, size: int) -> bytes:
        async with self.database.reader() as reader:
            found = await repository.part_at(reader, self.id, position)
            if found is None:
                return b""
            start, content = found
            piece = content[position - start : position - start + size]
            if len(piece) == size or not piece:
                return piece
            following = await repository.part_at(reader, self.id, start + len(content))
        if following is None or following[0] <= start:
            return piece
        return piece + following[1][: size - len(piece)]


class _Batch(Struct, frozen=True):
    """Some lines of a file, read: where they begin, where they end, whom they name, what is wrong with the others."""

    start: int
    position: int
    line: int
    people: dict[Ins, Person]
    refused: list[Refused]
    met_before: int


def _batch(reader: Reader, data: bytes, start: int, number: int, earlier: Sequence[_Batch]) -> _Batch:
    """Read some lines. Who is in a batch still under way will be known once that one is committed."""
    people: dict[Ins, Person] = {}
    refused: list[Refused] = []
    position, met = start, 0
    for line in _lines(data):
        position, number = position + len(line), number + 1
        text = _text(line)
        found = reader.read(number, text) if text is not None else Refused(number, "NOT_UTF_8", "")
        if isinstance(found, Refused):
            if text is None or text.strip():
                refused.append(found)
        elif found.ins in people:
            refused.append(Refused(number, "DUPLICATE_LINE", "matricule"))
        elif any(found.ins in one.people for one in earlier):
            met += 1
        else:
            people[found.ins] = found
    return _Batch(start, position, number, people, refused, met)


class Populations(Struct, frozen=True):
    """Opens the spaces of whole populations."""

    database: Database
    gateway: Gateway

    async def open_file(
        self, ctx: Context, path: Path, *, notified_on: date | None = None, progress: Progress = lambda one: None
    ) -> Population:
        """Read a file of this machine to its end, or from where an earlier run was stopped."""
        with path.open("rb") as file:
            size, digest = _measure(file)
            begun = await self._begin(ctx, digest, path.name, size, notified_on)
            return await self.go_on(ctx, begun, FileSource(file), progress)

    async def receive(self, ctx: Context, name: str, content: BinaryIO, notified_on: date | None = None) -> Population:
        """Keep a file that came by the desk; `go_on` reads it later. Refuses wrong headers at once."""
        size, digest = _measure(content)
        _reader(ctx, _first_line(content.read(_LONGEST_LINE)))
        content.seek(0)
        begun = await self._begin(ctx, digest, name[:200], size, notified_on)
        async with self.database.transaction() as tx:
            start = 0
            while piece := content.read(4 * _BATCH_BYTES):
                await repository.keep_part(tx, begun.id, start, piece)
                start += len(piece)
            await emit(tx, POPULATION_RECEIVED, {"population": str(begun.id)})
        return begun

    async def go_on(
        self, ctx: Context, one: Population, source: Source, progress: Progress = lambda one: None
    ) -> Population:
        """Read a file from where it stands to its end. One file is read at a time: the next one waits."""
        head = _first_line(await source.read(0, _LONGEST_LINE))
        reader = _reader(ctx, head)
        if len(head) >= one.size:
            raise _no_line()
        async with self.database.transaction() as tx:
            present = await repository.alone(tx, one.id) or one
            if not present.position:
                present = replace(present, position=len(head), line=1)
            progress(present)
            return await self._read(ctx, present, reader, source, progress)

    async def _read(
        self, ctx: Context, present: Population, reader: Reader, source: Source, progress: Progress
    ) -> Population:
        """Read the batches: while the database takes one, the next is prepared. They commit in their order."""
        position, line = present.position, present.line
        under_way: deque[tuple[_Batch, asyncio.Task[Population]]] = deque()
        try:
            while position < present.size or under_way:
                while position < present.size and len(under_way) < _AHEAD:
                    data = await source.read(position, _BATCH_BYTES)
                    if not data:
                        raise Refusal(
                            Kind.CONFLICT, "POPULATION_TRUNCATED", "The file is shorter than it was: send it again."
                        )
                    batch = _batch(reader, data, position, line, [earlier for earlier, _ in under_way])
                    before = under_way[-1][1] if under_way else None
                    under_way.append((batch, asyncio.ensure_future(self._enter(ctx, present, before, batch))))
                    position, line = batch.position, batch.line
                _, first = under_way.popleft()
                present = await first
                progress(present)
        finally:
            for _, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
        return present

    async def _begin(self, ctx: Context, digest: bytes, name: str, size: int, notified_on: date | None) -> Population:
        today = ctx.now().astimezone(_PARIS).date()
        if notified_on is not None and notified_on > today:
            raise Refusal(Kind.INVALID, "NOTICE_DATE", "The notices cannot have been sent later than today.")
        async with self.database.transaction() as tx:
            return await repository.begin(tx, digest, name, size, notified_on or today, recorder(ctx), ctx.now())

    async def _enter(
        self, ctx: Context, one: Population, before: asyncio.Task[Population] | None, batch: _Batch
    ) -> Population:
        """Enter a batch and write down that it was; again when somebody else entered one of its people meanwhile."""
        for attempt in range(_ATTEMPTS):
            try:
                async with self.database.transaction() as tx:
                    known = await known_among(tx, list(batch.people))
                    entering = [person for ins, person in batch.people.items() if ins not in known]
                    await self._write(tx, ctx, one, batch, entering)
                    # Its own rows are written while the batch before it commits; how far the file was read is not.
                    reached = await before if before is not None else one
                    return await self._advance(tx, ctx, reached, batch, entering)
            except psycopg.errors.UniqueViolation:
                if attempt + 1 == _ATTEMPTS:
                    raise
        raise AssertionError("the loop above returns or raises")

    async def _advance(
        self, tx: Transaction, ctx: Context, one: Population, batch: _Batch, entering: Sequence[Person]
    ) -> Population:
        finished = batch.position >= one.size
        moved = replace(
            one,
            position=batch.position,
            line=batch.line,
            entered=one.entered + len(entering),
            known=one.known + batch.met_before + len(batch.people) - len(entering),
            refused=one.refused + len(batch.refused),
            by_mail=one.by_mail + sum(person.mail is not None for person in entering),
            finished_at=ctx.now() if finished else None,
        )
        await repository.advance(tx, moved, batch.refused)
        if finished:
            await repository.drop_parts(tx, one.id)
            await emit(tx, POPULATION_LOADED, {"population": str(one.id)})
        return moved

    async def _write(
        self, tx: Transaction, ctx: Context, one: Population, batch: _Batch, entering: Sequence[Person]
    ) -> None:
        """Give each a space that waits for an objection: identity, dates, Patient, trace."""
        if not entering:
            return
        keyed = [
            (new_id(shard), person)
            for shard, person in zip(_shards(one, batch.start, len(entering)), entering, strict=True)
        ]
        details = {"population": str(one.id)}
        patients = [(key, patient_of(person)) for key, person in keyed]
        await self.gateway.populations.enter(tx, ctx, patients, SpaceState.NOTIFIED, details)
        people = [(key, person.channel) for key, person in keyed]
        await lives.enter_many(tx, people, _life(one, ctx.now()))
        identities = [
            PatientIdentity(key, person.ins, Status.QUALIFIED, person.traits, person.used_name, person.used_first_name)
            for key, person in keyed
        ]
        await enter_many(tx, identities, ctx.now())
        await note_cards(tx, [(key, person.card) for key, person in keyed if person.card])


def _reader(ctx: Context, head: bytes) -> Reader:
    text = _text(head)
    if text is None:
        raise Refusal(Kind.UNPROCESSABLE, "POPULATION_ENCODING", "The file is not UTF-8.")
    return Reader(text, oid=DEFAULT_OID[ctx.demonstration], demonstration=ctx.demonstration)


def _measure(content: BinaryIO) -> tuple[int, bytes]:
    """The size and the SHA-256 of a file, which is left at its beginning."""
    digest = hashlib.sha256()
    content.seek(0)
    while piece := content.read(4 * _BATCH_BYTES):
        digest.update(piece)
    size = content.tell()
    content.seek(0)
    return size, digest.digest()


def _first_line(data: bytes) -> bytes:
    line, end, _ = data.partition(b"\n")
    if not end:
        raise _no_line()
    return line + end


def _no_line() -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, "POPULATION_EMPTY", "The file has no line of people.")


def _lines(data: bytes) -> Iterator[bytes]:
    """The whole lines of some bytes; a last line without its end counts when nothing else came."""
    last = data.rfind(b"\n")
    whole = data if last < 0 or len(data) < _BATCH_BYTES else data[: last + 1]
    return iter(whole.splitlines(keepends=True))


def _text(line: bytes) -> str | None:
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return None


def _noon(day: date, now: datetime) -> datetime:
    """The instant from which six weeks are counted: now for today, noon of a day before."""
    if day == now.astimezone(_PARIS).date():
        return now
    return datetime.combine(day, time(12), _PARIS).astimezone(now.tzinfo)


def _life(one: Population, now: datetime) -> Life:
    """The dates of everybody whom a file notifies; the id is the file's."""
    life = Life(one.id, SpaceState.NOTIFIED, now, notified_at=_noon(one.notified_on, now))
    return replace(life, due_at=due(life))


def _shards(one: Population, start: int, count: int) -> Iterator[int]:
    """Where the spaces of a batch go: a few neighbouring shards, in order, and the next ones for the next batch.

    Every index that begins with the shard then takes a batch in few of its pages; over a file, all shards fill alike.
    """
    first = (one.id.int + start // _BATCH_BYTES * _NEIGHBOURS) % SHARDS
    return ((first + number * _NEIGHBOURS // count) % SHARDS for number in range(count))


class Handlers:
    """What is done with a file that came by the desk."""

    def __init__(self, populations: Populations, clock: Clock, *, demonstration: bool) -> None:
        self._populations = populations
        self._clock = clock
        self._demonstration = demonstration

    def table(self) -> dict[str, Handler]:
        """Which handler serves which event."""
        return {POPULATION_RECEIVED: self._received}

    async def _received(self, tx: Transaction, event: Event) -> None:
        """Read it to its end. The event is this transaction's; the batches have theirs, so that a new try goes on."""
        id = UUID(event.payload["population"])
        one = await repository.population(tx, id)
        if one is None or one.finished_at is not None:
            return
        ctx = Context(System("space"), self._clock, channel="load", demonstration=self._demonstration)
        await self._populations.go_on(ctx, one, KeptSource(self._populations.database, id))
