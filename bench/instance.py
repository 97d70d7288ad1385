"""The instance that is measured: the very command that people run, on a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from ambroise.kernel.settings import Settings
from bench.process import children, processor, resident

_COMMAND = (sys.executable, "-m", "bench.run_ambroise", "demo", "--population", "0", "--port", "0")
_READY = "ready http://"
_FEED = "mllp://localhost:"
_PATIENCE_SECONDS = 300


@dataclass
class Instance:
    """`ambroise demo --population 0`; `processes` of them answer, the first one works too."""

    folder: Path
    processes: int = 1
    host: str = ""
    port: int = 0
    feed: int = 0
    """The port of HL7 v2 without TLS: the load generator shows no certificate."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        return Settings(data=self.folder)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the instance does not run")
        return self._process.pid

    def start(self) -> float:
        """Start it; the seconds until it served."""
        log = self.folder.with_suffix(".log")
        begun = time.monotonic()
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [*_COMMAND, "--data", str(self.folder), "--processes", str(self.processes)],
                stdout=stream,
                stderr=stream,
                env={**_environment(), "AMBROISE_HL7_PLAIN_PORT": "0"},
                cwd=Path(__file__).parents[1],
            )
        while _READY not in (text := log.read_text()):
            if self._process.poll() is not None or time.monotonic() - begun > _PATIENCE_SECONDS:
                raise RuntimeError(f"the instance did not start:\n{text}")
            time.sleep(0.005)
        address = text.partition(_READY)[2].split()[0]
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.feed = int(text.partition(_FEED)[2].split()[0])
        return time.monotonic() - begun

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(120)
            self._process = None

    def memory(self) -> int:
        """Resident bytes of the server, PostgreSQL aside."""
        return sum(resident(pid) for pid in self.serving())

    def spent(self) -> tuple[float, float]:
        """Processor seconds so far: of the server, of PostgreSQL."""
        return processor(self.serving()), processor(self.database())

    def serving(self) -> list[int]:
        """The processes that answer."""
        database = set(self.database())
        return [self.pid, *(pid for pid in children(self.pid) if pid not in database)]

    def database(self) -> list[int]:
        """The processes of PostgreSQL, its postmaster first."""
        return [self._postmaster(), *children(self._postmaster())]

    def _postmaster(self) -> int:
        return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def _environment() -> dict[str, str]:
    """That of this process, without what it chooses for an instance of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AMBROISE_")}
