"""One of the processes that answer beside the first one: `python -m ambroise.main.member`, started by `crew`."""

from __future__ import annotations

import asyncio
import socket
import sys

from msgspec.structs import replace

from ambroise.kernel.garbage import collect_rarely
from ambroise.main.crew import Work
from ambroise.main.tasks import stop_signal


async def _answer(work: Work) -> None:
    from ambroise.kernel.log import configure
    from ambroise.main.composition import compose
    from ambroise.main.serving import serve_until

    configure(level=work.settings.log_level, human=work.settings.log_format == "human")
    stop = stop_signal()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
    front = replace(work.front, sockets=_opened(work.front_sockets)) if work.front else None
    async with compose(work.settings, work.dsn) as application:
        await serve_until(stop, application.services, _opened(work.sockets), front, "")


def _opened(numbers: tuple[int, ...]) -> list[socket.socket]:
    return [socket.socket(fileno=number) for number in numbers]


def main() -> None:
    """Answer what the first line of the standard input says, until told to stop or until who wrote it is no more."""
    import uvloop

    collect_rarely()
    uvloop.run(_answer(Work.read(sys.stdin.buffer.raw.readline())))  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
