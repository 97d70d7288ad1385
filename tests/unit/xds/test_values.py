"""The values of XDS: what is read is what is written, and patterns take no time to speak of."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.interfaces.xds.asking import like
from ambroise.interfaces.xds.values import Cx, Xcn, Xon, fhir_time, hl7_time

_TEXT = st.text("abSTE\\^&~|é", min_size=1, max_size=12)
_OID = st.just("1.2.250.1.71.4.2.1")


@given(_TEXT, _OID, st.sampled_from(["NH", "PI", ""]))
def test_an_identifier_survives_its_writing(value: str, authority: str, type_: str) -> None:
    made = Cx(value, authority, type_)
    assert Cx.parse(str(made)) == made


@given(_TEXT, _TEXT, _OID)
def test_people_and_structures_survive_their_writing(name: str, id: str, authority: str) -> None:
    plain = name.replace("&", "+")
    person = Xcn(id, plain, plain, authority=authority, kind="D", type="IDNPS")
    assert Xcn.parse(str(person)) == person
    place = Xon(name, id, authority)
    assert Xon.parse(str(place)) == place


@pytest.mark.parametrize(
    ("hl7", "fhir"),
    [
        ("2026", "2026"),
        ("202601", "2026-01"),
        ("20260115", "2026-01-15"),
        ("20260115093000", "2026-01-15T09:30:00+00:00"),
    ],
)
def test_times_are_read_and_written_as_precise_as_they_are(hl7: str, fhir: str) -> None:
    assert fhir_time(hl7) == fhir
    assert hl7_time(fhir) == hl7


@pytest.mark.parametrize("wrong", ["", "26", "20261301", "20260115250000", "2026-01-15", "20260115093000+0100"])
def test_what_is_not_a_time_is_none(wrong: str) -> None:
    assert fhir_time(wrong) is None


@given(st.text("ab%_", max_size=8), st.text("ab", max_size=8))
def test_patterns_match_as_like_does(pattern: str, text: str) -> None:
    expected = re.fullmatch(pattern.replace("%", ".*").replace("_", "."), text) is not None
    assert like(pattern, text) == expected


def test_no_pattern_takes_long() -> None:
    begun = time.monotonic()
    assert not like("%a" * 500 + "b", "a" * 5_000)
    assert time.monotonic() - begun < 10
