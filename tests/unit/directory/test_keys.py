"""Check digits of professionals' and structures' numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.errors import Refusal
from ambroise.modules.directory.api import (
    ProfessionalEntry,
    Structure,
    finess_valid,
    luhn_digit,
    rpps_valid,
    siren_valid,
)
from ambroise.modules.directory.model import check_professional, check_structure, words

digits = st.text("0123456789", min_size=10, max_size=10)


@given(digits)
def test_a_number_completed_by_its_key_is_valid(prefix: str) -> None:
    assert rpps_valid(prefix + luhn_digit(prefix))


@given(digits, st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(prefix: str, position: int, shift: int) -> None:
    number = prefix + luhn_digit(prefix)
    wrong = str((int(number[position]) + shift) % 10)
    assert not rpps_valid(number[:position] + wrong + number[position + 1 :])


@pytest.mark.parametrize("finess", ["590064036", "750712184", "690781810", "130783293", "750803447"])
def test_published_finess_numbers_are_valid(finess: str) -> None:
    assert finess_valid(finess)


def test_the_rpps_of_published_test_cards_and_samples_are_valid() -> None:
    assert rpps_valid("99700218896")
    assert rpps_valid("01234567897")


@pytest.mark.parametrize("wrong", ["", "1234", "0123456789A", "01234567890", "٠1234567897"])
def test_anything_else_is_refused(wrong: str) -> None:
    assert not rpps_valid(wrong)


def test_a_corsican_finess_is_judged_by_its_shape() -> None:
    assert finess_valid("2A0000014")
    assert not finess_valid("2C0000014")
    assert not finess_valid("2A00000X4")


def test_a_siren_has_a_key_too() -> None:
    assert siren_valid("732829320")
    assert not siren_valid("732829321")


def test_a_wrong_key_is_refused_except_for_a_test_identity() -> None:
    wrong = ProfessionalEntry("10003461033", "ESSAI", "Anne", "10")
    with pytest.raises(Refusal) as refused:
        check_professional(wrong)
    assert refused.value.code == "RPPS_INVALID"
    check_professional(ProfessionalEntry("10003461033", "ESSAI", "Anne", "10", test_identity=True))
    with pytest.raises(Refusal) as refused:
        check_structure(Structure("1120459877", "Laboratoire"))
    assert refused.value.code == "STRUCTURE_ID_INVALID"


def test_words_forget_accents_case_and_punctuation() -> None:
    assert words("Médecin - Échographie (SM)") == ("medecin", "echographie", "sm")
