"""An instance driven by the command line, as its operator would."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

AMBROISE = str(Path(sys.executable).with_name("ambroise"))


def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    done = subprocess.run([AMBROISE, *arguments], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0 or not check, done.stderr
    return done


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Operated:
    """A running `ambroise demo` on a data folder, without citizens."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process.
        self.process = subprocess.Popen(
            [AMBROISE, "demo", "--data", str(data), "--port", "0", "--population", "0", *options],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.said: list[str] = []
        self.url = self._wait()

    def _wait(self) -> str:
        assert self.process.stdout is not None
        started = time.monotonic()
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith("ready "):
                self.seconds = time.monotonic() - started
                return line.split()[1]
        self._errors.seek(0)
        raise AssertionError(f"it never was ready:\n{self._errors.read()}")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def postgres(self) -> int:
        """The process of its database."""
        return int((self.data / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])

    def token(self, who: str = "system", *options: str) -> str:
        return run("token", "--data", str(self.data), "--as", who, *options).stdout.strip()

    def ask(self, path: str, *, token: str | None = None, method: str = "GET", body: Any = None) -> tuple[int, str]:
        """Status and text of one request."""
        request = urllib.request.Request(self.url + path, method=method)
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/fhir+json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=60)


@pytest.fixture
def disposable(tmp_path: Path) -> Iterator[Operated]:
    """An instance for a test that stops or breaks it."""
    started = Operated(tmp_path / "data")
    yield started
    if started.process.poll() is None:
        started.stop()


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """An empty demonstration instance, shared by the tests of one module."""
    started = Operated(tmp_path_factory.mktemp("instance") / "data")
    yield started
    if started.process.poll() is None:
        started.stop()
