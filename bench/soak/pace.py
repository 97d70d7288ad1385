"""Sending: as fast as the machine answers, to know its peak; then at an even pace, whatever the answers do."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from bench.soak.minutes import Minutes
from bench.soak.traffic import Done, NotWell, Traffic

_MOST_UNDER_WAY = 500
_ERRORS_KEPT = 20
_NO_ANSWER = (OSError, EOFError, TimeoutError, NotWell)


@dataclass
class Kept:
    """What came of the requests of one kind."""

    sent: int = 0
    done: list[Done] = field(default_factory=list[Done])
    latencies: list[float] = field(default_factory=list[float])
    errors: int = 0


@dataclass
class Sending:
    """Sends requests, and keeps what came of each."""

    traffic: Traffic
    kinds: defaultdict[str, Kept] = field(default_factory=lambda: defaultdict(Kept))
    why: Counter[str] = field(default_factory=Counter[str])
    minutes: Minutes | None = None

    async def peak(self, seconds: float, connections: int) -> float:
        """Requests a second when as many are under way as there are connections."""
        end, begun = time.monotonic() + seconds, self._answered()

        async def repeat() -> None:
            while (now := time.monotonic()) < end:
                await self._one(self.traffic.draw(), now)

        await asyncio.gather(*(repeat() for _ in range(connections)))
        return (self._answered() - begun) / seconds

    async def keep(self, rate: float, seconds: float) -> None:
        """So many requests a second, each sent when its time comes, and timed from then."""
        begun, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as under_way:
            waiting: set[asyncio.Task[None]] = set()
            while (due := begun + number / rate) < begun + seconds:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                kind = self.traffic.draw()
                if len(waiting) < _MOST_UNDER_WAY:
                    task = under_way.create_task(self._one(kind, due))
                    waiting.add(task)
                    task.add_done_callback(waiting.discard)
                else:
                    self._failed(kind, f"not sent: {_MOST_UNDER_WAY} are under way")
                number += 1

    async def _one(self, kind: str, due: float) -> None:
        kept = self.kinds[kind]
        kept.sent += 1
        try:
            done = await self.traffic.acts[kind]()
        except _NO_ANSWER as error:
            self._failed(kind, f"{type(error).__name__} {error}")
            return
        taken = time.monotonic() - due
        kept.done.append(done)
        kept.latencies.append(taken)
        if self.minutes is not None:
            self.minutes.now().latencies.append(taken)

    def _failed(self, kind: str, why: str) -> None:
        self.kinds[kind].errors += 1
        if len(self.why) < _ERRORS_KEPT or f"{kind}: {why}" in self.why:
            self.why[f"{kind}: {why}"] += 1
        if self.minutes is not None:
            self.minutes.now().errors += 1

    def _answered(self) -> int:
        return sum(len(kept.done) for kept in self.kinds.values())
