"""The WebSockets that follow contexts in this process, and the one connection by which it hears of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final
from uuid import UUID

import msgspec
import psycopg

from ambroise.kernel.db import Database
from ambroise.kernel.log import logger
from ambroise.modules.identity.provider.api import CAST

HUB: Final = "/fhircast"
LOST: Final = "lost"
_log = logger(__name__)
_MOST_WAITING: Final = 32
_READY_SECONDS: Final = 5.0


class Said(msgspec.Struct, frozen=True):
    """What happened in a session: an event of the context, its name for the tools, and the patient."""

    sign_on: str
    event: str
    id: str = ""
    patient: str = ""


class Hub:
    """Hands what is said of a session to those of this process who follow it. It listens while anybody follows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: dict[str, set[asyncio.Queue[Said]]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @asynccontextmanager
    async def follow(self, sign_on: UUID) -> AsyncGenerator[asyncio.Queue[Said]]:
        """What is said of a session from now on. A follower who is late, or whom the database loses, hears LOST."""
        queue: asyncio.Queue[Said] = asyncio.Queue(_MOST_WAITING)
        mine = self._followers[str(sign_on)]
        mine.add(queue)
        if self._listening is None or self._listening.done():
            self._ready = asyncio.Event()
            self._listening = asyncio.create_task(self._hear())
        try:
            await asyncio.wait_for(self._ready.wait(), _READY_SECONDS)
            yield queue
        finally:
            mine.discard(queue)
            if not mine:
                self._followers.pop(str(sign_on), None)
            await self._rest()

    async def _rest(self) -> None:
        if self._followers or self._listening is None:
            return
        listening, self._listening = self._listening, None
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

    async def _hear(self) -> None:
        try:
            async for _, text in self._database.listen(CAST, ready=self._ready.set):
                said = msgspec.json.decode(text, type=Said)
                for queue in tuple(self._followers.get(said.sign_on, ())):
                    _hand(queue, said)
        except psycopg.Error:
            _log.warning("contexts_not_heard")
        # What is said while nobody listens is lost: the tools subscribe again, and are told what is open.
        for name, queues in self._followers.items():
            for queue in queues:
                _hand(queue, Said(name, LOST))


def _hand(queue: asyncio.Queue[Said], said: Said) -> None:
    try:
        queue.put_nowait(said)
    except asyncio.QueueFull:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(Said(said.sign_on, LOST))
