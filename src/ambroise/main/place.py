"""The place where an installation lives: its database, its keys, what it is for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from msgspec import Struct

from ambroise.kernel import installation
from ambroise.kernel.crypto import ApplicationSecret, MasterKeys, SigningKeys
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.migrations import migrate
from ambroise.kernel.postgres import EmbeddedPostgres
from ambroise.kernel.settings import Settings


class Addresses(Struct, frozen=True):
    """How to reach the database, by role; `server` when we run it ourselves."""

    app: str
    owner: str
    server: EmbeddedPostgres | None = None


@contextmanager
def database(settings: Settings, *, create: bool = False) -> Generator[Addresses]:
    """Have the database reachable: a real deployment's, or the embedded one, started unless it runs already."""
    if settings.app_dsn is not None:
        yield Addresses(settings.app_dsn, settings.owner_dsn or settings.app_dsn)
        return
    assert settings.data is not None  # noqa: S101 - the settings were validated.
    server = EmbeddedPostgres(settings.data)
    if not create and not server.exists:
        raise Refusal(
            Kind.NOT_FOUND,
            "NO_INSTALLATION",
            f"There is no installation in {settings.data}: run `ambroise demo` or `ambroise migrate` first.",
        )
    server.start()
    try:
        yield Addresses(server.app_dsn, server.owner_dsn, server)
    finally:
        server.stop()


def prepare(settings: Settings, addresses: Addresses, *, demonstration: bool) -> list[str]:
    """Migrate, declare what the installation is for, make the keys that are missing; the migrations applied."""
    if addresses.server is None and settings.owner_dsn is None:
        raise Refusal(
            Kind.INVALID,
            "OWNER_URL_MISSING",
            "Give AMBROISE_DATABASE_OWNER_URL: migrations run as the role that owns the tables.",
        )
    applied = migrate(addresses.owner)
    installation.claim(addresses.owner, demonstration=demonstration)
    MasterKeys.open(settings.master_key, create=True)
    SigningKeys.load(settings.signing_keys, create=True)
    ApplicationSecret.load(settings.application_key)
    return [str(migration) for migration in applied]
