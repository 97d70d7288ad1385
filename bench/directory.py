"""Searching a national directory: `python -m bench.directory --rows 2000000` (long: it makes the rows first).

Two million professionals who do not exist, with the frequencies of a country (a few names and towns hold many), each in
a place, found through the face that the pages use. Writes DIRECTORY.md beside the other results.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from ambroise.kernel.db import Database, Reader
from ambroise.kernel.migrations import migrate
from ambroise.kernel.postgres.cluster import EmbeddedPostgres
from ambroise.modules.directory import api as directory
from ambroise.modules.directory.api import Criteria
from bench import machine

_AIM_MS = 20.0
_PAGE = Path(__file__).parent / "DIRECTORY.md"
_PROFESSIONS = "array['60','60','60','60','10','10','10','70','70','21','40','50','91','80','94','86']"
_SKILLS = "array['SM54','SM54','SM54','SM26','SM04','SM40','SM42','SM20','SM38','SM15','SM53','SM32']"

# Names of two or three syllables, the first ones far more often than the others, as names are.
_MAKE = f"""
select setseed(0.42);
create temp table names as
select n, initcap(a || b || case when n % 3 = 0 then c else '' end) as name
from (
  select n,
    (array['mar','du','ber','le','mo','gar','rou','vin','fau','gi','bo','che','la','pe','ro','si','da','gu','no','ba'])
      [1 + n % 20] as a,
    (array['tin','pont','nard','roy','reau','cier','sseau','cent','re','rard','nnet','valier','mbert','rrin','bin',
      'mon','vid','illot','el','ron'])[1 + (n / 20) % 20] as b,
    (array['et','in','el','ard','ot','eau','ier','on','ac','e'])[1 + (n / 400) % 10] as c
  from generate_series(0, 39999) n
) s;
create temp table towns as
select n, 'Ville ' || (array['sur','sous','en','la','les','de'])[1 + n % 6] || ' ' || n as name,
  lpad((1000 + n * 19)::text, 5, '0') as postal
from generate_series(0, 4999) n;
create temp table people as
select i,
  '8' || lpad(i::text, 11, '0') as id_nat, lpad(i::text, 11, '0') as rpps,
  (floor(power(random(), 3) * 40000))::int as family, (floor(power(random(), 2) * 400))::int as given,
  ({_PROFESSIONS})[1 + floor(random() * 16)::int] as profession,
  ({_SKILLS})[1 + floor(random() * 12)::int] as skill,
  (floor(power(random(), 4) * 5000))::int as town, (floor(random() * %(places)s))::int as place
from generate_series(1, %(rows)s) i;
insert into directory_organization (id_nat, name, facility, postal_code, city, source)
select '1' || lpad(s.i::text, 9, '0'), 'Cabinet ' || s.i, 'SA07', t.postal, t.name, 'extraction'
from generate_series(0, %(places)s - 1) s (i)
join towns t on t.n = s.i % 5000;
insert into directory_professional (
  id_nat, rpps, family, given, profession, profession_system, specialty, label, search, name_key, source
)
select p.id_nat, p.rpps, f.name, g.name, p.profession, '1.2.250.1.71.1.2.7',
  case when p.profession = '10' then p.skill end, 'Profession ' || p.profession,
  ' ' || lower(f.name) || ' ' || lower(g.name) || ' profession ' || p.profession || ' ' || p.rpps || ' '
    || lower(t.name),
  lower(f.name) || ' ' || lower(g.name), 'extraction'
from people p
join names f on f.n = p.family
join names g on g.n = p.given
join towns t on t.n = p.town;
insert into directory_situation (professional, organization, rank)
select id_nat, '1' || lpad(place::text, 9, '0'), 0 from people;
insert into directory_entry (professional, organization, specialty, profession, name_key, given_key, city_key, postal)
select p.id_nat, '1' || lpad(p.place::text, 9, '0'), case when p.profession = '10' then p.skill else '' end,
  p.profession, lower(f.name) || ' ' || lower(g.name), lower(g.name) || ' ' || lower(f.name), lower(t.name), t.postal
