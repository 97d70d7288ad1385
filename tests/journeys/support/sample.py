"""A small record kept in memory, with every state that pages must show: for tests of pages alone, fast and without a
database. The journeys run on the real thing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from msgspec.structs import replace

from ambroise.interfaces.web.citizen.views import (
    Audience,
    ConsentRequest,
    Directory,
    EmergencyChoices,
    FilingChoices,
    History,
    HistoryFilter,
    Home,
    NewDocument,
    Notice,
    Person,
    Profession,
    Readable,
    SeenAs,
    Space,
)
from ambroise.interfaces.web.desk.views import Queue, QueueFilter, ReportPage, ReportRow
from ambroise.interfaces.web.professional.views import (
    Alarm,
    Asked,
    Colleague,
    Deposit,
    Deposited,
    PatientIdentity,
    PatientQuery,
    ProfessionalDocuments,
    Standing,
)
from ambroise.interfaces.web.views import (
    AccessEvent,
    Content,
    DocumentFilter,
    DocumentList,
    DocumentPage,
    DocumentRow,
    Result,
    Viewer,
)
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Citizen, Context, Purpose

ROOT = UUID("0197a000-0000-7000-8000-000000000000")
ALICE = uuid5(ROOT, "alice")
CHILD = uuid5(ROOT, "child")
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)

_HBA1C = (
    (date(2024, 3, 5), Decimal("7.6")),
    (date(2024, 9, 10), Decimal("7.3")),
    (date(2025, 3, 11), Decimal("7.2")),
    (date(2025, 9, 9), Decimal("7.1")),
    (date(2026, 3, 3), Decimal("6.7")),
)


def _id(name: str) -> str:
    return str(uuid5(ROOT, name))


def _rows() -> list[DocumentRow]:
    def row(
        name: str, title: str, category: str, author: str, place: str | None, day: date, **more: object
    ) -> DocumentRow:
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        values: dict[str, object] = {"visible_to": "carers", **more}
        return DocumentRow(_id(name), title, category, author, place, at, **values)  # type: ignore[arg-type]

    return [
        row(
            "ordonnance", "Ordonnance : metformine, 3 mois", "ORD_SOIN", "Dr Camille Fictif", "Tours", date(2026, 3, 4)
        ),
        row("bilan", "Bilan sanguin", "BIOLOGIE", "Laboratoire Inventé", "Tours", date(2026, 3, 3), new=True),
        row(
            "irm",
            "IRM du genou gauche",
            "RADIO_SC",
            "Centre d’imagerie Fictif du Cher et de la Vallée",
            "Tours",
            date(2026, 2, 24),
        ),
        row(
            "psy",
            "Bilan avec ma psychologue",
            "CPT_REND",
            "Vous",
            None,
            date(2026, 2, 2),
            mine=True,
            visible_to="masked",
        ),
        row("urgences", "Passage aux urgences", "CPT_REND", "Hôpital Imaginaire", "Tours", date(2026, 1, 17)),
        row(
            "carnet",
            "Carnet de mesures de tension",
            "AUTR_DOC",
            "Vous",
            None,
            date(2025, 12, 8),
            mine=True,
            visible_to="own",
        ),
    ]


COLLEAGUES = (
    Colleague("810000000002", "Hugo Imaginé", "Infirmier, Tours"),
    Colleague("810000000004", "Dr Julien Fictif", "Médecin, dermatologie, Orléans"),
)
TREATING = Standing(
    allowed=True, rule="treating_professional", treats=True, last_visit=datetime(2025, 12, 4, tzinfo=UTC)
)


@dataclass
class SampleRecord:
    """Stands for the three services at once."""

    rows: list[DocumentRow] = field(default_factory=_rows)
    choices: EmergencyChoices = field(
        default_factory=lambda: EmergencyChoices(call_centre=True, break_glass=True, masked=False)
    )
    filing: FilingChoices = field(default_factory=lambda: FilingChoices(masked=False, opposed=False))
    standing_now: Standing = field(default_factory=lambda: TREATING)
    reported: set[str] = field(default_factory=set[str])
    taken: bool = False
    ended: bool = False
    said: list[str] = field(default_factory=list[str])
    """The acts asked of it, for tests to read."""

    # The citizen's pages

    async def spaces(self, ctx: Context) -> Sequence[Space]:
        assert isinstance(ctx.actor, Citizen)
        return [
            Space(ctx.actor.patient, ctx.actor.name),
            Space(CHILD, "Léo Fictif", "representative", date(2020, 2, 2)),
        ]

    async def home(self, ctx: Context) -> Home:
        notice = Notice(uuid5(ROOT, "notice"), NOW, "AJOUT_DOCUMENT", f"DocumentReference/{_id('bilan')}", {})
        urgent = Notice(uuid5(ROOT, "urgent"), NOW, "ACCES_BRIS_GLACE")
        requests = await self.requests(ctx)
        return Home([notice, urgent], self.rows[:2], self._events()[0], requests, others=3)

    async def mark_read(self, ctx: Context, notice: UUID | None) -> None:
        self.said.append(f"read {notice}")

    async def documents(self, ctx: Context, wanted: DocumentFilter) -> DocumentList:
        rows = [
            row
            for row in self.rows
            if wanted.words.lower() in row.title.lower()
            and (not wanted.category or wanted.category == row.category)
            and (not wanted.author or wanted.author == row.author)
        ]
        older = "suite" if not wanted.cursor and len(rows) == len(self.rows) > 5 else None
        return DocumentList(rows, len(rows), older)

    async def document(self, ctx: Context, id: str) -> DocumentPage:
        row = self._row(id)
        bilan = id == _id("bilan")
        return DocumentPage(
            row=row,
            media_type="application/pdf",
            size=84_000,
            filed=row.date + timedelta(hours=8),
            html="<section><h3>Conclusion</h3><p>Équilibre en amélioration.</p></section>" if bilan else None,
            frame="image" if id == _id("psy") else None if bilan else "pdf",
            results=_results() if bilan else (),
            viewers=[
                Viewer("Dr Camille Fictif", True, "treating_professional"),
                Viewer("Pharmacie Inventée", True, "authorised"),
                Viewer("Dr Anne Imaginaire", False, "blocked"),
            ],
            can_delete=row.mine,
            treating="Dr Camille Fictif",
        )

    async def about(self, ctx: Context, id: str) -> DocumentPage:
        return await self.document(ctx, id)

    async def content(self, ctx: Context, id: str) -> Content:
        return Content(PDF, "application/pdf", f"{self._row(id).title}.pdf")

    async def set_masked(self, ctx: Context, id: str, masked: bool) -> None:
        at = self.rows.index(self._row(id))
        self.rows[at] = replace(self.rows[at], visible_to="masked" if masked else "carers")

    async def add(self, ctx: Context, new: NewDocument) -> str:
        if b"JavaScript" in new.content:
            raise Refusal(Kind.UNPROCESSABLE, "ACTIVE_CONTENT", "The PDF runs a script.")
        at = datetime(new.day.year, new.day.month, new.day.day, tzinfo=UTC)
        seen = "masked" if new.masked else "carers"
        self.rows.insert(0, DocumentRow(_id(new.title), new.title, new.category, "Vous", None, at, seen, mine=True))
        return _id(new.title)

    async def delete(self, ctx: Context, id: str) -> None:
        self.rows.remove(self._row(id))

    async def people(self, ctx: Context) -> Sequence[Person]:
        since = datetime(2025, 10, 14, tzinfo=UTC)
        return [
            Person(
                "810000000001",
                "Dr Camille Fictif",
                "professional",
                "treating",
                "Médecin généraliste, Tours",
                since,
                NOW,
            ),
            Person("1370000001", "Pharmacie Inventée", "organization", "authorised", "Pharmacie, Tours", since),
            Person(
                "810000000002",
                "Hugo Imaginé",
                "professional",
                "care_team",
                "Infirmier, Tours",
                since,
                recorded_by="Dr Camille Fictif",
                team=ROOT,
            ),
            Person("810000000003", "Dr Anne Imaginaire", "professional", "blocked", "Dermatologue, Blois", since),
        ]

    async def find_people(self, ctx: Context, words: str) -> Sequence[Directory]:
        found = [Directory("810000000004", "Dr Julien Fictif", "Dermatologue, Orléans")]
        return [one for one in found if words.lower() in one.name.lower()]

    async def block(self, ctx: Context, id: str) -> None:
        self.said.append(f"block {id}")

    async def unblock(self, ctx: Context, id: str) -> None:
        self.said.append(f"unblock {id}")

    async def authorise(self, ctx: Context, id: str) -> None:
        self.said.append(f"authorise {id}")

    async def withdraw(self, ctx: Context, id: str) -> None:
        self.said.append(f"withdraw {id}")

    async def withdraw_team(self, ctx: Context, id: str) -> None:
        self.said.append(f"withdraw team of {id}")

    async def end_presence(self, ctx: Context, id: str) -> None:
        self.said.append(f"end presence {id}")

    async def requests(self, ctx: Context) -> Sequence[ConsentRequest]:
        if "answered" in self.said:
            return []
        return [
            ConsentRequest(
                uuid5(ROOT, "request"),
                "Dr Julien Fictif",
                "Médecin, dermatologue, Orléans",
                "Je prépare votre consultation de jeudi.",
                NOW,
                NOW + timedelta(days=14),
                "medecin",
            )
        ]

    async def answer_request(self, ctx: Context, id: UUID, *, accept: bool) -> None:
        self.said.append("answered")

    async def reopen_request(self, ctx: Context, id: UUID) -> None:
        self.said.remove("answered")

    async def emergency_choices(self, ctx: Context) -> EmergencyChoices:
        return self.choices

    async def choose_emergency(self, ctx: Context, choices: EmergencyChoices) -> None:
        self.choices = choices

    async def filing_choices(self, ctx: Context) -> FilingChoices:
        return self.filing

    async def choose_filing(self, ctx: Context, choices: FilingChoices) -> None:
        self.filing = choices

    async def professions(self, ctx: Context) -> Sequence[Profession]:
        def lines(*no: int) -> list[Readable]:
            words = ("Résultats de biologie", "Ordonnances", "Comptes rendus", "Bilans psychologiques", "Certificats")
            return [
                Readable(one, "no" if at in no else "yes", ["synthèse psychiatrique"] if at == 2 and no else [])
                for at, one in enumerate(words)
            ]

        return [
            Profession("medecin", "Médecin", lines()),
            Profession("pharmacien", "Pharmacien", lines(3)),
            Profession("infirmier", "Infirmier", lines(3, 4)),
        ]

    async def see_as(self, ctx: Context, viewer: str) -> SeenAs:
        if viewer == "inconnu":
            return SeenAs("un médecin inconnu", [], 6, "not_authorised")
        return SeenAs("Pharmacie Inventée", self.rows[:3], 3)

    async def audience(self, ctx: Context, id: str) -> Audience:
        return Audience(
            self._row(id),
            [
                Viewer("Dr Camille Fictif", True, "treating_professional", "Médecin généraliste"),
                Viewer("Dr Anne Imaginaire", False, "blocked"),
            ],
            [Viewer("Vous", True, "patient")],
            [Viewer("Le Samu, quand vous appelez le 15", True, "centre_15")],
            [Viewer("Pharmacien", False, "matrix")],
        )

    async def history(self, ctx: Context, wanted: HistoryFilter) -> History:
        events = [one for one in self._events() if wanted.what != "refus" or one.outcome == "refused"]
        return History(events)

    async def export_history(self, ctx: Context) -> AsyncIterator[AccessEvent]:
        for one in self._events():
            yield one

    async def event(self, ctx: Context, id: str) -> AccessEvent:
        for one in self._events():
            if one.id == id:
                return one
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_ACCESS", "No such access.")

    async def report_access(self, ctx: Context, id: str, words: str, *, block: bool) -> None:
        self.reported.add(id)

    # The professional's pages

    async def my_patients(self, ctx: Context) -> Sequence[PatientIdentity]:
        return [_identity()]

    async def alarms(self, ctx: Context) -> Sequence[Alarm]:
        return [Alarm(ALICE, "FICTIVE Alice", "Hugo Fictif", "bris_de_glace", NOW - timedelta(days=1))]

    async def find(self, ctx: Context, query: PatientQuery) -> Sequence[PatientIdentity]:
        found = _identity()
        exact = query.ins == found.ins or query.birth_name.upper() == found.birth_name
        return [found] if exact else []

    async def identity(self, ctx: Context, patient: UUID) -> PatientIdentity:
        return _identity()

    async def standing(self, ctx: Context, patient: UUID) -> Standing:
        if ctx.purpose is not Purpose.NORMAL:
            return Standing(allowed=True, rule="emergency")
        return self.standing_now

    async def professional_documents(self, wanted: DocumentFilter) -> ProfessionalDocuments:
        rows = [row for row in self.rows if wanted.words.lower() in row.title.lower()]
        return ProfessionalDocuments(rows, len(rows), news={"BIOLOGIE": 1, "CPT_REND": 2})

    async def deposit(self, ctx: Context, patient: UUID, deposit: Deposit) -> Sequence[Deposited]:
        self.said.append(f"deposit {deposit.title}")
        if not deposit.type_code:
            raise Refusal(Kind.INVALID, "TYPE_UNKNOWN", "Choose a type of document.")
        return [Deposited([row for row in self.rows if row.id == _id("ordonnance")])]

    async def zipped(self, ctx: Context, *asked: object) -> Content:
        self.said.append(f"zip of {asked[-1]}")
        return Content(b"PK", "application/zip", "IHE_XDM.ZIP")

    async def recent(self, ctx: Context, *asked: object) -> DocumentList:
        return DocumentList(self.rows, len(self.rows))

    def document_types(self) -> Sequence[tuple[str, str]]:
        return [("11488-4", "Compte rendu de consultation"), ("11502-2", "Compte rendu d’examens biologiques")]

    async def record_consent(self, ctx: Context, patient: UUID, *, treating: bool) -> None:
        self.standing_now = Standing(allowed=True, rule="treating_professional" if treating else "authorised")

    async def find_colleagues(self, ctx: Context, words: str) -> Sequence[Colleague]:
        return COLLEAGUES

    async def colleagues(self, ctx: Context, ids: Sequence[str]) -> Sequence[Colleague]:
        return [one for one in COLLEAGUES if one.id in ids]

    async def team(self, ctx: Context, patient: UUID) -> Sequence[Colleague]:
        return [Colleague("810000000002", "Hugo Imaginé", since=NOW, recorded_by="Dr Camille Fictif")]

    async def record_consent_for(self, ctx: Context, patient: UUID, id: str) -> None:
        self.said.append(f"consent for {id}")

    async def record_team(self, ctx: Context, patient: UUID, ids: Sequence[str]) -> None:
        self.said.append(f"team {' '.join(ids)}")

    async def ask_consent(self, ctx: Context, patient: UUID, reason: str) -> None:
        self.said.append(f"ask {reason}")

    async def asked(self, ctx: Context, patient: UUID) -> Asked | None:
        return (await self.all_asked(ctx))[0]

    async def all_asked(self, ctx: Context) -> Sequence[Asked]:
        week, fortnight = NOW - timedelta(days=7), NOW + timedelta(days=7)
        return [
            Asked(ALICE, "waiting", week, fortnight, fortnight, name="FICTIVE Alice"),
            Asked(CHILD, "refused", week, fortnight, fortnight, NOW, name="FICTIF Léo"),
        ]

    async def open_emergency(self, ctx: Context, patient: UUID) -> None:
        if not self.choices.break_glass:
            raise Refusal(Kind.FORBIDDEN, "ACCESS_EMERGENCY_REFUSED", "Refused.", data={"rule": "emergency_refused"})

    # The desk's pages

    async def queue(self, ctx: Context, wanted: QueueFilter) -> Queue:
        rows = [] if self.ended else [self._report()]
        if wanted.kind and wanted.kind != "unrecognised_access":
            rows = []
        weeks = [(date(2026, 1, 19) + timedelta(weeks=at), count) for at, count in enumerate((3, 5, 2, 8, 6, 4, 7, 9))]
        return Queue(rows, None, {"open": 9, "mine": 2, "late": 1, "unrecognised_access": len(rows)}, weeks)

    async def report(self, ctx: Context, patient: UUID, id: UUID) -> ReportPage:
        return ReportPage(
            self._report(),
            "Je ne connais pas ce médecin.",
            [("Professionnel", "Dr Julien Fictif, dermatologue"), ("Règle", "accord du patient")],
        )

    async def take(self, ctx: Context, patient: UUID, id: UUID) -> None:
        self.taken = True

    async def close(self, ctx: Context, patient: UUID, id: UUID, outcome: str, note: str, other: str = "") -> None:
        self.ended = True

    # What it is made of

    def _row(self, id: str) -> DocumentRow:
        for row in self.rows:
            if row.id == id:
                return row
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_DOCUMENT", "No such document.")

    def _report(self) -> ReportRow:
        state = "taken" if self.taken else "open"
        return ReportRow(
            uuid5(ROOT, "report"), ALICE, "unrecognised_access", state, "Accès du 9 mars", NOW, "La personne"
        )

    def _events(self) -> list[AccessEvent]:
        def event(name: str, days: int, **values: object) -> AccessEvent:
            base: dict[str, object] = {
                "id": _id(name),
                "at": NOW - timedelta(days=days, hours=1),
                "actor": "Dr Camille Fictif",
                "actor_kind": "professional",
                "action": "read",
                "outcome": "done",
                "rule": "treating_professional",
                "role": "médecin généraliste",
                "place": "Tours",
            }
            return AccessEvent(**{**base, "reported": _id(name) in self.reported, **values})  # type: ignore[arg-type]

        bilan = {"title": "Bilan sanguin", "document": _id("bilan"), "document_date": self.rows[1].date}
        return [
            event(
                "lecture",
                0,
                actor="Pharmacie <Inventée>",
                actor_kind="organization",
                rule="authorised",
                role="pharmacie",
                **bilan,
            ),
            event("masque", 1, actor_kind="self", action="mask", rule="patient", title="Bilan avec ma psychologue"),
            event("refus", 5, actor="Dr Julien Fictif", role="dermatologue", outcome="refused", rule="not_authorised"),
            event(
                "urgence",
                56,
                role="urgentiste",
                purpose=Purpose.BREAK_GLASS,
                rule="emergency",
                reason="Perte de connaissance.",
                count=4,
            ),
            event("depot", 56, action="create", rule="feeding", **bilan),
        ]


class SampleProfessional:
    """The professional's side of the same record: two of its methods take other arguments."""

    def __init__(self, record: SampleRecord) -> None:
        self._record = record

    def __getattr__(self, name: str) -> object:
        return getattr(self._record, name)

    async def documents(
        self, ctx: Context, patient: UUID, wanted: DocumentFilter, last_visit: datetime | None
    ) -> ProfessionalDocuments:
        return await self._record.professional_documents(wanted)

    async def document(self, ctx: Context, patient: UUID, id: str) -> DocumentPage:
        return await self._record.document(ctx, id)

    async def about(self, ctx: Context, patient: UUID, id: str) -> DocumentPage:
        return await self._record.document(ctx, id)

    async def content(self, ctx: Context, patient: UUID, id: str) -> Content:
        return await self._record.content(ctx, id)

    async def attempt(self, ctx: Context, patient: UUID) -> None:
        self._record.said.append(f"attempt {patient}")


def _identity() -> PatientIdentity:
    return PatientIdentity(
        ALICE, "FICTIVE", "Alice", date(1983, 9, 14), "female", "283093726199821", birth_place="Tours (37261)"
    )


def _results() -> list[Result]:
    return [
        Result("HbA1c", "6,7\u00a0%", "%", Decimal("6.7"), Decimal("4.0"), Decimal("6.0"), "high", _HBA1C),
        Result(
            "Cholestérol LDL",
            "0,92\u00a0g/L",
            "g/L",
            Decimal("0.92"),
            None,
            Decimal("1.00"),
            None,
            ((date(2026, 3, 3), Decimal("0.92")),),
        ),
        Result("Créatinine", "64\u00a0µmol/L", "µmol/L", Decimal("64"), Decimal("45"), Decimal("84")),
        Result("Aspect", "limpide"),
    ]
