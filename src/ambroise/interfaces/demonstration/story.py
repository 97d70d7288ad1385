"""What courses of life are told with: a citizen, chance, the calendar, and one method per kind of document."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

from ambroise.interfaces.demonstration.analyses import ANALYSES, Result
from ambroise.interfaces.demonstration.documents import (
    BIOLOGY,
    PARIS,
    PRESCRIPTION,
    VACCINATION,
    Biology,
    Content,
    Document,
    DocumentType,
    Prescription,
    Text,
    Vaccination,
    uid_of,
)
from ambroise.interfaces.demonstration.model import Citizen, Nation, Professional, Role
from ambroise.interfaces.demonstration.pdf_writer import Table
from ambroise.interfaces.demonstration.population import professional_for
from ambroise.interfaces.demonstration.products import MEDICINES, VACCINES

WITHHELD = frozenset({"INVISIBLE_PATIENT"})
MASKED = frozenset({"MASQUE_PS"})
_WEEKEND = 5


class Story:
    """What a course of life writes with: the citizen, chance, the calendar, and one method per kind of document."""

    def __init__(self, nation: Nation, citizen: Citizen) -> None:
        self.citizen = citizen
        self.until = nation.until
        self.random = Random(f"{nation.seed}/care/{citizen.matricule}")  # noqa: S311 - reproducible on purpose.
        self.age = citizen.age_on(nation.until)
        self._seed = nation.seed
        self._territory = nation.territories[citizen.territory]
        self._documents: list[Document] = []

    def documents(self) -> list[Document]:
        """Everything told so far, oldest first; nothing after the last day of the history."""
        limit = datetime.combine(self.until, time(20), PARIS)
        return sorted((d for d in self._documents if d.moment <= limit), key=_moment_and_uid)

    def who(self, role: Role) -> Professional:
        """Who cares for this citizen in a role."""
        return professional_for(self._territory, self.citizen, role)

    def ago(self, days: float) -> date:
        """A day before the end of the history."""
        return self.until - timedelta(days=int(days))

    def some(self, *choices: str) -> str:
        """One of several ways to say something."""
        return self.random.choice(choices)

    def chance(self, probability: float) -> bool:
        """Draw."""
        return self.random.random() < probability

    def around(self, value: float, share: float = 0.1) -> float:
        """A value drawn around another one."""
        return value * self.random.uniform(1 - share, 1 + share)

    def moment(self, day: date) -> datetime:
        """A working hour of a day, moved to Monday when it falls on a weekend."""
        if day.weekday() >= _WEEKEND:
            day += timedelta(days=7 - day.weekday())
        return datetime.combine(day, time(8 + self.random.randrange(11), self.random.randrange(60)), PARIS)

    def at_ten(self, days: float) -> datetime:
        """Ten in the morning, days before the end of the history: nothing is drawn, so what follows stays the same."""
        return datetime.combine(self.ago(days), time(10), PARIS)

    def add(
        self,
        author: Professional | None,
        day: date | datetime,
        kind: DocumentType,
        title: str,
        content: Content,
        *,
        encounter: str = "AMB",
        minutes: int = 20,
        flags: frozenset[str] = frozenset(),
        replaces: Document | None = None,
    ) -> Document:
        """Add a document of any kind."""
        moment = day if isinstance(day, datetime) else self.moment(day)
        document = Document(
            uid_of(self._seed, self.citizen.matricule, len(self._documents)),
            self.citizen,
            author,
            moment,
            kind,
            title,
            content,
            encounter,
            minutes,
            replaces.uid if replaces else None,
            flags,
        )
        self._documents.append(document)
        return document

    def letter(
        self,
        role: Role,
        day: date | datetime,
        kind: DocumentType,
        title: str,
        *body: str | Table,
        encounter: str = "AMB",
        minutes: int = 20,
        flags: frozenset[str] = frozenset(),
    ) -> Document:
        """Add a report in words."""
        return self.add(self.who(role), day, kind, title, Text(body), encounter=encounter, minutes=minutes, flags=flags)

    def biology(
        self,
        day: date,
        values: dict[str, float],
        *,
        prescriber: Role = Role.GP,
        comment: str = "",
        flags: frozenset[str] = frozenset(),
    ) -> Document:
        """Add laboratory results, by the names of the table of analyses."""
        results = tuple(Result(ANALYSES[name], value) for name, value in values.items())
        report = self.add(
            self.who(Role.BIOLOGIST),
            day,
            BIOLOGY,
            "Compte rendu d'examens biologiques",
            Biology(results, self.who(prescriber), comment),
            minutes=60 * self.random.randrange(4, 9),
            flags=flags,
        )
        if self.chance(0.008):
            corrected = Biology(results, self.who(prescriber), "Compte rendu rectifié : coordonnées du prescripteur.")
            later = report.moment + timedelta(days=1)
            self.add(report.author, later, BIOLOGY, report.title, corrected, minutes=report.minutes, replaces=report)
        return report

    def vaccine(self, day: date, name: str, rank: int, *, booster: bool = False, role: Role = Role.GP) -> Document:
        """Add a vaccination note."""
        product = VACCINES[name]
        lot = f"{self.random.choice('ABCDEFGHJK')}{self.random.randrange(10_000, 99_999)}"
        return self.add(
            self.who(role),
            day,
            VACCINATION,
            f"Vaccination {product.name} - dose {rank}",
            Vaccination(product, rank, booster, lot, self.chance(0.6)),
        )

    def prescribe(
        self, day: date, names: tuple[str, ...], days: int, *, long_term: bool = False, role: Role = Role.GP
    ) -> Document:
        """Add a prescription of medicines, by the names of the table of products."""
        medicines = tuple(MEDICINES[name] for name in names)
        return self.add(
            self.who(role),
            day,
            PRESCRIPTION,
            f"Ordonnance : {', '.join(medicine.atc_label for medicine in medicines[:3])}",
            Prescription(medicines, days, long_term),
        )

    def own(self, day: date, kind: DocumentType, title: str, *body: str) -> Document:
        """Add a document that the citizen wrote or scanned."""
        return self.add(None, day, kind, title, Text(body))


def _moment_and_uid(document: Document) -> tuple[datetime, str]:
    return document.moment, document.uid
