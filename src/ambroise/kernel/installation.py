"""Whether this installation is a demonstration or real; decided at its first migration, and never changed."""

from uuid import UUID

import psycopg
from msgspec import Struct

from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id


class Installation(Struct, frozen=True):
    id: UUID
    demonstration: bool


def claim(owner_dsn: str, *, demonstration: bool) -> Installation:
    """Declare what the database is for. Raises Refusal when it is already for the other thing."""
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute(
            "insert into installation (id, demonstration) values (%s, %s) on conflict do nothing",
            (new_id(), demonstration),
        )
        row = owner.execute("select id, demonstration from installation").fetchone()
    assert row is not None  # noqa: S101 - it was inserted just above.
    found = Installation(*row)
    if found.demonstration and not demonstration:
        raise Refusal(
            Kind.CONFLICT,
            "DEMONSTRATION_DATA",
            "This database holds a demonstration nation, whose people anybody can be. Use a new one for real people.",
        )
    if demonstration and not found.demonstration:
        raise Refusal(
            Kind.CONFLICT,
            "REAL_DATA",
            "This database is for real people, where no demonstration runs. Choose another data folder with --data.",
        )
    return found


async def read(reader: Reader) -> Installation:
    """What the database is for. Raises Refusal when nothing was installed yet."""
    row = await reader.fetch_one("select id, demonstration from installation")
    if row is None:
        raise Refusal(Kind.UNAVAILABLE, "NOT_INSTALLED", "The database is empty: run `ambroise migrate` first.")
    return Installation(*row)
