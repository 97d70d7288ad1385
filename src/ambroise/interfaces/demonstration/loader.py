"""Loads a demonstration nation through the same use cases as anything else: directory, identities, rights, documents.

It can be interrupted at any moment: started again, it goes on with the same nation, and what is there already is left
as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from math import ceil

from msgspec import Struct

from ambroise.interfaces.demonstration import repository
from ambroise.interfaces.demonstration.courses.family import STAR_WEEKS
from ambroise.interfaces.demonstration.filing import GROUP, Doors, OpenDoors, Patients, Recipe, fill, helper, system
from ambroise.interfaces.demonstration.model import Nation
from ambroise.interfaces.demonstration.newcomers import Newcomers
from ambroise.interfaces.demonstration.population import DEFAULT_POPULATION, DEFAULT_SEED, build
from ambroise.interfaces.demonstration.repository import Loaded
from ambroise.interfaces.demonstration.repository import nation as loaded
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Transaction
from ambroise.modules.identity.api import add_insi_people
from ambroise.modules.prevention.api import TERM_WEEKS, Prevention
from ambroise.trust.context import Citizen as CitizenActor
from ambroise.trust.context import Context

__all__ = ["DEFAULT_POPULATION", "DEFAULT_SEED", "Doors", "Loaded", "OpenDoors", "Progress", "load", "loaded"]

# Below this many citizens, starting a process costs more than it saves.
_WORTH_A_HELPER = 300


class Progress(Struct, frozen=True):
    """How far the load is: stage is "directory", "citizens" or "documents", whose total is a guess until the end."""

    stage: str
    done: int
    total: int


Report = Callable[[Progress], None]


async def load(
    doors: Doors,
    population: int = DEFAULT_POPULATION,
    *,
    seed: str = DEFAULT_SEED,
    report: Report = lambda progress: None,
    open_doors: OpenDoors | None = None,
) -> Loaded:
    """Load a nation, or finish the one that an earlier call began; at once when it is all there already.

    `open_doors` opens the same doors in another process (it is sent there): given, two processes file the documents.
    """
    async with doors.database.transaction() as tx:
        wanted = await _remember(tx, doors.clock, seed, population)
    if wanted.finished:
        return wanted
    nation = build(wanted.seed, wanted.population, until=wanted.until)
    newcomers = Newcomers(doors.gateway, doors.identity, system(doors.clock))
    await _directory(doors, nation, newcomers, report)
    patients = await _citizens(doors, nation, report, open_doors)
    await _families(doors, nation, newcomers, patients)
    await _calendars(doors, nation, patients)
    async with doors.database.transaction() as tx:
        await repository.finish(tx, doors.clock.now())
    return Loaded(wanted.seed, wanted.population, wanted.until, finished=True)


async def _remember(tx: Transaction, clock: Clock, seed: str, population: int) -> Loaded:
    known = await loaded(tx)
    if known:
        return known
    now = clock.now()
    # Yesterday, so that nothing is dated later than it is filed.
    until = (now - timedelta(days=1)).date()
    wanted = Loaded(seed, population, until, finished=False)
    await repository.begin(tx, wanted, now)
    return wanted


async def _directory(doors: Doors, nation: Nation, newcomers: Newcomers, report: Report) -> None:
    total = len(nation.organizations) + len(nation.professionals)
    async with doors.database.transaction() as tx:
        add_insi_people(tx)
        for number, organization in enumerate(nation.organizations, 1):
            await newcomers.structure(tx, organization)
            report(Progress("directory", number, total))
    done = len(nation.organizations)
    for start in range(0, len(nation.professionals), 100):
        async with doors.database.transaction() as tx:
            for professional in nation.professionals[start : start + 100]:
                await newcomers.professional(tx, professional)
                done += 1
                report(Progress("directory", done, total))
            if start == 0:
                for operator in nation.operators:
                    await newcomers.operator(tx, operator)


async def _citizens(doors: Doors, nation: Nation, report: Report, open_doors: OpenDoors | None) -> Patients:
    """Let everybody in, with their documents; by two processes when there are many and somebody can open doors."""
    if open_doors is None or len(nation.citizens) < _WORTH_A_HELPER:
        return await fill(doors, nation, count().__next__, _Bars(len(nation.citizens), report).more)
    recipe, bars = Recipe(nation.seed, len(nation.citizens), nation.until), _Bars(len(nation.citizens), report)
    async with helper(open_doors, recipe, bars.more) as (following, helped):
        return await fill(doors, nation, following, bars.more) | await helped


async def _families(doors: Doors, nation: Nation, newcomers: Newcomers, patients: Patients) -> None:
    """Link families, once everybody has a space."""
    people = {citizen.matricule: citizen for citizen in nation.citizens}
    async with doors.database.transaction() as tx:
        for citizen in nation.citizens:
            await newcomers.family(tx, nation.until, citizen, people, patients)


async def _calendars(doors: Doors, nation: Nation, patients: Patients) -> None:
    """Work out at once what waits for the people one can be; a job does it for everybody else, little by little."""
    prevention, ctx = Prevention(doors.gateway), system(doors.clock)
    async with doors.database.transaction() as tx:
        for citizen in nation.citizens:
            if citizen.star and citizen.matricule in patients:
                patient = patients[citizen.matricule]
                if citizen.star == "pregnant":
                    actor = CitizenActor(patient, citizen.display)
                    holder = Context(actor, doors.clock, channel="load", demonstration=True)
                    expected = nation.until + timedelta(weeks=TERM_WEEKS - STAR_WEEKS)
                    await prevention.expect(tx, holder, patient, expected)
                else:
                    await prevention.refresh(tx, patient, ctx)


class _Bars:
    """Adds up how far the load is, whoever does the work."""

    def __init__(self, citizens: int, report: Report) -> None:
        self._report = report
        self._citizens = citizens
        self._groups = ceil(citizens / GROUP)
        self._done = {"citizens": 0, "documents": 0}
        self._filed = 0

    def more(self, stage: str, count: int) -> None:
        """Count what was done since the last time: for documents, those of one more group of citizens."""
        self._done[stage] += count
        if stage == "documents":
            self._filed += 1
        self._report(Progress(stage, self._done[stage], self._total(stage)))

    def _total(self, stage: str) -> int:
        """How many there will be in all: nobody counts documents before they are written, so as before, for groups."""
        if stage == "citizens":
            return self._citizens
        return ceil(self._done[stage] * self._groups / self._filed)
