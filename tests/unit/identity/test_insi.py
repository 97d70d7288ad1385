"""The lexical rules, the failures and the test identities of the INSi service; its envelopes against hostile XML."""

import importlib.util
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.interfaces.insi.envelope import envelope_of, fault
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.ins import matricule_is_valid
from ambroise.modules.identity.insi import lexical, magic
from ambroise.modules.identity.insi.failures import FAILURES, failure_of
from ambroise.modules.identity.insi.model import TraitsQuery

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 1, 1)
RIGHT = TraitsQuery("ADRTROIS", ("DOMINIQUE",), "F", "1997-02-26", "2A020")


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("document_insi", ROOT / "tools" / "document_insi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_says_every_failure_and_how_to_have_it(tool: ModuleType) -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run python tools/document_insi.py"
    sprung = {trap.failure.code for trap in magic.TRAPS}
    assert sprung | set(tool.PRODUCED) == set(FAILURES)


@pytest.mark.parametrize("name", ["DUPONT", "D'ARTAGNAN", "'T SERCLAES", "LE GALL", "GARCIA--LOPEZ", "A-B"])
def test_family_names_that_the_service_takes(name: str) -> None:
    lexical.check_family(name)


@pytest.mark.parametrize(
    "name",
    ["", " A", "-A", "A-", "A'", "A  B", "A''B", "A 'B", "A---B", "É", "A1", "A_B", "A/B", "a", "A\n", "A" * 101],
)
def test_family_names_that_it_refuses(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        lexical.check_family(name)
    assert refused.value.code == "INSI_LEXICAL"


def test_a_first_name_has_single_hyphens_only() -> None:
    lexical.check_given("MARIE-EVE")
    for name in ("MARIE--EVE", "MARIE-", "MARIE'"):
        with pytest.raises(Refusal):
            lexical.check_given(name)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (TraitsQuery("", ("A",), "F", "1997-02-26"), "INSI_NAME_MISSING"),
        (TraitsQuery("A", (), "F", "1997-02-26"), "INSI_FIELD_MISSING"),
        (TraitsQuery("A", ("B",), "", "1997-02-26"), "INSI_FIELD_MISSING"),
        (TraitsQuery("A", ("B",), "I", "1997-02-26"), "INSI_VALUE"),
        (TraitsQuery("A", ("B",), "F", "1997-02-30"), "INSI_VALUE"),
        (TraitsQuery("A", ("B",), "F", "2997-02-20"), "INSI_VALUE"),
        (TraitsQuery("A", ("B",), "F", "19970220"), "INSI_VALUE"),
        (TraitsQuery("A", ("B",), "F", "1997-02-20", "2C123"), "INSI_VALUE"),
    ],
)
def test_traits_that_are_incomplete_or_malformed(query: TraitsQuery, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        lexical.check_traits_query(query, TODAY)
    assert refused.value.code == code


def test_names_are_normalised_at_the_boundary_and_never_trimmed() -> None:
    sent = TraitsQuery("Œuvrard-d’Éon", ("Zoé",), "f", "1997-02-26", "2a020")
    assert lexical.normal_query(sent) == TraitsQuery("OEUVRARD-D'EON", ("ZOE",), "F", "1997-02-26", "2A020")
    with pytest.raises(Refusal) as refused:
        lexical.normal_query(TraitsQuery("DUPOND_", ("A",), "F", "1997-02-26"))
    assert refused.value.code == "INSI_LEXICAL"


@given(st.text(max_size=30))
def test_a_normalised_name_is_accepted_or_refused_never_anything_else(name: str) -> None:
    with suppress(Refusal):
        query = lexical.normal_query(TraitsQuery(name, ("A",), "F", "1997-02-26"))
        lexical.check_traits_query(query, TODAY)
        assert lexical.normal_query(query) == query
        assert set(query.birth_name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ' -")


def test_first_names_are_looked_for_whole_in_the_list_of_birth() -> None:
    listed = "PIERRE-ALAIN MURIEL FLORIANT"
    assert lexical.holds_names(listed, ("PIERRE ALAIN",))
    assert lexical.holds_names(listed, ("MURIEL", "FLORIANT"))
    assert not lexical.holds_names(listed, ("PIERRE-ALAIN", "FLOR"))


def test_the_test_identities_have_right_keys_and_acceptable_traits() -> None:
    for one in magic.PEOPLE:
        assert matricule_is_valid(one.ins.matricule)
        asked = TraitsQuery(one.birth_name, tuple(one.given_names.split()), one.sex, one.birth_date.isoformat())
        lexical.check_traits_query(asked, TODAY)
        magic.spring(asked)
    assert {one.ins.matricule for one in magic.PEOPLE} >= {"297022A02077878", "236066322083656", "109076322083489"}
    assert [former.ins.matricule for former in magic.PEOPLE[3].former] == ["209076322083439", "209066322012355"]


def test_whatever_else_fails_is_a_technical_error_of_ours() -> None:
    from ambroise.kernel.errors import Kind

    assert failure_of(Refusal(Kind.CONFLICT, "ODD")).detail == "insi_102"
    assert b'code="insi_102"' in fault(failure_of(Refusal(Kind.UNAVAILABLE, "BUSY")))


ENVELOPE = b"""<?xml version="1.0"?>
<S:Envelope xmlns:S="http://www.w3.org/2003/05/soap-envelope"><S:Header/><S:Body><x/></S:Body></S:Envelope>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a/>",
        ENVELOPE.replace(b"<x/>", b""),
        ENVELOPE.replace(b"<x/>", b"<x/><y/>"),
        ENVELOPE.replace(b"<S:Header/>", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'),
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + ENVELOPE.partition(b"\n")[2],
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]>' + ENVELOPE.decode().split("\n")[1])
        .replace("<x/>", "<x>&b;</x>")
        .encode("utf-16"),
        ENVELOPE.replace(b"<x/>", b"<x>" * 60 + b"</x>" * 60),
        ENVELOPE.replace(b"2003/05/soap-envelope", b"soap11"),
    ],
)
def test_hostile_or_broken_xml_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        envelope_of(content)
    assert refused.value.code == "INSI_MALFORMED"


@given(st.binary(max_size=300), st.integers(0, len(ENVELOPE)))
def test_no_bytes_do_anything_but_be_read_or_refused(noise: bytes, place: int) -> None:
    for content in (noise, ENVELOPE[:place] + noise + ENVELOPE[place:]):
        with suppress(Refusal):
            envelope_of(content)
