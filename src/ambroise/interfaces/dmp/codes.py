"""The codes of the DMP's services, from the data table that says how far each is verified."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

HL7: Final = "urn:hl7-org:v3"
GDP: Final = "asip:ci-sis:gdp:2010"
PATIENTS: Final = "urn:si-dmp-patients"
HABILITATIONS: Final = "urn:si-dmp-habilitations"
OK: Final = "DMPOk"
"""The status of an answer that did what was asked."""


@lru_cache(maxsize=1)
def codes() -> Mapping[str, Mapping[str, str]]:
    """The whole table, section by section."""
    raw: dict[str, Any] = tomllib.loads(files("ambroise.interfaces.dmp").joinpath("data/codes.toml").read_text("utf-8"))
    return {name: section for name, section in raw.items() if isinstance(section, dict)}


def system(name: str) -> str:
    """The OID of a code system."""
    return codes()["systems"][name]


def error_code(ours: str) -> str:
    """The code of the DMP for a refusal, ours when nothing public names one."""
    return codes()["errors"].get(ours, ours)
