"""Seal the trace in batches, and prove that nothing sealed was changed.

A transaction number (xid) below every running transaction's belongs to the past: no row with it can appear any more. A
seal covers the rows between two such horizons, so that rows which commit late are never left out. Each seal hashes the
digest of its rows with the previous seal: altering, removing or adding a sealed row breaks the chain from there on.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec import Struct, field

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction

_LOCK = 0x7472616365
_MOST_ROWS = 20_000
_GENESIS = hashlib.sha256(b"ambroise trace").digest()

_DIGEST = """
select count(*), sha256(coalesce(string_agg(sha256(convert_to(jsonb_build_array(
    t.shard, t.id, t.patient, (extract(epoch from t.at) * 1000000)::bigint, t.xid::text, t.era, t.actor_kind,
    t.actor_id, t.actor_name, t.actor_role, t.actor_specialty, t.organization, t.organization_name, t.acting_for,
    t.relation, t.action, t.event, t.resource_type, t.resource, t.resource_kind, t.version, t.purpose, t.reason,
    t.rule, t.outcome, t.channel, t.software, t.request_id, t.secret, t.count, t.query, t.details
  )::text, 'UTF8')), ''::bytea order by t.xid, t.id), ''::bytea))
from trace t
where t.era = %s and t.xid >= %s::bigint::text::xid8 and t.xid < %s::bigint::text::xid8
"""

_SEALS = """
select s.number, s.era, s.from_xid::text::bigint, s.to_xid::text::bigint, s.rows, s.digest, s.previous, s.at,
  r.rows is not null
