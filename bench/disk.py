"""What is kept on disk, with every index."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

_STORE = ("resource", "resource_history", "resource_range", "resource_text", "named_id")
_CONTENTS = ("blob", "blob_piece")


@dataclass(frozen=True)
class Disk:
    """Bytes in all, and how many things they hold."""

    resources: int
    store: int
    lines: int
    trace: int
    documents: int
    contents: int
    clear: int
    """Bytes of the documents themselves, before they are encrypted."""
    tables: dict[str, tuple[int, int]]
    """Bytes of rows and of indexes, by table."""

    @property
    def per_resource(self) -> float:
        return self.store / max(self.resources, 1)

    @property
    def per_line(self) -> float:
        return self.trace / max(self.lines, 1)


def measure(dsn: str) -> Disk:
    """Look, after what waits in the index has been put in its place."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for table in (*_STORE, "trace", *_CONTENTS):
            connection.execute(f"vacuum (analyze) {table}".encode())

        def value(statement: str) -> int:
            row = connection.execute(statement.encode()).fetchone()
            return int(row[0] or 0) if row else 0

        def size(table: str) -> int:
            return value(f"select pg_total_relation_size('{table}')")

        return Disk(
            resources=value("select (select count(*) from resource) + (select count(*) from resource_history)"),
            store=sum(size(table) for table in _STORE),
            lines=value("select count(*) from trace"),
            trace=size("trace"),
            documents=value("select count(*) from blob"),
            contents=sum(size(table) for table in _CONTENTS),
            clear=value("select sum(size)::bigint from blob where place is null"),
            tables={
                table: (size(table) - (indexes := value(f"select pg_indexes_size('{table}')")), indexes)
                for table in (*_STORE, "trace", *_CONTENTS)
            },
        )
