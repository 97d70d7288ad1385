"""Later versions of the access matrix (`access_matrix`): who published what, when, why, and from when it is in force.

Every process knows the versions by heart and looks for new ones every few seconds. None is in force sooner than that
after it is published, so that all processes change at the same instant, and a request never has to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.matrix import (
    Matrix,
    Published,
    Row,
    Rows,
    first_matrix,
    first_rows,
    follow_versions,
    matrix_of,
)
from ambroise.trust.access.people import recorder
from ambroise.trust.context import Context, Operator

_log = logger(__name__)

DUTY: Final = "matrix"
"""The duty of an operator who publishes versions of the matrix."""
LEAD: Final = timedelta(minutes=1)
"""The soonest a version is in force after it is published."""
_EVERY_SECONDS: Final = 5.0


class Version(Struct, frozen=True):
    """One version. Number 0 is the one that comes with the software, in force since for ever."""

    number: int
    rows: Rows
    source: str
    reason: str = ""
    effective: datetime | None = None
    published: datetime | None = None
    published_name: str = ""
    undoes: int | None = None

    @property
    def matrix(self) -> Matrix:
        """The matrix that it makes."""
        if self.effective is None:
            return first_matrix()
        name = f"{first_matrix().version}+{self.number}"
        return matrix_of(self.rows, name, self.effective.date(), self.source)


class Change(Struct, frozen=True):
    """One cell that differs between two versions."""

    group: str
    code: str
    readable: bool


async def versions(reader: Reader) -> list[Version]:
    """Every version, the newest first; the last one is the first."""
    rows = await reader.fetch_all(
        "select number, effective, published, published_name, reason, source, undoes, rows from access_matrix"
        " order by number desc"
    )
    later = [
        Version(number, _read(cells), source, reason, effective, published, name, undoes)
        for number, effective, published, name, reason, source, undoes, cells in rows
    ]
    return [*later, Version(0, first_rows(), first_matrix().source)]


async def publish(
    tx: Transaction,
    ctx: Context,
    rows: Rows,
    *,
    reason: str,
    source: str,
    effective: datetime | None = None,
    undoes: int | None = None,
) -> Version:
    """Publish a version made of these rows and, for the other groups, of those of the newest version.

    Raises FORBIDDEN without the duty, UNPROCESSABLE when nothing changes or it would be in force too soon.
    """
    actor = ctx.actor
    if not isinstance(actor, Operator) or DUTY not in actor.duties:
        raise Refusal(Kind.FORBIDDEN, "MATRIX_DUTY", "Only operators with this duty publish the access matrix.")
    await tx.execute("select pg_advisory_xact_lock(hashtext('access_matrix'))")
    newest = (await versions(tx))[0]
    begins = effective or ctx.now() + LEAD
    made = {**newest.rows, **rows}
    _check(made, newest, begins, reason, ctx.now())
    version = Version(newest.number + 1, made, source, reason.strip(), begins, ctx.now(), actor.name, undoes)
    await tx.execute(
        "insert into access_matrix (number, effective, published, published_by, published_name, reason, source, undoes,"
        " rows) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            version.number,
            begins,
            ctx.now(),
            recorder(ctx),
            actor.name,
            version.reason,
            source,
            undoes,
            _written(made),
        ),
    )
    return version


async def undo(tx: Transaction, ctx: Context, number: int, *, reason: str) -> Version:
    """Publish a version in which the cells that this one changed are again what they were before it."""
    known = {one.number: one for one in await versions(tx)}
    if number not in known or number == 0:
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_VERSION", "There is no such version to undo.")
    before, newest = known[number - 1], max(known)
    rows = _back(known[newest].rows, before.rows, known[number].rows)
    return await publish(tx, ctx, rows, reason=reason, source=before.source, undoes=number)


def changes(before: Rows, after: Rows) -> list[Change]:
    """The cells that differ, in the order of the groups and of the kinds."""
    return [
        Change(group, code, code in after[group].readable)
        for group in after
        for code in kinds().numbers
        if group in before and (code in after[group].readable) != (code in before[group].readable)
    ]


def _back(present: Rows, before: Rows, undone: Rows) -> Rows:
    """The present rows, with each cell that changed from `before` to `undone` as it was before."""
    touched: dict[str, set[str]] = {}
    for one in changes(before, undone):
        touched.setdefault(one.group, set()).add(one.code)
    return {
        group: Row(
            present[group].readable - codes | before[group].readable & codes,
            present[group].verified - codes | before[group].verified & codes,
        )
        for group, codes in touched.items()
    }


async def refresh(reader: Reader) -> None:
    """Know every version published so far."""
    later = [one for one in await versions(reader) if one.effective is not None]
    follow_versions(Published(one.effective, one.matrix) for one in later if one.effective)


@asynccontextmanager
async def followed(database: Database) -> AsyncGenerator[None]:
    """Keep this process up to date with the versions that are published."""
    async with database.reader() as reader:
        await refresh(reader)
    task = asyncio.create_task(_follow(database))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(database: Database) -> None:
    known: int | None = None
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        try:
            async with database.reader() as reader:
                newest = await reader.fetch_value("select max(number) from access_matrix")
                if newest != known:
                    await refresh(reader)
                    known = newest
        except Exception:
            # The database may be away for a moment; what was published waits in it.
            _log.warning("matrix_not_read", exc_info=True)


def _check(made: Rows, newest: Version, begins: datetime, reason: str, now: datetime) -> None:
    unknown = set(made) - set(newest.rows) or {code for row in made.values() for code in row.readable - set(_codes())}
    if unknown:
        raise Refusal(Kind.UNPROCESSABLE, "MATRIX_UNKNOWN", f"Unknown in the matrix: {', '.join(sorted(unknown))}.")
    if made == newest.rows:
        raise Refusal(Kind.UNPROCESSABLE, "MATRIX_SAME", "This changes nothing in the newest version.")
    if not reason.strip():
        raise Refusal(Kind.UNPROCESSABLE, "MATRIX_REASON", "Say why the matrix changes.", element="reason")
    if begins < now + LEAD:
        says = "A version is in force a minute later at the soonest."
        raise Refusal(Kind.UNPROCESSABLE, "MATRIX_TOO_SOON", says, element="debut")


def _codes() -> Mapping[str, int]:
    return kinds().numbers


def _written(rows: Rows) -> str:
    plain = {name: {"readable": sorted(row.readable), "verified": sorted(row.verified)} for name, row in rows.items()}
    return msgspec.json.encode(plain).decode()


def _read(cells: Any) -> Rows:
    raw = msgspec.json.decode(cells) if isinstance(cells, (str, bytes)) else cells
    return {name: Row(frozenset(row["readable"]), frozenset(row["verified"])) for name, row in raw.items()}
