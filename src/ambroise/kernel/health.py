"""What an operator should look at in the database."""

from datetime import datetime

import psycopg
from msgspec import Struct

from ambroise.kernel.migrations import pending

OLDEST_SERVER = 16


class Health(Struct, frozen=True):
    """The state of a database, seen by the application's role. Counts are zero while migrations are missing."""

    server: int
    role: str
    missing_migrations: int
    owned_tables: int = 0
    unsafe_settings: int = 0
    dead_events: int = 0
    failed_jobs: int = 0
    real: bool = False
    purged_at: datetime | None = None
    purged: int = 0


def examine(dsn: str) -> Health:
    """Look at the database once."""
    missing = len(pending(dsn))
    with psycopg.connect(dsn) as connection:
        server, role = connection.info.server_version // 10000, connection.info.user
        if missing:
            return Health(server, role, missing)
        row = connection.execute(
            """
            select
              (select count(*) from pg_tables where tableowner = current_user),
              (select count(*) from pg_settings where name in ('fsync', 'full_page_writes') and setting <> 'on'),
              (select count(*) from outbox where dead),
              (select count(*) from job_schedule where last_error is not null),
              (select count(*) > 0 from installation where not demonstration),
              (select min(run_at) from retention_run),
              (select coalesce(sum(removed_last), 0)::bigint from retention_run)
            """
        ).fetchone()
    assert row is not None  # noqa: S101 - a select without a table always answers.
    return Health(server, role, 0, *row)
