"""What a copy of a record is, and how far its making is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct, field

from ambroise.kernel.clock import Clock
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.portability.zipping import Member
from ambroise.modules.record.api import Document
from ambroise.trust.audit.history import TraceLine
from ambroise.trust.context import Citizen, Context, Operator, Relation


class State(StrEnum):
    """Where a copy stands."""

    MAKING = "making"
    READY = "ready"
    STOPPED = "stopped"
    """The right of who asked ended while it was made, or it could not be made."""
    GONE = "gone"
    """Its time is over: the pieces are deleted, the line stays for who asked."""


class Stage(StrEnum):
    """What is being put into a copy, in this order."""

    DOCUMENTS = "documents"
    RESOURCES = "resources"
    HISTORY = "history"
    SETTINGS = "settings"
    CLOSING = "closing"


class Asker(Struct, frozen=True):
    """Who asked for a copy: the holder, a representative, or an operator."""

    kind: str
    id: str
    name: str
    relation: Relation | None = None
    secret: bool = False
    duties: tuple[str, ...] = ()

    @classmethod
    def of(cls, ctx: Context) -> Asker:
        """Who asks. Raises COPY_UNKNOWN for who is neither on the holder's side nor of the desk."""
        actor = ctx.actor
        if isinstance(actor, Citizen):
            return cls("citizen", str(actor.patient), actor.name, ctx.relation, ctx.secret)
        if isinstance(actor, Operator):
            return cls("operator", str(actor.id), actor.name, duties=tuple(sorted(actor.duties)))
        raise Refusal(Kind.NOT_FOUND, "COPY_UNKNOWN", "There is no such copy.")

    def context(self, clock: Clock, patient: UUID, *, demonstration: bool) -> Context:
        """The context in which the job works for who asked: the rights are read again each time."""
        if self.kind == "operator":
            operator = Operator(self.id, self.name, frozenset(self.duties))
            return Context(operator, clock, channel="job", demonstration=demonstration)
        person = UUID(self.id)
        other = None if person == patient else patient
        return Context(
            Citizen(person, self.name),
            clock,
            acting_for=other,
            relation=self.relation if other else None,
            secret=self.secret,
            channel="job",
            demonstration=demonstration,
        )


class Place(Struct, frozen=True):
    """How far the making is: the stage, the type of resources, and what the next batch starts after."""

    stage: Stage
    types: tuple[str, ...] = ()
    after: str | None = None
    page: int = 0


class Export(Struct, frozen=True):
    """One copy of a record. `size` and `parts`: what of the zip is kept so far; `done` and `total` count resources."""

    id: UUID
    patient: UUID
    asker: Asker
    language: str
    asked_at: datetime
    state: State
    place: Place
    done: int
    total: int
    files: int
    size: int
    parts: int
    ready_at: datetime | None
    ends_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of it is made."""
        return 100 if self.state is not State.MAKING else min(99, self.done * 100 // max(self.total, 1))


class Names(Struct, frozen=True):
    """What the folder and files of a copy that people open are called, in the language of who asked for it."""

    history: str
    settings: str

    @staticmethod
    def of(language: str) -> Names:
        """Those of a language; the French ones for any other."""
        return _NAMES.get(language, _NAMES["fr"])


_NAMES: Mapping[str, Names] = {"fr": Names("historique", "reglages"), "en": Names("history", "settings")}


class Listed(Struct, frozen=True):
    """One document in the lists of a copy. `file`: its bytes, None when the record names them only; `readable`: a page
    that shows it, for documents that a browser does not."""

    id: str
    title: str
    type_label: str
    type_code: str
    author: str
    place: str | None
    date: datetime
    status: str
    file: str | None
    readable: str | None
    size: int


class Listing(Struct, frozen=True):
    """What one piece of the zip holds."""

    members: tuple[Member, ...] = ()
    documents: tuple[Listed, ...] = ()
    resources: Mapping[str, int] = field(default_factory=dict[str, int])
    pages: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Facts that no document states, and that professionals do not see: nothing in the resource says it."""


class Summary(Struct, frozen=True):
    """What the first page of a copy says."""

    export: Export
    name: str
    address: str
    made_at: datetime
    documents: Sequence[Listed]
    resources: Mapping[str, int]
    files: Sequence[str]
    history: Sequence[str]


class Scribe(Protocol):
    """Makes the pages that people read in a copy, in the language of who asked: no script, nothing from elsewhere."""

    def document(self, language: str, document: Document, content: bytes, name: str) -> Sequence[tuple[str, bytes]]:
        """A page that shows a document which a browser does not show by itself, then the files that this page needs
        beside it, each with its file name, which begins with `name`; nothing when there is no need."""
        ...

    def history(
        self, language: str, me: UUID, lines: Sequence[TraceLine], named: Mapping[str, Document], page: int, more: bool
    ) -> bytes:
        """One page of the history of accesses."""
        ...

    def settings(self, language: str, facts: Mapping[str, Any]) -> bytes:
        """Who may see what, who helps, what was chosen."""
        ...

    def index(self, summary: Summary) -> Sequence[tuple[str, bytes]]:
        """The first page, the lists of documents, and what to read first: each a path and its content."""
        ...
