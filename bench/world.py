"""Who is there when measuring begins: citizens with open spaces, doctors who may read them, results and documents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from random import Random
from uuid import UUID

from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import CONSULTATION, PARIS, Document, Text, uid_of
from ambroise.interfaces.demonstration.model import Citizen, Nation, Professional, Role
from ambroise.interfaces.demonstration.newcomers import Newcomers, actor_of
from ambroise.interfaces.demonstration.patients import patient_resource
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.demonstration.professions import PROFESSIONS
from ambroise.interfaces.services import Services
from ambroise.interfaces.token_claims import Role as TokenRole
from ambroise.interfaces.token_claims import claims_for, sign
from ambroise.kernel.db import Transaction
from ambroise.main.builder import InstanceBuilder
from ambroise.modules.identity.api import AccountKind, NewAccount, Origin, identity_of, open_for
from ambroise.modules.record.api import Incoming, Submission
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, System
from bench import bulk
from bench.instance import Instance
from bench.resources import observation

_UNTIL = date(2026, 1, 31)
_DOCTOR = "10"
_OTHER_READERS = 3
_CITIZENS_AT_ONCE = 100
# As many as fit in memory comfortably, three times: the processes that load start again for the next ones.
_LINES_AT_ONCE = 200_000
_SOFTWARE = "ambroise-bench"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Space:
    """One citizen's space, and the doctors who may read it."""

    patient: UUID
    citizen: Citizen
    readers: tuple[Professional, ...]


@dataclass(frozen=True)
class Browsers:
    """The cookies of two sessions, and documents of the long record that both may open."""

    citizen: str
    professional: str
    documents: Sequence[UUID]


@dataclass
class World:
    """Everybody, their tokens, and how fast the load went."""

    spaces: list[Space]
    tokens: dict[str, str]
    """By RPPS for doctors, by matricule for citizens."""
    loaded: int = 0
    loading_seconds: float = 0.0
    timings: dict[str, float] = field(default_factory=dict)
    browsers: Browsers | None = None
    """Where there is a long record: who opens it in a browser."""

    @property
    def doctors(self) -> int:
        return len({reader.rpps for space in self.spaces for reader in space.readers})

    def doctor_token(self, doctor: Professional) -> str:
        return self.tokens[doctor.rpps]

    def citizen_token(self, citizen: Citizen) -> str:
        return self.tokens[citizen.matricule]


async def fill(
    instance: Instance, patients: int, observations: int, documents: int, tell: Tell, long: int = 0
) -> World:
    """Let everybody in and load what they have, through the same use cases as anywhere, beside the instance."""
    nation = build("bench", patients, until=_UNTIL)
    async with InstanceBuilder().services(instance.settings) as services:
        filling = _Filling(services, nation, Random("bench"))
        tell(f"{len(nation.professionals)} professionals")
        await filling.directory()
        tell(f"{patients} citizens, their spaces, their grants")
        spaces = await filling.citizens(nation.citizens)
        world = World(spaces, _tokens(services, spaces))
        tell(f"{patients * observations} results, through the bulk path")
        await filling.results(world, spaces, observations)
        tell(f"{patients * documents} documents")
        await filling.papers(spaces, documents)
        if long:
            tell(f"{long} documents of one patient")
            filed = await filling.papers(spaces[:1], long)
            world.browsers = await _browsers(services, spaces[0], filed)
        return world


async def grow(instance: Instance, world: World, patients: int, observations: int, tell: Tell) -> World:
    """More citizens of the same nation, until there are `patients`; only those are new in what this returns."""
    nation = build("bench", patients, until=_UNTIL)
    known = {space.citizen.matricule for space in world.spaces}
    async with InstanceBuilder().services(instance.settings) as services:
        filling = _Filling(services, nation, Random("bench, later"))
        await filling.directory()
        newcomers = [citizen for citizen in nation.citizens if citizen.matricule not in known]
        tell(f"{len(newcomers)} more citizens")
        spaces = await filling.citizens(newcomers)
        grown = World([*world.spaces, *spaces], {**world.tokens, **_tokens(services, spaces)})
        tell(f"{len(newcomers) * observations} more results")
        await filling.results(grown, spaces, observations)
        return grown


