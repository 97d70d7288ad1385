"""The floor of HTTP: a server that answers the same few bytes to everybody, on the same web server as ours."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_BODY = b'{"resourceType":"OperationOutcome"}'
_HEADERS = [(b"content-type", b"application/fhir+json"), (b"content-length", str(len(_BODY)).encode())]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer at once."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


@contextmanager
def serving() -> Generator[tuple[str, int]]:
    """Serve in a process of its own; its host and port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "bench.hello", str(port)], cwd=Path(__file__).parents[1])
    try:
        _wait(port)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the floor of HTTP does not answer")


def main() -> None:
    import uvicorn

    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", lifespan="off", log_config=None
    )


if __name__ == "__main__":
    main()
