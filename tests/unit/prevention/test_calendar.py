"""The rules that come with the software, for people of known ages, and what holds for everybody."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ambroise.interfaces.web.desk.prevention_rules import form_of, text_of
from ambroise.modules.prevention.engine import path
from ambroise.modules.prevention.engine.doses import TOLERANCE
from ambroise.modules.prevention.model import (
    Act,
    Declined,
    Doses,
    Given,
    History,
    Item,
    Kind,
    Person,
    Source,
    State,
    plain,
    read_rule,
)
from ambroise.modules.prevention.shipped import antigens, shipped
from ambroise.modules.prevention.spans import Span, shift_back

RULES = [one.rule for one in shipped()]
SAID = Source("declared", "Procedure/1")
RANK = {State.TO_COME: 0, State.DUE: 1, State.OVERDUE: 2, State.UNKNOWN: 3}
HEXAVALENT = antigens()["60645557"]
MENB, MMR = frozenset({"MENB"}), frozenset({"MEASLES", "MUMPS", "RUBELLA"})


def of(person: Person, today: date, history: History | None = None) -> dict[str, Item]:
    return {item.key: item for item in path(RULES, person, history or History(), today)}


def doses(held: frozenset[str], *days: date) -> History:
    return History(given=tuple(Given(held, day, SAID) for day in days))


def test_a_child_has_the_twenty_mandatory_examinations_of_2025() -> None:
    items = of(Person(date(2025, 3, 1)), date(2025, 3, 2)).values()
    mandatory = [item for item in items if item.rule.kind is Kind.EXAMINATION]
    assert len(mandatory) == 20
    assert all(item.rule.mandatory for item in mandatory)


def test_the_examination_abolished_in_2025_is_asked_of_nobody_born_since_and_kept_for_those_before() -> None:
    assert "examination.1-month" not in of(Person(date(2025, 3, 1)), date(2025, 4, 1))
    assert "examination.1-month" in of(Person(date(2024, 3, 1)), date(2025, 4, 1))
    assert "examination.7th-year" not in of(Person(date(2016, 3, 1)), date(2025, 4, 1))
    assert of(Person(date(2018, 6, 1)), date(2025, 4, 1))["examination.7th-year"].state is State.DUE


def test_a_certificate_in_the_record_closes_its_examination() -> None:
    for age, format, key in ((8, "cs8", "8-days"), (275, "cs9", "9-months"), (740, "cs24", "24-months")):
        day = date(2024, 3, 1) + timedelta(days=age)
        act = Act(frozenset({"CERT_DECL", f"urn:asip:ci-sis:cse-{format}:2017"}), day, Source("document", "x"))
        item = of(Person(date(2024, 3, 1)), date(2026, 9, 1), History(acts=(act,)))[f"examination.{key}"]
        assert (item.state, item.done) == (State.DONE, day)


def test_a_dose_too_early_does_not_count_and_the_next_waits_for_the_least_interval() -> None:
    born, today = date(2025, 1, 10), date(2025, 6, 1)
    items = of(Person(born), today, doses(HEXAVALENT, date(2025, 3, 10), date(2025, 4, 1)))
    assert items["vaccine.hexavalent:1"].state is State.DONE
    second = items["vaccine.hexavalent:2"]
    assert second.too_early == (date(2025, 4, 1),)
    assert second.start == date(2025, 5, 5)
    tolerated = of(Person(born), today, doses(HEXAVALENT, date(2025, 3, 10), date(2025, 5, 1)))
    assert tolerated["vaccine.hexavalent:2"].state is State.DONE


def test_who_begins_late_follows_the_catch_up_of_that_age() -> None:
    born = date(2025, 1, 10)
    begun = of(Person(born), date(2026, 3, 1), doses(MENB, date(2026, 2, 1)))
    assert begun["vaccine.meningococcus-b:2"].start == date(2026, 4, 1)
    assert begun["vaccine.meningococcus-b:3"].start == date(2027, 4, 1)
    assert "vaccine.meningococcus-acwy:2" not in begun, "from twelve months a single dose is enough"
    teenager = of(Person(date(2010, 1, 10)), date(2026, 3, 1))
    assert [key for key in teenager if key.startswith("vaccine.hpv")] == [f"vaccine.hpv:{n}" for n in (1, 2, 3)]


def test_an_adult_without_any_dose_in_the_record_is_told_to_check_and_not_that_it_is_late() -> None:
    items = of(Person(date(1990, 1, 10), "M"), date(2026, 3, 1))
    assert items["vaccine.measles-mumps-rubella:1"].state is State.UNKNOWN
    assert not [item for item in items.values() if item.state is State.OVERDUE]
    known = of(Person(date(1990, 1, 10)), date(2026, 3, 1), doses(MMR, date(1991, 2, 1)))
    assert known["vaccine.measles-mumps-rubella:2"].state is State.OVERDUE


@pytest.mark.parametrize(("age", "key"), [(18, "18-25"), (50, "45-50"), (62, "60-65"), (75, "70-75")])
def test_the_check_up_of_a_key_age_is_due_once_in_its_band(age: int, key: str) -> None:
    born, today = date(2026 - age, 2, 1), date(2026, 3, 1)
    assert of(Person(born), today)[f"checkup.{key}"].state is State.DUE
    plan = Act(frozenset({"83869-8"}), date(2026, 2, 20), Source("document", "x"))
    assert of(Person(born), today, History(acts=(plan,)))[f"checkup.{key}"].state is State.DONE
    other = [name for name in of(Person(born), today) if name.startswith("checkup.") and name < f"checkup.{key}"]
    assert other == [], "a band that is over is not told of"


def test_a_woman_of_fifty_is_screened_and_the_next_turn_comes_after_the_interval() -> None:
    woman, today = Person(date(1975, 4, 12), "F"), date(2026, 3, 1)
    assert of(woman, today)["screening.breast"].waits
    assert "screening.breast" not in of(Person(date(1975, 4, 12), "M"), today)
    act = Act(frozenset({"24606-6"}), date(2026, 2, 1), Source("document", "x"))
    assert of(woman, today, History(acts=(act,)))["screening.breast"].start == date(2028, 2, 1)
    smear = Act(frozenset({"10524-7"}), date(2025, 6, 1), Source("record", "x"))
    assert of(woman, today, History(acts=(smear,)))["screening.cervix-hpv"].start == date(2028, 6, 1)


def test_what_was_said_not_done_is_asked_no_more_until_its_next_turn() -> None:
    woman = Person(date(1975, 4, 12), "F")
    said = History(declined=(Declined("screening.breast", date(2026, 3, 1), SAID),))
    assert of(woman, date(2026, 3, 2), said)["screening.breast"].state is State.NOT_DONE
    assert of(woman, date(2028, 3, 1), said)["screening.breast"].state is State.DUE


def test_a_pregnancy_has_its_calendar_only_once_it_is_told() -> None:
    today, expected = date(2026, 3, 1), date(2026, 7, 1)
    assert not [key for key in of(Person(date(1995, 1, 1), "F"), today) if key.startswith("pregnancy.")]
    items = of(Person(date(1995, 1, 1), "F", expected), today)
    assert items["pregnancy.whooping-cough:202607"].state is State.DUE
    assert items["pregnancy.postnatal-interview:202607"].start == expected + timedelta(weeks=4)


def test_every_rule_has_a_source_a_date_both_languages_and_is_read_back_as_it_was() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.source
        assert rule.date <= date(2026, 1, 1)
        assert all((rule.title.fr, rule.title.en, rule.why.fr, rule.why.en))
        assert read_rule(plain(rule)) == rule
        assert rule.declared_as is None or rule.evidence.antigens <= antigens()[rule.declared_as]


def test_a_rule_that_passes_through_the_form_of_its_author_comes_out_as_it_was() -> None:
    for rule in RULES:
        form = form_of(rule, "Relue")
        form.id, form.kind = rule.id, rule.kind.value
        assert read_rule(form.whole(json.loads(text_of(rule)))) == rule


births = st.dates(date(1930, 1, 1), date(2026, 6, 1)) | st.sampled_from([date(2024, 2, 29), date(1976, 2, 29)])
people = st.builds(Person, births, st.sampled_from(["F", "M", None]))
held = st.sampled_from([HEXAVALENT, MENB, MMR, frozenset({"HPV"}), frozenset({"DIP", "TET", "POL"})])
codes = st.sampled_from(["MED-1232", "24606-6", "10524-7", "83869-8", "28617-9", "screening.colorectal"])


@st.composite
def histories(draw: st.DrawFn, person: Person, until: date) -> History:
    days = st.dates(person.birth, until)
    given_ = st.builds(Given, held, days, st.just(SAID))
    acts = st.builds(lambda code, day: Act(frozenset({code}), day, SAID), codes, days)
    return History(tuple(draw(st.lists(acts, max_size=3))), tuple(draw(st.lists(given_, max_size=5))))


@settings(max_examples=40)
@given(st.data())
def test_what_holds_for_everybody_on_any_day(data: st.DataObject) -> None:
    person = data.draw(people)
    today = data.draw(st.dates(max(person.birth, date(2025, 12, 20)), date(2045, 1, 1)))
    history = data.draw(histories(person, today))
    items = of(person, today, history)
    for item in items.values():
        if item.state is State.DONE:
            assert item.done is not None
            assert item.done <= today
            assert not item.waits
        if item.waits:
            assert item.start <= today, "nothing is asked for before it may be done"
        _least_age_and_interval(item, items, person)
    later = of(person, today + timedelta(days=data.draw(st.integers(1, 900))), history)
    for key, item in items.items():
        after = later.get(key)
        if after is None:
            continue
        if item.state is State.DONE:
            assert after.state is State.DONE, key
        if item.state in RANK and after.state in RANK and ":" not in key.removesuffix(":1"):
            assert RANK[item.state] <= RANK[after.state], f"{key} went back from {item.state} to {after.state}"


def _least_age_and_interval(item: Item, items: dict[str, Item], person: Person) -> None:
    plan = item.rule.plan
    if not isinstance(plan, Doses):
        return
    name, _, number = item.key.rpartition(":")
    possible = [one.doses[int(number) - 1] for one in plan.series if len(one.doses) >= int(number)]
    given_on = item.done or item.start
    assert given_on >= min(dose.least.after(person.birth) for dose in possible) - TOLERANCE
    before = items.get(f"{name}:{int(number) - 1}")
    if before is not None and before.done is not None:
        assert given_on >= min(dose.after.after(before.done) for dose in possible) - TOLERANCE


@given(births, st.sampled_from(["8d", "6w", "2m", "16m", "1y", "25y"]))
def test_an_age_is_reached_on_one_day_and_the_day_of_birth_is_found_back(born: date, written: str) -> None:
    span = Span.of(written)
    assert Span.of(str(span)) == span
    reached = span.after(born)
    assert born < reached
    assert shift_back(reached, span) >= born
    assert span.after(shift_back(reached, span)) <= reached


def test_who_was_born_on_29_february_ages_on_the_28th_of_other_years() -> None:
    assert Span.of("1y").after(date(2024, 2, 29)) == date(2025, 2, 28)
    assert Span.of("4y").after(date(2024, 2, 29)) == date(2028, 2, 29)
