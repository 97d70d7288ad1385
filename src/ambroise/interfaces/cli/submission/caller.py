"""Who deposits files, and how that person reaches the record."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces.cli.toolbox import Toolbox, fail

if TYPE_CHECKING:
    from ambroise.interfaces.cli.submission.papers import Sender
    from ambroise.interfaces.cli.submission.ways import Way
    from ambroise.interfaces.services import Services
    from ambroise.kernel.settings import Settings


class Caller(Struct, frozen=True):
    """Who deposits, and how that person reaches the record."""

    toolbox: Toolbox
    settings: Settings
    rpps: str
    organization: str | None
    places: dict[str, str]
    software: str

    def way(self, url: str | None, token_file: Path | None) -> AbstractAsyncContextManager[tuple[Way, Sender]]:
        """The way to the record of the data folder, or over HTTP to the instance at an address."""
        return self._remote(url, token_file) if url else self._local()

    @asynccontextmanager
    async def _local(self) -> AsyncGenerator[tuple[Way, Sender]]:
        """Straight to the record of the data folder. Who deposits is read again from the directory each time."""
        from ambroise.interfaces.cli.submission.ways import LocalWay
        from ambroise.modules.directory import api as directory
        from ambroise.trust.context import Context

        async with self.toolbox.builder.services(self.settings) as services:

            async def context() -> Context:
                async with services.database.reader() as reader:
                    actor = await directory.professional(reader, self.rpps, self.organization)
                return Context(
                    actor, services.clock, channel="cli", software=self.software, demonstration=services.demonstration
                )

            async with services.database.reader() as reader:
                actor = await directory.professional(reader, self.rpps, self.organization)
            sender = await self._sender(services, actor.id, actor.name, actor.organization, actor.organization_name)
            yield LocalWay(services, context), sender

    @asynccontextmanager
    async def _remote(self, url: str, token_file: Path | None) -> AsyncGenerator[tuple[Way, Sender]]:
        """Over HTTP, to any instance. The token is read or signed again each time: it may change, and it ends."""
        from ambroise.interfaces.cli.submission.papers import Sender
        from ambroise.interfaces.cli.submission.ways import RemoteWay

        def token() -> str:
            return token_file.read_text().strip() if token_file else os.environ.get("AMBROISE_TOKEN") or self._signed()

        structure = f"1{self.organization}" if self.organization else None
        yield RemoteWay(url, token), Sender(f"8{self.rpps}", organization=structure, **self.places)

    async def _sender(
        self, services: Services, id: str, name: str, structure: str | None, structure_name: str | None
    ) -> Sender:
        from ambroise.interfaces.cli.submission.papers import Sender
        from ambroise.modules.directory import api as directory

        known = None
        if structure is not None:
            async with services.database.reader() as reader:
                known = await directory.structure(reader, structure)
        sender = Sender(id, name, structure, structure_name)
        if known is not None:
            sender = replace(sender, facility=known.facility, setting=known.setting)
        return replace(sender, **self.places)

    def _signed(self) -> str:
        from datetime import timedelta

        from ambroise.interfaces.token_claims import Role, claims_for, sign
        from ambroise.kernel.clock import SystemClock
        from ambroise.kernel.crypto.signing import SigningKeys

        settings = self.settings
        if not any(settings.signing_keys.glob("*.pem")):
            fail("Give the token of the professional with --token-file or in AMBROISE_TOKEN.")
        claims = claims_for(
            Role.PROFESSIONAL,
            f"professional:{self.rpps}",
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            issued_at=SystemClock().now(),
            lifetime=timedelta(hours=1),
            rpps=self.rpps,
            organization=self.organization,
            software=self.software,
        )
        return sign(claims, SigningKeys.load(settings.signing_keys).signer)


def professional(who: str) -> str:
    """The RPPS of `professional:<RPPS>`."""
    role, _, rpps = who.partition(":")
    if role != "professional" or not rpps:
        fail("--as takes professional:<RPPS>.")
    return rpps


# Where numbers come from (NIR), for people of tests and for real ones; others are said with --patient OID|INS.
_USUAL_OID = {"test": "1.2.250.1.213.1.4.10", "production": "1.2.250.1.213.1.4.8"}


def ins_of(patient: str | None, settings: Settings) -> str | None:
    """The INS with its OID, which the installation implies unless another is given."""
    if patient is None or "|" in patient:
        return patient.removeprefix("urn:oid:") if patient else None
    return f"{usual_oid(settings)}|{patient}"


def usual_oid(settings: Settings) -> str:
    """Where the INS of most people comes from."""
    return _USUAL_OID[settings.identity_mode]
