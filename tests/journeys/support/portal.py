"""The portals on a fresh database of accounts, over the sample record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette

from ambroise.interfaces.web import portals
from ambroise.interfaces.web.lives import Lives
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.db import Database
from ambroise.modules.identity.api import AccountKind, Identity, NewAccount, Situation
from ambroise.modules.identity.sealing import KeySealer
from ambroise.modules.profile.api import Profile
from ambroise.modules.record.api import Record
from ambroise.trust.gateway import Gateway
from tests.journeys.support.sample import ALICE, SampleProfessional, SampleRecord
from tests.journeys.support.strict import StrictClient


@dataclass(frozen=True)
class Portal:
    """The application, what it stands on, and a way to visit it."""

    application: Starlette
    identity: Identity
    record: SampleRecord

    def visitor(self, **headers: str) -> StrictClient:
        """A browser that never came before."""
        transport = httpx.ASGITransport(self.application)
        return StrictClient(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers))

    async def as_person(self, name: str, **headers: str) -> StrictClient:
        """A browser signed in as a demonstration person."""
        visitor = self.visitor(**headers)
        await visitor.get("/etre")
        await visitor.press("Entrer : " + name if headers.get("accept-language") != "en" else "Enter : " + name)
        return visitor


def application_of(identity: Identity, record: SampleRecord) -> Starlette:
    """The portals over a sample record."""
    professional: Any = SampleProfessional(record)
    gateway = Gateway(identity.database, identity.clock)
    lives = Lives.on(identity.database, gateway, Record(gateway))
    profile = Profile(identity.database, gateway)
    return Starlette(
        routes=portals(identity, cast(Any, record), professional, cast(Any, record), lives, profile=profile)
    )


async def add_people(identity: Identity) -> None:
    """One demonstration person of each kind."""
    people = (
        NewAccount(
            AccountKind.CITIZEN, "alice@exemple.fr", "Alice Fictive", patient=ALICE, demonstration_note="Diabète"
        ),
        NewAccount(
            AccountKind.PROFESSIONAL,
            "810000000001",
            "Dr Camille Fictif",
            professional="810000000001",
            situations=(
                Situation(
                    "10", specialty="SM54", organization="1370000002", organization_name="Maison de santé Inventée"
                ),
                Situation("10", organization="1370000003", organization_name="Hôpital Imaginaire"),
            ),
        ),
        NewAccount(AccountKind.OPERATOR, "guichet", "Nadia Inventée", duties=frozenset({"support"})),
    )
    async with identity.database.transaction() as tx:
        for person in people:
            await identity.create_account(tx, replace(person, demonstration=True))


@pytest.fixture
async def portal(database: Database, clock: FixedClock) -> Portal:
    identity = Identity(database, clock, KeySealer(ApplicationSecret(b"s" * 32)), demonstration=True)
    await add_people(identity)
    record = SampleRecord()
    return Portal(application_of(identity, record), identity, record)
