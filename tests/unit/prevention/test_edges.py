"""Where a calendar is easily wrong: ages at their limits, who is followed apart, what only a professional can say."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ambroise.modules.prevention.engine import path
from ambroise.modules.prevention.model import (
    Act,
    Declined,
    Given,
    History,
    Illness,
    Item,
    Kind,
    Person,
    Rule,
    Source,
    State,
)
from ambroise.modules.prevention.reach import reach
from ambroise.modules.prevention.shipped import antigens, shipped
from ambroise.modules.prevention.spans import Span

RULES = [one.rule for one in shipped()]
READ, SAID = Source("document", "DocumentReference/1"), Source("declared", "Procedure/1")
A_DAY = timedelta(days=1)


def of(person: Person, today: date, history: History | None = None, rules: Iterable[Rule] = RULES) -> dict[str, Item]:
    return {item.key: item for item in path(rules, person, history or History(), today)}


def given_(*doses: tuple[str, date], rank: int = 1, source: Source = READ) -> History:
    return History(given=tuple(Given(antigens()[code], day, source, rank) for code, day in doses))


def at(years: int, born: date) -> date:
    return Span(12 * years).after(born)


def test_the_law_is_named_only_to_those_it_obliges_and_no_longer_than_it_does() -> None:
    adult = of(Person(date(1990, 1, 10)), date(2026, 3, 1))["vaccine.measles-mumps-rubella:1"]
    assert not adult.mandatory
    assert of(Person(date(2017, 12, 31)), date(2026, 3, 1))["vaccine.measles-mumps-rubella:1"].mandatory is False
    assert of(Person(date(2018, 1, 1)), date(2026, 3, 1))["vaccine.measles-mumps-rubella:1"].mandatory
    born = date(2025, 2, 28)
    begun = given_(("J07AH09", date(2026, 6, 1)), ("J07AH09", date(2026, 8, 1)))
    booster = "vaccine.meningococcus-b:3"
    assert of(Person(born), at(2, born) - A_DAY, begun)[booster].mandatory
    late = of(Person(born), date(2027, 8, 1), begun)[booster]
    assert (late.state, late.mandatory) == (State.DUE, False)


def test_the_doses_of_infancy_are_not_called_too_early_for_the_vaccine_of_another_age() -> None:
    born = date(2014, 5, 2)
    infant = given_(("J07AH08", date(2015, 5, 4)))
    teenager = of(Person(born), date(2026, 3, 1), infant)["vaccine.meningococcus-acwy-teenager:1"]
    assert (teenager.state, teenager.too_early) == (State.DUE, ())
    hexavalent = given_(*(("J07CA09", Span(months).after(born)) for months in (2, 4, 11)))
    assert "vaccine.hepatitis-b" not in of(Person(born), date(2026, 3, 1), hexavalent), "vaccinated as an infant"
    assert of(Person(born), date(2026, 3, 1))["vaccine.hepatitis-b"].state is State.TO_DISCUSS
    assert "vaccine.tuberculosis" not in of(Person(born), date(2026, 3, 1), given_(("J07AN01", born)))


def test_a_vaccine_had_early_for_a_reason_of_ones_own_is_not_asked_again_at_the_age_of_all() -> None:
    born = date(1951, 3, 10)
    history = given_(("J07BX05", date(2020, 4, 1)), ("J07AL02", date(2010, 4, 1)))
    items = of(Person(born), date(2026, 4, 1), history)
    assert items["vaccine.rsv:1"].state is State.DONE
    assert items["vaccine.pneumococcus-adult:1"].state is State.DONE
    assert of(Person(date(1962, 3, 10)), date(2026, 4, 1))["vaccine.pneumococcus-adult:1"].due == date(2027, 3, 10)
    adult = next(rule for rule in RULES if rule.id == "vaccine.pneumococcus-adult")
    touched = reach(adult, date(2026, 4, 1))
    assert touched is not None
    assert touched.last == date(1961, 4, 1), "a preview counts those who are asked"


def test_a_dose_that_its_giver_numbers_says_that_those_before_it_were_given() -> None:
    born, today = date(2023, 1, 15), date(2026, 11, 22)
    second, third = date(2023, 5, 18), date(2023, 12, 18)
    history = History(
        given=(Given(antigens()["60645557"], second, READ, 2), Given(antigens()["60645557"], third, READ, 3))
    )
    states = [of(Person(born), today, history)[f"vaccine.hexavalent:{n}"].state for n in (1, 2, 3)]
    assert states == [State.UNKNOWN, State.DONE, State.DONE]
    told = History(given=tuple(replace(one, source=SAID) for one in history.given))
    assert of(Person(born), today, told)["vaccine.hexavalent:3"].state is State.OVERDUE, "what one says proves less"


def test_the_third_dose_of_rotavirus_is_of_the_vaccine_that_has_three_and_prematures_have_one_dose_more() -> None:
    born = date(2026, 1, 10)
    two = of(Person(born), date(2026, 5, 1), given_(("J07BH01", date(2026, 3, 10)), ("J07BH01", date(2026, 4, 10))))
    assert "vaccine.rotavirus:3" not in two
    three = of(
        Person(born), date(2026, 5, 11), given_(("66396810", date(2026, 3, 10)), ("66396810", date(2026, 4, 10)))
    )
    assert three["vaccine.rotavirus:3"].state is State.DUE
    assert "vaccine.pneumococcus:4" not in of(Person(born), date(2026, 5, 1))
    early = of(Person(born, premature=True), date(2026, 2, 1))
    assert [early[f"vaccine.pneumococcus:{n}"].due for n in (1, 2, 3, 4)] == [
        Span(months).after(born) for months in (2, 3, 4, 11)
    ]


def test_whooping_cough_is_caught_up_until_39_and_covid_comes_back_after_its_interval() -> None:
    born, key = date(1993, 5, 2), "vaccine.whooping-cough-catch-up"
    assert of(Person(born), date(2026, 3, 1))[key].state is State.TO_DISCUSS
    assert key not in of(Person(born), date(2026, 3, 1), given_(("J07CA02", date(2018, 6, 1))))
    assert of(Person(born), date(2026, 3, 1), given_(("J07CA01", date(2018, 6, 1))))[key].state is State.TO_DISCUSS
    assert key not in of(Person(born), at(40, born))
    dose = given_(("J07BN01", date(2026, 1, 10)))
    for years, months in ((70, 6), (82, 3)):
        old = Person(date(2026 - years, 1, 1))
        waits = Span(months).after(date(2026, 1, 10))
        assert not _discussed(of(old, waits - A_DAY, dose), "vaccine.covid")
        assert _discussed(of(old, waits, dose), "vaccine.covid")


def _discussed(items: dict[str, Item], prefix: str) -> bool:
    return any(item.state is State.TO_DISCUSS for key, item in items.items() if key.startswith(prefix))


def test_who_had_a_cancer_is_not_called_to_its_screening_and_keeps_what_was_done() -> None:
    woman, today = Person(date(1970, 4, 12), "F"), date(2026, 3, 1)
    ill = History(
        acts=(Act(frozenset({"24606-6"}), date(2022, 1, 5), READ),),
        illnesses=(Illness(frozenset({"C50.9"}), date(2023, 2, 1), READ),),
    )
    items = of(woman, today, ill)
    assert items["screening.breast"].state is State.NOT_CONCERNED
    assert items["screening.breast:20220105"].state is State.DONE
    assert items["screening.colorectal"].waits, "the others are asked as before"
    assert of(woman, today, History(illnesses=(Illness(frozenset({"D24"}), today, READ),)))["screening.breast"].waits


def test_who_says_that_it_is_not_for_them_is_asked_no_more_until_they_take_it_back() -> None:
    woman, today = Person(date(1970, 4, 12), "F"), date(2026, 3, 1)
    said = History(declined=(Declined("screening.cervix-hpv", today, SAID, never=True),))
    for later in (today, date(2031, 9, 1)):
        item = of(woman, later, said)["screening.cervix-hpv"]
        assert (item.state, item.done, item.source) == (State.NOT_CONCERNED, today, SAID)
        assert not item.waits
    assert "screening.cervix-hpv" not in of(woman, at(66, woman.birth), said), "nor told of beyond its age"


def test_a_result_that_alarms_comes_before_the_next_turn() -> None:
    woman, day = Person(date(1975, 4, 12), "F"), date(2026, 1, 5)
    for code, value, key in (
        ("77379-6", "1269497006", "screening.cervix-hpv"),
        ("29771-3", "POS", "screening.colorectal"),
    ):
        found = History(acts=(Act(frozenset({code}), day, READ, frozenset({value})),))
        item = of(woman, date(2026, 3, 1), found)[key]
        assert (item.state, item.alarmed) == (State.TO_DISCUSS, True)
        assert item.rule.then is not None
        normal = History(acts=(Act(frozenset({code}), day, READ, frozenset({"77851000146104", "NEG"})),))
        assert of(woman, date(2026, 3, 1), normal)[key].state is State.TO_COME
    picture = History(acts=(Act(frozenset({"18748-4", "MG"}), day, READ),))
    assert of(woman, date(2026, 3, 1), picture)["screening.breast"].due == date(2028, 1, 5)


def test_what_is_for_one_sex_is_for_a_professional_to_say_when_the_identity_says_neither() -> None:
    today = date(2026, 3, 1)
    items = of(Person(date(1975, 4, 12)), today)
    assert items["screening.breast"].state is State.TO_DISCUSS
    assert items["screening.cervix-hpv"].state is State.TO_DISCUSS
    assert items["screening.colorectal"].waits
    assert "screening.breast" not in of(Person(date(1975, 4, 12), "M"), today)
    done = History(acts=(Act(frozenset({"77379-6"}), date(2020, 1, 5), READ),))
    assert of(Person(date(1975, 4, 12)), today, done)["screening.cervix-hpv"].waits, "what was done shows that it is"


def test_what_depends_on_an_illness_is_never_asked_for_until_it_was_done_once() -> None:
    today = date(2025, 11, 1)
    risk = of(Person(date(1990, 3, 1)), today)["vaccine.influenza-risk:2025"]
    assert risk.state is State.TO_DISCUSS
    assert of(Person(date(1960, 3, 1)), today)["vaccine.influenza:2025"].waits
    mother = Person(date(1995, 3, 1), "F", date(2026, 1, 20))
    assert of(mother, today)["pregnancy.influenza:2025"].waits
    assert "pregnancy.influenza:2025" not in of(mother, date(2026, 1, 21)), "she has given birth"
    assert of(Person(date(1995, 3, 1), "F", date(2026, 2, 20)), today)["pregnancy.diabetes:202602"].state is (
        State.TO_DISCUSS
    )


@pytest.mark.parametrize(
    ("key", "first", "over"),
    [
        ("checkup.18-25", 18, 26),
        ("checkup.45-50", 45, 51),
        ("checkup.60-65", 60, 66),
        ("checkup.70-75", 70, 76),
        ("screening.breast", 50, 75),
        ("screening.colorectal", 50, 75),
        ("screening.cervix-cytology", 25, 30),
        ("screening.cervix-hpv", 30, 66),
    ],
)
@pytest.mark.parametrize("born", [date(1960, 2, 29), date(1961, 12, 31), date(1962, 1, 1)])
def test_an_age_begins_on_its_birthday_and_is_over_on_the_one_after_its_last_year(
    key: str, first: int, over: int, born: date
) -> None:
    # Far enough for the rules to be in force at every age.
    born = Span(12 * 40).after(born) if first < 60 else Span(12 * 20).after(born)
    woman = Person(born, "F")
    assert of(woman, at(first, born) - A_DAY)[key].state is State.TO_COME
    assert of(woman, at(first, born))[key].waits
    assert of(woman, at(over, born) - A_DAY)[key].waits
    assert key not in of(woman, at(over, born))


def test_the_rules_that_began_or_ended_on_a_day_hold_from_that_day() -> None:
    seventh = "examination.7th-year"
    assert seventh not in of(Person(date(2018, 1, 1)), date(2025, 1, 1)), "seven years old on the day it began"
    assert of(Person(date(2018, 1, 2)), date(2025, 1, 1))[seventh].state is State.DUE
    assert "examination.1-month" in of(Person(date(2024, 12, 2)), date(2024, 12, 20)), "its month ended with the rule"
    assert "examination.1-month" not in of(Person(date(2024, 12, 3)), date(2024, 12, 20))
    teeth = of(Person(date(2001, 4, 2)), date(2025, 4, 1))
    yearly = [key for key in teeth if key.startswith("dental.")]
    assert [teeth[key].state for key in yearly] == [State.DUE], "24 until the day before 25"
    assert not [key for key in of(Person(date(2001, 4, 2)), date(2026, 4, 2)) if key.startswith("dental.")]


def test_a_campaign_is_spent_on_the_day_after_its_last() -> None:
    flu = next(rule for rule in RULES if rule.id == "vaccine.influenza")
    assert not flu.spent(date(2026, 1, 31))
    assert flu.spent(date(2026, 2, 1))
    old = Person(date(1950, 3, 1))
    assert of(old, date(2026, 1, 31))["vaccine.influenza:2025"].waits
    assert not [key for key in of(old, date(2026, 2, 1)) if key.startswith("vaccine.influenza:")]


def test_two_versions_of_a_calendar_follow_each_other_without_asking_again_what_was_done() -> None:
    """The screening of the breast from 50, then from 45: nobody loses what was done, and each day has one version."""
    old = next(rule for rule in RULES if rule.id == "screening.breast")
    new = replace(old, plan=replace(old.plan, start=Span.of("45y")))
    done = History(acts=(Act(frozenset({"24606-6"}), date(2026, 2, 1), READ),))
    for person, before, after in (
        (Person(date(1980, 6, 1), "F"), State.TO_COME, State.OVERDUE),
        (Person(date(1970, 6, 1), "F"), State.OVERDUE, State.OVERDUE),
    ):
        today = date(2026, 7, 1)
        assert of(person, today, rules=[old])["screening.breast"].state is before
        assert of(person, today, rules=[new])["screening.breast"].state in (after, State.DUE)
        kept = of(person, today, done, [old]), of(person, today, done, [new])
        assert kept[0].keys() == kept[1].keys()
        assert kept[0]["screening.breast:20260201"].done == kept[1]["screening.breast:20260201"].done


def test_twins_have_each_their_own_and_the_same_calendar() -> None:
    born, today = date(2026, 1, 10), date(2026, 4, 1)
    one = of(Person(born, "F"), today, given_(("60645557", date(2026, 3, 10))))
    other = of(Person(born, "F"), today)
    assert one.keys() == other.keys()
    differ = {key for key in one if one[key].state is not other[key].state}
    assert differ == {"vaccine.hexavalent:1"}


ages = st.dates(date(1930, 1, 1), date(2026, 1, 1)) | st.sampled_from([date(2024, 2, 29), date(1976, 2, 29)])


@settings(max_examples=60)
@given(st.data())
def test_whoever_one_is_the_law_the_sex_and_what_is_apart_are_kept_to(data: st.DataObject) -> None:
    born = data.draw(ages)
    today = data.draw(st.dates(max(born, date(2025, 12, 20)), date(2040, 1, 1)))
    person = Person(born, data.draw(st.sampled_from(["F", "M", None])), premature=data.draw(st.booleans()))
    codes = data.draw(st.frozensets(st.sampled_from(["C50.4", "C18.0", "C53", "D24", "Z90.7", "I10"])))
    ill = tuple(Illness(frozenset({code}), min(today, at(1, born)), READ) for code in codes)
    for item in of(person, today, History(illnesses=ill)).values():
        rule = item.rule
        if item.waits:
            assert not rule.audience.conditions
            assert rule.audience.sex in (None, person.sex)
            assert not any(code.startswith(tuple(rule.unless)) for code in codes if rule.unless)
        if item.mandatory:
            assert rule.kind in (Kind.EXAMINATION, Kind.VACCINE)
            assert rule.mandatory_born_from is None or born >= rule.mandatory_born_from
