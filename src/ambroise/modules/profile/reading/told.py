"""What a resource says for the profile."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ambroise.modules.profile.model import Code, Section


class Told(Struct, frozen=True):
    """What a resource says, before who said it."""

    section: Section
    name: str
    code: Code | None = None
    start: str = ""
    end: str = ""
    details: Mapping[str, str] = {}
    active: bool = True
    denied: bool = False
