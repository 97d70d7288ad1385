"""The demonstration nation: identities with right keys, families that hold together, the known people always there."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.interfaces.demonstration import keys
from ambroise.interfaces.demonstration.geography import BIRTHPLACES, COUNTRIES, Commune
from ambroise.interfaces.demonstration.model import Citizen, Nation, Role
from ambroise.interfaces.demonstration.population import build, professional_for
from ambroise.modules.directory.api import finess_valid, rpps_valid

UNTIL = date(2026, 11, 1)


@pytest.fixture(scope="module")
def nation() -> Nation:
    return build("test", 600, until=UNTIL)


@given(
    st.sampled_from("FM"),
    st.dates(date(1930, 1, 1), date(2026, 1, 1)),
    st.sampled_from(BIRTHPLACES + COUNTRIES),
    st.integers(1, 999),
)
def test_every_matricule_has_a_right_key(sex: str, born: date, place: Commune, order: int) -> None:
    matricule = keys.matricule(sex, born, place, order)
    digits = matricule[:13].replace("2A", "19").replace("2B", "18")
    assert len(matricule) == 15
    assert (int(digits) + int(matricule[13:])) % 97 == 0


def test_corsica_was_one_department_before_1976() -> None:
    ajaccio = next(place for place in BIRTHPLACES if place.cog == "2A004")
    assert keys.matricule("F", date(1975, 12, 31), ajaccio, 12)[5:10] == "20004"
    assert keys.matricule("F", date(1976, 1, 1), ajaccio, 12)[5:10] == "2A004"


def test_the_published_corsican_example_has_the_key_we_compute() -> None:
    assert keys.nir_key("297022A020778") == "78"


def test_identifiers_are_unique_and_valid(nation: Nation) -> None:
    assert len(nation.citizens) == 600
    assert len({c.matricule[:13] for c in nation.citizens}) == 600
    assert len({p.rpps for p in nation.professionals}) == len(nation.professionals) > 300
    assert all(rpps_valid(p.rpps) for p in nation.professionals)
    assert all(finess_valid(o.finess) for o in nation.organizations)


def test_a_matricule_agrees_with_the_traits(nation: Nation) -> None:
    for citizen in nation.citizens:
        if citizen.test_identity:
            continue
        place = citizen.birthplace.cog.replace("2A", "20").replace("2B", "20")
        assert citizen.matricule[0] == ("1" if citizen.sex == "M" else "2")
        assert citizen.matricule[1:5] == f"{citizen.birth_date:%y%m}"
        assert citizen.matricule[5:10].replace("2A", "20").replace("2B", "20") == place


def test_strict_traits_are_capitals_without_accents(nation: Nation) -> None:
    for citizen in nation.citizens:
        for text in (citizen.birth_name, *citizen.birth_given):
            assert text.isascii()
            assert text == text.upper()


def test_parents_are_old_enough_and_siblings_are_not_born_together(nation: Nation) -> None:
    people = {c.matricule: c for c in nation.citizens}
    siblings: dict[str, list[Citizen]] = {}
    for child in nation.citizens:
        for parent in (child.mother, child.father):
            if parent in people:
                assert people[parent].birth_date.year + 17 < child.birth_date.year
        if child.mother:
            siblings.setdefault(child.mother, []).append(child)
    for children in siblings.values():
        births = sorted(child.birth_date for child in children)
        assert all(after - before > timedelta(days=270) for before, after in pairwise(births))


def test_everybody_has_a_treating_doctor_and_a_whole_circle_of_care(nation: Nation) -> None:
    for citizen in nation.citizens[:100]:
        territory = nation.territories[citizen.territory]
        assert citizen.treating.role is Role.GP
        for role in set(Role) - {Role.REGULATOR}:
            assert professional_for(territory, citizen, role).role is role


def test_the_nation_has_one_call_centre(nation: Nation) -> None:
    centres = {p.organization.finess for p in nation.professionals if p.role is Role.REGULATOR}
    assert len(centres) == 1


@pytest.mark.parametrize("population", [1, 3, 6, 40])
def test_the_known_people_come_first_whatever_the_size(population: int) -> None:
    nation = build("other", population, until=UNTIL)
    public = nation.citizens[0]
    assert len(nation.citizens) == population
    assert (public.matricule, public.birth_name, public.birthplace.cog) == ("279035121518989", "PAT-TROIS", "51215")
    assert public.birth_date == date(1979, 3, 28)
    assert any(p.rpps == "01234567897" for p in nation.professionals)


def test_known_people_keep_their_identity_whatever_the_seed_and_the_day() -> None:
    first = {c.star: c.matricule for c in build("a", 20, until=UNTIL).citizens if c.star}
    second = {c.star: c.matricule for c in build("b", 50, until=date(2028, 2, 29)).citizens if c.star}
    assert first == second
    assert {"diabetic", "child", "pregnant", "elderly", "father", "sixties", "test-identity"} == set(first)


def test_an_empty_nation_still_has_its_directory() -> None:
    nation = build("empty", 0, until=UNTIL)
    assert nation.citizens == ()
    assert nation.professionals


def test_the_same_seed_gives_the_same_nation_and_another_seed_another() -> None:
    assert build("x", 80, until=UNTIL) == build("x", 80, until=UNTIL)
    assert build("x", 80, until=UNTIL).citizens[20:] != build("y", 80, until=UNTIL).citizens[20:]


def test_every_age_is_there() -> None:
    ages = Counter(c.age_on(UNTIL) // 20 for c in build("ages", 2000, until=UNTIL).citizens)
    assert all(ages[decade] > 100 for decade in range(5))