from people p
join names f on f.n = p.family
join names g on g.n = p.given
join towns t on t.n = p.town;
"""

Ask = Callable[[Reader, random.Random], Awaitable[int]]


@dataclass(frozen=True)
class Measure:
    """The latencies of one kind of search, in milliseconds, and how many lines it found."""

    name: str
    milliseconds: list[float]
    found: float

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.directory", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, metavar="N", help="professionals")
    parser.add_argument("--searches", type=int, default=200, metavar="N", help="searches of each kind")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ambroise-directory-"))
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        migrate(server.owner_dsn)
        seconds, size = _make(server.owner_dsn, given.rows)
        measures = asyncio.run(_measure(server.app_dsn, given.searches, given.rows))
        page = _page(given.rows, seconds, size, measures, machine.facts(server.owner_dsn))
        _PAGE.write_text(page, encoding="utf-8")
        print(page)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _make(dsn: str, rows: int) -> tuple[float, int]:
    """Make the rows; the seconds it took and the bytes on disk. Indexes are made after, as a first load does."""
    begun = time.monotonic()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set maintenance_work_mem = '1GB'")
        indexes = connection.execute(
            """
            select indexname, indexdef from pg_indexes
            where tablename in ('directory_entry', 'directory_professional', 'directory_situation')
              and indexname not in (select conname from pg_constraint)
            """
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index {name}")  # pyright: ignore[reportArgumentType]
        for statement in _MAKE.split(";\n"):
            if statement.strip():
                text = statement.replace("%(rows)s", str(rows)).replace("%(places)s", str(max(rows // 4, 5000)))
                connection.execute(text)  # pyright: ignore[reportArgumentType]
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("vacuum analyze")
        size = connection.execute(
            "select sum(pg_total_relation_size(oid)) from pg_class where relname like 'directory%' and relkind = 'r'"
        ).fetchone()
    return time.monotonic() - begun, int(size[0]) if size else 0


async def _measure(dsn: str, searches: int, rows: int) -> list[Measure]:
    database = await Database.open(dsn, slots=1)
    try:
        async with database.reader() as reader:
            sample = await reader.fetch_all(
                """
                select name_key, city_key, postal, profession, specialty, professional, organization
                from directory_entry tablesample system (2) order by random() limit 2000
                """
            )
            return [await _one(reader, name, ask, searches) for name, ask in _kinds(sample).items()]
    finally:
        await database.close()


async def _one(reader: Reader, name: str, ask: Ask, searches: int) -> Measure:
    draw = random.Random(7)
    for _ in range(10):
        await ask(reader, draw)
    times: list[float] = []
    found = 0
    for _ in range(searches):
        begun = time.perf_counter()
        found += await ask(reader, draw)
        times.append((time.perf_counter() - begun) * 1000)
    return Measure(name, times, found / searches)


def _kinds(sample: list[tuple[str, str, str, str, str, str, str]]) -> dict[str, Ask]:
    doctors = [row for row in sample if row[4]]

    def by(make: Callable[[tuple[str, ...], random.Random], Criteria], rows: list[tuple[str, ...]]) -> Ask:
        async def ask(reader: Reader, draw: random.Random) -> int:
            return len(await directory.find(reader, make(draw.choice(rows), draw), limit=20))

        return ask

    async def free(reader: Reader, draw: random.Random) -> int:
        row = draw.choice(sample)
        return len(await directory.search(reader, f"{row[0]} {row[1].rpartition(' ')[2]}", limit=20))

    async def nothing(reader: Reader, draw: random.Random) -> int:
        return await reader.fetch_value("select 0")

    everybody: list[tuple[str, ...]] = list(sample)
    specialists: list[tuple[str, ...]] = list(doctors)
    return {
        "Nothing (one round trip)": nothing,
        "Beginning of a name, 3 letters": by(lambda row, _: Criteria(name=row[0][:3]), everybody),
        "Beginning of a name, 5 letters": by(lambda row, _: Criteria(name=row[0][:5]), everybody),
        "First name, then beginning of the name": by(
            lambda row, _: Criteria(name=" ".join(reversed(row[0].split()))[:-1]), everybody
        ),
        "Town": by(lambda row, _: Criteria(town=row[1]), everybody),
        "Town and profession": by(lambda row, _: Criteria(town=row[1], profession=row[3]), everybody),
        "Town and specialty": by(lambda row, _: Criteria(town=row[1], specialty=row[4]), specialists),
        "Town, profession and name": by(
            lambda row, _: Criteria(town=row[1], profession=row[3], name=row[0][:2]), everybody
        ),
        "Postal code and profession": by(lambda row, _: Criteria(town=row[2], profession=row[3]), everybody),
        "Profession and name": by(lambda row, _: Criteria(profession=row[3], name=row[0][:4]), everybody),
        "Specialty and name": by(lambda row, _: Criteria(specialty=row[4], name=row[0][:3]), specialists),
        "RPPS": by(lambda row, _: Criteria(rpps=row[5][1:]), everybody),
        "FINESS": by(lambda row, _: Criteria(finess=row[6][1:]), everybody),
        "Free words: name, first name, town": free,
    }


def _page(rows: int, seconds: float, size: int, measures: list[Measure], facts: dict[str, str]) -> str:
    lines = "\n".join(
        f"| {one.name} | {statistics.median(one.milliseconds):.1f} | {one.percentile(0.95):.1f} | "
        f"{one.percentile(0.99):.1f} | {max(one.milliseconds):.1f} | {one.found:.1f} | "
        f"{'✓' if one.percentile(0.95) <= _AIM_MS else '✗'} |"
        for one in measures
    )
    told = "\n".join(f"- **{name}**: {value}" for name, value in facts.items())
    return f"""# Searching the national directory

Run of {datetime.now(UTC):%-d %B %Y, %H:%M} UTC by `python -m bench.directory --rows {rows}`: {rows:,} professionals who
do not exist, each in a place, found through the face that the pages use (statement, rows and objects; no HTTP), one
search at a time, 20 lines at most. Making rows and indexes took {seconds:.0f} s; they take {size / 1e9:.2f} GB.

{told}
- **Load average** at the end: {machine.load()}

| Search | p50 ms | p95 | p99 | longest | lines found | p95 ≤ {_AIM_MS:.0f} ms |
|---|---:|---:|---:|---:|---:|---|
{lines}

Names and towns have the frequencies of a country: the first name of the list is borne by one person in two hundred, the
first town holds one in eight. Accents are folded when rows are written and when one asks.
"""


if __name__ == "__main__":
    main()
