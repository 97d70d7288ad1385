"""The portals over a real record, with a document in it and people who may visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from ambroise.interfaces.web import portals, templates
from ambroise.interfaces.web.citizen.record import CitizenRecord
from ambroise.interfaces.web.citizen.record.notices import Notices
from ambroise.interfaces.web.copies.filer import Filing
from ambroise.interfaces.web.copies.scribe import Pages
from ambroise.interfaces.web.desk.record import DeskRecord
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.professional.record import ProfessionalRecord
from ambroise.interfaces.web.records import Records
from ambroise.interfaces.xdm.writing import Exports as ZipExports
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.modules.identity.api import AccountKind, Identity, NewAccount, Situation
from ambroise.modules.identity.sealing import KeySealer
from ambroise.modules.notification.api import Channel, Pusher, PushServices, Vapid, Wishing
from ambroise.modules.portability.api import Exports, Imports
from ambroise.modules.profile.api import Profile
from ambroise.modules.record.api import Desk, Report, reports
from tests.integration.record.conftest import World
from tests.integration.record.test_feed_checks import LETTER
from tests.journeys.support.strict import StrictClient
from tests.support.xdm import zips_of


@dataclass(frozen=True)
class Visitors:
    """A real record under its portals, with a document in it."""

    world: World
    application: Starlette
    document: UUID
    exports: Exports
    imports: Imports

    async def enter(self, name: str) -> StrictClient:
        transport = httpx.ASGITransport(self.application)
        visitor = StrictClient(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000"))
        await visitor.get("/etre")
        return await visitor.press("Entrer : " + name)

    async def waiting(self) -> list[Report]:
        async with self.world.database.reader() as reader:
            return await reports.queue(reader, self.world.operator)

    async def traced(self) -> int:
        async with self.world.database.reader() as reader:
            query = "select count(*) from trace where patient = %s and event = 'report_made'"
            return await reader.fetch_value(query, (self.world.patient,))

    @property
    def record(self) -> str:
        return f"/pro/patients/{self.world.patient}"


def wishing_of(world: World) -> Wishing:
    """How people say what they want to be told, with browsers told by a service on this machine."""
    secret = ApplicationSecret(b"s" * 32)
    pusher = Pusher(Vapid.of(secret, "mailto:ambroise@exemple.fr"), PushServices((), local=True), world.clock)
    return Wishing(world.clock, secret.derive("notification"), pusher)


@pytest.fixture
async def visitors(world: World) -> Visitors:
    document = (await world.submit(world.author, LETTER)).documents[0].document
    await world.authorise(world.author)
    identity = Identity(world.database, world.clock, KeySealer(ApplicationSecret(b"s" * 32)), demonstration=True)
    work = Situation("10", specialty="SM54", organization="1750803447", organization_name="Cabinet")
    people = (
        NewAccount(AccountKind.CITIZEN, "d@exemple.fr", "Dominique Fictive", patient=world.patient, demonstration=True),
        NewAccount(
            AccountKind.PROFESSIONAL,
            "801234567897",
            "Charles Muller",
            professional="801234567897",
            situations=(work,),
            demonstration=True,
        ),
        NewAccount(
            AccountKind.PROFESSIONAL,
            "810000000007",
            "Julie Martin",
            professional="810000000007",
            situations=(Situation("10", specialty="SM54"),),
            demonstration=True,
        ),
        NewAccount(
            AccountKind.OPERATOR,
            "guichet",
            "Nadia Inventée",
            duties=frozenset({"support", "rectification", "matrix", "prevention"}),
            demonstration=True,
        ),
    )
    async with world.database.transaction() as tx:
        for one in people:
            await identity.create_account(tx, one)
    records = Records(world.database, world.gateway, ZipExports(world.database, world.gateway, "2.25.1"))
    exports = Exports.over(
        world.database,
        world.gateway,
        world.clock,
        Pages(templates),
        kept=timedelta(days=7),
        address="http://127.0.0.1:8000",
        demonstration=True,
    )
    imports = Imports(world.database, world.gateway, world.record, world.clock, Filing(templates), demonstration=True)
    pages = portals(
        identity,
        CitizenRecord(records, world.record),
        ProfessionalRecord(records, world.record, zips_of(world)),
        DeskRecord(world.database, Desk(world.record, world.gateway)),
        Lives.on(world.database, world.gateway, world.record),
        exports=exports,
        imports=imports,
        profile=Profile(world.database, world.gateway),
        notices=Notices(records, world.record, wishing_of(world), [Channel.MAIL, Channel.PUSH]),
    )
    return Visitors(world, Starlette(routes=pages), document, exports, imports)
