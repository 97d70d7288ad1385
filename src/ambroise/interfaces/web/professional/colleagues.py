"""Other professionals, as the directory describes them, and which of them a form names."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ambroise.interfaces.web.citizen.parties import said
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professional.views import Colleague
from ambroise.interfaces.web.professions import plain_label
from ambroise.modules.directory.api import Found


class Named(Struct, frozen=True):
    """What a form of the people of a consent holds: the words looked for, those found, those ticked."""

    words: str = ""
    found: Sequence[Colleague] = ()
    ticked: Sequence[Colleague] = ()

    @property
    def offered(self) -> Sequence[Colleague]:
        """Everybody to choose among: those ticked first."""
        chosen = self.chosen
        return [*self.ticked, *(one for one in self.found if one.id not in chosen)]

    @property
    def chosen(self) -> frozenset[str]:
        """Whose boxes are ticked."""
        return frozenset(one.id for one in self.ticked)


def colleague(found: Found) -> Colleague:
    """Somebody in the words of a list: name, profession, place."""
    place = found.structure
    about = said(plain_label(found.entry.label or ""), place.name if place else "", place and place.city)
    return Colleague(found.entry.id_nat, proper(found.entry.name), about)
