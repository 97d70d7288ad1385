"""What the scopes of SMART App Launch come to, for who agrees to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.modules.identity.provider.api import OPENING
from ambroise.trust.limits import ANY, Permission


def told(scopes: Iterable[str]) -> Mapping[str, Any]:
    """The types that may be read and written, by their FHIR names, and whether all of it is about one patient."""
    asked = tuple(scopes)
    permissions = [one for one in map(Permission.read, asked) if one is not None]
    return {
        "opens_patient": bool(OPENING & set(asked)),
        "one_patient": any(one.whose == "patient" for one in permissions),
        "reads": _types(one for one in permissions if set(one.letters) & set("rs")),
        "writes": _types(one for one in permissions if set(one.letters) & set("cud")),
    }


def _types(permissions: Iterable[Permission]) -> list[str]:
    named = dict.fromkeys(one.type for one in permissions)
    return [gettext("tout")] if ANY in named else list(named)
