"""What is asked of the witness, and what it answers."""

from __future__ import annotations

from typing import TypeAlias
from uuid import UUID

import msgspec

from ambroise.fhir.search import Query, SearchResult
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.types import Stored
from ambroise.trust.access.decide import Target
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import Entry, Line
from ambroise.trust.context import Context


class Reading(msgspec.Struct, frozen=True):
    """What a read found about one patient (or about none), to be judged and traced. No targets: it found nothing."""

    ctx: Context
    eyes: Eyes
    patient: UUID | None
    targets: tuple[Target, ...]
    entry: Entry


class Note(msgspec.Struct, frozen=True):
    """Lines to trace as they are: refusals, and acts already judged."""

    lines: tuple[Line, ...]


class Look(msgspec.Struct, frozen=True):
    """A read by id. Its answer is the resource, or None when there is more to say than "here it is"."""

    ctx: Context
    eyes: Eyes
    type: str
    key: UUID


class Find(msgspec.Struct, frozen=True):
    """A page of one record, for a query that takes one statement. `text` is the query as the trace shows it."""

    ctx: Context
    eyes: Eyes
    patient: UUID
    query: Query
    text: str
    pages: PageSeal


Testimony: TypeAlias = Reading | Note | Look | Find
Answer: TypeAlias = Rule | Stored | SearchResult | None
Heard: TypeAlias = tuple[Answer | Exception, tuple[Line, ...]]
