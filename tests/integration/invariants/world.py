"""A small nation behind a whole application, and the people who act in it by every way in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

import httpx
import psycopg

from ambroise.fhir.definitions import type_name
from ambroise.interfaces.demonstration.care import documents_of
from ambroise.interfaces.demonstration.documents import uid_of
from ambroise.interfaces.demonstration.model import Citizen, Professional
from ambroise.interfaces.demonstration.newcomers import Newcomers, care_team
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.token_claims import Role
from ambroise.trust.context import Context, System
from tests.integration.invariants.model import Line, Person, Standing
from tests.journeys.support.strict import StrictClient
from tests.support.database import TestDatabase
from tests.support.server import House, house_on

_PEOPLE = {
    "gp": Standing.TREATING,
    "cardiologist": Standing.TEAM,
    "sample-author": Standing.AUTHOR,
    "stranger": Standing.STRANGER,
}


@dataclass
class World:
    """The application, its people, and what the trace says since the last look."""

    house: House
    database: TestDatabase
    connection: psycopg.Connection[tuple[object, ...]]
    citizens: dict[UUID, Citizen]
    author: Professional
    clients: dict[Person, httpx.AsyncClient]
    browsers: dict[Person, StrictClient]
    folder: Path
    _seen: str = "0"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def person(self, standing: Standing, patient: UUID | None = None) -> Person:
        """Who has this standing; the holder is the citizen of that space."""
        return next(
            one
            for one in self.clients
            if one.standing is standing and (standing is not Standing.HOLDER or one.own == patient)
        )

    def uid(self) -> str:
        """A unique id that no document has."""
        return uid_of("invariants", next(self._numbers))

    def lines(self) -> list[Line]:
        """What was traced since this was last asked."""
        rows = self.connection.execute(
            """
            select xid::text, actor_id, action, event, patient, resource_type, resource, outcome, count, channel
            from trace
            where era = 1 and xid > %s::xid8
            order by xid, id
            """,
            (self._seen,),
        ).fetchall()
        if rows:
            self._seen = str(rows[-1][0])
        return [
            Line(
                actor, action, event, patient, None if type is None else type_name(type), resource, outcome, n, channel
            )
            for _, actor, action, event, patient, type, resource, outcome, n, channel in rows
        ]


@asynccontextmanager
async def world_on(database: TestDatabase, folder: Path) -> AsyncIterator[World]:
    """A fresh world: six citizens, four professionals, everybody with a token, three with a browser."""
    async with house_on(database, folder / "data", roles={"api", "web"}) as house:
        nation = build("invariants", 6, until=datetime(2026, 3, 1, tzinfo=UTC).date())
        known = {one.star: one for one in nation.professionals if one.star in _PEOPLE}
        services = house.services
        newcomers = Newcomers(
            services.gateway,
            services.identity,
            Context(System(), services.clock, channel="load", demonstration=True),
        )
        citizens: dict[UUID, Citizen] = {}
        async with services.database.transaction() as tx:
            for professional in known.values():
                await newcomers.structure(tx, professional.organization)
                await newcomers.professional(tx, professional)
            for citizen in nation.citizens:
                team = care_team(nation, citizen, documents_of(nation, citizen))
                citizens[await newcomers.citizen(tx, citizen, team, with_account=True)] = citizen
        clients = {Person("system", Standing.SYSTEM): house.client()}
        for star, standing in _PEOPLE.items():
            professional = known[star]
            clients[Person(professional.id_nat, standing)] = house.client(Role.PROFESSIONAL, rpps=professional.rpps)
        for patient, citizen in citizens.items():
            holder = Person(str(patient), Standing.HOLDER, patient)
            clients[holder] = house.client(Role.CITIZEN, ins=citizen.matricule)
        with _watching(database) as connection:
            world = World(house, database, connection, citizens, known["sample-author"], clients, {}, folder)
            first = next(iter(citizens))
            for standing in (Standing.HOLDER, Standing.TREATING, Standing.STRANGER):
                person = world.person(standing, first)
                name = citizens[first].birth_name if person.own else known[_star(standing)].family
                world.browsers[person] = await _signed_in(house, name)
            world.lines()
            yield world
        for client in (*clients.values(), *(browser.http for browser in world.browsers.values())):
            await client.aclose()


def _star(standing: Standing) -> str:
    return next(star for star, its in _PEOPLE.items() if its is standing)


async def _signed_in(house: House, name: str) -> StrictClient:
    transport = httpx.ASGITransport(house.app)
    browser = StrictClient(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000"))
    await browser.get("/etre")
    words = (" ".join(button.text_content().split()) for button in browser.page.iter("button"))
    return await browser.press(next(one for one in words if name.casefold() in one.casefold()))


@contextmanager
def _watching(database: TestDatabase) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        yield connection
