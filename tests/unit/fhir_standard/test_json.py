"""FHIR JSON keeps every number's text and refuses what two readers could understand differently."""

import copy
import pickle
import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.fhir import json
from ambroise.kernel.errors import Kind, Refusal

NUMBERS = ["20.00", "1e3", "-0.0", "1E-7", "-0", "1e400", "0.00000001", "1.5E+3", "1.0000000", "100", "-5", "1e0"]


@pytest.mark.parametrize("text", [*NUMBERS, "123456789012345678901234567890", "-0.00000000001e-3"])
@pytest.mark.parametrize("template", ['{"a":%s}', '{"a": %s }', '{"a":[1,%s]}', '{"a":[ %s,2]}'])
def test_a_number_keeps_its_text(text: str, template: str) -> None:
    written = (template % text).encode()
    value = json.decode(written)
    assert json.encode(value) == written.replace(b" ", b"")
    assert json.encode(copy.deepcopy(value)) == written.replace(b" ", b"")
    assert json.encode(pickle.loads(pickle.dumps(value))) == written.replace(b" ", b"")


LONG = "0e1Z9e-0" * 10_000
"""Base64, in which much looks like a number."""


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize(
    "template",
    [
        '{"a":%s,"data":"LONG"}',
        '{"data":"LONG","a":%s}',
        '{"data":"LONG","b":[{"data":"LONG"},%s],"c":{"data":"short"}}',
        '{"text":"LONG","data":"LONG","a":%s}',
        '{"data":"LONG\\"","a":%s,"b":"LONG"}',
        '{"data":"LONG\\\\","a":%s}',
        '{"x\\"data":"LONG","a":%s}',
        '{"x":"\\"data\\":\\"","a":%s,"b":"\\"LONG\\"data","c":":LONG"}',
        '{"x":"LONG,\\"data\\":\\"","a":%s}',
    ],
)
def test_a_number_beside_an_attachment_keeps_its_text(text: str, template: str) -> None:
    written = (template.replace("LONG", LONG) % text).encode()
    assert json.encode(json.decode(written)) == written


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_any_json_number_keeps_its_text(text: str) -> None:
    assert json.encode(json.decode(f'{{"a":{text}}}'.encode())) == f'{{"a":{text}}}'.encode()


@given(st.dictionaries(st.text(), st.recursive(st.text() | st.integers() | st.booleans(), st.lists, max_leaves=8)))
def test_text_survives_the_round_trip(value: dict[str, object]) -> None:
    assert json.decode(json.encode(value)) == value


def test_fractions_are_decimals_and_integers_are_ints() -> None:
    value = json.decode(b'{"a":20.00,"b":20,"c":1e3}')
    assert value == {"a": Decimal("20.00"), "b": 20, "c": Decimal(1000)}
    assert type(value["b"]) is int


@pytest.mark.parametrize(
    "written",
    [
        b'{"a":1,"a":2}',
        b'{"b":{"a":1,"a":2}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":01}',
        b'{"a":1',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"{} {}",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b'{"a":' + b"[" * 100_000,
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
    ],
)
def test_what_is_not_one_strict_object_is_refused(written: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        json.decode(written)
    assert (refused.value.kind, refused.value.code) == (Kind.INVALID, "JSON_MALFORMED")


def test_a_repeated_key_is_named_with_its_place() -> None:
    with pytest.raises(Refusal, match=r'key "status" at line 2'):
        json.decode(b'{"status":"final",\n"status":"draft"}')


def test_a_byte_order_mark_is_passed_over() -> None:
    assert json.decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_a_body_beyond_the_limit_is_too_large() -> None:
    with pytest.raises(Refusal) as refused:
        json.decode(b'{"a":"' + b"x" * 100 + b'"}', max_bytes=50)
    assert refused.value.kind is Kind.TOO_LARGE


@pytest.mark.parametrize("value", [b"[]", b"{}", b"0.5", b'{"a":[[]]}'])
def test_a_body_of_too_many_values_is_refused_before_it_is_read(value: bytes) -> None:
    body = b'{"a":[' + (value + b",") * 1_000_001 + b"0]}"
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as refused:
            json.decode(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (refused.value.kind, refused.value.code) == (Kind.TOO_LARGE, "JSON_TOO_COMPLEX")
    assert peak < 100_000


def test_a_large_body_of_one_attachment_or_of_many_resources_is_read() -> None:
    json.decode(b'{"data":"' + b"QUJD" * 3_000_000 + b'"}')
    resource = b'{"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-8"}]},"valueString":"x"}'
    assert len(json.decode(b'{"entry":[' + resource + (b"," + resource) * 30_000 + b"]}")["entry"]) == 30_001


def test_the_pretty_form_keeps_the_numbers() -> None:
    assert json.decode(json.encode_pretty(json.decode(b'{"a":20.00}'))) == {"a": Decimal("20.00")}
    assert b"20.00" in json.encode_pretty(json.decode(b'{"a":20.00}'))
