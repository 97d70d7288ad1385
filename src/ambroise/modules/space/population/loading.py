"""Reading an insurer's file in batches: each batch is one transaction, with how far the file was read.

Killed at any moment, it goes on where the last batch ended: the same file, known by its digest, is never read twice.
Who has a space already is left as he or she is.
"""

from __future__ import annotations

import hashlib
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
from ambroise.kernel.ids import new_id
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
from ambroise.trust.gateway import Gateway, New, label_for

POPULATION_RECEIVED: Final = "space.population_received"
POPULATION_LOADED: Final = "space.population_loaded"
_BATCH_BYTES: Final = 256 * 1024
_LONGEST_LINE: Final = 16 * 1024
_ATTEMPTS: Final = 3
_PARIS: Final = ZoneInfo("Europe/Paris")

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
        """Read a file from where it stands to its end."""
        head = _first_line(await source.read(0, _LONGEST_LINE))
        reader = _reader(ctx, head)
        present = one if one.position else replace(one, position=len(head), line=1)
        progress(present)
        while present.finished_at is None:
            data = await source.read(present.position, _BATCH_BYTES)
            if not data:
                raise Refusal(Kind.CONFLICT, "POPULATION_TRUNCATED", "The file is shorter than it was: send it again.")
            present = await self._batch(ctx, present, reader, data)
            progress(present)
        return present

    async def _begin(self, ctx: Context, digest: bytes, name: str, size: int, notified_on: date | None) -> Population:
        today = ctx.now().astimezone(_PARIS).date()
        if notified_on is not None and notified_on > today:
            raise Refusal(Kind.INVALID, "NOTICE_DATE", "The notices cannot have been sent later than today.")
        async with self.database.transaction() as tx:
            return await repository.begin(tx, digest, name, size, notified_on or today, recorder(ctx), ctx.now())

    async def _batch(self, ctx: Context, one: Population, reader: Reader, data: bytes) -> Population:
        """Read one batch and write down that it was; again when somebody else entered one of its people meanwhile."""
        for attempt in range(_ATTEMPTS):
            try:
                async with self.database.transaction() as tx:
                    held = await repository.hold(tx, one.id)
                    if held is None or held.position > one.position or held.finished_at is not None:
                        # Another process reads the same file: go on from where it is.
                        return held or one
                    return await self._read(tx, ctx, one, reader, data)
            except psycopg.errors.UniqueViolation:
                if attempt + 1 == _ATTEMPTS:
                    raise
        raise AssertionError("the loop above returns or raises")

    async def _read(self, tx: Transaction, ctx: Context, one: Population, reader: Reader, data: bytes) -> Population:
        people: dict[Ins, Person] = {}
        refused: list[Refused] = []
        position, number = one.position, one.line
        for line in _lines(data):
            position, number = position + len(line), number + 1
            text = _text(line)
            found = reader.read(number, text) if text is not None else Refused(number, "NOT_UTF_8", "")
            if isinstance(found, Refused):
                if text is None or text.strip():
                    refused.append(found)
            elif found.ins in people:
                refused.append(Refused(number, "DUPLICATE_LINE", "matricule"))
            else:
                people[found.ins] = found
        known = await known_among(tx, list(people))
        entering = [person for ins, person in people.items() if ins not in known]
        await self._enter(tx, ctx, one, entering)
        finished = position >= one.size
        moved = replace(
            one,
            position=position,
            line=number,
            entered=one.entered + len(entering),
            known=one.known + len(known),
            refused=one.refused + len(refused),
            by_mail=one.by_mail + sum(person.mail is not None for person in entering),
            finished_at=ctx.now() if finished else None,
        )
        await repository.advance(tx, moved, refused)
        if finished:
            await repository.drop_parts(tx, one.id)
            await emit(tx, POPULATION_LOADED, {"population": str(one.id)})
        return moved

    async def _enter(self, tx: Transaction, ctx: Context, one: Population, entering: Sequence[Person]) -> None:
        """Give each a space that waits for an objection: identity, dates, Patient, trace."""
        if not entering:
            return
        keyed = [(new_id(), person) for person in entering]
        details = {"population": str(one.id)}
        keys = [key for key, _ in keyed]
        await self.gateway.populations.enter(tx, ctx, keys, SpaceState.NOTIFIED, details)
        notified_at = _noon(one.notified_on, ctx.now())
        await lives.enter_many(tx, [_life(key, person, ctx.now(), notified_at) for key, person in keyed])
        identities = [
            PatientIdentity(key, person.ins, Status.QUALIFIED, person.traits, person.used_name, person.used_first_name)
            for key, person in keyed
        ]
        await enter_many(tx, identities, ctx.now())
        await note_cards(tx, [(key, person.card) for key, person in keyed if person.card])
        resources = [(key, patient_of(person)) for key, person in keyed]
        await self.gateway.load(
            tx,
            ctx,
            [New(resource, label_for("Patient", resource, patient=key), key=key) for key, resource in resources],
        )


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
        raise Refusal(Kind.UNPROCESSABLE, "POPULATION_EMPTY", "The file has no line of people.")
    return line + end


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


def _life(key: UUID, person: Person, now: datetime, notified_at: datetime) -> Life:
    life = Life(key, SpaceState.NOTIFIED, now, notified_at=notified_at, notified_by=person.channel)
    return replace(life, due_at=due(life))


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
