"""SOAK.md, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.report import table
from bench.soak.minutes import Minute
from bench.soak.pace import Sending
from bench.soak.proof import Check
from bench.soak.traffic import SHARES, TITLES

_MEGA = 1_000_000
WARM_UP_SHARE = 1 / 3
"""Of the minutes, those that growth does not count: caches fill."""
GROWTH_ALLOWED = 0.02
"""Of the memory, by how much its course may rise over the rest of the run: the unevenness of an allocator."""


@dataclass
class Soaked:
    """A whole run."""

    command: str
    began: str
    machine: dict[str, str]
    peak: float
    rate: float
    asked: bool
    """Whether the rate was given."""
    minutes: list[Minute]
    sending: Sending
    documents: int
    people: int
    checks: list[Check] = field(default_factory=list[Check])
    verified: str = ""


@dataclass(frozen=True)
class Course:
    """How a memory went, over the minutes that count: bytes at the beginning and the end of its straight line."""

    start: float
    end: float

    @staticmethod
    def of(values: Sequence[float]) -> Course:
        """The straight line through the last minutes, by least squares."""
        counted = values[int(len(values) * WARM_UP_SHARE) :]
        count = len(counted)
        if count < 2:
            return Course(counted[0] if counted else 0.0, counted[-1] if counted else 0.0)
        middle, mean = (count - 1) / 2, sum(counted) / count
        slope = sum((at - middle) * (value - mean) for at, value in enumerate(counted)) / sum(
            (at - middle) ** 2 for at in range(count)
        )
        return Course(mean - slope * middle, mean + slope * middle)

    @property
    def grows(self) -> bool:
        return self.end > self.start * (1 + GROWTH_ALLOWED)


def write(run: Soaked) -> str:
    """The whole page."""
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Soaked) -> Iterator[str]:
    whole = [minute for minute in run.minutes if minute.latencies or minute.errors]
    yield "# Soak: mixed traffic for a long time"
    yield ""
    yield f"Run of {run.began}, by `{run.command}`: {len(whole)} minutes."
    yield ""
    chosen = (
        "the rate that was asked for"
        if run.asked
        else ("half of the peak of 150 a second, or half of what the machine gives where that is less")
    )
    yield (
        f"**{run.rate:.0f} requests a second**, at an even pace, each sent when its time came and timed from then: "
        f"{chosen}. The same mix, as fast as this machine answered just before, gave {run.peak:.0f} a second."
    )
    yield ""
    yield (
        f"An instance of its own, everything on; {run.people} citizens with open spaces, {run.documents} documents "
        "before the first request. The client runs beside it on the same cores."
    )
    yield ""
    yield from (f"- {name}: {value}" for name, value in run.machine.items())
    yield ""
    yield "## What came of it"
    yield ""
    yield from _verdict(run, whole)
    yield ""
    yield "## Minute by minute"
    yield ""
    yield from _minutes(whole)
    yield ""
    yield "## By kind of request"
    yield ""
    yield from _kinds(run)
    yield ""
    yield "## Proven in the end"
    yield ""
    yield from _proofs(run)


def _verdict(run: Soaked, whole: Sequence[Minute]) -> Iterator[str]:
    sent = sum(kept.sent for kept in run.sending.kinds.values())
    errors = sum(kept.errors for kept in run.sending.kinds.values())
    server, own = Course.of([one.memory for one in whole]), Course.of([one.own for one in whole])
    lost = [check.what for check in run.checks if not check.holds]
    yield f"- **Errors**: {errors} of {sent} requests {_mark(not errors)}"
    yield from (f"  - {count} × {why}" for why, count in run.sending.why.most_common())
    yield f"- **Memory of the server**: {_course(server)}"
    yield f"- **PostgreSQL's own memory**, all its processes: {_course(own)}"
    yield f"- **Traces and documents**: {'; '.join(lost) or 'none lost'} {_mark(not lost)}"
    yield ""
    yield (
        "The course of a memory is the straight line through its minutes, the first third left out. It may rise by "
        f"{GROWTH_ALLOWED:.0%} over the run."
    )


def _course(course: Course) -> str:
    return f"{_mega(course.start)} MB, then {_mega(course.end)} MB {_mark(not course.grows)}"


def _minutes(whole: Sequence[Minute]) -> Iterator[str]:
    heads = ("minute", "answered", "errors", "p50 ms", "p95", "p99", "server, MB", "each process, MB",
             "PostgreSQL's own, MB", "largest", "processes", "server, cores", "PostgreSQL, cores", "load")  # fmt: skip
    yield from table(heads, [_minute(number, one) for number, one in enumerate(whole, 1)])


def _minute(number: int, one: Minute) -> tuple[str, ...]:
    each = [_mega(sum(seen) / len(seen)) for seen in one.server.values() if seen]
    return (
        str(number),
        str(len(one.latencies)),
        str(one.errors),
        *(_ms(one.latency(share)) for share in (0.5, 0.95, 0.99)),
        _mega(one.memory),
        " + ".join(each),
        _mega(one.own),
        _mega(max(one.largest, default=0)),
        str(one.processes),
        *(f"{seconds / 60:.2f}" for seconds in one.spent),
        f"{one.load:.1f}",
    )


def _kinds(run: Soaked) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for kind in SHARES:
        kept = run.sending.kinds[kind]
        found = sorted(kept.latencies)
        shares = [
            _ms(found[min(int(len(found) * share), len(found) - 1)]) if found else "" for share in (0.5, 0.95, 0.99)
        ]
        rows.append((TITLES[kind], str(kept.sent), str(kept.errors), *shares))
    yield from table(("kind", "sent", "errors", "p50 ms", "p95", "p99"), rows)


def _proofs(run: Soaked) -> Iterator[str]:
    rows = [(check.what, str(check.expected), str(check.found), _mark(check.holds)) for check in run.checks]
    yield from table(("promise", "acknowledged", "found", ""), rows)
    yield ""
    yield "`ambroise audit seal`, then `ambroise audit verify`, beside the running instance:"
    yield ""
    yield from ("    " + line for line in run.verified.splitlines())


def _mark(well: bool) -> str:
    return "✓" if well else "✗"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def _mega(size: float) -> str:
    return f"{size / _MEGA:.1f}"
