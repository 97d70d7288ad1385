"""The rules of the INS: key, OID, names, dates, comparison of traits."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ambroise.kernel.errors import Refusal
from ambroise.modules.identity import ins

REGISTRY = ins.Traits("PAT-TROIS", "DOMINIQUE", "DOMINIQUE MARIE-LOUISE", date(1979, 3, 28), ins.Sex.FEMALE, "51215")


@pytest.mark.parametrize(
    "matricule", ["279035121518989", "124018852493334", "255081416802538", "277010115400329", "297022A02077878"]
)
def test_published_matricules_have_a_right_key(matricule: str):
    assert ins.matricule_is_valid(matricule)


@given(st.from_regex(r"[12]\d{4}(\d{2}|2[AB])\d{6}", fullmatch=True))
def test_one_wrong_digit_breaks_the_key(number: str):
    right = f"{number}{ins.nir_key(number):02}"
    assert ins.matricule_is_valid(right)
    wrong = str((int(right[-1]) + 1) % 10)
    assert not ins.matricule_is_valid(right[:-1] + wrong)


@pytest.mark.parametrize(
    ("matricule", "oid", "demonstration", "problem"),
    [
        ("221042545611404", ins.TEST_OID, True, "key"),
        ("222127505611201", ins.NIR_OID, True, "production_oid"),
        ("277076322082910", ins.NIR_OID, True, "production_oid"),
        ("279035121518989", ins.TEST_OID, False, "test_oid"),
        ("279035121518989", "1.2.250.1.213.1.4.2", True, "oid"),
        ("27903512151898", ins.TEST_OID, True, "form"),
        ("279035121518989\n", ins.TEST_OID, True, "form"),
    ],
)
def test_an_identity_is_refused_for_what_is_wrong_with_it(matricule: str, oid: str, demonstration: bool, problem: str):
    with pytest.raises(Refusal) as refusal:
        ins.check_ins(ins.Ins(matricule, oid), demonstration=demonstration)
    assert refusal.value.code == "INS_INVALID"
    assert refusal.value.data["problem"] == problem


def test_the_test_identity_is_held_by_a_demonstration_instance():
    ins.check_ins(ins.Ins("279035121518989", ins.TEST_OID), demonstration=True)


def test_a_name_is_written_as_the_service_wants_it():
    assert ins.normal_name("  Lefèvre-d’Ormesson œuf ") == "LEFEVRE-D'ORMESSON OEUF"
    with pytest.raises(ValueError, match="3"):
        ins.normal_name("MART1N3".replace("1", "I"))


def test_unknown_parts_of_a_birth_date_follow_the_rniv():
    assert ins.birth_date_of("19790328") == date(1979, 3, 28)
    assert ins.birth_date_of("197903") == date(1979, 3, 1)
    assert ins.birth_date_of("1979-00-00") == date(1979, 12, 31)
    assert ins.birth_date_of("1979") == date(1979, 12, 31)
    with pytest.raises(ValueError, match="not a birth date"):
        ins.birth_date_of("hier")


def test_case_accents_and_separators_do_not_make_another_person():
    claimed = replace(REGISTRY, birth_name="Pat Trois", given_names="Dominique Marie Louise", first_given="Dominique")
    assert ins.differences(REGISTRY, claimed) == ()


@pytest.mark.parametrize(
    ("changed", "trait"),
    [
        ({"birth_name": "PAT-QUATRE"}, ins.Trait.BIRTH_NAME),
        ({"first_given": "MARIE"}, ins.Trait.FIRST_GIVEN),
        ({"given_names": "DOMINIQUE"}, ins.Trait.GIVEN_NAMES),
        ({"birth_date": date(1979, 3, 27)}, ins.Trait.BIRTH_DATE),
        ({"sex": ins.Sex.MALE}, ins.Trait.SEX),
        ({"birth_place": "63220"}, ins.Trait.BIRTH_PLACE),
    ],
)
def test_each_trait_counts(changed: dict[str, object], trait: ins.Trait):
    with pytest.raises(Refusal) as refusal:
        ins.check_traits(REGISTRY, replace(REGISTRY, **changed))  # pyright: ignore[reportArgumentType]
    assert refusal.value.code == "TRAITS_MISMATCH"
    assert refusal.value.data["traits"] == {trait.value: "differs"}
    assert "PAT-TROIS" not in refusal.value.diagnostics


def test_a_trait_left_out_is_missing_where_all_are_asked_for():
    claimed = replace(REGISTRY, birth_place=None)
    ins.check_traits(REGISTRY, claimed, complete=False)
    with pytest.raises(Refusal) as refusal:
        ins.check_traits(REGISTRY, claimed)
    assert refusal.value.data["traits"] == {"birth_place": "missing"}


def test_what_the_registry_does_not_know_is_not_compared():
    ins.check_traits(replace(REGISTRY, birth_place=ins.UNKNOWN_PLACE), REGISTRY)
    ins.check_traits(replace(REGISTRY, first_given=None), REGISTRY)
    with pytest.raises(Refusal):
        ins.check_traits(replace(REGISTRY, first_given=None), replace(REGISTRY, first_given="LOUISE"))
