"""The launcher, on clusters of its own."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ambroise.kernel.postgres import EmbeddedPostgres, PostgresError, locks, running
from ambroise.kernel.postgres.cluster import APP, OWNER
from tests.support.operating import is_alive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    with running(folder, durable=False) as started:
        yield started


def write(server: EmbeddedPostgres, value: int) -> None:
    with psycopg.connect(server.owner_dsn, autocommit=True) as owner:
        owner.execute("create table if not exists kept (value integer)")
        owner.execute("insert into kept values (%s)", (value,))


def kept(server: EmbeddedPostgres) -> list[int]:
    with psycopg.connect(server.owner_dsn) as owner:
        return [value for (value,) in owner.execute("select value from kept order by value")]


def pid_of(folder: Path) -> int:
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def test_data_outlive_a_stop(folder: Path) -> None:
    with running(folder, durable=False) as server:
        write(server, 1)
        pid = pid_of(folder)
    assert not is_alive(pid)
    with running(folder, durable=False) as server:
        assert kept(server) == [1]


def test_a_server_that_was_killed_recovers(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    write(server, 1)
    os.kill(pid_of(folder), signal.SIGKILL)
    time.sleep(0.1)
    assert server.restart_if_dead()
    assert kept(server) == [1]
    server.stop()


def test_a_stale_process_number_that_somebody_else_has_now_is_ignored(folder: Path) -> None:
    with running(folder, durable=False) as server:
        write(server, 1)
    stale = [str(os.getpid()), str(folder / "postgres" / "data"), "1700000000", "5432", "/nowhere", "", "0 0", "ready"]
    (folder / "postgres" / "data" / "postmaster.pid").write_text("\n".join(stale) + "\n")
    with running(folder, durable=False) as server:
        assert kept(server) == [1]


def test_a_server_whose_starter_was_killed_is_adopted(folder: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from ambroise.kernel.postgres import EmbeddedPostgres
EmbeddedPostgres(Path({str(folder)!r}), durable=False).start()
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    pid = pid_of(folder)
    assert is_alive(pid)
    with running(folder, durable=False) as server:
        assert pid_of(folder) == pid
        write(server, 1)
    assert not is_alive(pid)


def test_a_command_uses_the_server_of_the_instance_and_leaves_it_running(
    server: EmbeddedPostgres, folder: Path
) -> None:
    pid = pid_of(folder)
    with running(folder, durable=False) as beside:
        write(beside, 2)
    assert pid_of(folder) == pid
    assert is_alive(pid)
    assert kept(server) == [2]


def test_the_instance_may_leave_before_the_command(folder: Path) -> None:
    first = EmbeddedPostgres(folder, durable=False)
    first.start()
    second = EmbeddedPostgres(folder, durable=False)
    second.start()
    first.stop()
    write(second, 1)
    pid = pid_of(folder)
    second.stop()
    assert not is_alive(pid)


def test_two_instances_on_one_folder_are_refused_with_a_clear_message(tmp_path: Path) -> None:
    with (
        locks.instance(tmp_path),
        pytest.raises(locks.FolderBusy, match=f"already runs on {tmp_path} .process {os.getpid()}."),
        locks.instance(tmp_path),
    ):
        pass
    with locks.instance(tmp_path):
        pass


def test_nothing_is_open_to_a_network_and_nobody_gets_in_without_a_password(
    server: EmbeddedPostgres, folder: Path
) -> None:
    with psycopg.connect(server.owner_dsn) as owner:
        assert owner.execute("show listen_addresses").fetchone() == ("",)
        # Beside the data, or in the temporary folder when that path is too long for a socket.
        socket = Path(owner.info.host)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(socket), user="postgres", dbname="postgres", password="guess")
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    secrets = [*(folder / "secrets").glob("*.password")]
    assert len(secrets) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_the_application_owns_nothing_and_creates_nothing(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.app_dsn, autocommit=True) as app:
        assert app.execute("select current_user").fetchone() == (APP,)
        for statement in ("create table mine (x int)", "create schema mine", "create temporary table mine (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)
        assert app.execute(
            "select count(*) from pg_roles where rolsuper and rolname in (%s, %s)", (APP, OWNER)
        ).fetchone() == (0,)


def test_a_folder_whose_path_is_long_still_gets_a_socket(tmp_path: Path) -> None:
    with running(tmp_path / ("long" * 20), durable=False) as server:
        write(server, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_as_root_the_server_runs_as_another_user_even_under_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with running(closed / "data", durable=False) as server:
        write(server, 1)
        assert Path(f"/proc/{pid_of(closed / 'data')}").stat().st_uid != 0
    assert closed.stat().st_mode & 0o007 == 0


def test_an_interrupted_creation_starts_afresh(folder: Path) -> None:
    half = folder / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with running(folder, durable=False) as server:
        write(server, 1)


def test_data_of_another_version_are_refused_with_what_to_do(folder: Path) -> None:
    with running(folder, durable=False):
        pass
    (folder / "postgres" / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match="made by PostgreSQL 15"):
        EmbeddedPostgres(folder, durable=False).start()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with running(folder, durable=False):
        pass
    (folder / "postgres" / "data" / "local.conf").write_text("no_such_setting = on\n")
    with pytest.raises(PostgresError, match="no_such_setting"):
        EmbeddedPostgres(folder, durable=False).start()
