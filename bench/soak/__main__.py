"""The command line of the soak: everybody let in, the peak found, the minutes, the proof, the page."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

import psycopg

from ambroise.fhir.definitions import type_number
from ambroise.interfaces.services import Services
from ambroise.main.builder import InstanceBuilder
from ambroise.modules.identity.api import AccountKind, NewAccount
from ambroise.modules.identity.provider.api import Grant
from bench import machine
from bench.instance import Instance
from bench.run import tell
from bench.sign_on import client_of, refresh_tokens
from bench.soak import page, proof
from bench.soak.minutes import Minutes
from bench.soak.pace import Sending
from bench.soak.traffic import Person, Traffic
from bench.soak.wire import Wire
from bench.world import Space, World, fill

_HALF_THE_PEAK = 75.0
_PEAK_SECONDS = 20.0
_CONNECTIONS = 24
_BROWSERS = 100
_SIGNED_ON = 100
_DOCUMENTS_EACH = 5
_RESULTS_EACH = 20
_FOLDER = Path(__file__).parents[1]


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long")
    parser.add_argument("--rate", type=float, default=0.0, metavar="N", help="requests a second; 0: half the peak")
    parser.add_argument("--patients", type=int, default=300, metavar="N", help="citizens with open spaces")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="of the server that answer")
    parser.add_argument("--out", type=Path, default=_FOLDER, metavar="DIR", help="where SOAK.md and soak.json go")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ambroise-soak-"))
    instance = Instance(folder / "instance", given.processes)
    try:
        instance.start()
        asyncio.run(_soak(instance, given.minutes, given.rate, given.patients, given.out))
    finally:
        instance.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _soak(instance: Instance, minutes: float, rate: float, patients: int, out: Path) -> None:
    world = await fill(instance, patients, _RESULTS_EACH, _DOCUMENTS_EACH, tell)
    wire = Wire(instance.host, instance.port, instance.feed)
    traffic = await _traffic(instance, world, wire)
    await traffic.prepare()
    tell("the peak of this machine")
    peak, asked = await Sending(traffic).peak(_PEAK_SECONDS, _CONNECTIONS), bool(rate)
    rate = rate or min(_HALF_THE_PEAK, peak / 2)
    tell(f"{peak:.0f} a second at most; {rate:.1f} a second for {minutes:g} minutes")
    with InstanceBuilder().database(instance.settings) as (owner, _):
        facts = machine.facts(owner)
    since, clock = datetime.now(UTC), Minutes(instance, max(1, round(minutes)))
    sending = Sending(traffic, minutes=clock)
    watching = asyncio.create_task(clock.watch())
    await sending.keep(rate, minutes * 60)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    run = page.Soaked(
        command=f"python -m bench.soak {shlex.join(sys.argv[1:])}".strip(),
        began=datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z"),
        machine=facts,
        peak=peak,
        rate=rate,
        asked=asked,
        minutes=clock.kept,
        sending=sending,
        documents=patients * _DOCUMENTS_EACH,
        people=patients,
    )
    # What was measured is kept, whatever becomes of what follows.
    _write(run, out)
    tell("what was acknowledged is proven")
    run.checks = await asyncio.to_thread(proof.prove, instance, sending.kinds, since)
    run.checks.append(await proof.read_again(instance, traffic, sending.kinds))
    run.verified = await asyncio.to_thread(proof.verified, instance)
    await wire.close()
    _write(run, out)


async def _traffic(instance: Instance, world: World, wire: Wire) -> Traffic:
    random = Random("soak")
    async with InstanceBuilder().services(instance.settings) as services:
        citizens, professionals = await _browsers(services, world)
        software = await client_of(services, Grant.CLIENT, scopes=frozenset({"mesure"}))
        people = await client_of(services, Grant.CODE, Grant.REFRESH, redirect_uris=("https://rp.example/back",))
        tokens = await refresh_tokens(services, people, _SIGNED_ON, 1)
    known, documents = _known(instance, world)
    return Traffic(
        instance, world, known, documents, citizens, professionals, software, people, deque(tokens), wire, random
    )


async def _browsers(services: Services, world: World) -> tuple[Sequence[Person], Sequence[Person]]:
    """Citizens who get an account, and the doctors who may read them, who have one."""
    citizens: list[Person] = []
    spaces = world.spaces[:_BROWSERS]
    async with services.database.transaction() as tx:
        for space in spaces:
            new = NewAccount(
                AccountKind.CITIZEN,
                f"{space.citizen.matricule}@soak.example",
                space.citizen.display,
                patient=space.patient,
                demonstration=True,
            )
            citizens.append(Person(await services.identity.create_account(tx, new), (space,)))
    doctors = {reader.id_nat: reader for space in spaces for reader in space.readers}
    professionals: list[Person] = []
    async with services.database.reader() as reader:
        for national in list(doctors)[:_BROWSERS]:
            account = await services.identity.account_of(reader, professional=national)
            if account is not None:
                theirs = tuple(one for one in spaces if doctors[national] in one.readers)
                professionals.append(Person(account.id, theirs))
    return citizens, professionals


def _known(instance: Instance, world: World) -> tuple[Sequence[tuple[UUID, Space]], Mapping[UUID, Sequence[UUID]]]:
    """Ids of loaded Observations with their spaces, and the documents of each space."""
    by_patient = {space.patient: space for space in world.spaces}
    documents: dict[UUID, list[UUID]] = {}
    with InstanceBuilder().database(instance.settings) as (owner, _), psycopg.connect(owner) as connection:
        connection.autocommit = True
        connection.execute("vacuum (analyze)")
        statement = "select id, patient from resource where type = %s and source is null"
        results = connection.execute(statement, (type_number("Observation"),)).fetchall()
        for id, patient in connection.execute(statement, (type_number("DocumentReference"),)):
            documents.setdefault(patient, []).append(id)
    return [(id, by_patient[patient]) for id, patient in results if patient in by_patient], documents


def _write(run: page.Soaked, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "SOAK.md").write_text(page.write(run), encoding="utf-8")
    minutes = [
        {"answered": len(one.latencies), "errors": one.errors, "p50": one.latency(0.5), "p99": one.latency(0.99),
         "server": one.server, "postgres": one.database, "spent": one.spent, "load": one.load}
        for one in run.minutes
    ]  # fmt: skip
    (out / "soak.json").write_text(json.dumps({"rate": run.rate, "peak": run.peak, "minutes": minutes}) + "\n")
    tell(f"written: {out / 'SOAK.md'}")


if __name__ == "__main__":
    main()
