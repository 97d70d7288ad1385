"""Several processes that answer together, as an operator meets them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.operating import Operated, is_alive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crews(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Operated]]:
    """The instances that were started, one after the other, on one folder."""
    started: list[Operated] = []
    yield started
    if started and started[-1].process.poll() is None:
        started[-1].stop()


@pytest.fixture
def crew(crews: list[Operated], tmp_path_factory: pytest.TempPathFactory) -> Operated:
    """A running instance of two processes."""
    if not crews or crews[-1].process.poll() is not None:
        data = crews[-1].data if crews else tmp_path_factory.mktemp("crew") / "data"
        crews.append(Operated(data, "--processes", "2"))
    return crews[-1]


def member(crew: Operated) -> int:
    """The process beside the first one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            # Processes come and go while we look.
            with suppress(OSError):
                line, status = (folder / "cmdline").read_bytes(), (folder / "status").read_text()
                if b"ambroise.main.member" in line and f"\nPPid:\t{crew.process.pid}\n" in status:
                    return int(folder.name)
        time.sleep(0.05)
    raise AssertionError("there is no second process")


def another(crew: Operated, than: int) -> int:
    """The process that took the place of one that died."""
    deadline = time.monotonic() + 30
    while (found := member(crew)) == than:
        assert time.monotonic() < deadline
    return found


def answers_alone(crew: Operated, stopped: int) -> bool:
    """Whether the instance answers a new client while one of its processes does nothing."""
    os.kill(stopped, signal.SIGSTOP)
    try:
        return crew.ask("/readyz") == (200, "ready\n")
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_each_process_answers_and_the_measures_are_those_of_all(crew: Operated) -> None:
    second = member(crew)
    assert answers_alone(crew, second)
    assert answers_alone(crew, crew.process.pid)
    token = crew.token()
    for _ in range(20):
        assert crew.ask("/fhir/Organization?_count=1", token=token)[0] == 200
    counted = [line for line in crew.ask("/metrics")[1].splitlines() if line.startswith("ambroise_http_requests_total")]
    assert [line.rpartition(" ")[2] for line in counted if 'surface="fhir"' in line] == ["20.0"]


def test_a_process_that_dies_is_replaced(crew: Operated) -> None:
    first = member(crew)
    os.kill(first, signal.SIGKILL)
    assert crew.ask("/readyz") == (200, "ready\n")
    # Killed again before it knows what to do.
    os.kill(second := another(crew, first), signal.SIGKILL)
    third = another(crew, second)
    assert answers_alone(crew, crew.process.pid)
    assert is_alive(third)


def test_none_outlives_the_first_one(crew: Operated) -> None:
    second = member(crew)
    crew.kill()
    deadline = time.monotonic() + 30
    while is_alive(second):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(crew.postgres, signal.SIGINT)
