"""`doctor`: is everything in order, and if not, what to do."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, explained

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings

_LITTLE_SPACE = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    good: bool
    subject: str
    detail: str


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def doctor(data: Data = None) -> None:
        """Check the installation; exits with 1 when something needs care."""
        settings = toolbox.settings(data)
        findings = [*_secrets(settings), *_disk(settings)]
        with explained(), toolbox.builder.database(settings) as (_, app_dsn):
            findings.extend(_database(app_dsn))
        for finding in findings:
            mark = typer.style("ok  ", fg="green") if finding.good else typer.style("care", fg="red")
            typer.echo(f"{mark}  {finding.subject}: {finding.detail}")
        if not all(finding.good for finding in findings):
            raise typer.Exit(1)


def _secrets(settings: Settings) -> Iterator[Finding]:
    signing = sorted(settings.signing_keys.glob("*.pem"))
    yield Finding(bool(signing), "signing keys", f"{len(signing)} in {settings.signing_keys}")
    for subject, path in (("master key", settings.master_key), ("application key", settings.application_key)):
        yield Finding(path.is_file(), subject, str(path) if path.is_file() else f"{path} is missing: restore it")
    for path in (settings.master_key, settings.application_key, *signing):
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Finding(False, "permissions", f"others can read {path}: chmod 600 it")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data or Path()
    if folder.is_dir():
        free = shutil.disk_usage(folder).free
        yield Finding(free > _LITTLE_SPACE, "disk", f"{free / 1024**3:.1f} GiB free for {folder}")
        yield Finding(os.access(folder, os.W_OK), "data folder", str(folder))


def _database(dsn: str) -> Iterator[Finding]:
    import psycopg

    from ambroise.kernel.migrations import pending

    with psycopg.connect(dsn) as connection:
        version = connection.info.server_version // 10000
        yield Finding(version >= 16, "PostgreSQL", f"version {version}")
        missing = pending(dsn)
        yield Finding(
            not missing, "migrations", f"{len(missing)} missing: run `ambroise migrate`" if missing else "done"
        )
        if missing:
            return
        owned = _one(connection, "select count(*) from pg_tables where tableowner = current_user")
        yield Finding(owned == 0, "role", f"{connection.info.user} owns {owned} tables; it must own none")
        off = _one(
            connection,
            "select count(*) from pg_settings where name in ('fsync', 'full_page_writes') and setting <> 'on'",
        )
        yield Finding(off == 0, "durability", "fsync and full_page_writes are on" if off == 0 else "turn fsync back on")
        dead = _one(connection, "select count(*) from outbox where dead")
        yield Finding(dead == 0, "events", f"{dead} could not be delivered" if dead else "none is stuck")
        failed = _one(connection, "select count(*) from job_schedule where last_error is not null")
        yield Finding(failed == 0, "jobs", f"{failed} failed last time; see the logs" if failed else "none failed")


def _one(connection: object, sql: str) -> int:
    return connection.execute(sql).fetchone()[0]  # type: ignore[attr-defined]
