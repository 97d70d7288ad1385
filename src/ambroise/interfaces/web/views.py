"""What pages of every portal show of documents and of accesses to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from ambroise.trust.context import Purpose

Action = Literal[
    "read",
    "search",
    "create",
    "update",
    "delete",
    "mask",
    "unmask",
    "grant",
    "block",
    "emergency",
    "choices",
    "space",
    "identify",
    "simulate",
    "account",
    "history",
    "report",
    "copy",
    "other",
]
ActorKind = Literal["self", "relative", "professional", "organization", "operator", "service"]
VisibleTo = Literal["carers", "masked", "own", "withheld", "masked_emergency"]


class DocumentRow(Struct, frozen=True):
    """One document in a list."""

    id: str
    title: str
    category: str
    author: str
    place: str | None
    date: datetime
    visible_to: VisibleTo
    new: bool = False
    changed: bool = False
    mine: bool = False
    type_label: str = ""
    folder: str = ""


class DocumentFilter(Struct, frozen=True):
    """What is asked of a list of documents."""

    words: str = ""
    category: str = ""
    author: str = ""
    since: date | None = None
    until: date | None = None
    after: datetime | None = None
    """Filed or changed since this instant."""
    folder: str = ""
    """A folder of the citizen."""
    only: Sequence[str] | None = None
    """The documents to choose among, by id."""
    cursor: str = ""


class Within(Struct, frozen=True):
    """A document found by the words of its text; `extract` gives its pieces, true for those that were sought."""

    row: DocumentRow
    extract: Sequence[tuple[str, bool]] = ()


class Shelf(Struct, frozen=True):
    """A folder of the citizen. `count`: None for who acts for the holder, and may not know of all that is in it."""

    id: str
    name: str
    count: int | None


class DocumentList(Struct, frozen=True):
    """One page of documents, the newest first."""

    rows: Sequence[DocumentRow]
    total: int
    older: str | None = None
    inside: Sequence[Within] = ()
    """Those found by the words of their text."""
    pinned: Sequence[DocumentRow] = ()
    folders: Sequence[Shelf] = ()


Flag = Literal["high", "low", "abnormal", "resistant", "intermediate", "sensitive"]


class Examination(Struct, frozen=True):
    """An analysis or an act of imaging that was done: when, how long ago, in which document."""

    name: str
    day: date
    document: str
    days: int = 0
    about: str = ""
    value: str = ""
    flag: Flag | None = None
    recent: bool = False
    """Within the window in which doing it again is pointed out."""
    imaging: bool = False
    keys: frozenset[str] = frozenset()
    """Acts of imaging with a key in common are the same examination."""
    sought: str = ""
    """What words are sought in, folded."""


class Examinations(Struct, frozen=True):
    """What was examined: those asked for, how many there are in all, and whether older results were left out."""

    done: Sequence[Examination]
    total: int
    cut: bool


class Result(Struct, frozen=True):
    """One measured value, in words with its unit (`value`) and, when it is exact, as a number; with those before it."""

    name: str
    value: str
    unit: str = ""
    number: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    flag: Flag | None = None
    history: Sequence[tuple[date, Decimal]] = ()
    again: date | None = None
    """When the same examination had been done shortly before."""
    about: str = ""
    """What the name alone would leave out: the germ of an antibiogram, what was sampled, a comment."""


class Joined(Struct, frozen=True):
    """A file that a document carries inside."""

    name: str
    title: str
    media_type: str
    size: int = 0


class Told(Struct, frozen=True):
    """One line of the header of a document: what it is about, and what is said of it."""

    label: str
    values: Sequence[str]


class Viewer(Struct, frozen=True):
    """Somebody, and whether and why they may read one document. `rule` is a name of the access rules."""

    name: str
    allowed: bool
    rule: str
    detail: str = ""


class Reported(Struct, frozen=True):
    """What became of telling the desk that a document is somebody else's. `answer`: what the desk wrote at its end."""

    at: datetime
    state: Literal["open", "taken", "closed"]
    outcome: str = ""
    answer: str = ""
    answered: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether the desk has not answered yet."""
        return self.state != "closed"


class DocumentPage(Struct, frozen=True):
    """One document, open. `html` is its rendered text, already made safe; `frame` shows its bytes in the page."""

    row: DocumentRow
    media_type: str
    size: int
    filed: datetime
    html: str | None = None
    frame: Literal["pdf", "image"] | None = None
    frame_at: str = "fichier"
    joined: Sequence[Joined] = ()
    header: Sequence[Told] = ()
    same: Sequence[DocumentRow] = ()
    """Other documents that are the very same file."""
    imaged: Sequence[Examination] = ()
    """The same region imaged by the same technique shortly before."""
    results: Sequence[Result] = ()
    viewers: Sequence[Viewer] = ()
    comment: str | None = None
    version: int = 1
    can_mask: bool = True
    pinned: bool | None = None
    """Whether the citizen pinned it; None where that cannot be."""
    can_delete: bool = False
    emergency_opens_masked: bool = False
    treating: str | None = None
    reported: Reported | None = None


class Content(Struct, frozen=True):
    """The bytes of a document."""

    content: bytes
    media_type: str
    file_name: str


class AccessEvent(Struct, frozen=True):
    """One line of the history: facts, that the page turns into a sentence."""

    id: str
    at: datetime
    actor: str
    actor_kind: ActorKind
    action: Action
    outcome: Literal["done", "refused"]
    rule: str
    role: str = ""
    place: str = ""
    purpose: Purpose = Purpose.NORMAL
    reason: str | None = None
    title: str | None = None
    document: str | None = None
    document_date: datetime | None = None
    count: int = 1
    reported: bool = False
    about: str = ""
    """Whom the act is about, when it changes somebody's rights."""
    event: str = ""
    detail: str = ""
    """What more the sentence depends on: the kind and the end of a report."""
