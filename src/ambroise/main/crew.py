"""The processes that answer beside the first one, on the same sockets, each with its own connections to the database.

The first process starts them, starts again one that dies, and stops them with itself. They hold nothing that another
needs: what happens in one is known to the others through the database, as it is between machines.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from subprocess import PIPE, Popen

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.log import logger
from ambroise.kernel.settings import Settings
from ambroise.main.secure import SecureFront
from ambroise.main.tasks import cancel

_log = logger(__name__)

# The variable of the library that counts, which reads it when it is first imported.
_MEASURES = "PROMETHEUS_MULTIPROC_DIR"
_AGAIN_SECONDS = 1.0
_GRACE_SECONDS = 15


class Work(Struct, frozen=True):
    """What one of them needs to answer: `sockets` and those of the front are numbers of files that it inherits."""

    settings: Settings
    dsn: str
    sockets: tuple[int, ...]
    front: SecureFront | None
    front_sockets: tuple[int, ...] = ()

    @property
    def inherited(self) -> tuple[int, ...]:
        return (*self.sockets, *self.front_sockets)

    def written(self) -> bytes:
        """As one line, for who was started by us."""
        return msgspec.json.encode(self, enc_hook=str) + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Work:
        return msgspec.json.decode(line, type=cls, dec_hook=lambda type, written: type(written))


def measure_together(settings: Settings) -> tempfile.TemporaryDirectory[str] | None:
    """Have several processes count in one folder, so that each tells the measures of all; before anything counts."""
    if settings.processes == 1:
        return None
    folder = tempfile.TemporaryDirectory(prefix="ambroise-measures-")
    os.environ[_MEASURES] = folder.name
    return folder


@asynccontextmanager
async def crew(work: Work) -> AsyncGenerator[None]:
    """Have the other processes answer for the time of the block."""
    others = work.settings.processes - 1
    bare = replace(work, front=replace(work.front, sockets=[]) if work.front else None)
    with ThreadPoolExecutor(others or 1, "crew") as waiting:
        keeping = [asyncio.create_task(_keep(bare, waiting)) for _ in range(others)]
        try:
            yield
        finally:
            await asyncio.gather(*(cancel(task) for task in keeping))


async def _keep(work: Work, waiting: ThreadPoolExecutor) -> None:
    """Have one process answer for ever."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            process = await asyncio.to_thread(_start, work)
        except OSError:
            _log.exception("process_not_started")
            await asyncio.sleep(_AGAIN_SECONDS)
            continue
        ended = loop.run_in_executor(waiting, process.wait)
        try:
            code = await asyncio.shield(ended)
        except asyncio.CancelledError:
            await _stop(process, ended)
            raise
        _log.error("process_ended", code=code)
        await asyncio.sleep(_AGAIN_SECONDS)


def _start(work: Work) -> Popen[bytes]:
    # Not by the event loop: between fork and exec it runs Python, which may wait for ever for a lock of another thread.
    process = Popen([sys.executable, "-m", "ambroise.main.member"], stdin=PIPE, pass_fds=work.inherited)
    assert process.stdin is not None  # noqa: S101 - asked for.
    # The pipe stays open as long as this process lives: its end tells the other that nobody will stop it any more.
    with suppress(BrokenPipeError):
        # Who was killed before it read is noticed by its end, as any other.
        process.stdin.write(work.written())
        process.stdin.flush()
    return process


async def _stop(process: Popen[bytes], ended: asyncio.Future[int]) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), _GRACE_SECONDS)
    except TimeoutError:
        process.kill()
        await ended
