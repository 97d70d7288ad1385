"""What the trace needs once a backup has been restored."""

import psycopg


def begin_era(owner_dsn: str) -> int:
    """Begin a new era of the trace, since transaction numbers start over in another cluster; its number."""
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        row = owner.execute("select trace_begin_era()").fetchone()
    assert row is not None  # noqa: S101 - the function returns a row.
    return row[0]
