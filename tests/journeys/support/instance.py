"""A demonstration that runs for real, as somebody who just installed it has one."""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

AMBROISE = [str(Path(sys.executable).with_name("ambroise"))]
READY = re.compile(r"^ready http://127\.0\.0\.1:\d+$", re.MULTILINE)


@dataclass(frozen=True)
class Instance:
    """A demonstration that runs for real."""

    address: str
    data: Path

    def token(self, who: str, *options: str) -> str:
        command = [*AMBROISE, "token", "--data", str(self.data), "--as", who, *options]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    data = Path(tempfile.mkdtemp(prefix="ambroise-journey-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*AMBROISE, "demo", "--data", str(data), "--port", str(port), "--population", "16"]
    log = data / "demo.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(process, log)
        yield Instance(f"http://localhost:{port}", data)
    finally:
        process.terminate()
        process.wait(timeout=30)
        print(log.read_text()[-4000:])
        shutil.rmtree(data, ignore_errors=True)


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the line that says where it serves; fail when the process ends first."""
    while not READY.search(log.read_text()):
        if process.poll() is not None:
            pytest.fail("the demonstration did not start:\n" + log.read_text()[-4000:])
        time.sleep(0.2)
