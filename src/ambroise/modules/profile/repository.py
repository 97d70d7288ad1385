"""The module's own SQL: code lists brought into an instance, emergency codes, and the lock of a profile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction


async def lock(tx: Transaction, patient: UUID) -> None:
    """Let one change of this person's profile through at a time, for the rules that count (one trusted contact)."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"profile:{patient}",))


async def codes_with(reader: Reader, lists: Sequence[str], patterns: Sequence[str], count: int) -> list[Row]:
    """(system, code, label, folded label) of the codes that were brought in whose label is like every pattern."""
    return await reader.fetch_all(
        """
        select system, code, label, folded
        from profile_code
        where list = any(%s) and folded like all(%s)
        order by length(folded), folded
        limit %s
        """,
        (list(lists), list(patterns), count),
    )


async def code_named(reader: Reader, lists: Sequence[str], folded: str) -> Row | None:
    """(system, code, label) of the code that was brought in under this folded label."""
    return await reader.fetch_one(
        """
        select system, code, label
        from profile_code
        where list = any(%s) and folded = %s
        order by code
        limit 1
        """,
        (list(lists), folded),
    )


async def replace_codes(
    tx: Transaction, name: str, system: str, codes: Sequence[tuple[str, str, str]], source: str, at: datetime
) -> None:
    """Put (code, label, folded label) in place of what a list had of a system."""
    await tx.execute("delete from profile_code where list = %s and system = %s", (name, system))
    await tx.execute_many(
        """
        insert into profile_code (list, system, code, label, folded, source, imported_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [(name, system, code, label, folded, source, at) for code, label, folded in codes],
    )
