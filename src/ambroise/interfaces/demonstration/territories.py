"""Structures and professionals of each town of the demonstration."""

from __future__ import annotations

from random import Random

from ambroise.interfaces.demonstration import keys
from ambroise.interfaces.demonstration.geography import TOWNS, Commune
from ambroise.interfaces.demonstration.model import Address, Organization, Professional, Role, Territory
from ambroise.interfaces.demonstration.names import STREETS, SURNAMES, first_names
from ambroise.interfaces.demonstration.professions import PROFESSIONS

# Each line: name of the structure, sector, practice setting, and who works there.
_TOWN: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("Cabinet médical des Tilleuls", "SA08", "AMBULATOIRE", (Role.GP, Role.GP, Role.GP)),
    ("Maison de santé du Pont", "SA52", "AMBULATOIRE", (Role.GP, Role.GP, Role.NURSE, Role.PHYSIOTHERAPIST)),
    ("Cabinet du docteur de la Place", "SA07", "AMBULATOIRE", (Role.GP,)),
    ("Pharmacie du Centre", "SA33", "AMBULATOIRE", (Role.PHARMACIST,)),
    ("Pharmacie de la Gare", "SA33", "AMBULATOIRE", (Role.PHARMACIST,)),
    ("Laboratoire de biologie des Halles", "SA25", "AMBULATOIRE", (Role.BIOLOGIST, Role.BIOLOGIST)),
    ("Centre d'imagerie du Parc", "SA09", "AMBULATOIRE", (Role.RADIOLOGIST, Role.RADIOLOGIST)),
    ("Cabinet infirmier de la Fontaine", "SA08", "AMBULATOIRE", (Role.NURSE, Role.NURSE)),
    ("Cabinet de sages-femmes", "SA08", "AMBULATOIRE", (Role.MIDWIFE,)),
    ("Cabinet dentaire du Marché", "SA08", "AMBULATOIRE", (Role.DENTIST, Role.DENTIST)),
    ("Cabinet de kinésithérapie", "SA08", "AMBULATOIRE", (Role.PHYSIOTHERAPIST,)),
    ("Cabinet de pédicurie-podologie", "SA07", "AMBULATOIRE", (Role.PODIATRIST,)),
    ("Cabinet de psychologie", "SA07", "AMBULATOIRE", (Role.PSYCHOLOGIST,)),
    ("Cabinet de cardiologie", "SA08", "AMBULATOIRE", (Role.CARDIOLOGIST,)),
    ("Cabinet d'ophtalmologie", "SA08", "AMBULATOIRE", (Role.OPHTHALMOLOGIST,)),
    ("Cabinet de dermatologie", "SA07", "AMBULATOIRE", (Role.DERMATOLOGIST,)),
    ("Cabinet de pédiatrie", "SA07", "AMBULATOIRE", (Role.PAEDIATRICIAN,)),
    ("Cabinet d'endocrinologie", "SA07", "AMBULATOIRE", (Role.ENDOCRINOLOGIST,)),
    (
        "Centre hospitalier",
        "SA01",
        "ETABLISSEMENT",
        (
            Role.CARDIOLOGIST,
            Role.SURGEON,
            Role.EMERGENCY,
            Role.EMERGENCY,
            Role.GERIATRICIAN,
            Role.GYNAECOLOGIST,
            Role.MIDWIFE,
            Role.HOSPITAL_NURSE,
            Role.HOSPITAL_NURSE,
        ),
    ),
)
_SAMU = ("SAMU Centre 15", "SA01", "SAMU_SMUR", (Role.REGULATOR, Role.REGULATOR, Role.REGULATOR))
# One more general practitioner for this many citizens of a town, beyond the six of the table.
_CITIZENS_PER_GP = 400


def phone(random: Random, mobile: bool = False) -> str:
    """A telephone number of the ranges that the regulator sets aside for works of fiction."""
    prefix = "063998" if mobile else random.choice(("019900", "026191", "035301", "046571", "053649"))
    return f"{prefix}{random.randrange(10_000):04}"


def address(random: Random, town: Commune) -> Address:
    """A made-up address in a town."""
    return Address(str(random.randrange(1, 120)), random.choice(STREETS), town.postal_code, town.name)


class DirectoryBuilder:
    """Builds the directory; numbers run on from one town to the next, so that every identifier is unique."""

    def __init__(self, seed: str) -> None:
        self._random = Random(f"{seed}/directory")  # noqa: S311 - reproducible on purpose, protects nothing.
        self._organizations = 0
        self._professionals = 0

    def territories(self, citizens: int) -> tuple[Territory, ...]:
        """Every town with its care; the first one also has the emergency call centre."""
        return tuple(
            self._territory(town, first=not n, citizens=citizens // len(TOWNS)) for n, town in enumerate(TOWNS)
        )

    def _territory(self, town: Commune, first: bool, citizens: int) -> Territory:
        plan = list(_TOWN)
        plan += [("Cabinet médical de quartier", "SA07", "AMBULATOIRE", (Role.GP,))] * (citizens // _CITIZENS_PER_GP)
        if first:
            plan.append(_SAMU)
        organizations: list[Organization] = []
        by_role: dict[Role, list[Professional]] = {}
        for name, facility, setting, roles in plan:
            organization = self.organization(f"{name}, {town.name}", facility, setting, town)
            organizations.append(organization)
            for role in roles:
                by_role.setdefault(role, []).append(self.professional(role, organization))
        return Territory(town, tuple(organizations), {role: tuple(people) for role, people in by_role.items()})

    def organization(self, name: str, facility: str, setting: str, town: Commune) -> Organization:
        """A new structure in a town."""
        self._organizations += 1
        number = self._organizations
        where = address(self._random, town)
        return Organization(
            keys.finess(number),
            name,
            facility,
            setting,
            where,
            phone(self._random),
            f"accueil-{number}@structure.example",
        )

    def professional(
        self, role: Role, organization: Organization, name: tuple[str, str, str] | None = None, star: str | None = None
    ) -> Professional:
        """A new professional of a role; `name` is (family, given, sex), drawn when absent."""
        self._professionals += 1
        profession = PROFESSIONS[role]
        if name is None:
            sex = self._random.choice("FM")
            given = self._random.choice(first_names(sex, self._random.randrange(1962, 1996)))
            name = (self._random.choice(SURNAMES), given.title(), sex)
        family, given, sex = name
        return Professional(
            keys.rpps(self._professionals),
            family,
            given,
            sex,
            role,
            profession.code,
            profession.system,
            profession.specialty,
            organization,
            phone(self._random),
            profession.title,
            star,
        )
