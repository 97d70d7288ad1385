"""The whole application on a fresh database, and clients that bear tokens, for tests over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from ambroise.interfaces.services import Services
from ambroise.interfaces.token_claims import Role, claims_for, sign
from ambroise.kernel.clock import Clock
from ambroise.kernel.settings import Settings
from ambroise.main import app as asgi
from ambroise.main.composition import compose
from ambroise.main.place import Addresses, prepare
from tests.support.database import TestDatabase

BASE = "http://test.example/fhir"


@dataclass(frozen=True)
class House:
    """One running application."""

    services: Services
    app: ASGIApp

    def token(self, role: Role = Role.SYSTEM, **claims: Any) -> str:
        """A bearer token of this house."""
        settings = self.services.settings
        made = claims_for(
            role,
            claims.pop("subject", role.value),
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            issued_at=self.services.clock.now(),
            lifetime=timedelta(hours=8),
            **claims,
        )
        return sign(made, self.services.signing_keys.signer)

    def client(self, role: Role | None = Role.SYSTEM, **claims: Any) -> httpx.AsyncClient:
        """A client of `/fhir` with a token for `role`; without one for None."""
        headers = {} if role is None else {"authorization": f"Bearer {self.token(role, **claims)}"}
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url=BASE + "/", headers=headers)


@asynccontextmanager
async def house_on(
    database: TestDatabase, folder: Path, *, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[House]:
    """The application on a migrated database, as a demonstration instance."""
    chosen = Settings(data=folder, database_url=database.app_dsn, database_owner_url=database.owner_dsn, **settings)
    prepare(chosen, Addresses(database.app_dsn, database.owner_dsn), demonstration=True)
    async with compose(chosen, database.app_dsn, clock=clock) as application:
        yield House(application.services, asgi.build(application.services))
