"""The report, for people: what was measured, how, and how far from what is aimed at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from bench.client import Measure
from bench.copies import told
from bench.plan import AT_SCALE, BULK, BYTES_PER_RESOURCE, IDLE_MEGABYTES, START_SECONDS, WORKLOADS
from bench.results import Outcome, Results

_TITLES = {target.name: target for target in WORKLOADS}
_MEGA = 1_000_000


def write(results: Results) -> str:
    """The whole of RESULTS.md."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield "# Results of the benchmark"
    yield ""
    yield (
        f"Run of {results.began}, {results.minutes:.1f} minutes, by `{results.command}`. Everything below is of this "
        "one run: compare within it, since a disk and a machine vary more from hour to hour than the software does."
    )
    yield ""
    yield "## What is measured"
    yield ""
    yield from _conditions(results)
    yield ""
    yield "## Operations a second"
    yield ""
    yield from table(
        ("Operation", "a second", "aim", "PostgreSQL alone", "ratio", "p50 ms", "p95", "p99", "errors", "alone, p50"),
        [_operation(outcome) for outcome in results.outcomes] + _bulk(results),
    )
    yield ""
    yield (
        "*PostgreSQL alone* writes or reads the same rows through psycopg, one round trip and one durable commit each, "
        "without access rules, trace, events, validation or HTTP, with as many connections (or all that it has left), "
        "right after the operation beside it. *Alone* is the latency of one client on an idle server."
    )
    yield (
        f"The web server alone, answering 35 bytes to anybody, gives {_number(results.hello.rate)} a second to the "
        f"same client (p50 {_ms(results.hello.p50)} ms)."
    )
    yield ""
    yield "## Where the processor goes"
    yield ""
    yield from table(
        ("Operation", "server, µs", "PostgreSQL, µs", "client, µs", "body sent, bytes", "body received, bytes"),
        [_processor(outcome) for outcome in results.outcomes],
    )
    yield ""
    yield (
        "Processor time of one request. It bounds the rate: a process of the server uses one core at most, and the "
        "client, the server and PostgreSQL share those of this machine."
    )
    yield ""
    if results.export is not None:
        yield "## The copy of a whole record"
        yield ""
        yield "In a database of its own, made as a worker does, one transaction a piece:"
        yield from told(results.export)
        yield ""
    yield "## Memory and start"
    yield ""
    yield from _memory(results)
    yield ""
    yield "## Disk"
    yield ""
    yield from _disk(results)
    if results.at_scale:
        yield ""
        yield f"## With {_number(results.scale)} citizens"
        yield ""
        yield from _scale(results)


def _conditions(results: Results) -> Iterator[str]:
    data = results.data
    yield (
        f"`ambroise demo --processes {data['processes']}`: the API, the portals and the worker, PostgreSQL with "
        "durable commits, everything on. Every request bears a token (never the operator's), passes the access rules "
        "and is traced; every write is validated."
    )
    yield ""
    yield (
        f"- **People**: {_number(data['patients'])} citizens with open spaces, each with a treating doctor and three "
        f"authorised ones; {data['doctors']} doctors have a token, and so has every citizen. One read in four is a "
        "citizen's."
    )
    yield (
        f"- **Data**: {_number(data['observations'])} results of laboratories of about {data['observation_bytes']} "
        f"bytes and {_number(data['documents'])} documents before the first measure."
    )
    yield (
        f"- **Client**: a process of its own, {data['connections']} connections, each sending a request when it has "
        f"the answer to the one before; {data['warm_up']} s of warm-up, then {data['seconds']} s."
    )
    yield from (f"- **{name}**: {value}" for name, value in results.machine.items())
    yield f"- **Load average** before each operation: {', '.join(one.load for one in results.outcomes)}"


def _operation(outcome: Outcome) -> tuple[str, ...]:
    target, measure = _TITLES[outcome.name], outcome.measure
    return (
        target.title,
        f"**{_number(measure.rate)}**",
        f"{_number(target.at_least)} {_mark(measure.rate >= target.at_least)}",
        _number(outcome.floor) if outcome.floor else "–",
        f"{outcome.ratio:.2f}" if outcome.floor else "–",
        _ms(measure.p50),
        _ms(measure.p95),
        _ms(measure.p99),
        str(measure.errors),
        f"{_ms(outcome.alone.p50)} ms",
    )


