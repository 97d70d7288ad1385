"""What the citizen's pages show, and the service that they ask for it.

The service keeps the rules: it opens its own transactions, passes the one door, and answers with these values. Pages
only choose words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from msgspec import Struct, field

from ambroise.interfaces.web.views import (
    AccessEvent,
    Content,
    DocumentFilter,
    DocumentList,
    DocumentPage,
    DocumentRow,
    Viewer,
)
from ambroise.modules.prevention.api import Waiting
from ambroise.trust.access.feeding import Opposition
from ambroise.trust.context import Context, Relation


class Space(Struct, frozen=True):
    """A space that this person may open: their own, a child's, somebody's they care for."""

    patient: UUID
    name: str
    relation: Relation | None = None
    birth_date: date | None = None


class NewDocument(Struct, frozen=True):
    """What a citizen adds."""

    content: bytes
    media_type: str
    title: str
    category: str
    day: date
    masked: bool


class Person(Struct, frozen=True):
    """Somebody, or an establishment, who may read or is kept from it."""

    id: str
    name: str
    kind: Literal["professional", "organization"]
    state: Literal["authorised", "treating", "administrator", "care_team", "presence", "blocked"]
    about: str = ""
    since: datetime | None = None
    last_access: datetime | None = None
    present_until: datetime | None = None
    """Until when the person's presence opens the record, beside whatever lasting consent there is."""
    recorded_by: str = ""
    """Which professional recorded the consent; nobody when the holder's side gave it from here."""
    team: UUID | None = None
    """The care team that they belong to."""


class EmergencyChoices(Struct, frozen=True):
    """The three choices about emergencies."""

    call_centre: bool
    break_glass: bool
    masked: bool


class FilingChoices(Struct, frozen=True):
    """What happens to the documents that professionals file."""

    masked: bool
    opposed: bool
    reason: str = ""
    structures: tuple[Opposition, ...] = ()
    """Those that may not, as each collected it at an admission."""


class Directory(Struct, frozen=True):
    """Somebody found in the directory."""

    id: str
    name: str
    about: str
    kind: Literal["professional", "organization"] = "professional"


class Readable(Struct, frozen=True):
    """One line of the matrix: a sort of document, and whether the profession reads all, some or none of it."""

    words: str
    readable: Literal["yes", "no", "partly"]
    exceptions: Sequence[str] = ()
    only: Sequence[str] = ()


class Profession(Struct, frozen=True):
    """One profession of the matrix."""

    key: str
    name: str
    lines: Sequence[Readable]
    version: str = ""
    care_team_only: bool = False


class Audience(Struct, frozen=True):
    """Who could see a document, and why: by name, in an emergency, and whoever would if the holder agreed."""

    row: DocumentRow
    professionals: Sequence[Viewer]
    relatives: Sequence[Viewer]
    emergencies: Sequence[Viewer]
    professions: Sequence[Viewer]


class SeenAs(Struct, frozen=True):
    """The record as somebody else sees it. `refused` names the rule when nothing is seen at all."""

    viewer: str
    rows: Sequence[DocumentRow]
    hidden: int
    refused: str | None = None


class HistoryFilter(Struct, frozen=True):
    who: str = ""
    what: str = ""
    cursor: str = ""


class History(Struct, frozen=True):
    events: Sequence[AccessEvent]
    older: str | None = None


class Notice(Struct, frozen=True):
    """Something the citizen is told on the home page: a code with its details."""

    id: UUID
    at: datetime
    code: str
    subject: str | None = None
    details: Mapping[str, str] = field(default_factory=dict[str, str])


class ConsentRequest(Struct, frozen=True):
    """Somebody who asks to read the record, and waits for an answer. `profession`: its key in the matrix, if any."""

    id: UUID
    name: str
    about: str
    reason: str
    asked: datetime
    expires: datetime
    profession: str = ""


