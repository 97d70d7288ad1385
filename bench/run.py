"""A run, from an empty folder to the report."""

from __future__ import annotations

import asyncio
import compileall
import json
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg

from ambroise.main.builder import InstanceBuilder
from bench import client, copies, disk, floors, hello, machine, report
from bench.alone import alone
from bench.instance import Instance
from bench.plan import ON_A_LONG_RECORD, WORKLOADS, Plan
from bench.process import Watch
from bench.results import Outcome, Results
from bench.workloads import Workload, Writer
from bench.world import Space, World, fill, grow

_IDLE_SECONDS = 3
_LOOK_SECONDS = 0.5
_ALONE_SECONDS = 1.5
_KNOWN = 20_000
_COPIED = 5_000
_ROOM = 1.3
"""More requests than the aim are written, so that a fast server does not run out of them."""
_SCALED_PER_PATIENT = 20


def run(plan: Plan) -> Results:
    """Measure everything, write RESULTS.md and results.json, and remove what it made."""
    folder = Path(tempfile.mkdtemp(prefix="ambroise-bench-"))
    instance = Instance(folder / "instance", plan.processes)
    try:
        return _run(plan, instance)
    finally:
        instance.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _run(plan: Plan, instance: Instance) -> Results:
    begun = time.monotonic()
    # As `make demo` and any installed package have it; compiling would be three sevenths of each start.
    compileall.compile_dir(Path(__file__).parents[1] / "src", quiet=1)
    tell("a new instance")
    first_start = instance.start()
    with InstanceBuilder().database(instance.settings) as (owner, app):
        results = Results(
            machine=machine.facts(owner),
            command=f"ambroise bench {shlex.join(sys.argv[1:])}".strip(),
            data={},
            began=datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z"),
            first_start=first_start,
        )
        world = asyncio.run(fill(instance, plan.patients, plan.observations, plan.documents, tell, plan.long_record))
        results.bulk = world.loaded / world.loading_seconds if world.loading_seconds else 0.0
        _settle(owner)
        results.data = _data(plan, world, owner)
        if plan.wants("bulk") and world.loaded:
            results.bulk_floor = floors.copy_rate(app, _COPIED)
        known = _known(owner, world)
        with Watch(instance.serving()) as watch:
            for target in WORKLOADS:
                if plan.wants(target.name):
                    results.outcomes.append(_measure(plan, instance, world, known, target.name, target.at_least, app))
            results.loaded = instance.memory()
        results.largest = watch.largest
        tell("the floor of HTTP")
        with hello.serving() as (host, port):
            results.hello = client.measure(_hello(plan, host, port))
        tell("disk")
        results.disk = disk.measure(owner)
    if plan.wants("export"):
        tell(f"the copy of a record of {plan.copied} documents")
        with alone("copies") as own:
            results.export = copies.measure(own, plan.copied)
    tell("starts")
    results.starts, results.idle = _starts(plan, instance)
    if plan.scale:
        _at_scale(plan, instance, world, results)
    results.minutes = (time.monotonic() - begun) / 60
    _write(plan, results)
    return results


def tell(what: str) -> None:
    """Say on standard error where the run is."""
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


def _measure(plan: Plan, instance: Instance, world: World, known: Known, name: str, aim: float, dsn: str) -> Outcome:
    writer = Writer(world, known, f"{instance.host}:{instance.port}", name, instance.settings.demonstration_pki)
    job = _job(plan, instance, writer.write(name, _count(plan, aim)))
    alone = replace(
        job,
        connections=1,
        warm_up=0.2,
        seconds=_ALONE_SECONDS,
        requests=writer.write(name, int(_ALONE_SECONDS * 2_000)).requests,
    )
    load = machine.load()
    quiet = client.measure(alone)
    before = instance.spent()
    measured = client.measure(job)
    after = instance.spent()
    tell(report.summary(name, measured))
    answered = max(measured.answered, 1)
    floor = _floor(plan, instance, world, known, name, dsn)
    return Outcome(
        name=name,
        measure=measured,
        alone=quiet,
        floor=floor,
        server=(after[0] - before[0]) / answered,
        postgres=(after[1] - before[1]) / answered,
        client=measured.processor / answered,
        bytes_sent=_mean([sum(map(len, request[1:])) for request in job.requests[:1000]]),
        load=load,
    )


def _job(plan: Plan, instance: Instance, workload: Workload) -> client.Job:
    return client.Job(
        instance.host,
        instance.feed if workload.mllp else instance.port,
        plan.connections,
        plan.warm_up,
        plan.seconds,
        workload.requests,
        workload.expected,
        workload.once,
        workload.mllp,
        workload.holds,
    )