def _bulk(results: Results) -> list[tuple[str, ...]]:
    if not results.bulk:
        return []
    return [
        (
            BULK.title,
            f"**{_number(results.bulk)}**",
            f"{_number(BULK.at_least)} {_mark(results.bulk >= BULK.at_least)}",
            _number(results.bulk_floor),
            f"{results.bulk / results.bulk_floor:.2f}" if results.bulk_floor else "",
            *("",) * 5,
        )
    ]


def _processor(outcome: Outcome) -> tuple[str, ...]:
    times = (outcome.server, outcome.postgres, outcome.client)
    received = outcome.measure.received / max(outcome.measure.requests, 1)
    return (
        _TITLES[outcome.name].title,
        *(_number(seconds * _MEGA) for seconds in times),
        _number(outcome.bytes_sent),
        _number(received),
    )


def _memory(results: Results) -> Iterator[str]:
    started = median(results.starts) if results.starts else 0.0
    idle = results.idle / _MEGA
    yield from table(
        ("", "measured", "aim"),
        [
            ("First start (creates the database)", f"{results.first_start:.1f} s", ""),
            (
                f"Start, median of {len(results.starts)}",
                f"{started:.2f} s",
                f"{START_SECONDS:.0f} s {_mark(0 < started <= START_SECONDS)}",
            ),
            (
                "Resident when idle, PostgreSQL aside",
                f"{idle:.0f} MB",
                f"{IDLE_MEGABYTES:.0f} MB {_mark(0 < idle <= IDLE_MEGABYTES)}",
            ),
            ("Resident after the load", f"{results.loaded / _MEGA:.0f} MB", ""),
            ("Largest during the load", f"{results.largest / _MEGA:.0f} MB", ""),
        ],
    )


def _disk(results: Results) -> Iterator[str]:
    disk = results.disk
    if disk is None:
        return
    yield from table(
        ("", "count", "bytes each, indexes included", "aim"),
        [
            (
                "Resource (present and former versions)",
                _number(disk.resources),
                _number(disk.per_resource),
                f"{_number(BYTES_PER_RESOURCE)} {_mark(disk.per_resource <= BYTES_PER_RESOURCE)}",
            ),
            ("Line of the trace", _number(disk.lines), _number(disk.per_line), ""),
            (
                "Content of a document, encrypted",
                _number(disk.documents),
                f"{_number(disk.contents / max(disk.documents, 1))} for {_number(disk.clear / max(disk.documents, 1))}",
                "",
            ),
        ],
    )
    yield ""
    shown = (f"{table} {rows / _MEGA:.1f} + {indexes / _MEGA:.1f}" for table, (rows, indexes) in disk.tables.items())
    yield f"Megabytes of rows + of indexes: {', '.join(shown)}."


def _scale(results: Results) -> Iterator[str]:
    before = {outcome.name: outcome.measure for outcome in results.outcomes}
    rows = [
        (
            _TITLES[name].title,
            _number(before[name].rate),
            f"**{_number(measure.rate)}**",
            f"{measure.rate / before[name].rate:.0%} {_mark(measure.rate >= AT_SCALE * before[name].rate)}",
            _ms(measure.p99),
            str(measure.errors),
        )
        for name, measure in results.at_scale.items()
        if name in before and before[name].rate
    ]
    first = f"{_number(results.data['patients'])} citizens, a second"
    heads = ("Operation", first, "then, a second", f"aim {AT_SCALE:.0%}", "p99 ms", "errors")
    yield from table(heads, rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table of Markdown, the first column to the left."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' if number == 0 else '---:' for number in range(len(heads)))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _mark(reached: bool) -> str:
    return "✓" if reached else "✗"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}" if seconds < 1 else f"{seconds * 1000:.0f}"


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


def summary(name: str, measure: Measure) -> str:
    """One line while it runs."""
    failed = f", {measure.errors} errors: {measure.first_error[:200]}" if measure.errors else ""
    return (
        f"{_TITLES[name].title}: {_number(measure.rate)} a second, p50 {_ms(measure.p50)} ms, "
        f"p99 {_ms(measure.p99)} ms{failed}"
    )
