"""What protects an account besides its password. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from msgspec import Struct, field

from ambroise.modules.letters.api import Channel

TRUST_LASTS: Final = timedelta(days=30)
ALERT_LASTS: Final = timedelta(days=30)
DEVICE_KEPT: Final = timedelta(days=365)
# The desk answers for whom it let in again: as long as security logs are kept.
RESCUE_KEPT: Final = timedelta(days=365)
AGENT_KEPT: Final = 300


class CodesBy(StrEnum):
    """How the holder of an account receives the codes of a sign-in."""

    APP = "app"
    MAIL = "mail"
    SMS = "sms"


class AlertKind(StrEnum):
    """What the holder of an account is warned of."""

    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - what is told, not a secret.
    FACTOR_CHANGED = "factor_changed"


class Ways(Struct, frozen=True):
    """How a person may show the second factor. `sent`: where a code can go, masked, the preferred address first."""

    application: bool
    sent: Mapping[Channel, str] = field(default_factory=dict[Channel, str])

    def __bool__(self) -> bool:
        return self.application or bool(self.sent)


class Device(Struct, frozen=True):
    """A browser that an account knows. `agent`: what it says of itself; `network`: roughly where it was last."""

    id: UUID
    agent: str
    network: str
    first_seen_at: datetime | None
    seen_at: datetime
    trusted_until: datetime | None
    present: bool = False


class Alert(Struct, frozen=True):
    """A warning that waits for an answer."""

    id: UUID
    account: UUID
    kind: AlertKind
    agent: str
    network: str
    raised_at: datetime


class Protection(Struct, frozen=True):
    """What the holder of an account sees of its second factor."""

    application: bool
    codes_by: CodesBy | None
    contacts: Mapping[Channel, str]
    recovery_codes: int


def coarse(address: str) -> str:
    """The network of an address, coarse enough to name no household: a /24 in IPv4, a /48 in IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))
