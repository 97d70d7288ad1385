"""What the pages about the life of spaces and about helpers stand on."""

from __future__ import annotations

from msgspec import Struct

from ambroise.kernel.db import Database
from ambroise.modules.prevention.api import Prevention
from ambroise.modules.record.api import Record
from ambroise.modules.relations.api import Mediation, Relations
from ambroise.modules.space.api import Populations, Spaces
from ambroise.trust.gateway import Gateway


class Lives(Struct, frozen=True):
    """The use cases that these pages call, and the database in which they open transactions."""

    database: Database
    gateway: Gateway
    record: Record
    spaces: Spaces
    populations: Populations
    relations: Relations
    mediation: Mediation
    prevention: Prevention

    @staticmethod
    def on(database: Database, gateway: Gateway, record: Record) -> Lives:
        """All of them behind one door."""
        return Lives(
            database,
            gateway,
            record,
            Spaces(gateway, record),
            Populations(database, gateway),
            Relations(gateway),
            Mediation(gateway),
            Prevention(gateway),
        )
