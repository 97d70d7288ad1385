"""Builds the demonstration nation from a seed: families, ages, places of birth, treating doctors, courses of life."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from ambroise.interfaces.demonstration import keys
from ambroise.interfaces.demonstration.geography import BIRTHPLACES, COUNTRIES, Commune
from ambroise.interfaces.demonstration.model import (
    Address,
    Citizen,
    Course,
    Nation,
    Professional,
    Role,
    Territory,
)
from ambroise.interfaces.demonstration.names import SURNAMES, first_names
from ambroise.interfaces.demonstration.stars import DESK, star_citizens, star_professionals
from ambroise.interfaces.demonstration.territories import DirectoryBuilder, address, phone

DEFAULT_SEED = "ambroise"
DEFAULT_POPULATION = 2_000


def build(seed: str = DEFAULT_SEED, population: int = DEFAULT_POPULATION, *, until: date) -> Nation:
    """Build a nation of `population` citizens whose history stops at `until`: same arguments, same nation."""
    directory = DirectoryBuilder(seed)
    territories = directory.territories(population)
    known = star_professionals(directory, territories)
    citizens = list(star_citizens(known)[:population])
    _Households(seed, until, territories, citizens).fill(population)
    professionals = (*(p for t in territories for ps in t.professionals.values() for p in ps), *known.all())
    organizations = dict.fromkeys(o for t in territories for o in t.organizations)
    organizations.update(dict.fromkeys(p.organization for p in known.all()))
    return Nation(seed, until, territories, professionals, tuple(organizations), tuple(citizens), (DESK,))


def professional_for(territory: Territory, citizen: Citizen, role: Role) -> Professional:
    """Who cares for a citizen in a role: his or her circle first, else always the same person of the town."""
    if role is Role.GP:
        return citizen.treating
    for known in citizen.circle:
        if known.role is role:
            return known
    people = territory.professionals[role]
    return people[int(citizen.matricule[-5:]) % len(people)]


class _Households:
    """Adds households, one after the other, until the nation is full."""

    def __init__(self, seed: str, until: date, territories: tuple[Territory, ...], citizens: list[Citizen]) -> None:
        self._random = Random(f"{seed}/population")  # noqa: S311 - reproducible on purpose, protects nothing.
        self._until = until
        self._territories = territories
        self._citizens = citizens
        self._numbers = {c.matricule[:13] for c in citizens}

    def fill(self, population: int) -> None:
        kinds = (self._family, self._couple, self._seniors, self._adult, self._senior, self._single_parent)
        weights = (30, 8, 24, 20, 13, 8)
        while len(self._citizens) < population:
            home = self._random.randrange(len(self._territories))
            where = address(self._random, self._territories[home].town)
            self._random.choices(kinds, weights)[0](home, where)
        del self._citizens[population:]

    def _family(self, home: int, where: Address) -> None:
        mother, father = self._pair(home, where, 24, 52)
        self._children(home, where, mother, father)

    def _single_parent(self, home: int, where: Address) -> None:
        self._children(home, where, self._adult_of("F", home, where, 24, 50), None)

    def _couple(self, home: int, where: Address) -> None:
        self._pair(home, where, 21, 45)

    def _seniors(self, home: int, where: Address) -> None:
        self._pair(home, where, 58, 88)

    def _adult(self, home: int, where: Address) -> None:
        self._adult_of(self._random.choice("FM"), home, where, 18, 64)

    def _senior(self, home: int, where: Address) -> None:
        self._adult_of(self._random.choice("FFM"), home, where, 65, 97)

    def _pair(self, home: int, where: Address, low: int, high: int) -> tuple[Citizen, Citizen]:
        father = self._adult_of("M", home, where, low, high)
        age = father.age_on(self._until)
        used = father.birth_name if self._random.random() < 0.6 else None
        mother = self._adult_of("F", home, where, max(low, age - 6), max(low + 1, age + 3), used)
        return mother, father

    def _children(self, home: int, where: Address, mother: Citizen, father: Citizen | None) -> None:
        parents = (mother, father) if father else (mother,)
        oldest = min(17, *(parent.age_on(self._until) - 20 for parent in parents))
        if oldest < 0:
            return
        name = (father or mother).birth_name
        # Every other age, so that nobody is born six months after a sibling.
        ages = range(oldest % 2, oldest + 1, 2)
        wanted = min(len(ages), self._random.choices((1, 2, 3), (40, 42, 18))[0])
        for age in sorted(self._random.sample(ages, wanted), reverse=True):
            self._person(
                self._random.choice("FM"),
                home,
                where,
                age,
                name,
                birthplace=self._territories[home].town if self._random.random() < 0.8 else None,
                mother=mother.matricule,
                father=father.matricule if father else None,
            )

    def _adult_of(
        self, sex: str, home: int, where: Address, low: int, high: int, used_name: str | None = None
    ) -> Citizen:
        name = self._random.choice(SURNAMES)
        return self._person(sex, home, where, self._random.randint(low, high), name, used_name=used_name)

    def _person(
        self,
        sex: str,
        home: int,
        where: Address,
        age: int,
        name: str,
        *,
        used_name: str | None = None,
        birthplace: Commune | None = None,
        mother: str | None = None,
        father: str | None = None,
    ) -> Citizen:
        random = self._random
        birth = self._birth_date(age)
        place = birthplace or self._birthplace(home)
        given = tuple(dict.fromkeys(random.choices(first_names(sex, birth.year), k=random.choice((1, 2, 2, 3)))))
        first = given[0]
        known_as = given[1] if len(given) > 1 and random.random() < 0.04 else None
        contact = f"{first}.{used_name or name}.{len(self._citizens)}".lower()
        citizen = Citizen(
            matricule=self._matricule(sex, birth, place),
            birth_name=name,
            birth_given=given,
            sex=sex,
            birth_date=birth,
            birthplace=place,
            address=where,
            phone=phone(random, mobile=age >= 12),
            email=f"{contact}@courriel.example",
            treating=self._treating(home),
            circle=(),
            territory=home,
            courses=self._courses(sex, age),
            used_name=used_name if used_name != name else None,
            used_given=known_as,
            mother=mother,
            father=father,
        )
        self._citizens.append(citizen)
        return citizen

    def _birth_date(self, age: int) -> date:
        latest = self._until.replace(year=self._until.year - age, day=min(self._until.day, 28))
        return latest - timedelta(days=self._random.randrange(1, 360))

    def _birthplace(self, home: int) -> Commune:
        draw = self._random.random()
        if draw < 0.55:
            return self._territories[home].town
        return self._random.choice(BIRTHPLACES if draw < 0.93 else COUNTRIES)

    def _matricule(self, sex: str, birth: date, place: Commune) -> str:
        # Orders from 951 on belong to the known people.
        order = self._random.randrange(1, 900)
        while True:
            number = keys.matricule(sex, birth, place, order)
            if number[:13] not in self._numbers:
                self._numbers.add(number[:13])
                return number
            order = order % 949 + 1

    def _treating(self, home: int) -> Professional:
        return self._random.choice(self._territories[home].professionals[Role.GP])

    def _courses(self, sex: str, age: int) -> tuple[Course, ...]:
        random = self._random
        if age < 16:
            return (Course.CHILD, Course.ASTHMA) if random.random() < 0.08 else (Course.CHILD,)
        courses: list[Course] = []
        if sex == "F" and 22 <= age <= 42 and random.random() < 0.22:
            courses.append(Course.PREGNANCY)
        if age >= 40 and random.random() < 0.05 + age / 900:
            courses.append(Course.DIABETES)
        if age >= 45 and random.random() < age / 250:
            courses.append(Course.HYPERTENSION)
        if age >= 72 and random.random() < 0.18:
            courses.append(Course.HEART_FAILURE)
        if age >= 78 and random.random() < 0.35:
            courses.append(Course.FRAILTY)
        if random.random() < 0.05:
            courses.append(Course.ASTHMA)
        if sex == "F" and age >= 30 and random.random() < 0.07:
            courses.append(Course.HYPOTHYROIDISM)
        if random.random() < 0.16:
            courses.append(Course.EMERGENCY)
        return tuple(courses) or (Course.HEALTHY,)
