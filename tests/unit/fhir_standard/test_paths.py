"""FHIRPath on a resource: navigation, conditions, functions, places, and errors that say what is wrong."""

from typing import Any

import pytest

from ambroise.fhir.paths import PathError, evaluate, parse, select

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "active": True,
    "name": [
        {"use": "official", "family": "Rivoire", "given": ["Ada", None], "_given": [None, {"id": "second"}]},
        {"use": "usual", "given": ["Adou"]},
    ],
    "birthDate": "1970-03",
    "_birthDate": {"extension": [{"url": "http://example.org/time", "valueDateTime": "1970-03-03T10:00:00Z"}]},
    "multipleBirthInteger": 2,
    "contained": [{"resourceType": "Organization", "id": "clinic", "name": "Clinique"}],
    "managingOrganization": {"reference": "#clinic"},
    "telecom": [{"system": "phone", "value": "01", "rank": 2}, {"system": "email", "value": "a@example.org"}],
    "extension": [{"url": "http://example.org/flag", "valueBoolean": False}],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Patient.name.family", ["Rivoire"]),
        ("name.given", ["Ada", None, "Adou"]),
        ("Resource.active", [True]),
        ("Observation.name", []),
        ("name[0].given[0]", ["Ada"]),
        ("name[5]", []),
        ("name.where(use = 'usual').given", ["Adou"]),
        ("name.given.where($this = 'Ada')", ["Ada"]),
        ("name.select(given.first())", ["Ada", "Adou"]),
        ("name.where($index = 1).use", ["usual"]),
        ("multipleBirth", [2]),
        ("multipleBirth.ofType(integer)", [2]),
        ("multipleBirth.ofType(boolean)", []),
        ("(multipleBirth as integer)", [2]),
        ("multipleBirth is integer", [True]),
        ("birthDate.extension('http://example.org/time').value", ["1970-03-03T10:00:00Z"]),
        ("extension('http://example.org/flag').value", [False]),
        ("managingOrganization.resolve().name", ["Clinique"]),
        ("contained.ofType(Organization).name", ["Clinique"]),
        ("telecom.value | name.use", ["01", "a@example.org", "official", "usual"]),
        ("telecom.count() > 1 and name.exists()", [True]),
        ("telecom.exists(system = 'fax')", [False]),
        ("telecom.all(value.exists())", [True]),
        ("photo.empty() implies gender.exists()", [False]),
        ("gender = 'female'", []),
        ("gender.exists() or active", [True]),
        ("active xor true", [False]),
        ("telecom.rank + 3 * 2", [8]),
        ("'a' & 'b' & gender", ["ab"]),
        ("name.family.startsWith('Riv')", [True]),
        ("name.family.matches('^R.*e$')", [True]),
        ("name.family.substring(1, 3)", ["ivo"]),
        ("name.family.replaceMatches('o.*', '')", ["Riv"]),
        ("name.use.join(', ')", ["official, usual"]),
        ("'official' in name.use", [True]),
        ("name.use contains 'fax'", [False]),
        ("name.use.isDistinct()", [True]),
        ("(name.use | name.use).count()", [2]),
        ("name.use.combine(name.use).count()", [4]),
        ("birthDate < '1970-05'", [True]),
        ("birthDate < '1970-03-15'", []),
        ("@2020-01-01 > birthDate", [True]),
        ("iif(active, 'yes', 'no')", ["yes"]),
        ("name.use.skip(1)", ["usual"]),
        ("name.use.last()", ["usual"]),
        ("Patient.descendants().where(reference = '#clinic').exists()", [True]),
        ("-multipleBirth.ofType(integer)", [-2]),
        ("{}", []),
        ("%resource.active", [True]),
        ("%ucum", ["http://unitsofmeasure.org"]),
        ("`name`.`family`", ["Rivoire"]),
        ("active /* whether in use */ = true // always", [True]),
        ("multipleBirth.toString().length()", [1]),
    ],
)
def test_a_path_gives(path: str, expected: list[Any]) -> None:
    assert evaluate(path, PATIENT) == expected


def test_select_gives_places() -> None:
    places = select("Patient.name.given", PATIENT)
    assert [place.location() for place in places] == [
        "Patient.name[0].given[0]",
        "Patient.name[0].given[1]",
        "Patient.name[1].given[0]",
    ]
    first = places[0]
    assert (first.key, first.index, first.type) == ("given", 0, "string")
    assert first.parent is not None
    assert first.parent.value is PATIENT["name"][0]


def test_a_choice_is_placed_at_its_json_key() -> None:
    (place,) = select("Patient.multipleBirth", PATIENT)
    assert (place.key, place.type) == ("multipleBirthInteger", "integer")


def test_a_primitive_with_only_an_extension_exists_without_a_value() -> None:
    patient = {"resourceType": "Patient", "_gender": {"extension": [{"url": "http://a", "valueCode": "x"}]}}
    assert evaluate("gender.exists()", patient) == [True]
    assert evaluate("gender.hasValue()", patient) == [False]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("name.", "the end"),
        ("name where", "'where' at 6"),
        ("name.where(", "the end"),
        ("name[", "the end"),
        ("#name", "character at 1"),
        ("name.fly()", "fly()"),
        ("name.first(1)", "0 arguments"),
        ("%patient", "%patient"),
        ("name.family.matches('[')", "regular expression"),
        ("name.family.matches('(a+)+$')", "repetition"),
        ("name.family.matches('.*.*.*x')", "repetition"),
        ("name['x']", "integer"),
        ("name.where(use + 1)", "two numbers"),
        ("5 'mg' > 3 'mg'", "not supported"),
        ("name." * 500 + "use", "words"),
        ("(" * 100 + "name" + ")" * 100, "nests"),
        ("-" * 200 + "1", "nests"),
        ("name = '" + "x" * 20_000 + "'", "characters"),
    ],
)
def test_a_path_that_is_wrong_says_what_and_where(path: str, says: str) -> None:
    with pytest.raises(PathError) as error:
        evaluate(path, PATIENT)
    assert says in str(error.value)


def test_a_computed_value_is_no_place() -> None:
    with pytest.raises(PathError, match="computes"):
        select("name.count()", PATIENT)


def test_the_strongest_operators_bind_first() -> None:
    assert parse("a or b and c = d + e * f") == parse("a or (b and (c = (d + (e * f))))")
    assert parse("a implies b or c") == parse("a implies (b or c)")
    assert parse("a | b = c") == parse("(a | b) = c")
