"""The pace at which documents are indexed: with the processor time that deposits and pages leave."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from ambroise.kernel.clock import Clock
from ambroise.kernel.log import logger
from ambroise.modules.record.texts import Texts

_log = logger(__name__)

_SLICE_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 5.0
_LEAST: Final = 0.1
_MOST: Final = 0.5


class Indexer:
    """Indexes for ever what was filed; a search does not wait for it, and indexes what waits in its own record.

    Several may work side by side, each in its process.
    """

    def __init__(self, texts: Texts, clock: Clock) -> None:
        self._texts = texts
        self._clock = clock

    async def run(self) -> None:
        share = _LEAST
        while True:
            begun, done = time.monotonic(), 0
            try:
                done = await self._texts.work(self._clock, seconds=_SLICE_SECONDS)
            except Exception:
                # The database may be away for a moment: the documents wait in it.
                _log.exception("indexing_failed")
            if not done:
                await asyncio.sleep(_IDLE_SECONDS)
                continue
            pause = (time.monotonic() - begun) * (1 / share - 1)
            used = time.process_time()
            await asyncio.sleep(pause)
            share = share_beside((time.process_time() - used) / pause)


def share_beside(busy: float) -> float:
    """The part of one processor to index with, where the rest of the process uses `busy` of one.

    A tenth even when requests use it all, so that what waits does not grow for ever; half when they use none, so that
    who comes now is answered as fast.
    """
    return min(_MOST, max(_LEAST, 1 - busy))
