"""Loads a demonstration nation through the same use cases as anything else: directory, identities, rights, documents.

It can be interrupted at any moment: started again, it goes on with the same nation, and what is there already is left
as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from ambroise.interfaces.demonstration import repository
from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.filing import Doors, OpenDoors, Share, file_share, helper
from ambroise.interfaces.demonstration.model import Nation
from ambroise.interfaces.demonstration.newcomers import Newcomers
from ambroise.interfaces.demonstration.population import DEFAULT_POPULATION, DEFAULT_SEED, build
from ambroise.interfaces.demonstration.repository import Loaded
from ambroise.interfaces.demonstration.repository import nation as loaded
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Transaction
from ambroise.modules.identity.api import add_insi_people
from ambroise.trust.context import Context, System

__all__ = ["DEFAULT_POPULATION", "DEFAULT_SEED", "Doors", "Loaded", "OpenDoors", "Progress", "load", "loaded"]

# Below this many citizens, starting a process costs more than it saves.
_WORTH_A_HELPER = 300
# How many citizens one can be on the sign-in list; a token can be made for any of them.
_WITH_ACCOUNT = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the load is: stage is "directory", "citizens" or "documents"."""

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
    patients = await _citizens(doors, nation, newcomers, report)
    await _documents(doors, nation, patients, report, open_doors)
    async with doors.database.transaction() as tx:
        await repository.finish(tx, doors.clock.now())
    return Loaded(wanted.seed, wanted.population, wanted.until, finished=True)


def system(clock: Clock) -> Context:
    """The instance acting as its own loader."""
    return Context(System("demonstration"), clock, channel="load", demonstration=True)


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


async def _citizens(doors: Doors, nation: Nation, newcomers: Newcomers, report: Report) -> dict[str, UUID]:
    """Open every space; a second pass links families, once everybody has a space. The spaces, by matricule."""
    patients: dict[str, UUID] = {}
    total = len(nation.citizens)
    for start in range(0, total, 50):
        async with doors.database.transaction() as tx:
            for citizen in nation.citizens[start : start + 50]:
                with_account = len(patients) < _WITH_ACCOUNT
                patients[citizen.matricule] = await newcomers.citizen(tx, nation, citizen, with_account=with_account)
                report(Progress("citizens", len(patients), total))
    async with doors.database.transaction() as tx:
        people = {citizen.matricule: citizen for citizen in nation.citizens}
        for citizen in nation.citizens:
            await newcomers.family(tx, nation.until, citizen, people, patients)
    return patients


async def _documents(
    doors: Doors, nation: Nation, patients: dict[str, UUID], report: Report, open_doors: OpenDoors | None
) -> None:
    """File every document; with a helper process when there are many and somebody can open doors for it."""
    total = sum(len(documents_of(nation, citizen)) for citizen in nation.citizens)
    done = 0

    def filed(count: int) -> None:
        nonlocal done
        done += count
        report(Progress("documents", done, total))

    alone = open_doors is None or len(nation.citizens) < _WORTH_A_HELPER
    shares = [
        Share(nation.seed, len(nation.citizens), nation.until, patients, part, 1 if alone else 2)
        for part in range(1 if alone else 2)
    ]
    if open_doors is None or alone:
        await file_share(doors, nation, shares[0], filed)
        return
    async with helper(open_doors, shares[1], filed) as helped:
        await file_share(doors, nation, shares[0], filed)
        await helped
