"""The bulk path, by two processes: lines of JSON parsed, validated, decided, traced, indexed and written."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from ambroise.fhir.json import decode
from ambroise.fhir.validation import validate
from ambroise.interfaces.services import Services
from ambroise.kernel.settings import Settings
from ambroise.main.builder import InstanceBuilder
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import New

PROCESSES = 2
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Span:
    """When a process worked, by the clock that all processes of a machine share."""

    begun: float
    ended: float


def load(settings: Settings, lines: Sequence[bytes]) -> float:
    """Load every line, each process its share; the seconds from the first that begins to the last that ends."""
    # Not forked: what these processes open is theirs alone.
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    for number in range(PROCESSES):
        ours, theirs = context.Pipe()
        context.Process(target=_work, args=(settings, lines[number::PROCESSES], theirs), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    # All are ready before the first begins: loading the program is not what is measured.
    for pipe in pipes:
        pipe.recv()
    for pipe in pipes:
        pipe.send(None)
    spans: list[Span] = [pipe.recv() for pipe in pipes]
    return max(span.ended for span in spans) - min(span.begun for span in spans)


def _work(settings: Settings, lines: Sequence[bytes], pipe: Connection) -> None:
    import uvloop

    uvloop.run(_loading(settings, lines, pipe))


async def _loading(settings: Settings, lines: Sequence[bytes], pipe: Connection) -> None:
    async with InstanceBuilder().services(settings) as services:
        pipe.send(None)
        await asyncio.to_thread(pipe.recv)
        begun = time.monotonic()
        for start in range(0, len(lines), _AT_ONCE):
            await _load(services, lines[start : start + _AT_ONCE])
        pipe.send(Span(begun, time.monotonic()))


async def _load(services: Services, lines: Sequence[bytes]) -> None:
    resources = [decode(line) for line in lines]
    for resource in resources:
        if problems := validate(resource):
            raise RuntimeError(f"the benchmark writes what is not valid: {problems}")
    ctx = Context(System("bench"), services.clock, channel="load", demonstration=True)
    async with services.database.transaction() as tx:
        await services.gateway.load(tx, ctx, [New(resource) for resource in resources])
