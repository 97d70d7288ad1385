"""What it ran on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def facts(dsn: str) -> dict[str, str]:
    """The machine, the versions, how busy it was."""
    import psycopg

    with psycopg.connect(dsn) as connection:
        server = connection.info.server_version
        shown = connection.execute(
            "select name, setting, unit from pg_settings"
            " where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers') order by name"
        ).fetchall()
    settings = ", ".join(f"{name} {setting}{f' × {unit}' if unit else ''}" for name, setting, unit in shown)
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores for the client, the server and PostgreSQL together",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}, {_distribution()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{server // 10000}.{server % 10000}; {settings}",
        "Revision": _revision(),
    }


def load() -> str:
    """How busy the machine is: the load average of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.platform()


def _revision() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return found.stdout.strip() or "unknown"