class Home(Struct, frozen=True):
    """What waits first. `others`: how many more notices there are than those shown."""

    notices: Sequence[Notice]
    latest: Sequence[DocumentRow]
    last_access: AccessEvent | None
    requests: Sequence[ConsentRequest] = ()
    others: int = 0
    prevention: Sequence[Waiting] = ()


class CitizenService(Protocol):
    """What the citizen's pages ask for. Every method passes the one door, and may raise a Refusal."""

    async def spaces(self, ctx: Context) -> Sequence[Space]:
        """The spaces that this person may open, their own first."""
        ...

    async def home(self, ctx: Context) -> Home: ...

    async def mark_read(self, ctx: Context, notice: UUID | None) -> None:
        """Mark one notice as seen, or all of them."""
        ...

    async def documents(self, ctx: Context, wanted: DocumentFilter) -> DocumentList: ...

    async def recent(self, ctx: Context, wanted: DocumentFilter) -> DocumentList:
        """The newest documents, as many as a zip holds."""
        ...

    async def zipped(self, ctx: Context, ids: Sequence[str]) -> Content:
        """These documents in an XDM zip."""
        ...

    async def document(self, ctx: Context, id: str) -> DocumentPage: ...

    async def about(self, ctx: Context, id: str) -> DocumentPage:
        """What a page says of a document without opening it."""
        ...

    async def content(self, ctx: Context, id: str) -> Content: ...

    async def joined(self, ctx: Context, id: str, name: str) -> Content: ...

    async def set_masked(self, ctx: Context, id: str, masked: bool) -> None: ...

    async def add(self, ctx: Context, new: NewDocument) -> str:
        """Add a document of one's own; its id."""
        ...

    async def delete(self, ctx: Context, id: str) -> None: ...

    async def report_document(self, ctx: Context, id: str, words: str) -> None:
        """Tell the desk that a document, filed by somebody else, is not about the holder of the space."""
        ...

    async def people(self, ctx: Context) -> Sequence[Person]: ...

    async def find_people(self, ctx: Context, words: str) -> Sequence[Directory]: ...

    async def block(self, ctx: Context, id: str) -> None: ...

    async def unblock(self, ctx: Context, id: str) -> None: ...

    async def authorise(self, ctx: Context, id: str) -> None: ...

    async def withdraw(self, ctx: Context, id: str) -> None: ...

    async def withdraw_team(self, ctx: Context, id: str) -> None:
        """End what the consent to a care team gave, for this member and all others."""
        ...

    async def end_presence(self, ctx: Context, id: str) -> None:
        """End what being together opened to this person; a lasting consent stays."""
        ...

    async def requests(self, ctx: Context) -> Sequence[ConsentRequest]:
        """Who asks for consent and waits for an answer."""
        ...

    async def answer_request(self, ctx: Context, id: UUID, *, accept: bool) -> None: ...

    async def reopen_request(self, ctx: Context, id: UUID) -> None:
        """Take an answer back: the request waits again, and an access that was given ends."""
        ...

    async def emergency_choices(self, ctx: Context) -> EmergencyChoices: ...

    async def choose_emergency(self, ctx: Context, choices: EmergencyChoices) -> None: ...

    async def filing_choices(self, ctx: Context) -> FilingChoices: ...

    async def choose_filing(self, ctx: Context, choices: FilingChoices) -> None: ...

    async def let_structure_file(self, ctx: Context, id: str) -> None: ...

    async def professions(self, ctx: Context) -> Sequence[Profession]: ...

    async def see_as(self, ctx: Context, viewer: str) -> SeenAs: ...

    async def audience(self, ctx: Context, id: str) -> Audience:
        """Everybody who could see a document that the caller may read."""
        ...

    async def history(self, ctx: Context, wanted: HistoryFilter) -> History: ...

    def export_history(self, ctx: Context) -> AsyncIterator[AccessEvent]: ...

    async def event(self, ctx: Context, id: str) -> AccessEvent: ...

    async def report_access(self, ctx: Context, id: str, words: str, *, block: bool) -> None: ...
