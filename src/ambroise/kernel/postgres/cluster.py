"""One PostgreSQL cluster in a data folder: create, start, adopt, recover, stop.

Several processes may use the same cluster: the instance, and the commands that a person runs beside it. Whoever comes
first starts the server, whoever leaves last stops it; a server whose starter was killed is adopted by the next one.
"""

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from ambroise.kernel.postgres import configuration, locks
from ambroise.kernel.postgres.account import Account, account_for, let_reach
from ambroise.kernel.postgres.binaries import Binaries, find_binaries

DATABASE = "ambroise"
OWNER = "ambroise_owner"
APP = "ambroise_app"
SUPERUSER = "postgres"

_READY_SECONDS = 120.0
_STOP_SECONDS = 60.0
_FOLDER = "postgres"
_SOCKET_PATH_LIMIT = 90
# The folder that a process works in, by a name that needs no permission on the folders above it (Linux).
_HERE = Path("/proc/self/cwd")
_STATUS_LINE = 7


class PostgresError(Exception):
    """The server could not be created or started; the message says why."""


class EmbeddedPostgres:
    """The server of one data folder. `durable=False` trades safety for speed: for tests only."""

    def __init__(self, folder: Path, *, durable: bool = True, binaries: Binaries | None = None) -> None:
        self.folder = folder.absolute()
        self._durable = durable
        self._binaries = binaries or find_binaries()
        self._root = self.folder / _FOLDER
        self._data = self._root / "data"
        self._log = self._root / "server.log"
        self._secrets = self.folder / "secrets"
        self._use = locks.FileLock(self.folder / "use.lock")
        self._child: subprocess.Popen[Any] | None = None

    @property
    def exists(self) -> bool:
        """Whether the cluster was created already."""
        return (self._data / "PG_VERSION").exists()

    @property
    def owner_dsn(self) -> str:
        """For migrations: the role that owns every table."""
        return self.dsn(OWNER)

    @property
    def app_dsn(self) -> str:
        """For the server: the role that owns nothing and cannot alter the trace."""
        return self.dsn(APP)

    def dsn(self, role: str, database: str = DATABASE) -> str:
        return make_conninfo(
            host=str(self._socket()), user=role, password=self._password(role), dbname=database, connect_timeout=10
        )

    def start(self) -> None:
        """Have the server running; creates the cluster the first time. Safe when it runs already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locks.starting(self.folder):
            self._use.try_shared()
            account = account_for(self._data)
            self._prepare_folders(account)
            self._forget_dead_server()
            if self._pid() is None:
                if not self.exists:
                    self._create_cluster(account)
                self._check_version()
                self._launch(account)
            self._create_roles()

    def stop(self) -> None:
        """Leave; the last one to leave stops the server."""
        with locks.starting(self.folder):
            self._use.release()
            if not self._use.try_exclusive():
                return
            self._use.release()
            self._shut_down()

    def restart_if_dead(self) -> bool:
        """Start the server again if it died under us; whether that was needed."""
        if self._pid() is not None:
            return False
        self.start()
        return True

    def _prepare_folders(self, account: Account | None) -> None:
        self._secrets.mkdir(mode=0o700, exist_ok=True)
        self._root.mkdir(mode=0o700, exist_ok=True)
        socket = self._socket()
        with suppress(FileExistsError):
            socket.mkdir(mode=0o700)
        if socket.is_symlink() or socket.stat().st_uid not in {os.geteuid(), account.uid if account else os.geteuid()}:
            raise PostgresError(f"{socket} belongs to somebody else; remove it or choose another data folder.")
        if account is None:
            return
        if self._root.stat().st_uid == 0:
            account.own(self._root)
        account.own(socket)
        let_reach(account, self._binaries.folder)
        if not _HERE.exists():
            let_reach(account, self._root)
            let_reach(account, socket)

    def _socket(self) -> Path:
        """The socket's folder; in the temporary folder when the data folder's path is too long for a socket."""
        beside = self._root / "socket"
        if len(os.fsencode(beside)) <= _SOCKET_PATH_LIMIT:
            return beside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"ambroise-{os.geteuid()}-{digest}"

    def _password(self, role: str) -> str:
        file = self._secrets / f"{role}.password"
        try:
            return file.read_text().strip()
        except FileNotFoundError:
            password = secrets.token_urlsafe(32)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(password)
            return password

    def _create_cluster(self, account: Account | None) -> None:
        """Run initdb beside the final place and rename, so that an interrupted creation leaves no half cluster."""
        draft = self._root / "data.new"
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        if account is not None:
            account.own(draft)
        provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self._binaries.major >= 17 else []
        locale = ["--locale=C"] if provider else ["--locale=C", "--lc-ctype=C.UTF-8"]
        password = self._root / "initial.password"
        password.touch(mode=0o600)
        try:
            password.write_text(self._password(SUPERUSER))
            if account is not None:
                account.own(password)
            arguments = [
                self._binaries.program("initdb"),
                f"--pgdata={_here_or(draft)}",
                f"--username={SUPERUSER}",
                f"--pwfile={_beside_or(password)}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *locale,
                *provider,
                *([] if self._durable else ["--no-sync"]),
            ]
            self._run_as(account, arguments, draft)
        finally:
            password.unlink()
        draft.rename(self._data)

    def _run_as(self, account: Account | None, command: list[str], where: Path) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **_identity(account, where))
        if done.returncode != 0:
            raise PostgresError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _check_version(self) -> None:
        made_by = int((self._data / "PG_VERSION").read_text())
        if made_by != self._binaries.major:
            raise PostgresError(
                f"{self._data} was made by PostgreSQL {made_by}, and this is PostgreSQL {self._binaries.major}. "
                f"Back up with a version of Ambroise that has PostgreSQL {made_by}, and restore into a new folder."
            )

    def _launch(self, account: Account | None) -> None:
        configuration.write(self._data, _beside_or(self._socket()), durable=self._durable)
        for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
            if account is not None:
                account.own(self._data / name)
        self._log.touch(mode=0o600)
        if account is not None:
            account.own(self._log)
        size = self._log.stat().st_size
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [self._binaries.program("postgres"), "-D", str(_here_or(self._data))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Of its own session: Ctrl-C in the terminal is for us, we stop the server afterwards.
                start_new_session=True,
                **_identity(account, self._data),
            )
        self._wait_until_ready(size)

    def _wait_until_ready(self, log_offset: int) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            lines = self._pid_file()
            if len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready":
                return
            if self._child is not None and self._child.poll() is not None:
                break
            time.sleep(0.01)
        with self._log.open("rb") as log:
            log.seek(log_offset)
            tail = log.read().decode(errors="replace").strip()[-2000:]
        raise PostgresError(f"PostgreSQL did not start:\n{tail}")

    def _create_roles(self) -> None:
        """Create the two roles and the database; each step looks first, so that an interrupted one is finished here."""
        marker = self._secrets / "roles.made"
        if marker.exists():
            return
        with psycopg.connect(self.dsn(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role in (OWNER, APP):
                known = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
                verb = SQL("alter" if known else "create")
                connection.execute(
                    SQL("{} role {} login nosuperuser nocreatedb nocreaterole nobypassrls password {}").format(
                        verb, Identifier(role), Literal(self._password(role))
                    )
                )
            if not connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone():
                connection.execute(SQL("create database {} owner {}").format(Identifier(DATABASE), Identifier(OWNER)))
            connection.execute(SQL("revoke all on database {} from public").format(Identifier(DATABASE)))
            connection.execute(SQL("grant connect on database {} to {}").format(Identifier(DATABASE), Identifier(APP)))
        marker.touch(mode=0o600)

    def _pid_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _pid(self) -> int | None:
        """The running server's process, or None."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if _is_postgres(pid, self._data) else None

    def _forget_dead_server(self) -> None:
        """Remove the traces of a server that was killed, whose number another process may have by now."""
        if self._pid_file() and self._pid() is None:
            (self._data / "postmaster.pid").unlink(missing_ok=True)
        if self._pid() is None:
            for left in self._socket().glob(".s.PGSQL.*"):
                left.unlink(missing_ok=True)

    def _shut_down(self) -> None:
        pid = self._pid()
        if pid is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            deadline = time.monotonic() + _STOP_SECONDS
            while time.monotonic() < deadline:
                if self._pid() is None and _has_ended(pid):
                    return
                time.sleep(0.01)


