"""The tables of the access rules are whole and say what the sources say."""

import pytest

from ambroise.fhir.definitions import is_resource_type
from ambroise.trust.access.kinds import (
    IDENTITY,
    OPERATIONAL,
    SUBMISSION,
    Shelf,
    citizen_kinds,
    kind_of,
    kinds,
    load_table,
    needs_patient,
    shelf_of,
)
from ambroise.trust.access.matrix import first_matrix

PROFESSION = "1.2.250.1.71.1.2.7"


def test_every_type_has_one_number() -> None:
    table = kinds()
    assert len(table.numbers) == 115
    assert table.numbers["E1762"]
    assert [table.pseudo[name] for name in ("OPERATIONAL", "IDENTITY", "SUBMISSION")] == [
        OPERATIONAL,
        IDENTITY,
        SUBMISSION,
    ]
    assert all(table.code(number) == code for code, number in table.numbers.items())


@pytest.mark.parametrize(
    ("profession", "read", "hidden"),
    [
        ("10", ["68599-0", "75496-0", "83901-9", "89601-9", "REMB"], ["ATTEST-RESID"]),
        (
            "60",
            ["83981-1", "DOCPAT06", "47420-5", "11502-2", "15507-7", "56445-0", "PROT_ALD"],
            ["75496-0", "68599-0", "83901-9", "68817-6", "89601-9"],
        ),
        ("40", ["11502-2"], ["75496-0", "68599-0", "83901-9", "80788-3", "83981-1"]),
    ],
)
def test_the_verified_cells_are_those_that_were_read(profession: str, read: list[str], hidden: list[str]) -> None:
    role = first_matrix().role(PROFESSION, profession)
    for code in read:
        assert kinds().number(code) in role.readable
    for code in hidden:
        assert kinds().number(code) not in role.readable
        assert role.mark(kinds().number(code)) == "verified"


def test_the_same_code_in_another_table_is_another_role() -> None:
    assert first_matrix().role("1.2.250.1.213.1.6.1.109", "93").name == "social"
    assert first_matrix().role(PROFESSION, "93").name == "social"
    assert first_matrix().role("1.2.3", "10").readable == frozenset()
    assert first_matrix().role("1.2.250.1.213.1.6.1.107", "345").name == "social"


def test_nobody_reads_signatures_nor_the_life_of_the_space() -> None:
    for role in first_matrix().roles.values():
        assert not {kinds().numbers["E1762"], OPERATIONAL, 0} & role.readable


def test_every_cell_of_a_profession_is_shown_with_its_mark() -> None:
    cells = list(first_matrix().cells(PROFESSION, "60"))
    assert len(cells) == 115
    assert sum(cell.mark == "verified" for cell in cells) == 12


def test_the_table_of_resources_names_r4_types() -> None:
    raw = load_table("resources.toml")
    named = {
        *raw["shelves"]["open"],
        *raw["shelves"]["patient_optional"],
        *raw["kind"],
        *raw["typed"]["types"],
        *raw["write"]["citizen"],
        *raw["write"]["professional"],
    }
    assert not [name for name in named if not is_resource_type(name)]


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({"resourceType": "Observation", "category": [{"coding": [{"code": "laboratory"}]}]}, "11502-2"),
        ({"resourceType": "Observation", "category": [{"coding": [{"code": "vital-signs"}]}]}, "29274-8"),
        ({"resourceType": "Observation"}, "11488-4"),
        ({"resourceType": "Immunization"}, "11369-6"),
        ({"resourceType": "MedicationRequest"}, "57833-6"),
        ({"resourceType": "AllergyIntolerance"}, "60591-5"),
        ({"resourceType": "DocumentReference", "type": {"coding": [{"code": "34112-3"}]}}, "34112-3"),
        ({"resourceType": "DocumentReference", "type": {"coding": [{"code": "?"}]}}, "UNLABELLED"),
        ({"resourceType": "Encounter", "class": {"code": "IMP"}}, "34112-3"),
        ({"resourceType": "List", "code": {"coding": [{"code": "submissionset"}]}}, "SUBMISSION"),
        ({"resourceType": "List"}, "OPERATIONAL"),
        ({"resourceType": "Consent"}, "OPERATIONAL"),
        ({"resourceType": "Patient"}, "IDENTITY"),
    ],
)
def test_a_resource_counts_as_a_kind(resource: dict[str, object], code: str) -> None:
    assert kind_of(resource) == kinds().number(code)


def test_shelves() -> None:
    assert shelf_of("Practitioner") is Shelf.OPEN
    assert shelf_of("ValueSet") is Shelf.OPEN
    assert shelf_of("Observation") is Shelf.PATIENT
    assert shelf_of("Group", with_patient=False) is Shelf.CLOSED
    assert shelf_of("Schedule", with_patient=False) is Shelf.OPEN
    assert needs_patient("Observation")
    assert not needs_patient("Schedule")
    assert not needs_patient("Practitioner")
    assert kinds().number("EXPPAT_3") in citizen_kinds()
