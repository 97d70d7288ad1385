"""`doctor`: is everything in order, and if not, what to do."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from ambroise.interfaces.cli.toolbox import Data, Toolbox, explained

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings

_PURGED_EVERY = timedelta(days=2)
_LITTLE_SPACE = 2 * 1024**3


class Finding(Struct, frozen=True):
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
            findings.extend(_database(app_dsn, settings))
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


def _database(dsn: str, settings: Settings) -> Iterator[Finding]:
    from ambroise.interfaces.security_txt import complaint
    from ambroise.kernel.clock import SystemClock
    from ambroise.kernel.health import OLDEST_SERVER, examine

    seen = examine(dsn)
    yield Finding(seen.server >= OLDEST_SERVER, "PostgreSQL", f"version {seen.server}")
    missing = seen.missing_migrations
    yield Finding(not missing, "migrations", f"{missing} missing: run `ambroise migrate`" if missing else "done")
    if missing:
        return
    owned, unsafe = seen.owned_tables, seen.unsafe_settings
    yield Finding(not owned, "role", f"{seen.role} owns {owned} tables; it must own none")
    yield Finding(not unsafe, "durability", "turn fsync and full_page_writes back on" if unsafe else "on")
    yield Finding(not seen.dead_events, "events", f"{seen.dead_events} could not be delivered")
    yield Finding(not seen.failed_jobs, "jobs", f"{seen.failed_jobs} failed the last time; the logs say why")
    late = seen.purged_at is not None and SystemClock().now() - seen.purged_at > _PURGED_EVERY
    ran = f"{seen.purged} removed on {seen.purged_at:%Y-%m-%d}" if seen.purged_at else "a worker runs it daily; not yet"
    yield Finding(not late, "retention", ran + (": is a worker running?" if late else ""))
    if seen.real:
        amiss = complaint(settings, SystemClock().now().date())
        yield Finding(amiss is None, "security contact", amiss or f"until {settings.security_contact_expires}")
