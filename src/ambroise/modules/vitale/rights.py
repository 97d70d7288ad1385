"""Rights for demonstrations: invented, the same each time for the same person, under codes that no insurer has."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from ambroise.modules.vitale.model import Rights

_FUNDS = (
    ("901", "Caisse fictive de la Vallée"),
    ("902", "Caisse fictive du Plateau"),
    ("903", "Caisse fictive du Port"),
)
SOURCE = "demonstration"


def invented(patient: UUID, of_age: bool, now: datetime) -> Rights:
    """What a fictitious fund says of this person. One in five is exempt for a time."""
    drawn = patient.int
    code, name = _FUNDS[drawn % len(_FUNDS)]
    year = now.year
    return Rights(
        regime="99",
        fund=code,
        fund_name=name,
        centre=f"{9000 + drawn // 7 % 1000:04}",
        quality="insured" if of_age else "child",
        since=date(year - 1 - drawn // 11 % 5, 1, 1),
        until=date(year + 1, 12, 31),
        exempt_until=date(year + 1 + drawn // 13 % 2, 6, 30) if drawn // 17 % 5 == 0 else None,
        source=SOURCE,
        stated_at=now,
    )
