"""Names, dates, plots and tokens."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import name_of, professions
from ambroise.interfaces.web.ui import dates, plots, tokens
from ambroise.interfaces.web.ui.visit import local_address


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("DR Camille TÉMOIN", "Dr Camille Témoin"),
        ("JEAN-PIERRE D'ARC", "Jean-Pierre D'Arc"),
        ("Ana Fictive", "Ana Fictive"),
    ],
)
def test_names_in_capitals_are_read_as_names(written: str, read: str) -> None:
    assert proper(written) == read


def test_days_are_those_of_paris() -> None:
    assert (
        dates.day(datetime(2026, 2, 28, 23, 30, tzinfo=UTC))
        == '<time datetime="2026-03-01">1er\u00a0mars\u00a02026</time>'
    )


@pytest.mark.parametrize(
    ("birth", "expected"),
    [(date(2020, 3, 15), "5\u00a0ans"), (date(2020, 3, 14), "6\u00a0ans"), (date(2025, 1, 20), "13\u00a0mois")],
)
def test_ages_change_on_the_birthday(birth: date, expected: str) -> None:
    assert dates.age(birth, date(2026, 3, 14)) == expected


def test_a_curve_needs_two_points_and_tells_them_in_words() -> None:
    points = [plots.Point(date(2025, 9, 9), Decimal("7.1")), plots.Point(date(2026, 3, 3), Decimal("6.70"))]
    assert plots.curve("HbA1c", "%", points[:1], None, None) is None
    drawn = plots.curve("HbA1c", "%", points, Decimal("4"), Decimal("6"))
    assert drawn is not None
    assert drawn.description == "7,1\u00a0% en septembre 2025, 6,70\u00a0% en mars 2026."
    assert drawn.marks[0].y < drawn.marks[1].y, "a lower value is drawn lower"
    assert drawn.range_y is not None
    assert drawn.range_y > drawn.marks[1].y, "both values are above the range"


def test_a_form_token_is_good_for_its_browser_alone_and_never_the_same() -> None:
    one, other = tokens.drawn("browser-a"), tokens.drawn("browser-a")
    assert one != other
    assert tokens.genuine("browser-a", one)
    assert tokens.genuine("browser-a", other)
    assert not tokens.genuine("browser-b", one)
    assert not tokens.genuine("browser-a", "nonsense")


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
        "/\t\\elsewhere.example",
        "/\n\\elsewhere.example",
        "",
        None,
    ],
)
def test_a_link_never_leads_elsewhere(address: str | None) -> None:
    assert local_address(address, "/accueil") == "/accueil"
    assert local_address("/documents?page=2") == "/documents?page=2"


def test_the_matrix_is_told_for_each_profession_on_the_same_lines() -> None:
    told = professions(datetime(2026, 3, 14, tzinfo=UTC))
    lines = [[line.words for line in one.lines] for one in told]
    assert all(one == lines[0] for one in lines)
    doctor, nurse = told[0], told[2]
    assert any(line.exceptions or line.readable == "no" for line in nurse.lines)
    assert sum(line.readable == "yes" for line in doctor.lines) > sum(line.readable == "yes" for line in nurse.lines)


def test_a_role_is_said_after_the_name() -> None:
    assert name_of("1.2.250.1.71.1.2.7", "10", "SM54") == "médecin, médecine générale"
