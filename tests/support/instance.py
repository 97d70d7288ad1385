"""A real instance in a process of its own, with its own PostgreSQL: started, killed, started again."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ambroise.interfaces.token_claims import Role, claims_for, sign
from ambroise.kernel.clock import SystemClock
from ambroise.kernel.crypto import SigningKeys
from ambroise.kernel.settings import Settings

_COMMAND = (sys.executable, "-c", "from ambroise.main import cli; cli()")
_READY = "ready http://"
_READY_SECONDS = 120


@dataclass
class Instance:
    """`ambroise demo` on a folder, empty. Use as a context manager: whatever happens, nothing is left running."""

    folder: Path
    roles: str = '["api", "worker"]'
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    address: str = ""

    def __enter__(self) -> "Instance":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop()
        self.kill_postgres()

    @property
    def settings(self) -> Settings:
        return Settings(data=self.folder)

    @property
    def output(self) -> str:
        return (self.folder.parent / f"{self.folder.name}.log").read_text()

    def start(self) -> float:
        """Start it and wait until it serves; how many seconds that took."""
        begun = time.monotonic()
        log = self.folder.parent / f"{self.folder.name}.log"
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [*_COMMAND, "demo", "--population", "0", "--port", "0", "--data", str(self.folder)],
                stdout=stream,
                stderr=stream,
                env=self._environment(),
            )
        while _READY not in self.output:
            if self._process.poll() is not None or time.monotonic() - begun > _READY_SECONDS:
                raise RuntimeError(f"the instance did not start:\n{self.output}")
            time.sleep(0.02)
        self.address = "http://" + self.output.partition(_READY)[2].split()[0]
        return time.monotonic() - begun

    def stop(self) -> None:
        """Ask it to stop, as a service manager does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def kill_server(self) -> None:
        """SIGKILL the process that serves."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None

    def kill_postgres(self) -> int:
        """SIGKILL the postmaster, then every process it started; how many that was."""
        postmaster = self._postmaster()
        if postmaster is None:
            return 0
        family = [postmaster, *_children(postmaster)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(_alive(pid) for pid in family):
            time.sleep(0.01)
        return len(family)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `ambroise` on the folder, beside the instance or alone."""
        return subprocess.run(
            [*_COMMAND, *command, "--data", str(self.folder)],
            capture_output=True,
            text=True,
            check=False,
            env=self._environment(),
        )

    def token(self, role: Role, **claims: Any) -> str:
        """A bearer token of this instance."""
        settings = self.settings
        made = claims_for(
            role,
            role.value,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            issued_at=SystemClock().now(),
            lifetime=timedelta(hours=1),
            **claims,
        )
        return sign(made, SigningKeys.load(settings.signing_keys).signer)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AMBROISE_")}
        return {**kept, "AMBROISE_ROLES": self.roles}

    def _postmaster(self) -> int | None:
        try:
            pid = int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if _alive(pid) else None


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if int((process / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(process.name))
    return found


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
