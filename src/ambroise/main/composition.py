"""From settings to objects: each is built once, here, and handed to who needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from msgspec import Struct

from ambroise.interfaces.authentication import Authenticator
from ambroise.interfaces.departures import hearing
from ambroise.interfaces.services import Services
from ambroise.interfaces.web import templates
from ambroise.interfaces.web.copies.filer import Filing
from ambroise.interfaces.web.copies.scribe import Pages as CopyPages
from ambroise.kernel import installation
from ambroise.kernel.clock import Clock, ShiftedClock, SystemClock
from ambroise.kernel.crypto import ApplicationSecret, DataKeys, MasterKeys, SigningKeys
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.jobs import Runner, Schedule
from ambroise.kernel.objects import Blobs, open_store
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.kernel.settings import Settings
from ambroise.kernel.time_shift import catch_up, follow, shift_of
from ambroise.main import wiring
from ambroise.main.people import KnownPeople
from ambroise.modules.identity.api import (
    Codes,
    Enrolments,
    Federation,
    Identity,
    KeySealer,
    Passkeys,
    Proofs,
    Provider,
    RelyingParty,
    read_partners,
)
from ambroise.modules.letters.api import Channel as LetterChannel
from ambroise.modules.letters.api import Letters
from ambroise.modules.notification.api import Wishing
from ambroise.modules.portability.api import Exports, Imports
from ambroise.modules.prevention.api import Prevention
from ambroise.modules.record.api import ClamAv, Indexer, Limits, Record, Texts
from ambroise.modules.relations.api import Relations
from ambroise.modules.space.api import Spaces
from ambroise.modules.vitale.api import Vitale
from ambroise.trust.access.versions import followed
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import Gateway, PageSeal


class Application(Struct, frozen=True):
    """The services, and the work to do behind them."""

    services: Services
    delivery: Delivery
    runner: Runner
    indexer: Indexer

    async def check(self, *, demonstration: bool) -> None:
        """Refuse to run a demonstration as a real instance, and the other way round."""
        if self.services.demonstration and not demonstration:
            raise Refusal(Kind.CONFLICT, "DEMONSTRATION_DATA", "These are demonstration data: run `ambroise demo`.")
        if demonstration and not self.services.demonstration:
            raise Refusal(Kind.CONFLICT, "REAL_DATA", "These data are of real people: run `ambroise serve`.")
        async with self.services.database.reader() as reader:
            await self.services.identity.refuse_demonstration_accounts(reader)
            if not demonstration and await shift_of(reader):
                raise Refusal(Kind.CONFLICT, "CLOCK_MOVED", "The clock was moved: a real instance keeps the true time.")

    def work(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What the role `worker` does for ever."""
        return self.delivery.run(), self.runner.run(), self.indexer.run()


@asynccontextmanager
async def compose(settings: Settings, dsn: str, *, clock: Clock | None = None) -> AsyncGenerator[Application]:
    """Build everything on a database that is migrated; closes it at the end."""
    database = await Database.open(dsn, slots=settings.database_slots)
    try:
        async with database.reader() as reader:
            installed = await installation.read(reader)
        blobs = _blobs(settings)
        secret = ApplicationSecret.load(settings.application_key)
        async with _time(database, installed, clock) as time:
            gateway = Gateway(database, time, blobs=blobs, pages=PageSeal(secret.derive("pages")))
            try:
                async with database.transaction() as tx:
                    await gateway.prepare(tx)
                    await Prevention(gateway).install(tx, Context(System("prevention"), time, channel="job"))
                services = _services(settings, installed, time, database, gateway, secret)
                async with hearing(database, services.authenticator), followed(database):
                    yield _application(services, blobs)
            finally:
                await gateway.close()
    finally:
        await database.close()


