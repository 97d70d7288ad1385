"""How a person wants to be told: by which channel about what, when, and at which hours not to be disturbed.

The portal always tells. Each access of a professional is told by mail unless its reader refuses that (the national
client mails the holder at each), an access in an emergency and what touches the safety of the account always are
(CSP R. 1111-48), and neither waits for a digest or for the end of quiet hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from msgspec import Struct, field

from ambroise.modules.notification.model import Kind


class Channel(StrEnum):
    """A way to reach somebody outside the portal."""

    MAIL = "mail"
    PUSH = "push"


class Cadence(StrEnum):
    """When mails leave."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


ALWAYS_MAILED: Final = frozenset({Kind.EMERGENCIES, Kind.SECURITY})
"""What nobody switches off, and what waits for nothing."""

ZONES: Final = (
    "Europe/Paris",
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "America/Miquelon",
    "Indian/Reunion",
    "Indian/Mayotte",
    "Pacific/Noumea",
    "Pacific/Tahiti",
    "Pacific/Wallis",
)
"""The clocks that people may choose; the first is everybody's who chose none."""


class Rhythm(Struct, frozen=True):
    """When a person is told. Quiet hours may span midnight; equal ends mean none."""

    language: str = "fr"
    zone: str = ZONES[0]
    quiet_from: time = time(22)
    quiet_until: time = time(7)
    cadence: Cadence = Cadence.AT_ONCE


Choice: TypeAlias = tuple[UUID, Kind, Channel]
"""About a space, a sort of notice, by a channel."""


class Wishes(Struct, frozen=True):
    """What one person chose; what they never chose is wanted."""

    rhythm: Rhythm = Rhythm()
    choices: Mapping[Choice, bool] = field(default_factory=dict[Choice, bool])

    def wants(self, space: UUID, kind: Kind, channel: Channel) -> bool:
        """Whether notices of this kind about this space go by this channel."""
        return not may_refuse(kind, channel) or self.choices.get((space, kind, channel), True)


def may_refuse(kind: Kind, channel: Channel) -> bool:
    """Whether a channel can be switched off for a kind."""
    return channel is Channel.PUSH or kind not in ALWAYS_MAILED


def urgent(kind: Kind) -> bool:
    """Whether a kind goes at once, at any hour."""
    return kind in ALWAYS_MAILED
