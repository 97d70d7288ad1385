"""The face of the e-carte Vitale."""

from __future__ import annotations

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto import SigningKeys
from ambroise.kernel.db import Database
from ambroise.modules.vitale.cards import Cards, CheckReason, Present
from ambroise.modules.vitale.delegations import Delegations
from ambroise.modules.vitale.ground import Ground, Sealer
from ambroise.modules.vitale.handlers import forget_purged
from ambroise.modules.vitale.meetings import Meeting, MeetingCode, Meetings
from ambroise.modules.vitale.model import (
    LIVE,
    Card,
    CardState,
    Challenge,
    Check,
    Delegation,
    DelegationState,
    Device,
    Document,
    Medium,
    Receipt,
    Registered,
    Rights,
    Shown,
    Unlocked,
    limits,
)
from ambroise.modules.vitale.showing import Showings, Verified
from ambroise.trust.gateway import Gateway


class Vitale(Struct, frozen=True):
    """Cards, showing them, delegating their use."""

    cards: Cards
    showings: Showings
    delegations: Delegations
    meetings: Meetings

    @staticmethod
    def over(
        database: Database,
        gateway: Gateway,
        clock: Clock,
        sealer: Sealer,
        keys: SigningKeys,
        *,
        demonstration: bool,
    ) -> Vitale:
        """All of it. In a `demonstration`, an invented insurer states rights."""
        ground = Ground(database, gateway, clock, sealer, keys, demonstration)
        return Vitale(Cards(ground), Showings(ground), Delegations(ground), Meetings(ground))


__all__ = [
    "LIVE",
    "Card",
    "CardState",
    "Challenge",
    "Check",
    "CheckReason",
    "Delegation",
    "DelegationState",
    "Device",
    "Document",
    "Medium",
    "Meeting",
    "MeetingCode",
    "Meetings",
    "Present",
    "Receipt",
    "Registered",
    "Rights",
    "Shown",
    "Unlocked",
    "Verified",
    "Vitale",
    "forget_purged",
    "limits",
]