def _here_or(folder: Path) -> Path:
    """How a child that works in a folder names it: where it is, whatever the permissions on the way there."""
    return _HERE if _HERE.exists() else folder


def _beside_or(path: Path) -> Path:
    """How a child that works in the data folder names something that stands beside it."""
    return Path("..", path.name) if _HERE.exists() and path.parent.name == _FOLDER else path


def _identity(account: Account | None, where: Path) -> dict[str, Any]:
    """How to start a child as the account: its user and group, no other group, files private to it, in its folder.

    The folder is entered before the rights of root are given up.
    """
    common: dict[str, Any] = {"umask": 0o077, "cwd": where, "env": _environment()}
    if account is None:
        return common
    return {**common, "user": account.uid, "group": account.gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    # PG… variables of the person who starts us would change what the server does.
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AMBROISE_"))}


def _is_postgres(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL server working in that cluster."""
    if not _HERE.exists():
        with suppress(OSError):
            os.kill(pid, 0)
            return True
        return False
    proc = Path("/proc") / str(pid)
    with suppress(OSError):
        # A process that ended and that nobody has collected has no folder any more.
        return (proc / "cwd").readlink() == data.resolve() and b"postgres" in (proc / "cmdline").read_bytes()
    return False


def _has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits only to be collected by its parent."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@contextmanager
def running(folder: Path, *, durable: bool = True) -> Generator[EmbeddedPostgres]:
    """Use the server of a data folder for a while, whoever started it."""
    server = EmbeddedPostgres(folder, durable=durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()
