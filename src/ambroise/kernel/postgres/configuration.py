"""The server's settings for one machine: durable, private, sized for small hosts."""

import os
from collections.abc import Mapping
from pathlib import Path

from ambroise.kernel.settings import EMBEDDED_CONNECTIONS

_MEGABYTE = 1024 * 1024

_FIXED: Mapping[str, str] = {
    # Nothing listens on a network; who may open the socket still gives a password.
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    "max_connections": str(EMBEDDED_CONNECTIONS),
    # Durability is the default and stays so: an acknowledged document is on disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Fewer, smoother checkpoints; room for a bulk load.
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "min_wal_size": "160MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    # Solid state disk, short queries: a parallel or compiled plan costs more than it gives.
    "random_page_cost": "1.1",
    "jit": "off",
    # Queries speak about people: none of their values goes to the log.
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "'%m [%p] '",
    "log_timezone": "'UTC'",
    "timezone": "'UTC'",
    "lc_messages": "'C'",
    "client_encoding": "'UTF8'",
    "default_text_search_config": "'pg_catalog.simple'",
}

_VOLATILE: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "'64MB'",
    "autovacuum": "off",
    "max_wal_size": "1GB",
}


def settings(socket: Path, *, durable: bool) -> dict[str, str]:
    """Every setting by name. Not durable means a throw-away cluster, for tests only."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MEGABYTE
    cores = os.cpu_count() or 2
    values = dict(_FIXED)
    values["unix_socket_directories"] = f"'{str(socket).replace(chr(39), chr(39) * 2)}'"
    values["shared_buffers"] = f"'{min(max(memory // 8, 64), 1024)}MB'"
    values["effective_cache_size"] = f"'{max(memory // 2, 128)}MB'"
    values["max_parallel_workers_per_gather"] = "0" if cores <= 2 else "2"
    if not durable:
        values.update(_VOLATILE)
    return values


def write(data: Path, socket: Path, *, durable: bool) -> None:
    """Write the configuration and the authentication rules of a cluster."""
    lines = [f"{name} = {value}" for name, value in sorted(settings(socket, durable=durable).items())]
    lines.append("include_if_exists = 'local.conf'")
    (data / "postgresql.conf").write_text(
        "# Written at every start; put your own settings in local.conf.\n" + "\n".join(lines) + "\n"
    )
    (data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    (data / "pg_ident.conf").write_text("")
