"""What a file brought from elsewhere offers: whose it is, its documents, the facts that each states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

Json = dict[str, Any]


class Sort(StrEnum):
    """What was brought."""

    IPS_FHIR = "ips_fhir"
    """A patient summary of another country, as a FHIR document (HL7 IPS)."""
    IPS_CDA = "ips_cda"
    COPY = "copy"
    """A copy made by another instance of this software."""


class Problem(StrEnum):
    """Why something is not taken."""

    TYPE = "type"
    """Facts of this sort are not taken from elsewhere."""
    INVALID = "invalid"
    FORMAT = "format"
    """A file of this sort cannot be filed by a citizen."""
    MISSING = "missing"
    ALTERED = "altered"
    """Its digest is not the one that the manifest tells."""


class Person(Struct, frozen=True):
    """Whose record it is, as the file says."""

    families: tuple[str, ...]
    givens: tuple[str, ...]
    birth_date: str
    sex: str


class Item(Struct, frozen=True):
    """One fact. `resource` is clean of whom and whence; `key` names it within the file."""

    key: str
    type: str
    words: str
    resource: Json
    problem: Problem | None = None


class Section(Struct, frozen=True):
    """One part of a summary, as people read it; the markup is made safe."""

    title: str
    html: str


class Paper(Struct, frozen=True):
    """One document to take. Its content is that of the file, else made of its sections.

    Without a title it is what the person had told in a profile; `masked` is what professionals did not see there.
    """

    title: str
    day: date
    origin: str
    category: str
    content: bytes | None = None
    sections: tuple[Section, ...] = ()
    items: tuple[Item, ...] = ()
    problem: Problem | None = None
    masked: bool = False


class Brought(Struct, frozen=True):
    """A file that was understood."""

    sort: Sort
    origin: str
    person: Person
    papers: tuple[Paper, ...]


class State(StrEnum):
    """Where an import stands."""

    PROPOSED = "proposed"
    TAKING = "taking"
    DONE = "done"
    UNDONE = "undone"
    DROPPED = "dropped"


class Import(Struct, frozen=True):
    """One file that somebody brought, and how far it is taken."""

    id: UUID
    patient: UUID
    asked_by: str
    asker: Json
    asked_at: datetime
    state: State
    sort: Sort
    origin: str
    source: UUID | None
    following: int
    papers: int
    items: int
    language: str
    finished_at: datetime | None


class Filer(Protocol):
    """What the pages' side makes for documents that come in: their words, their paper."""

    def metadata(self, space: UUID, name: str, paper: Paper, media_type: str, origin_words: str) -> Mapping[str, Any]:
        """The DocumentReference with which the citizen files one."""
        ...

    def origin(self, language: str, brought: Brought) -> str:
        """Where it comes from, in a sentence that stays with each document."""
        ...

    async def pdf(self, language: str, paper: Paper, origin_words: str, sections: Sequence[Section]) -> bytes:
        """A summary as a PDF, for those that come as data alone."""
        ...
