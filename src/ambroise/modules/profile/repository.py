"""The module's own SQL: code lists brought into an instance, emergency codes, and the lock of a profile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of


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


async def code_of(reader: Reader, name: str, code: str) -> Row | None:
    """(system, code, label) of a code that was brought in."""
    return await reader.fetch_one(
        "select system, code, label from profile_code where list = %s and code = %s order by system limit 1",
        (name, code),
    )


async def labels_of(reader: Reader, name: str, system: str) -> list[Row]:
    """(code, label) of all that a list has of a system."""
    return await reader.fetch_all(
        "select code, label from profile_code where list = %s and system = %s", (name, system)
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


async def emergency_code(reader: Reader, patient: UUID) -> Row | None:
    """(sections, made, expires, opened, last opened, made by whom else) of the code of a person."""
    return await reader.fetch_one(
        """
        select sections, made_at, expires_at, opened, last_opened, made_by
        from profile_emergency_code
        where shard = %s and patient = %s
        """,
        (shard_of(patient), patient),
    )


async def put_emergency_code(
    tx: Transaction,
    patient: UUID,
    digest: bytes,
    sections: Sequence[str],
    made: datetime,
    expires: datetime,
    made_by: UUID | None,
) -> None:
    """Put a code in place of the one before. `made_by`: who made it for the holder."""
    await drop_emergency_code(tx, patient)
    await tx.execute(
        """
        insert into profile_emergency_code (shard, patient, digest, sections, made_at, expires_at, made_by)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        (shard_of(patient), patient, digest, list(sections), made, expires, made_by),
    )


async def drop_emergency_code(tx: Transaction, patient: UUID) -> None:
    """Take the code of a person away."""
    await tx.execute(
        "delete from profile_emergency_code where shard = %s and patient = %s", (shard_of(patient), patient)
    )


async def open_emergency_code(
    tx: Transaction, digest: bytes, now: datetime, window: datetime, most: int
) -> tuple[UUID, list[str], UUID | None, bool] | None:
    """Count one more opening of a code in force: whose it is, what it opens, who made it for the holder, whether this
    opening is not one too many."""
    return await tx.fetch_one(
        """
        update profile_emergency_code
        set opened = opened + 1,
            last_opened = %(now)s,
            window_opened = case when window_began > %(window)s then window_opened + 1 else 1 end,
            window_began = case when window_began > %(window)s then window_began else %(now)s end
        where digest = %(digest)s and expires_at > %(now)s
        returning patient, sections, made_by, window_opened <= %(most)s
        """,
        {"digest": digest, "now": now, "window": window, "most": most},
    )
