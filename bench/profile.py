"""Reading a medical profile: `python -m bench.profile --lines 200`.

A database of its own, one citizen who told so many lines; then the whole profile read through the door as its page
reads it, one reader at a time: thirteen searches, their trace, one durable commit. Writes PROFILE.md beside the others.
"""

from __future__ import annotations

import asyncio
import gc
import time
from statistics import median

from msgspec import Struct

from ambroise.modules.profile.api import Draft, Profile, Section
from ambroise.trust.context import Context
from bench.alone import alone, options, publish
from bench.person import person


class Measured(Struct, frozen=True):
    """Milliseconds of a reading: by the clock and of this process, at the median, and by the clock at the 95th."""

    lines: int
    readings: int
    clock: float
    slow: float
    process: float


def main() -> None:
    parser = options("profile", __doc__)
    parser.add_argument("--lines", type=int, default=200, metavar="N", help="lines of the profile")
    parser.add_argument("--readings", type=int, default=100, metavar="N", help="how often it is read")
    given = parser.parse_args()
    with alone("profile") as own:
        done = asyncio.run(_run(own.server.app_dsn, given.lines, given.readings))
        publish("PROFILE", [*_page(done), *own.ended()], quietly=given.quietly)


async def _run(dsn: str, lines: int, readings: int) -> Measured:
    # The collector of cycles as the service sets it: otherwise it runs many times a reading.
    gc.set_threshold(50_000, 20, 50)
    async with person(dsn) as one:
        profile = Profile(one.database, one.gateway)
        async with one.database.transaction() as tx:
            for number in range(lines):
                await profile.add(tx, one.ctx, one.patient, _draft(number))
        taken = [await _read(profile, one.ctx) for _ in range(readings)]
    by_clock = sorted(clock for clock, _ in taken)
    return Measured(
        lines,
        readings,
        median(by_clock) * 1000,
        by_clock[int(len(by_clock) * 0.95)] * 1000,
        median(process for _, process in taken) * 1000,
    )


def _draft(number: int) -> Draft:
    day = f"{2000 + number % 20}-{1 + number % 12:02}-{1 + number % 28:02}"
    match number % 4:
        case 0:
            return Draft(Section.ILLNESSES, f"Maladie fictive {number}", start=day, comment="Suivie chaque année.")
        case 1:
            return Draft(Section.TREATMENTS, f"Traitement fictif {number}", start=day, details={"dosage": "1 par jour"})
        case 2:
            return Draft(Section.VACCINATIONS, f"Vaccin fictif {number}", start=day, details={"stage": "BOOSTER"})
        case _:
            return Draft(
                Section.MEASURES, "WEIGHT", start=day, details={"measure": "WEIGHT", "value": f"{60 + number % 9}"}
            )


async def _read(profile: Profile, ctx: Context) -> tuple[float, float]:
    assert ctx.space is not None
    begun, used = time.perf_counter(), time.process_time()
    sheet = await profile.sheet(ctx, ctx.space)
    assert sheet.parts
    return time.perf_counter() - begun, time.process_time() - used


def _page(done: Measured) -> list[str]:
    return [
        "# Reading a medical profile",
        "",
        "`python -m bench.profile --lines N` writes this page. Access rules, trace and durable commit on.",
        "",
        f"{done.lines} lines, read {done.readings} times, one reader at a time:",
        "",
        f"- **{done.clock:.0f} ms** at the median, {done.slow:.0f} ms at the 95th percentile;",
        f"- {done.process:.0f} ms of processor of the server process.",
    ]


if __name__ == "__main__":
    main()
