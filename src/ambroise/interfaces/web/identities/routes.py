"""Every page about who people are."""

from __future__ import annotations

from msgspec import Struct
from starlette.routing import BaseRoute

from ambroise.interfaces.web.identities.desk import desk_identity_routes
from ambroise.interfaces.web.identities.searching import searching_routes
from ambroise.interfaces.web.identities.symbols import symbol_routes
from ambroise.interfaces.web.ui.visit import Site
from ambroise.kernel.db import Database
from ambroise.trust.gateway import Gateway


class Identities(Struct, frozen=True):
    """What these pages stand on."""

    database: Database
    gateway: Gateway


def identity_routes(site: Site, on: Identities) -> list[BaseRoute]:
    """The directory, the identity of a patient with its datamatrix, and the desk's work."""
    return [
        *searching_routes(site, on.database),
        *symbol_routes(site, on.database, on.gateway),
        *desk_identity_routes(site, on.database, on.gateway),
    ]