from trace_seal s
left join trace_retired r on r.seal = s.number
"""


class Seal(Struct, frozen=True):
    """One link of the chain."""

    number: int
    era: int
    from_xid: int
    to_xid: int
    rows: int
    digest: bytes
    previous: bytes
    at: datetime
    retired: bool = False

    def expected(self, rows: int, rows_digest: bytes) -> bytes:
        """The digest this seal must carry for these rows."""
        return _chain(self.previous, self.number, self.era, self.from_xid, self.to_xid, rows, rows_digest)


class Problem(Struct, frozen=True):
    """Something that does not verify: which seal, and what."""

    seal: int | None
    code: str
    diagnostics: str


class Report(Struct):
    """The outcome of a verification. `head` is the digest of the last seal, to compare with a copy kept elsewhere."""

    seals: int = 0
    rows: int = 0
    retired: int = 0
    unsealed: int = 0
    head: bytes = _GENESIS
    problems: list[Problem] = field(default_factory=list[Problem])

    @property
    def sound(self) -> bool:
        """Whether everything verifies."""
        return not self.problems


async def seal(database: Database, clock: Clock) -> list[Seal]:
    """Seal every row older than the oldest running transaction; the seals made. Safe to run anywhere, any time."""
    made: list[Seal] = []
    while True:
        async with database.transaction() as tx:
            await tx.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            one = await _seal_once(tx, clock)
        if one is None:
            return made
        made.append(one)


async def _seal_once(tx: Transaction, clock: Clock) -> Seal | None:
    last = await last_seal(tx)
    era, start, end = await _next_range(tx, last)
    if end <= start:
        return None
    rows, rows_digest = await _digest(tx, era, start, end)
    if rows == 0 and era == await _current_era(tx):
        return None
    number = last.number + 1 if last else 1
    previous = last.digest if last else _GENESIS
    digest = _chain(previous, number, era, start, end, rows, rows_digest)
    made = Seal(number, era, start, end, rows, digest, previous, clock.now())
    await tx.execute(
        """
        insert into trace_seal (number, era, from_xid, to_xid, rows, digest, previous, at)
        values (%s, %s, %s::bigint::text::xid8, %s::bigint::text::xid8, %s, %s, %s, %s)
        """,
        (number, era, start, end, rows, digest, previous, made.at),
    )
    return made


async def last_seal(reader: Reader) -> Seal | None:
    """The end of the chain."""
    row = await reader.fetch_one(_SEALS + "order by s.number desc limit 1")
    return Seal(*row) if row else None


async def _next_range(tx: Transaction, last: Seal | None) -> tuple[int, int, int]:
    """The era and the transaction numbers that the next seal covers."""
    current = await _current_era(tx)
    era, start = (last.era, last.to_xid) if last else (1, 0)
    if era < current:
        # What an era left unsealed when its backup was taken is complete by now: seal it whole, then go on.
        rest = await tx.fetch_value(
            "select max(xid)::text::bigint from trace where era = %s and xid >= %s::bigint::text::xid8", (era, start)
        )
        if rest is not None:
            return era, start, rest + 1
        era, start = era + 1, 0
    horizon: int = await tx.fetch_value("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    if era < current:
        return await _next_range_of_old_era(tx, era, current, horizon)
    return era, start, await _capped(tx, era, start, horizon)


async def _next_range_of_old_era(tx: Transaction, era: int, current: int, horizon: int) -> tuple[int, int, int]:
    """The first era after `era` (included) that has rows, up to the current one."""
    for candidate in range(era, current):
        rest = await tx.fetch_value("select max(xid)::text::bigint from trace where era = %s", (candidate,))
        if rest is not None:
            return candidate, 0, rest + 1
    return current, 0, await _capped(tx, current, 0, horizon)


async def _capped(tx: Transaction, era: int, start: int, horizon: int) -> int:
    """Where to end so that one seal holds a bounded number of rows (a single transaction is never cut)."""
    beyond = await tx.fetch_value(
        """
        select min(xid)::text::bigint from trace
        where era = %(era)s and xid > (
          select xid from trace
          where era = %(era)s and xid >= %(start)s::bigint::text::xid8
          order by xid
          offset %(most)s limit 1)
        """,
        {"era": era, "start": start, "most": _MOST_ROWS - 1},
    )
    return min(beyond, horizon) if beyond is not None else horizon


async def verify(reader: Reader) -> Report:
    """Recompute every seal from the rows; what does not agree is listed, the rest is counted."""
    report = Report()
    ends: dict[int, int] = {}
    for row in await reader.fetch_all(_SEALS + "order by s.number"):
        one = Seal(*row)
        await _verify_one(reader, one, report, ends)
    await _count_unsealed(reader, report, ends)
    return report


async def contains(reader: Reader, head: bytes) -> bool:
    """Whether a head that was noted earlier is still a link of the chain."""
    found = await reader.fetch_value("select exists (select from trace_seal where digest = %s)", (head,))
    return bool(found) or head == _GENESIS


async def _verify_one(reader: Reader, one: Seal, report: Report, ends: dict[int, int]) -> None:
    if one.number != report.seals + 1:
        report.problems.append(Problem(one.number, "SEAL_MISSING", f"Seal {report.seals + 1} is missing."))
    if one.previous != report.head:
        report.problems.append(Problem(one.number, "CHAIN_BROKEN", "It does not follow the seal before it."))
    if one.from_xid != ends.get(one.era, 0):
        report.problems.append(Problem(one.number, "RANGE_BROKEN", "Some transactions before it are in no seal."))
    if one.retired:
        report.retired += 1
    else:
        rows, rows_digest = await _digest(reader, one.era, one.from_xid, one.to_xid)
        report.rows += rows
        if rows != one.rows:
            text = f"It sealed {one.rows} rows; there are {rows} now."
            report.problems.append(Problem(one.number, "ROWS_LOST" if rows < one.rows else "ROWS_ADDED", text))
        elif one.expected(rows, rows_digest) != one.digest:
            report.problems.append(Problem(one.number, "ROWS_CHANGED", "The rows are not those that were sealed."))
    ends[one.era] = one.to_xid
    report.seals = one.number
    report.head = one.digest


async def _count_unsealed(reader: Reader, report: Report, ends: dict[int, int]) -> None:
    current = await _current_era(reader)
    rows = await reader.fetch_all("select era, count(*) from trace group by era order by era")
    for era, _ in rows:
        beyond: int = await reader.fetch_value(
            "select count(*) from trace where era = %s and xid >= %s::bigint::text::xid8", (era, ends.get(era, 0))
        )
        report.unsealed += beyond
        if era > current:
            report.problems.append(Problem(None, "ERA_UNKNOWN", f"There are rows of an era {era} that never began."))


async def _digest(reader: Reader, era: int, start: int, end: int) -> tuple[int, bytes]:
    row = await reader.fetch_one(_DIGEST, (era, start, end))
    if row is None:
        raise RuntimeError("an aggregate always answers")
    return row[0], row[1]


async def _current_era(reader: Reader) -> int:
    return await reader.fetch_value("select max(era) from trace_era")


def _chain(previous: bytes, number: int, era: int, start: int, end: int, rows: int, rows_digest: bytes) -> bytes:
    head = f"{number}|{era}|{start}|{end}|{rows}|".encode()
    return hashlib.sha256(previous + head + rows_digest).digest()
