"""The code on a box of medicine, as scanners and people give it."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.errors import Refusal
from ambroise.modules.profile.boxes import Box, read

GS = "\x1d"
BOX = Box("03400938022209", "3400938022209", "AB123", date(2027, 12, 31))


@pytest.mark.parametrize(
    "content",
    [
        f"01034009380222091727123110AB123{GS}21XY",
        "]d201034009380222091727123110AB123",
        f"{GS}010340093802220921XY{GS}1727120010AB123{GS}",
        "(01)03400938022209(17)271231(10)AB123(21)XY",
        "(01) 03400938022209 (10) AB123 (17) 271200",
    ],
)
def test_a_box_says_its_product_its_lot_and_until_when(content: str) -> None:
    assert read(content) == BOX


def test_a_cip_alone_is_a_product_and_a_foreign_one_has_no_cip() -> None:
    assert read("34009 380 222 0 9") == Box(BOX.gtin, BOX.cip)
    assert read("0104012345678901") == Box("04012345678901")


@pytest.mark.parametrize(
    "content", ["", "hello", "3400938022208", "0103400938022208", "10AB123", "IS010000", "0" * 13 + "1"]
)
def test_what_is_no_code_of_a_box_is_refused_by_its_name(content: str) -> None:
    with pytest.raises(Refusal, match="BOX_CODE_UNREADABLE"):
        read(content)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(content: str) -> None:
    with suppress(Refusal):
        assert len(read(content).gtin) == 14
