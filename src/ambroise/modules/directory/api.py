"""The face of the directory: who the professionals are and where they practise."""

from __future__ import annotations

from ambroise.modules.directory.keys import finess_valid, luhn_digit, rpps_valid, siren_valid
from ambroise.modules.directory.model import Found, ProfessionalEntry, Situation, Structure
from ambroise.modules.directory.resources import (
    FINESS_SYSTEM,
    ID_NAT_PS_SYSTEM,
    ID_NAT_STRUCTURE_SYSTEM,
    RPPS_SYSTEM,
)
from ambroise.modules.directory.service import (
    ResourceDoor,
    exercises,
    professional,
    register,
    register_structure,
    search,
    search_structures,
    situations,
    structure,
)

__all__ = [
    "FINESS_SYSTEM",
    "ID_NAT_PS_SYSTEM",
    "ID_NAT_STRUCTURE_SYSTEM",
    "RPPS_SYSTEM",
    "Found",
    "ProfessionalEntry",
    "ResourceDoor",
    "Situation",
    "Structure",
    "exercises",
    "finess_valid",
    "luhn_digit",
    "professional",
    "register",
    "register_structure",
    "rpps_valid",
    "search",
    "search_structures",
    "siren_valid",
    "situations",
    "structure",
]
