"""What the professional's pages show, and the service that they ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from msgspec import Struct, field

from ambroise.interfaces.web.views import Content, DocumentFilter, DocumentList, DocumentPage, DocumentRow, Examinations
from ambroise.kernel.errors import Refusal
from ambroise.trust.context import Context


class PatientIdentity(Struct, frozen=True):
    """Whose record this is: identity alone, which any professional may be shown after an exact search."""

    patient: UUID
    birth_name: str
    first_name: str
    birth_date: date | None
    sex: Literal["male", "female", "unknown"]
    ins: str | None = None
    used_name: str | None = None
    birth_place: str | None = None
    status: Literal["PROV", "RECUP", "VALI", "QUAL"] = "QUAL"
    attributes: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """Whether this professional gets into a record now, and under which rule. `treating`: the doctor's name."""

    allowed: bool
    rule: str
    treating: str | None = None
    treats: bool = False
    break_glass: bool = True
    emergency_opens_masked: bool = False
    last_visit: datetime | None = None


class Asked(Struct, frozen=True):
    """What became of asking a patient who is not there for consent. `again`: when one may ask anew."""

    patient: UUID
    state: Literal["waiting", "accepted", "refused", "expired"]
    asked: datetime
    expires: datetime
    again: datetime
    answered: datetime | None = None
    name: str = ""


class Colleague(Struct, frozen=True):
    """Somebody of the directory, or of a care team. `since` and `recorded_by`: the consent that covers them."""

    id: str
    name: str
    about: str = ""
    since: datetime | None = None
    recorded_by: str = ""


class Alarm(Struct, frozen=True):
    """An emergency access that somebody else opened on a patient whom this professional treats."""

    patient: UUID
    name: str
    by: str
    purpose: str
    opened: datetime


class PatientQuery(Struct, frozen=True):
    """How a patient is looked for: by INS, or by full traits. Nothing else finds anybody."""

    ins: str = ""
    birth_name: str = ""
    first_name: str = ""
    birth_date: date | None = None
    sex: str = ""


class ProfessionalDocuments(DocumentList, frozen=True):
    """A page of documents, and what came since this professional's last visit, by category."""

    news: Mapping[str, int] = field(default_factory=dict[str, int])


class Deposit(Struct, frozen=True):
    """What a professional deposits. A CDA and an XDM zip bring their own metadata; for any other file, these are they.

    Without a `title`, it is the name of the file.
    """

    content: bytes
    media_type: str
    file_name: str
    type_code: str
    title: str
    day: date
    masked: bool = False
    withheld: bool = False
    hidden_from_representatives: bool = False


class Deposited(Struct, frozen=True):
    """What became of one file, or of one submission of a zip (`part`): its documents, or why it was refused."""

    documents: Sequence[DocumentRow] = ()
    refusal: Refusal | None = None
    part: str = ""
    there: bool = False
    """It was there already."""
    signed_by: str = ""
    """Who signed the submission, whose signature was found right and is kept."""


class ProfessionalService(Protocol):
    """What the professional's pages ask for. Every method passes the one door, and may raise a Refusal."""

    async def my_patients(self, ctx: Context) -> Sequence[PatientIdentity]:
        """The patients who authorised this professional, the latest first."""
        ...

    async def alarms(self, ctx: Context) -> Sequence[Alarm]:
        """The emergency accesses of the last month to the records of this treating doctor's patients."""
        ...

    async def find(self, ctx: Context, query: PatientQuery) -> Sequence[PatientIdentity]: ...

    async def identity(self, ctx: Context, patient: UUID) -> PatientIdentity: ...

    async def standing(self, ctx: Context, patient: UUID) -> Standing: ...

    async def attempt(self, ctx: Context, patient: UUID) -> None:
        """Leave the trace of an attempt that the rules refuse: the person sees it."""
        ...

    async def documents(
        self, ctx: Context, patient: UUID, wanted: DocumentFilter, last_visit: datetime | None
    ) -> ProfessionalDocuments: ...

    async def document(self, ctx: Context, patient: UUID, id: str) -> DocumentPage: ...

    async def examinations(self, ctx: Context, patient: UUID, words: str) -> Examinations:
        """The last time of each examination, those that have all these words."""
        ...

    async def about(self, ctx: Context, patient: UUID, id: str) -> DocumentPage:
        """What a page says of a document without opening it."""
        ...

    async def content(self, ctx: Context, patient: UUID, id: str) -> Content: ...

    async def joined(self, ctx: Context, patient: UUID, id: str, name: str) -> Content: ...

    async def report_document(self, ctx: Context, patient: UUID, id: str, words: str) -> None:
        """Tell the desk that a document of this record is about somebody else."""
        ...

    async def report_duplicate(self, ctx: Context, patient: UUID, matricule: str, words: str) -> None:
        """Tell the desk that the person of this record has another one, under this matricule."""
        ...

    async def report_changed_ins(self, ctx: Context, patient: UUID, matricule: str, words: str) -> None:
        """Tell the desk the new matricule of the person of this record."""
        ...

    async def report_wrong_traits(
        self, ctx: Context, patient: UUID, traits: Sequence[str], proof: str, words: str
    ) -> None:
        """Ask the desk to correct these traits, after what a document of identity says."""
        ...

    async def deposit(self, ctx: Context, patient: UUID, deposit: Deposit) -> Sequence[Deposited]:
        """Deposit a file: one document, or the submissions of a zip. Raises the refusal of a file as a whole."""
        ...

    async def zipped(self, ctx: Context, patient: UUID, ids: Sequence[str]) -> Content:
        """These documents of the patient in an XDM zip."""
        ...

    async def recent(self, ctx: Context, patient: UUID, wanted: DocumentFilter) -> DocumentList:
        """The newest documents, as many as a zip holds."""
        ...

    def document_types(self) -> Sequence[tuple[str, str]]:
        """The types that a professional may deposit: code and French label."""
        ...

    async def record_consent(self, ctx: Context, patient: UUID, *, treating: bool) -> None: ...

    async def find_colleagues(self, ctx: Context, words: str) -> Sequence[Colleague]:
        """Other professionals of the directory, by words of their name, profession or place."""
        ...

    async def colleagues(self, ctx: Context, ids: Sequence[str]) -> Sequence[Colleague]:
        """Those whom the directory knows by these ids."""
        ...

    async def team(self, ctx: Context, patient: UUID) -> Sequence[Colleague]:
        """The care team of this professional around the patient."""
        ...

    async def record_consent_for(self, ctx: Context, patient: UUID, id: str) -> None:
        """Record what the patient consents to for another professional."""
        ...

    async def record_team(self, ctx: Context, patient: UUID, ids: Sequence[str]) -> None:
        """Record the first consent to the care team, or who joins it."""
        ...

    async def ask_consent(self, ctx: Context, patient: UUID, reason: str) -> None:
        """Ask a patient who is not there."""
        ...

    async def asked(self, ctx: Context, patient: UUID) -> Asked | None:
        """What became of the last request to this patient."""
        ...

    async def all_asked(self, ctx: Context) -> Sequence[Asked]:
        """The requests sent lately, with the names of the patients, the latest first."""
        ...

    async def open_emergency(self, ctx: Context, patient: UUID) -> None:
        """Open an emergency access with the purpose and the reason of the context."""
        ...
