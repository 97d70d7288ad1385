"""The same examination shortly before is pointed out, by windows that are data."""

from datetime import date

from ambroise.modules.record.api import done_already

DAY = date(2026, 3, 14)


def test_the_same_examination_within_its_window_is_pointed_out_and_no_other() -> None:
    assert done_already("4548-4", DAY, [date(2025, 12, 31), date(2026, 2, 1)]) == date(2026, 2, 1)
    assert done_already("4548-4", DAY, [date(2025, 10, 1), DAY, date(2026, 4, 1)]) is None
    assert done_already("999-9", DAY, [date(2026, 2, 20)]) == date(2026, 2, 20), "an examination that no line names"
    assert done_already("999-9", DAY, [date(2026, 1, 1)]) is None
