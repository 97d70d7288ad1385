"""What the directory and the registry of identities say of who holds a token."""

from __future__ import annotations

from uuid import UUID

from ambroise.interfaces.authentication import Space
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.settings import Settings
from ambroise.modules.directory import api as directory
from ambroise.modules.identity import api as identity
from ambroise.modules.identity.api import Ins
from ambroise.modules.identity.ins import PRODUCTION_OIDS, TEST_OIDS
from ambroise.trust.context import Professional


class KnownPeople:
    """Implements what `ambroise.interfaces.authentication.People` asks for."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._oids = sorted(TEST_OIDS if settings.identity_mode == "test" else PRODUCTION_OIDS)

    async def professional(self, rpps: str, organization: str | None) -> Professional | None:
        async with self._database.reader() as reader:
            try:
                return await directory.professional(reader, rpps, organization)
            except Refusal as refusal:
                if refusal.kind is Kind.NOT_FOUND:
                    return None
                raise

    async def space(self, key: UUID | str) -> Space | None:
        async with self._database.reader() as reader:
            if isinstance(key, UUID):
                found = await identity.identity_of(reader, key)
                return Space(found.patient, found.display_name) if found else None
            for oid in self._oids:
                found = await identity.identity_under(reader, Ins(key, oid))
                if found is not None:
                    return Space(found.patient, found.display_name)
        return None
