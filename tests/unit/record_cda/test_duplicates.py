"""The same examination shortly before is pointed out, by windows that are data."""

from datetime import date

from ambroise.modules.record.api import done_already, imaging_keys, imaging_window, is_imaging

DAY = date(2026, 3, 14)


def test_the_same_examination_within_its_window_is_pointed_out_and_no_other() -> None:
    assert done_already("4548-4", DAY, [date(2025, 12, 31), date(2026, 2, 1)]) == date(2026, 2, 1)
    assert done_already("4548-4", DAY, [date(2025, 10, 1), DAY, date(2026, 4, 1)]) is None
    assert done_already("999-9", DAY, [date(2026, 2, 20)]) == date(2026, 2, 20), "an examination that no line names"
    assert done_already("999-9", DAY, [date(2026, 1, 1)]) is None


def test_acts_of_imaging_are_the_same_by_region_and_technique() -> None:
    chest, chest_again, chest_seen, scan = (
        imaging_keys([code]) for code in ("ZBQK002", "ZBQK003", "ZBQM001", "ZBQH001")
    )
    assert chest == chest_again
    assert len({chest, chest_seen, scan}) == 3
    assert imaging_keys(["24727-0", "ACQH004"]) == {"24727-0", "ACH"}
    assert imaging_window(imaging_keys(["ACQN001"])).days == 180
    assert imaging_window({"24727-0"}).days == 90
    assert not is_imaging(["BLQP002", "JKQX001", "24727-0"]), "an exploration without an image, a plan, an analysis"
