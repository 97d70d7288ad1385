"""What the parser makes of parameters, and what it says of those that it cannot use."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ambroise.fhir.search import pairs_of, parse
from ambroise.fhir.search.query import (
    AllOf,
    AnyOf,
    Chain,
    DateRange,
    Filter,
    Has,
    NumberRange,
    Presence,
    Query,
    Summary,
    Target,
    Text,
    Token,
    Total,
    TypedIdentifier,
)
from ambroise.fhir.search.values import split
from ambroise.kernel.errors import Kind, Refusal

NOW = datetime(2026, 3, 14, tzinfo=UTC)


def read(type: str, query: str, **options: Any) -> Query:
    return parse(type, pairs_of(query), now=NOW, **options)


def values(type: str, query: str, **options: Any) -> tuple[Any, ...]:
    (clause,) = read(type, query, **options).clauses
    assert isinstance(clause, Filter)
    return clause.values


def day(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("code=one", (Token(None, "one"),)),
        ("code=http://s|one", (Token("http://s", "one"),)),
        ("code=|one", (Token("", "one"),)),
        ("code=http://s|", (Token("http://s", None),)),
        ("code=one,http://s|two", (Token(None, "one"), Token("http://s", "two"))),
        (r"code=a\,b,c\|d,e\\f", (Token(None, "a,b"), Token(None, "c|d"), Token(None, r"e\f"))),
        ("code:missing=true", (Presence(True),)),
        ("code:text=head ache", (Text("head ache"),)),
        ("identifier:of-type=http://t|MR|12", (TypedIdentifier("http://t", "MR", "12"),)),
        ("identifier:of-type=|MR|12", (TypedIdentifier("", "MR", "12"),)),
        ("date=2024", (DateRange("eq", day(2024), day(2025)),)),
        ("date=ge2024-02", (DateRange("ge", day(2024, 2), day(2024, 3)),)),
        ("date=lt2024-02-29", (DateRange("lt", day(2024, 2, 29), day(2024, 3)),)),
        (
            "date=sa2024-02-29T10:00:00%2B01:00",
            (DateRange("sa", datetime(2024, 2, 29, 9, tzinfo=UTC), datetime(2024, 2, 29, 9, 0, 1, tzinfo=UTC)),),
        ),
        (
            "date=2024-02-29T10:00:00+01:00",
            (DateRange("eq", datetime(2024, 2, 29, 9, tzinfo=UTC), datetime(2024, 2, 29, 9, 0, 1, tzinfo=UTC)),),
        ),
        (
            "value-quantity=5.40",
            (NumberRange("eq", Decimal("5.40"), Decimal("5.395"), Decimal("5.405")),),
        ),
        (
            "value-quantity=gt5.4|http://u|mg",
            (NumberRange("gt", Decimal("5.4"), Decimal("5.35"), Decimal("5.45"), "http://u", "mg"),),
        ),
        ("value-quantity=100||mg", (NumberRange("eq", Decimal(100), Decimal("99.5"), Decimal("100.5"), None, "mg"),)),
        ("value-quantity=ap100", (NumberRange("ap", Decimal(100), Decimal("90.0"), Decimal("110.0")),)),
        ("value-string=cr%C3%A8me", (Text("crème"),)),
        ("encounter=12", (Target(("Encounter/12", "EpisodeOfCare/12")),)),
        ("encounter=Encounter/12", (Target(("Encounter/12",)),)),
        ("encounter=Encounter/12/_history/3", (Target(("Encounter/12",)),)),
        ("encounter:Encounter=12", (Target(("Encounter/12",)),)),
        ("patient=12", (Target(("Patient/12",)),)),
        ("subject=http://elsewhere/Patient/12", (Target(("http://elsewhere/Patient/12",)),)),
        ("subject=https://here/fhir/Patient/12", (Target(("Patient/12",)),)),
        ("subject:identifier=http://s|12", (Token("http://s", "12"),)),
        ("_profile:below=http://p/a", (Text("http://p/a"),)),
    ],
)
def test_a_value_means(written: str, meant: tuple[Any, ...]) -> None:
    assert values("Observation", written, bases=["https://here/fhir"]) == meant


def test_the_range_of_an_approximate_date_grows_with_its_distance() -> None:
    (found,) = values("Observation", "date=ap2026-03-04")
    assert found == DateRange("ap", day(2026, 3, 3), day(2026, 3, 6))


@pytest.mark.parametrize(
    ("type", "written", "code", "named", "nearest"),
    [
        ("Observation", "patiant=1", "SEARCH_PARAMETER_UNKNOWN", "patiant", "patient"),
        ("Observation", "zzzz=1", "SEARCH_PARAMETER_UNKNOWN", "zzzz", None),
        ("Observation", "_sorte=date", "SEARCH_PARAMETER_UNKNOWN", "_sorte", "_sort"),
        ("Observation", "subject:Patient.nmae=1", "SEARCH_PARAMETER_UNKNOWN", "nmae", "name"),
        ("Observation", "subjet:Patient.name=1", "SEARCH_PARAMETER_UNKNOWN", "subjet", "subject"),
        ("Patient", "_has:Observation:patient:cod=1", "SEARCH_PARAMETER_UNKNOWN", "cod", "code"),
        ("Patient", "_has:Observation:patiant:code=1", "SEARCH_PARAMETER_UNKNOWN", "patiant", "patient"),
        ("Patient", "_has:Observatio:patient:code=1", "SEARCH_VALUE_INVALID", "_has", "Observation"),
        ("Patient", "_has:Observation:encounter:code=1", "SEARCH_PARAMETER_UNSUPPORTED", "encounter", None),
        ("Patient", "_has:Observation:code=1", "SEARCH_VALUE_INVALID", "_has", None),
        ("Observation", "code:zzz=1", "SEARCH_MODIFIER_UNSUPPORTED", "code", None),
        ("Patient", "name:exat=1", "SEARCH_MODIFIER_UNSUPPORTED", "name", "exact"),
        ("Observation", "code:above=1", "SEARCH_MODIFIER_UNSUPPORTED", "code", None),
        ("Observation", "code:in=http://v", "SEARCH_MODIFIER_UNSUPPORTED", "code", None),
        ("DocumentReference", "subject:Patiant=1", "SEARCH_MODIFIER_UNSUPPORTED", "subject", "Patient"),
        ("Observation", "code=", "SEARCH_VALUE_INVALID", "code", None),
        ("Observation", "code=a,,b", "SEARCH_VALUE_INVALID", "code", None),
        ("Observation", "code=a|b|c", "SEARCH_VALUE_INVALID", "code", None),
        ("Observation", "date=2024-13", "SEARCH_VALUE_INVALID", "date", None),
        ("Observation", "date=2023-02-29", "SEARCH_VALUE_INVALID", "date", None),
        ("Observation", "date=yesterday", "SEARCH_VALUE_INVALID", "date", None),
        ("Observation", "value-quantity=many", "SEARCH_VALUE_INVALID", "value-quantity", None),
        ("Observation", "value-quantity=5|mg", "SEARCH_VALUE_INVALID", "value-quantity", None),
        ("Observation", "code:missing=maybe", "SEARCH_VALUE_INVALID", "code:missing", None),
        ("Observation", "patient=a b", "SEARCH_VALUE_INVALID", "patient", None),
        ("Observation", "identifier:of-type=a|b", "SEARCH_VALUE_INVALID", "identifier:of-type", None),
        ("Observation", "_count=many", "SEARCH_VALUE_INVALID", "_count", None),
        ("Observation", "_count=-1", "SEARCH_VALUE_INVALID", "_count", None),
        ("Observation", "_total=acurate", "SEARCH_VALUE_INVALID", "_total", "accurate"),
        ("Observation", "_summary=yes", "SEARCH_VALUE_INVALID", "_summary", None),
        ("Observation", "_sort=dat", "SEARCH_PARAMETER_UNKNOWN", "dat", "date"),
        ("Observation", "_sort=status", "SEARCH_PARAMETER_UNSUPPORTED", "_sort=status", None),
        ("Observation", "_elements=sttus", "SEARCH_VALUE_INVALID", "_elements", "status"),
        ("Observation", "_include=Observation", "SEARCH_VALUE_INVALID", "_include", None),
        ("Observation", "_include=Observation:code", "SEARCH_PARAMETER_UNKNOWN", "code", None),
        ("Observation", "_include=Observatio:subject", "SEARCH_VALUE_INVALID", "_include", "Observation"),
        ("Observation", "code.text=1", "SEARCH_PARAMETER_UNSUPPORTED", "code.text", None),
        ("Location", "near=1|2", "SEARCH_PARAMETER_UNSUPPORTED", "near", None),
        ("Observation", "component-code-value-quantity=a$1", "SEARCH_PARAMETER_UNSUPPORTED", None, None),
        ("Observation", "code-value-quantity=a", "SEARCH_VALUE_INVALID", "code-value-quantity", None),
        ("Observation", "_cursor=x&code=y", "SEARCH_VALUE_INVALID", "_cursor", None),
        (
            "Observation",
            ".".join(["derived-from:Observation"] * 9) + ".code=1",
            "SEARCH_PARAMETER_UNSUPPORTED",
            None,
            None,
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    type: str, written: str, code: str, named: str | None, nearest: str | None
) -> None:
    with pytest.raises(Refusal) as caught:
        read(type, written)
    refusal = caught.value
    assert (refusal.kind, refusal.code) == (Kind.INVALID, code)
    if named is not None:
        assert refusal.element == named
        assert refusal.data.get("nearest") == nearest
    assert nearest is None or f"'{nearest}'" in refusal.diagnostics


def test_a_lenient_search_leaves_out_what_it_cannot_use_and_tells() -> None:
    query = read("Observation", "patient=1&colour=red&_sort=taste&code=x&_format=json", lenient=True)
    assert query.applied == "patient=1&code=x"
    assert [(each.parameter, each.value) for each in query.ignored] == [("colour", "red"), ("_sort", "taste")]
    assert "colour" in query.ignored[0].diagnostics
    assert query.sort == ()


def test_repeated_parameters_are_all_asked_for() -> None:
    assert len(read("Observation", "date=ge2020&date=lt2021").clauses) == 2


def test_result_parameters_are_read() -> None:
    query = read(
        "Observation",
        "_sort=-date,_id&_count=5&_total=none&_summary=count&_elements=code,value"
        "&_include=Observation:subject:Patient&_include:iterate=Patient:general-practitioner&_include=*"
        "&_revinclude=Provenance:target",
    )
    assert [(sort.parameter.code, sort.descending) for sort in query.sort] == [("date", True), ("_id", False)]
    assert (query.count, query.total, query.summary) == (5, Total.NONE, Summary.COUNT)
    assert query.elements == ("code", "value")
    assert [(i.source, i.parameter and i.parameter.code, i.target, i.iterate) for i in query.includes] == [
        ("Observation", "subject", "Patient", False),
        ("Patient", "general-practitioner", None, True),
        ("Observation", None, None, False),
    ]
    assert [(i.source, i.parameter and i.parameter.code) for i in query.revincludes] == [("Provenance", "target")]


def test_a_page_is_never_larger_than_a_thousand() -> None:
    assert read("Observation", "_count=1000000").count == 1000


def test_a_chain_leads_to_every_type_that_has_the_parameter() -> None:
    (clause,) = read("Observation", "subject.name=x").clauses
    assert isinstance(clause, Chain)
    assert {target for target, _ in clause.targets} == {"Patient", "Location"}


def test_chains_and_reverse_chains_nest() -> None:
    (clause,) = read(
        "Patient", "_has:Encounter:patient:_has:Observation:encounter:performer:Practitioner.name=x"
    ).clauses
    assert isinstance(clause, Has)
    assert isinstance(clause.clause, Has)
    assert isinstance(clause.clause.clause, Chain)


def test_a_parameter_named_like_a_chain_is_both() -> None:
    (clause,) = read("DocumentReference", "author.family=x").clauses
    assert isinstance(clause, AnyOf)
    own, chained = clause.clauses
    assert isinstance(own, Filter)
    assert isinstance(chained, Chain)


def test_a_composite_of_the_resource_itself_asks_for_its_parts() -> None:
    (clause,) = read("Observation", "code-value-quantity=http://l|1$gt5").clauses
    assert isinstance(clause, AllOf)
    assert [part.parameter.code for part in clause.clauses if isinstance(part, Filter)] == ["code", "value-quantity"]


def test_the_applied_query_can_be_read_again() -> None:
    query = read("Observation", "code=a%5C%2Cb%26c%3Dd&value-string=x%20y%25z&date=ge2020-01-01T10:00:00%2B01:00")
    assert pairs_of(query.applied) == list(query.pairs)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (",", ["", ""]),
        (r"a\,b,c", [r"a\,b", "c"]),
        (r"a\\,b", [r"a\\", "b"]),
        ("a\\", ["a\\"]),
    ],
)
def test_values_are_split_where_the_sign_is_not_escaped(text: str, parts: list[str]) -> None:
    assert split(text, ",") == parts
