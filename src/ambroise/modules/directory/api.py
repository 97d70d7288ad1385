"""The face of the directory: who the professionals are and where they practise."""

from __future__ import annotations

from ambroise.modules.directory.extraction.job import Followers, import_file
from ambroise.modules.directory.extraction.mapping import FileKind, mapping_of
from ambroise.modules.directory.extraction.repository import Import, refusals
from ambroise.modules.directory.extraction.repository import latest as latest_imports
from ambroise.modules.directory.keys import (
    adeli_valid,
    finess_valid,
    luhn_digit,
    rpps_valid,
    siren_valid,
    siret_valid,
)
from ambroise.modules.directory.model import Criteria, Found, ProfessionalEntry, Situation, Structure
from ambroise.modules.directory.published.parameters import INCLUDES as PUBLISHED_INCLUDES
from ambroise.modules.directory.published.parameters import PARAMETERS as PUBLISHED_PARAMETERS
from ambroise.modules.directory.published.parameters import REVINCLUDES as PUBLISHED_REVINCLUDES
from ambroise.modules.directory.published.service import PublishedPage, read_published, search_published
from ambroise.modules.directory.resources import (
    FINESS_SYSTEM,
    ID_NAT_PS_SYSTEM,
    ID_NAT_STRUCTURE_SYSTEM,
    RPPS_SYSTEM,
)
from ambroise.modules.directory.service import (
    ResourceDoor,
    count_by_profession,
    exercises,
    find,
    mailbox_of,
    practitioner,
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
    "PUBLISHED_INCLUDES",
    "PUBLISHED_PARAMETERS",
    "PUBLISHED_REVINCLUDES",
    "RPPS_SYSTEM",
    "Criteria",
    "FileKind",
    "Followers",
    "Found",
    "Import",
    "ProfessionalEntry",
    "PublishedPage",
    "ResourceDoor",
    "Situation",
    "Structure",
    "adeli_valid",
    "count_by_profession",
    "exercises",
    "find",
    "finess_valid",
    "import_file",
    "latest_imports",
    "luhn_digit",
    "mailbox_of",
    "mapping_of",
    "practitioner",
    "professional",
    "read_published",
    "refusals",
    "register",
    "register_structure",
    "rpps_valid",
    "search",
    "search_published",
    "search_structures",
    "siren_valid",
    "siret_valid",
    "situations",
    "structure",
]
