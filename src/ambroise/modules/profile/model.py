"""What the medical profile speaks in: sections, items and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace


class Section(StrEnum):
    """A part of the profile."""

    ILLNESSES = "illnesses"
    TREATMENTS = "treatments"
    ALLERGIES = "allergies"
    VACCINATIONS = "vaccinations"
    STAYS = "stays"
    FAMILY = "family"
    DISABILITIES = "disabilities"
    BLOOD = "blood"
    MEASURES = "measures"
    TARGETS = "targets"
    HABITS = "habits"
    NETWORK = "network"
    CONTACTS = "contacts"
    DONATION = "donation"


DECLARABLE = frozenset(
    {
        Section.ILLNESSES,
        Section.TREATMENTS,
        Section.ALLERGIES,
        Section.STAYS,
        Section.FAMILY,
        Section.DISABILITIES,
    }
)
"""The sections of which one may say "I have none"."""

EXPECTED = (
    Section.ILLNESSES,
    Section.TREATMENTS,
    Section.ALLERGIES,
    Section.VACCINATIONS,
    Section.STAYS,
    Section.FAMILY,
    Section.DISABILITIES,
    Section.BLOOD,
    Section.MEASURES,
    Section.HABITS,
    Section.NETWORK,
    Section.CONTACTS,
)
"""The sections that a complete profile has something in, or "I have none"."""


class Code(Struct, frozen=True):
    """A code of a national or international list; `system` as FHIR writes it."""

    system: str
    code: str
    label: str = ""


class Origin(Struct, frozen=True):
    """Who said it. `document`: the id of the document that it was read from, with its title and author."""

    by: Literal["patient", "representative", "carer", "professional", "document", "computed"]
    name: str = ""
    document: str = ""
    title: str = ""


class Draft(Struct, frozen=True):
    """What somebody tells. Dates are as precise as they are known: `2019`, `2019-05` or `2019-05-03`."""

    section: Section
    name: str
    code: Code | None = None
    comment: str = ""
    start: str = ""
    end: str = ""
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    links: Sequence[str] = ()
    """The lines that it goes with, as `Type/id`."""


class Item(Struct, frozen=True):
    """One line of the profile as it stands. `own`: told by the holder's side, who alone may change it.

    What is computed from other lines has no id: it is nobody's to change, and is stored nowhere.
    """

    id: str
    type: str
    section: Section
    name: str
    origin: Origin
    recorded: str
    code: Code | None = None
    comment: str = ""
    start: str = ""
    end: str = ""
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    active: bool = True
    denied: bool = False
    hidden: bool = False
    own: bool = False
    withheld: bool = False
    """Waits for a disclosure visit: the person does not see it yet."""
    version: int = 1
    links: Sequence[str] = ()
    """What it is linked to, as `Type/id`: the illness that a treatment is for, the measures of a computed figure."""
    same: Sequence[Item] = ()
    """Other lines that say the same, from elsewhere."""

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"


class Part(Struct, frozen=True):
    """One section: its lines, whether "I have none" was said and when, and whether it is hidden as a whole."""

    section: Section
    items: Sequence[Item] = ()
    none_since: str = ""
    hidden: bool = False
    readable: bool = True
    """Whether the matrix lets this reader's profession read such things at all."""

    @property
    def for_others(self) -> Part:
        """What may stand on a paper that others will read: nothing that is hidden from anybody, nor that it is."""
        shown = [one for one in self.items if not one.hidden and not one.withheld]
        return replace(self, items=shown, none_since="" if self.hidden else self.none_since, hidden=False)

    @property
    def told(self) -> bool:
        """Whether anything was said."""
        return bool(self.items) or bool(self.none_since)


class Sheet(Struct, frozen=True):
    """The whole profile, as its reader sees it."""

    parts: Mapping[Section, Part]

    def __getitem__(self, section: Section) -> Part:
        return self.parts.get(section, Part(section))

    @property
    def missing(self) -> Sequence[Section]:
        """The sections of which nothing was said."""
        return [section for section in EXPECTED if not self[section].told]

    @property
    def percent(self) -> int:
        """How much of it is filled, in per cent."""
        return round(100 * (len(EXPECTED) - len(self.missing)) / len(EXPECTED))
