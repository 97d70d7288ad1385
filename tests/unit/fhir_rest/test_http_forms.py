"""Negotiation, preferences, versions and refusals, as HTTP and FHIR say them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ambroise.interfaces.fhir_rest.http import pairs_of
from ambroise.interfaces.fhir_rest.negotiation import require_json_answer, require_json_body
from ambroise.interfaces.fhir_rest.outcome import REFUSAL_SYSTEM, headers_of, outcome_of, status_of
from ambroise.interfaces.fhir_rest.preferences import Preferences, preferences
from ambroise.interfaces.fhir_rest.versions import etag, if_match, last_modified, not_modified
from ambroise.kernel.errors import Issue, Kind, Refusal

NOON = datetime(2026, 1, 15, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("accept", "format_parameter"),
    [
        (None, None),
        ("*/*", None),
        ("application/fhir+json", None),
        ("application/json;q=0.9, text/html", None),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None),
        ("application/fhir+json; fhirVersion=4.0", None),
        ("application/fhir+xml;q=0.5, application/*", None),
        ("application/fhir+xml", "json"),
        (None, "application/fhir json"),
    ],
)
def test_json_is_written_to_whoever_accepts_it(accept: str | None, format_parameter: str | None) -> None:
    require_json_answer(accept, format_parameter)


@pytest.mark.parametrize(
    ("accept", "format_parameter"),
    [
        ("application/fhir+xml", None),
        ("text/turtle", None),
        ("application/fhir+json;q=0, application/fhir+xml", None),
        ("application/fhir+json; fhirVersion=5.0", None),
        (None, "xml"),
        ("application/fhir+json", "ttl"),
    ],
)
def test_any_other_form_is_refused_with_406(accept: str | None, format_parameter: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        require_json_answer(accept, format_parameter)
    assert status_of(refused.value) == 406
    assert refused.value.diagnostics


@pytest.mark.parametrize(
    "content_type",
    ["application/fhir+json", "application/json", "application/fhir+json; charset=UTF-8; fhirVersion=4.0"],
)
def test_json_bodies_are_read(content_type: str) -> None:
    require_json_body(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/fhir+xml",
        "application/json; charset=latin-1",
        "application/json;fhirVersion=3.0",
    ],
)
def test_other_bodies_are_refused_with_415(content_type: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        require_json_body(content_type)
    assert status_of(refused.value) == 415
    assert "application/fhir+json" in refused.value.diagnostics or "4.0" in refused.value.diagnostics


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Preferences()),
        ("return=minimal", Preferences("minimal")),
        ("handling=lenient; return=OperationOutcome", Preferences("OperationOutcome", True)),
        ('respond-async, return="minimal", handling=strict', Preferences("minimal")),
        ("return=other", Preferences()),
    ],
)
def test_preferences_are_read_and_unknown_ones_passed_over(header: str | None, expected: Preferences) -> None:
    assert preferences(header) == expected


def test_a_version_is_written_and_read_back() -> None:
    assert etag(3) == 'W/"3"'
    assert [if_match(text) for text in ('W/"3"', '"3"', "3", "*", None)] == [3, 3, 3, None, None]
    with pytest.raises(Refusal, match="IF_MATCH_MALFORMED"):
        if_match('W/"three"')


@pytest.mark.parametrize(
    ("if_none_match", "if_modified_since", "expected"),
    [
        ('W/"3"', None, True),
        ('W/"2", W/"3"', None, True),
        ('W/"2"', None, False),
        ('W/"2"', last_modified(NOON), False),
        (None, last_modified(NOON), True),
        (None, "Thu, 15 Jan 2026 11:59:59 GMT", False),
        (None, "yesterday", False),
        (None, None, False),
    ],
)
def test_a_client_that_has_the_version_is_told_so(
    if_none_match: str | None, if_modified_since: str | None, expected: bool
) -> None:
    assert not_modified(if_none_match, if_modified_since, 3, NOON) is expected


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_refusal_has_a_status_and_an_outcome_with_its_code(kind: Kind) -> None:
    refusal = Refusal(kind, "SOME_CODE", "Do this instead.", element="Patient.name")
    issue: dict[str, Any] = outcome_of(refusal)["issue"][0]
    assert 400 <= status_of(refusal) < 600
    assert issue["details"]["coding"] == [{"system": REFUSAL_SYSTEM, "code": "SOME_CODE"}]
    assert (issue["diagnostics"], issue["expression"]) == ("Do this instead.", ["Patient.name"])


def test_each_issue_of_a_refusal_is_told_with_its_own_code_or_that_of_the_refusal() -> None:
    issues = [
        Issue("error", "required", "Missing.", "Patient.name", "FIELD_MISSING"),
        Issue("error", "value", "Wrong."),
    ]
    told = outcome_of(Refusal(Kind.UNPROCESSABLE, "RESOURCE_INVALID", issues=issues))["issue"]
    assert [issue["details"]["coding"][0]["code"] for issue in told] == ["FIELD_MISSING", "RESOURCE_INVALID"]


def test_who_is_not_signed_in_is_told_how() -> None:
    missing = headers_of(Refusal(Kind.UNAUTHENTICATED, "TOKEN_MISSING"))["www-authenticate"]
    invalid = headers_of(Refusal(Kind.UNAUTHENTICATED, "TOKEN_INVALID", 'A "bad" é'))["www-authenticate"]
    assert missing == 'Bearer realm="ambroise"'
    assert 'error="invalid_token"' in invalid
    assert invalid.isascii()


def test_parameters_are_decoded_strictly() -> None:
    assert pairs_of(b"name=Dupr%C3%A9&code=a%7Cb&empty=") == [("name", "Dupré"), ("code", "a|b"), ("empty", "")]
    for wrong in (b"a=%FF", b"\xff=1", b"a=%00", b"&".join(b"a=1" for _ in range(600))):
        with pytest.raises(Refusal, match="QUERY_MALFORMED"):
            pairs_of(wrong)
