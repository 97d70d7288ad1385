"""The embedded PostgreSQL: real server binaries, started and kept by us, reachable through a private socket only."""

from ambroise.kernel.postgres.binaries import Binaries, find_binaries
from ambroise.kernel.postgres.cluster import EmbeddedPostgres, PostgresError, running

__all__ = ["Binaries", "EmbeddedPostgres", "PostgresError", "find_binaries", "running"]
