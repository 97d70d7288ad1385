"""The load generator: a process of its own, few microseconds a request, so that it measures the server and not itself.

Each connection sends a request, waits for the whole answer, and sends the next: as many requests are under way as there
are connections. A job comes pickled on standard input; the result leaves as JSON on standard output.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import cast

_PATIENCE_SECONDS = 60
Parts = tuple[bytes, ...]
"""A request as it goes over the wire, in pieces so that requests may share the large ones."""


@dataclass(frozen=True)
class Job:
    """What to send, where, and for how long. `once`: each request is sent once at most; else they are repeated."""

    host: str
    port: int
    connections: int
    warm_up: float
    seconds: float
    requests: Sequence[Parts]
    expected: frozenset[int]
    once: bool = False
    mllp: bool = False
    """HL7 v2 rather than HTTP: what is expected is AA."""
    holds: bytes = b""
    """What an answer that is well holds, where its status does not say it (SOAP)."""


@dataclass
class Measure:
    """What was measured between the warm-up and the end; latencies in seconds."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    slowest: float = 0.0
    received: int = 0
    processor: float = 0.0
    first_error: str = ""
    exhausted: bool = False
    """Whether requests ran out before the end."""
    answered: int = 0
    """Every request, those of the warm-up too."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0


def measure(job: Job) -> Measure:
    """Run a job in a process of its own."""
    if not job.requests:
        raise ValueError("there is nothing to send: give more citizens, or more results for each")
    done = subprocess.run(
        [sys.executable, "-m", "bench.client"],
        input=pickle.dumps(job),
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return Measure(**json.loads(done.stdout))


@dataclass
class _Run:
    """What the connections share."""

    job: Job
    begin: float
    end: float
    latencies: array[float] = field(default_factory=lambda: array("d"))
    result: Measure = field(default_factory=Measure)
    living: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.source = iter(self.job.requests) if self.job.once else cycle(self.job.requests)

    def failed(self, why: str) -> None:
        self.result.errors += 1
        self.result.first_error = self.result.first_error or why[:500]

    def ended(self) -> None:
        self.living -= 1
        if self.living == 0:
            self.done.set()


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._sent = 0.0
        self._head = b""
        self._body = bytearray()
        self._wanted = -1
        self._chunked = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Those of uvloop are transports in all but name.
        self._transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        """Send the first request; each answer sends the next."""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._sent:
            self._run.failed(f"the connection was lost: {exc}")
        self._run.ended()

    def data_received(self, data: bytes) -> None:
        self._body += data
        if self._wanted < 0 and not self._chunked and not self._read_head():
            return
        whole = self._body.endswith(b"0\r\n\r\n") if self._chunked else len(self._body) >= self._wanted
        if whole:
            self._answered()

    def _send(self) -> None:
        now = time.perf_counter()
        request = next(self._run.source, None) if now < self._run.end else None
        if request is None:
            self._run.result.exhausted |= now < self._run.end
            self._sent = 0.0
            self._transport.close()
            return
        self._sent = now
        self._transport.writelines(request)

    def _read_head(self) -> bool:
        end = self._body.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._head = bytes(self._body[:end]).lower()
        del self._body[: end + 4]
        place = self._head.find(b"\r\ncontent-length:")
        self._chunked = place < 0 and b"\r\ntransfer-encoding: chunked" in self._head
        self._wanted = int(self._head[place + 17 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        return True

    def _answered(self) -> None:
        run, now = self._run, time.perf_counter()
        run.result.answered += 1
        status = int(self._head[9:12])
        if status not in run.job.expected or run.job.holds not in self._body:
            run.failed(f"{status} {bytes(self._body[:400]).decode(errors='replace')}")
        elif self._sent >= run.begin and now <= run.end:
            run.latencies.append(now - self._sent)
            run.result.received += len(self._body)
        self._body.clear()
        self._wanted, self._chunked = -1, False
        self._send()


class _Mllp(_Connection):
    """One connection of HL7 v2: an answer ends with FS CR."""

    def data_received(self, data: bytes) -> None:
        self._body += data
        if self._body.endswith(b"\x1c\r"):
            # What follows reads a status where HTTP has it.
            taken = b"\rMSA|AA|" in self._body
            self._head = b"http/1.1 200" if taken else b"http/1.1 422"
            self._answered()


async def _run(job: Job) -> Measure:
    loop = asyncio.get_running_loop()
    now = time.perf_counter()
    run = _Run(job, now + job.warm_up, now + job.warm_up + job.seconds, living=job.connections)
    # All of them are there before the first one sends: with few requests it could be done before the others come.
    sort = _Mllp if job.mllp else _Connection
    connections = [
        (await loop.create_connection(lambda: sort(run), job.host, job.port))[1] for _ in range(job.connections)
    ]
    for connection in connections:
        connection.start()
    used_before = time.process_time()
    async with asyncio.timeout(job.warm_up + job.seconds + _PATIENCE_SECONDS):
        await run.done.wait()
    return _summed_up(run, time.process_time() - used_before, min(time.perf_counter(), run.end))


def _summed_up(run: _Run, processor: float, ended: float) -> Measure:
    result, latencies = run.result, sorted(run.latencies)
    result.requests, result.seconds, result.processor = len(latencies), max(ended - run.begin, 0.0), processor
    if latencies:
        last = len(latencies) - 1
        result.p50, result.p95, result.p99 = (latencies[round(last * share)] for share in (0.5, 0.95, 0.99))
        result.slowest = latencies[-1]
    return result


def main() -> None:
    import gc

    import uvloop

    job: Job = pickle.load(sys.stdin.buffer)
    gc.freeze()
    gc.disable()
    print(json.dumps(asdict(uvloop.run(_run(job)))))


if __name__ == "__main__":
    main()