def _hello(plan: Plan, host: str, port: int) -> client.Job:
    request = f"GET / HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {'x' * 500}\r\n\r\n".encode()
    return client.Job(
        host, port, plan.connections, plan.warm_up / 2, plan.floor_seconds, [(request,)], frozenset({200})
    )


Known = Sequence[tuple[UUID, Space]]


def _floor(plan: Plan, instance: Instance, world: World, known: Known, name: str, dsn: str) -> float:
    job = floors.FloorJob(dsn, name, plan.floor_seconds, plan.connections)
    if name in ON_A_LONG_RECORD:
        return 0.0
    if name in ("read", "search"):
        return floors.measure(replace(job, keys=[(key, space.patient) for key, space in known]))
    with InstanceBuilder().database(instance.settings) as (owner, _):
        with psycopg.connect(owner) as connection:
            newest = _newest(connection, name)
        written = floors.rows_of_request(owner, newest)
    return floors.measure(replace(job, written=written))


def _newest(connection: psycopg.Connection[tuple[UUID]], name: str) -> UUID:
    """A resource that the last requests of a workload have created, by what the trace says."""
    types = {"create": "Observation", "transaction": "Encounter"}
    type_, channel = types.get(name, "DocumentReference"), {"hl7v2": "hl7", "xds": "xds"}.get(name, "fhir")
    from ambroise.fhir.definitions import type_number

    row = connection.execute(
        "select resource from trace where event = 'create' and channel = %s and resource_type = %s"
        " order by era desc, xid desc limit 1",
        (channel, type_number(type_)),
    ).fetchone()
    if row is None:
        raise RuntimeError(f"no {type_} was created")
    return row[0]


def _known(dsn: str, world: World) -> Known:
    """Ids of loaded Observations, each with its space."""
    from ambroise.fhir.definitions import type_number

    by_patient = {space.patient: space for space in world.spaces}
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select id, patient from resource where type = %s and source is null limit %s",
            (type_number("Observation"), _KNOWN),
        ).fetchall()
    return [(id, by_patient[patient]) for id, patient in rows if patient in by_patient]


def _count(plan: Plan, aim: float) -> int:
    return int(aim * _ROOM * (plan.seconds + plan.warm_up)) + plan.connections


def _settle(dsn: str) -> None:
    """What an instance has done by itself after a while: words of documents indexed, statistics, dirty pages."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute("select exists (select from record_to_index)").fetchone() == (True,):
            time.sleep(_LOOK_SECONDS)
        connection.execute("vacuum (analyze)")


def _data(plan: Plan, world: World, dsn: str) -> dict[str, int]:
    from bench.resources import observation

    sample = world.spaces[0]
    from random import Random

    size = len(json.dumps(observation(Random(1), sample.patient, sample.readers[0]), separators=(",", ":")).encode())
    return {
        "patients": len(world.spaces),
        "doctors": world.doctors,
        "observations": world.loaded,
        "documents": plan.documents * len(world.spaces),
        "observation_bytes": size,
        "connections": plan.connections,
        "processes": plan.processes,
        "warm_up": int(plan.warm_up),
        "seconds": int(plan.seconds),
    }


def _starts(plan: Plan, instance: Instance) -> tuple[list[float], int]:
    """Seconds of each start on what is there, and what stays in memory when nothing happens."""
    found: list[float] = []
    for _ in range(plan.starts):
        instance.stop()
        found.append(instance.start())
    time.sleep(_IDLE_SECONDS)
    return found, instance.memory()


def _at_scale(plan: Plan, instance: Instance, world: World, results: Results) -> None:
    grown = asyncio.run(grow(instance, world, plan.scale, _SCALED_PER_PATIENT, tell))
    with InstanceBuilder().database(instance.settings) as (owner, _):
        _settle(owner)
        known = _known(owner, grown)
        results.scale = len(grown.spaces)
        for target in WORKLOADS:
            if plan.wants(target.name):
                writer = Writer(
                    grown,
                    known,
                    f"{instance.host}:{instance.port}",
                    f"{target.name} at scale",
                    instance.settings.demonstration_pki,
                )
                job = _job(plan, instance, writer.write(target.name, _count(plan, target.at_least)))
                results.at_scale[target.name] = client.measure(job)
                tell(report.summary(target.name, results.at_scale[target.name]))


def _write(plan: Plan, results: Results) -> None:
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "RESULTS.md").write_text(report.write(results))
    (plan.out / "results.json").write_text(json.dumps(results.as_json(), indent=2, default=str) + "\n")
    tell(f"written: {plan.out / 'RESULTS.md'}")


def _mean(values: Sequence[int]) -> float:
    return sum(values) / max(len(values), 1)