@dataclass
class _Filling:
    services: Services
    nation: Nation
    random: Random

    def __post_init__(self) -> None:
        self._ctx = Context(System("bench"), self.services.clock, channel="load", demonstration=True)
        self._newcomers = Newcomers(self.services.gateway, self.services.identity, self._ctx)

    async def directory(self) -> None:
        async with self.services.database.transaction() as tx:
            for organization in self.nation.organizations:
                await self._newcomers.structure(tx, organization)
            for professional in self.nation.professionals:
                await self._newcomers.professional(tx, professional)

    async def citizens(self, citizens: Sequence[Citizen]) -> list[Space]:
        spaces: list[Space] = []
        for start in range(0, len(citizens), _CITIZENS_AT_ONCE):
            async with self.services.database.transaction() as tx:
                spaces += [await self._citizen(tx, citizen) for citizen in citizens[start : start + _CITIZENS_AT_ONCE]]
        return spaces

    async def results(self, world: World, spaces: Sequence[Space], each: int) -> None:
        """Load lines of JSON through the bulk path, and time it."""
        resources = self._results(spaces, each)
        while lines := [_line(resource) for resource in islice(resources, _LINES_AT_ONCE)]:
            world.loading_seconds += await asyncio.to_thread(bulk.load, self.services.settings, lines)
            world.loaded += len(lines)

    async def papers(self, spaces: Sequence[Space], each: int) -> list[UUID]:
        """File letters; the ids of the documents."""
        writer, filed = CdaWriter(), list[UUID]()
        for start in range(0, len(spaces), _CITIZENS_AT_ONCE // 2):
            async with self.services.database.transaction() as tx:
                for space in spaces[start : start + _CITIZENS_AT_ONCE // 2]:
                    for number in range(each):
                        filed.append(await self._paper(tx, writer, space, number))
        return filed

    async def _citizen(self, tx: Transaction, citizen: Citizen) -> Space:
        gateway, resource = self.services.gateway, patient_resource(citizen)
        patient = (await gateway.create(tx, self._ctx, resource)).key
        if await identity_of(tx, patient) is None:
            await open_for(tx, self._ctx, patient, resource)
        readers = (citizen.treating, *self._other_readers(citizen))
        await gateway.rights.declare_treating(tx, self._ctx, patient, Party.of(actor_of(citizen.treating)))
        for reader in readers[1:]:
            await gateway.rights.authorise(tx, self._ctx, patient, Party.of(actor_of(reader)))
        return Space(patient, citizen, readers)

    def _other_readers(self, citizen: Citizen) -> list[Professional]:
        town = self.nation.territories[citizen.territory].professionals
        doctors = [
            doctor
            for role, people in town.items()
            if PROFESSIONS[role].code == _DOCTOR and role is not Role.REGULATOR
            for doctor in people
            if doctor is not citizen.treating
        ]
        return self.random.sample(doctors, _OTHER_READERS)

    def _results(self, spaces: Sequence[Space], each: int) -> Iterator[dict[str, object]]:
        for space in spaces:
            for _ in range(each):
                yield observation(self.random, space.patient, space.readers[0])

    async def _paper(self, tx: Transaction, writer: CdaWriter, space: Space, number: int) -> UUID:
        document = letter(space, uid_of("bench", space.citizen.matricule, number), number)
        ctx = Context(actor_of(space.readers[0]), self.services.clock, channel="load", demonstration=True)
        incoming = Incoming(writer.write(document), "text/xml")
        return (await self.services.record.submit(tx, ctx, Submission((incoming,)))).documents[0].document


def _line(resource: dict[str, object]) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


def letter(space: Space, uid: str, number: int) -> Document:
    """A consultation of a citizen with the treating doctor."""
    return Document(
        uid,
        space.citizen,
        space.readers[0],
        datetime(2026, 1, 15, 10, 30, tzinfo=PARIS) - timedelta(days=number),
        CONSULTATION,
        "Compte rendu de consultation",
        Text(("Consultation de suivi. Examen sans particularité. Traitement inchangé.",)),
    )


async def _browsers(services: Services, space: Space, documents: Sequence[UUID]) -> Browsers:
    """The holder and the treating doctor, each signed in."""
    new = NewAccount(
        AccountKind.CITIZEN,
        f"{space.citizen.matricule}@bench.example",
        space.citizen.display,
        patient=space.patient,
        demonstration=True,
    )
    async with services.database.transaction() as tx:
        citizen = await services.identity.create_account(tx, new)
    async with services.database.reader() as reader:
        doctor = await services.identity.account_of(reader, professional=space.readers[0].id_nat)
    assert doctor is not None
    cookies = [(await services.identity.be(account, Origin())).token for account in (citizen, doctor.id)]
    # The name depends on the address: a browser sends one of them.
    citizen_cookie, doctor_cookie = (f"__Host-session={one}; ambroise-session={one}" for one in cookies)
    return Browsers(citizen_cookie, doctor_cookie, documents)


def _tokens(services: Services, spaces: Sequence[Space]) -> dict[str, str]:
    """A token for each doctor and each citizen: nobody here has the operator's."""
    settings, now = services.settings, services.clock.now()
    signer = services.signing_keys.signer

    def token(role: TokenRole, subject: str, **claims: str) -> str:
        made = claims_for(
            role,
            subject,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            issued_at=now,
            lifetime=timedelta(hours=12),
            software=_SOFTWARE,
            **claims,  # pyright: ignore[reportArgumentType]
        )
        return sign(made, signer)

    doctors = {reader.rpps: reader for space in spaces for reader in space.readers}
    found = {
        rpps: token(TokenRole.PROFESSIONAL, rpps, rpps=rpps, organization=doctor.organization.finess)
        for rpps, doctor in doctors.items()
    }
    for space in spaces:
        matricule = space.citizen.matricule
        found[matricule] = token(TokenRole.CITIZEN, str(space.patient), ins=matricule)
    return found
