"""What is kept of each minute: answers and how long they took, processor time, and the memory of every process."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.instance import Instance
from bench.process import resident

_EVERY_SECONDS = 5.0
_MINUTE = 60.0


@dataclass
class Minute:
    """One minute of the clock."""

    latencies: list[float] = field(default_factory=list[float])
    errors: int = 0
    server: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    """Resident bytes of each process that serves, each time that it was looked at."""
    database: list[int] = field(default_factory=list[int])
    """Bytes of PostgreSQL's own, all processes together; what they share is a size of the settings."""
    largest: list[int] = field(default_factory=list[int])
    """Of which the process that has most."""
    processes: int = 0
    spent: tuple[float, float] = (0.0, 0.0)
    """Processor seconds of the server and of PostgreSQL."""
    load: float = 0.0

    def latency(self, share: float) -> float:
        """A quantile, in seconds."""
        found = sorted(self.latencies)
        return found[min(int(len(found) * share), len(found) - 1)] if found else 0.0

    @property
    def memory(self) -> float:
        """Resident bytes of the processes that serve, at the mean of the minute."""
        return sum(sum(seen) / len(seen) for seen in self.server.values() if seen)

    @property
    def own(self) -> float:
        """PostgreSQL's own bytes, at the mean of the minute."""
        return sum(self.database) / len(self.database) if self.database else 0.0


@dataclass
class Minutes:
    """The minutes since a beginning."""

    instance: Instance
    last: int
    """How many there are: what ends later counts in the last one."""
    begun: float = field(default_factory=time.monotonic)
    kept: list[Minute] = field(default_factory=list[Minute])

    def now(self) -> Minute:
        """The present minute."""
        number = min(int((time.monotonic() - self.begun) / _MINUTE), self.last - 1)
        while len(self.kept) <= number:
            self.kept.append(Minute())
        return self.kept[number]

    async def watch(self) -> None:
        """Look at the processes every few seconds, until cancelled."""
        before, minute = self.instance.spent(), self.now()
        while True:
            with suppress(OSError):
                self._look()
            if self.now() is not minute:
                before, minute = self.instance.spent(), self.now()
            after = self.instance.spent()
            minute.spent = (after[0] - before[0], after[1] - before[1])
            await asyncio.sleep(_EVERY_SECONDS)

    def _look(self) -> None:
        minute = self.now()
        for pid in self.instance.serving():
            minute.server.setdefault(pid, []).append(resident(pid))
        own = [found for pid in self.instance.database() if (found := _own(pid)) is not None]
        minute.database.append(sum(own))
        minute.largest.append(max(own, default=0))
        minute.processes, minute.load = len(own), os.getloadavg()[0]


def _own(pid: int) -> int | None:
    """The resident bytes that a process shares with no other; None when it has ended."""
    with suppress(OSError):
        for line in (Path("/proc") / str(pid) / "status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return None