@asynccontextmanager
async def _time(database: Database, installed: installation.Installation, given: Clock | None) -> AsyncGenerator[Clock]:
    """The clock of this process: the system's, or a demonstration's, which its operator may move."""
    if given is not None or not installed.demonstration:
        yield given or SystemClock()
        return
    clock = ShiftedClock()
    await catch_up(database, clock)
    following = asyncio.create_task(follow(database, clock))
    try:
        yield clock
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def _services(
    settings: Settings,
    installed: installation.Installation,
    clock: Clock,
    database: Database,
    gateway: Gateway,
    secret: ApplicationSecret,
) -> Services:
    signing_keys = SigningKeys.load(settings.signing_keys)
    limits = Limits(professional=settings.document_max_bytes)
    scanner = ClamAv(settings.malware_scanner) if settings.malware_scanner else None
    record = Record(gateway, scanner=scanner, limits=limits)
    addresses = _addresses(settings)
    provider = Provider.over(
        database,
        clock,
        signing_keys,
        addresses=addresses,
        audience=settings.token_audience,
        seed=installed.id,
        sealer=KeySealer(secret),
        secure=_secure(settings, addresses),
        demonstration=installed.demonstration,
    )
    spaces = Spaces(gateway, record)
    letters = Letters.over(
        clock,
        secret,
        channels=_channels(settings),
        demonstration=installed.demonstration,
        bounces=settings.bounce_address,
    )
    codes = Codes(database, clock, KeySealer(secret), letters)
    identity = Identity(
        database,
        clock,
        codes.sealer,
        demonstration=installed.demonstration,
        codes=codes,
        operators_by_passkey=_operators_by_passkey(settings, installed),
    )
    proofs = Proofs(identity, timedelta(minutes=settings.recent_proof_minutes))
    enrolments = Enrolments(identity, gateway, codes, spaces.begin)
    return Services(
        settings=settings,
        installation=installed,
        public_url=addresses[0],
        clock=clock,
        database=database,
        gateway=gateway,
        record=record,
        spaces=spaces,
        relations=Relations(gateway),
        vitale=Vitale.over(
            database, gateway, clock, KeySealer(secret), signing_keys, demonstration=installed.demonstration
        ),
        identity=identity,
        passkeys=Passkeys(identity, proofs, RelyingParty.at(addresses[0])),
        enrolments=enrolments,
        federation=Federation.over(identity, enrolments, provider, read_partners(settings.federation_file), addresses),
        letters=letters,
        imports=Imports(database, gateway, record, clock, Filing(templates), installed.demonstration),
        exports=Exports.over(
            database,
            gateway,
            clock,
            CopyPages(templates),
            kept=timedelta(days=settings.copy_days),
            address=addresses[0],
            demonstration=installed.demonstration,
        ),
        wishing=Wishing.over(clock, secret, settings.push_services, settings.mail_from),
        provider=provider,
        authenticator=Authenticator(
            signing_keys.all,
            KnownPeople(database, settings),
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            clock=clock,
            sign_ons=provider.tokens,
            demonstration=installed.demonstration,
        ),
        signing_keys=signing_keys,
        secret=secret,
    )


def _operators_by_passkey(settings: Settings, installed: installation.Installation) -> bool:
    chosen = settings.operators_by_passkey
    return not installed.demonstration if chosen is None else chosen


def _channels(settings: Settings) -> frozenset[LetterChannel]:
    """What this instance can send: mails by its server, SMS by the gateway of an operator."""
    if settings.smtp_url is None:
        return frozenset()
    return frozenset(LetterChannel) if settings.sms_domain else frozenset({LetterChannel.MAIL})


def _addresses(settings: Settings) -> tuple[str, ...]:
    """By which addresses people reach this instance, the usual one first: one when it is said, else this machine's."""
    if settings.public_url is not None:
        return (settings.public_url.rstrip("/"),)
    return tuple(f"http://{host}:{settings.port}" for host in ("localhost", "127.0.0.1", "[::1]"))


def _secure(settings: Settings, addresses: tuple[str, ...]) -> dict[str, str]:
    """Where the second port is, for who came by each address."""
    if settings.mtls_port is None:
        return {}
    if settings.mtls_public_url is not None:
        return dict.fromkeys(addresses, settings.mtls_public_url.rstrip("/"))
    return {address: f"https://{host_of(address)}:{settings.mtls_port}" for address in addresses}


def host_of(address: str) -> str:
    """The host of an address, as addresses write it."""
    return address.partition("://")[2].rpartition(":")[0] or address.partition("://")[2]


def _blobs(settings: Settings) -> Blobs:
    url, options = settings.objects()
    return Blobs(DataKeys(MasterKeys.open(settings.master_key)), open_store(url, **options))


def _application(services: Services, blobs: Blobs) -> Application:
    subscriptions, schedule = Subscriptions(), Schedule()
    wiring.own(services)
    wiring.subscribe(subscriptions, services)
    wiring.schedule(schedule, services, blobs)
    return Application(
        services,
        Delivery(services.database, subscriptions, services.clock),
        Runner(services.database, schedule, services.clock),
        Indexer(Texts(services.database, services.gateway), services.clock),
    )
