"""Where there is no wheel, the launcher takes the server programs of the machine."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ambroise.kernel.postgres import binaries, running
from ambroise.kernel.postgres.binaries import BinariesMissing, find_binaries


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without the wheel; server programs are looked for under this folder alone."""
    places = tmp_path / "usr/lib/postgresql"
    places.mkdir(parents=True)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(binaries, "_wheel", list)
    monkeypatch.setattr(binaries, "_PLACES", (f"{places}/*/bin",))
    monkeypatch.setattr(binaries.shutil, "which", lambda _: None)
    monkeypatch.delenv("AMBROISE_POSTGRES_BIN", raising=False)
    find_binaries.cache_clear()
    yield places
    find_binaries.cache_clear()


def install(places: Path, version: str) -> None:
    """Server programs that tell their version and do nothing else."""
    folder = places / version.partition(".")[0] / "bin"
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian)'\n")
        (folder / name).chmod(0o755)


def test_the_most_recent_server_of_the_machine_is_taken(machine: Path) -> None:
    for version in ("15.18", "16.9", "17.5"):
        install(machine, version)
    found = find_binaries()
    assert (found.major, found.folder) == (17, machine / "17" / "bin")


def test_a_server_that_is_too_old_is_refused_with_what_to_do(machine: Path) -> None:
    install(machine, "15.18")
    with pytest.raises(BinariesMissing, match="No PostgreSQL 16 or later"):
        find_binaries()


def test_an_instance_runs_on_the_server_of_the_machine(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    find_binaries.cache_clear()
    real = find_binaries()
    monkeypatch.setattr(binaries, "_wheel", list)
    monkeypatch.setattr(binaries, "_PLACES", (f"{real.folder}",))
    monkeypatch.setattr(binaries.shutil, "which", lambda _: None)
    find_binaries.cache_clear()
    assert find_binaries().folder == real.folder
    with running(tmp_path / "data", durable=False) as server, psycopg.connect(server.owner_dsn) as owner:
        row = owner.execute("show server_version_num").fetchone()
        assert row is not None
        assert int(row[0]) // 10_000 == real.major
