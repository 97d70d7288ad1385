"""Lines of extractions: every key, and nothing that a line can hold does anything but be taken or refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.modules.directory.extraction.lines import BadLine, Reader, Rows
from ambroise.modules.directory.extraction.mapping import FileKind, shipped
from ambroise.modules.directory.keys import adeli_valid, finess_valid, luhn_digit, rpps_valid, siret_valid

COLUMNS = {kind: [columns.names[field] for field in columns.names] for kind, columns in shipped().items()}


@given(st.integers(0, 10**10 - 1))
def test_one_key_of_ten_is_right_for_an_rpps_and_any_digit_changed_breaks_it(number: int) -> None:
    prefix = f"{number:010}"
    right = [digit for digit in "0123456789" if rpps_valid(prefix + digit)]
    assert right == [luhn_digit(prefix)]
    whole = prefix + right[0]
    for place in range(11):
        changed = whole[:place] + str((int(whole[place]) + 1) % 10) + whole[place + 1 :]
        assert not rpps_valid(changed)


@pytest.mark.parametrize("number", ["590064036", "750712184", "690781810", "130783293", "2A0000345"])
def test_finess_numbers_that_exist(number: str) -> None:
    assert finess_valid(number)


@pytest.mark.parametrize(
    ("number", "valid"), [("73282932000074", True), ("73282932000075", False), ("35600000000048", True), ("1", False)]
)
def test_siret_numbers(number: str, valid: bool) -> None:
    assert siret_valid(number) is valid


@pytest.mark.parametrize(
    ("number", "valid"), [("371234567", True), ("2A1234567", True), ("37123456", False), ("XX1234567", False)]
)
def test_adeli_numbers_have_their_shape(number: str, valid: bool) -> None:
    assert adeli_valid(number) is valid


@given(st.sampled_from(list(FileKind)), st.text(max_size=200), st.lists(st.text(max_size=20), max_size=60))
def test_no_line_does_anything_but_be_taken_or_refused(kind: FileKind, text: str, cells: list[str]) -> None:
    reader = Reader(shipped()[kind], COLUMNS[kind])
    padded = [*cells, *[""] * len(COLUMNS[kind])][: len(COLUMNS[kind])]
    for line in (text, "|".join(padded).replace("\n", " ")):
        with suppress(BadLine):
            reader.read(line, Rows())
