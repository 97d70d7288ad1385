"""Whatever a client sends, the answer is an answer: never a 500, always an OperationOutcome when it is a refusal."""

import json
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ambroise.fhir.definitions import resource_types, search_parameters
from tests.integration.fhir_rest.people import observation, organization, patient

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHARED = settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)

JSON = {"content-type": "application/fhir+json"}
TYPES = ["Patient", "Observation", "DocumentReference", "List", "AuditEvent", "Organization", "Binary", "Encounter"]
CONTROLS = [
    "_id",
    "_lastUpdated",
    "_sort",
    "_count",
    "_include",
    "_revinclude",
    "_has",
    "_elements",
    "_summary",
    "_total",
    "_cursor",
    "_type",
    "_filter",
    "_text",
    "_content",
    "_list",
    "_since",
    "_format",
    "_pretty",
]
CODES = sorted({code for type_ in TYPES for code in search_parameters(type_)} | set(CONTROLS))
MODIFIERS = [
    "",
    ":missing",
    ":exact",
    ":contains",
    ":not",
    ":identifier",
    ":text",
    ":of-type",
    ":iterate",
    ":Patient",
    ".name",
    ":Patient.name",
    ".code:missing",
    ":Observation:patient:code",
    ":",
    ".",
    "::",
]
WORDS = [
    " ",
    "true",
    "1",
    "-1",
    "1e400",
    "2026",
    "2026-13",
    "ge2026-01-15T10:00:00+01:00",
    "9999-12-31",
    "0001",
    "a,b",
    "a\\,b",
    "$",
    "Patient/1",
    "%",
    "_",
    "*",
    "-date",
    "gt",
    "lt5",
    "Patient:subject",
    "Observation:subject:Patient",
    "id,name",
    "١٢",
    "́",
    "http://x/Patient/1",
]
VALUES = st.one_of(
    st.sampled_from([*WORDS, "a|b", "|", "a|", "|b", "1|2|3", "http://x/Patient/1|2"]),
    st.text(max_size=30),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
)
NAMES = st.builds(str.__add__, st.sampled_from(CODES) | st.text(max_size=12), st.sampled_from(MODIFIERS))
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=4)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["2026-01-15", "Patient/1", "urn:uuid:x", "#a", "", "current", "\x00"]),
)
KEYS = st.sampled_from(["reference", "value", "code", "coding", "system", "id", "data", "url", "x"])
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
DOCUMENT = {
    "resourceType": "DocumentReference",
    "status": "current",
    "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
    "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
    "subject": {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}},
    "content": [{"attachment": {"contentType": "application/pdf", "data": "JVBERi0xLjQK"}}],
    "contained": [{"resourceType": "Practitioner", "id": "a"}],
    "author": [{"reference": "#a"}],
}
SEEDS = [patient(1), observation("Patient/1"), organization(), DOCUMENT]
URLS = [
    "Patient",
    "Patient/1",
    "DocumentReference",
    "Observation?code=x",
    "Patient?",
    "List",
    "Binary",
    "_history",
    "Patient/$validate",
    "$x",
    "",
    "Patient/_search",
    "http://y/Patient",
    "Patient/1/_history/1",
    "Patient/1/_history",
    "AuditEvent",
    "//",
    "?_type=Patient",
]
ENTRIES = st.fixed_dictionaries(
    {
        "request": st.fixed_dictionaries(
            {
                "method": st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
                "url": st.sampled_from([url.strip() for url in URLS]),
            },
            optional={"ifNoneExist": VALUES, "ifMatch": st.text(max_size=5), "ifNoneMatch": ANYTHING},
        )
    },
    optional={
        "resource": st.deferred(lambda: damaged(SEEDS)) | ANYTHING,
        "fullUrl": st.sampled_from(["urn:uuid:a", "urn:uuid:b", "http://z/Patient/1"]),
    },
)
PARAMETERS = {"resourceType": "Parameters", "parameter": []}
SEGMENTS = st.sampled_from(["Patient", "1", "_history", "$x", "_search", "metadata", "..", "%00", "é", ""])
HEADER_NAMES = st.sampled_from(
    ["accept", "prefer", "if-match", "if-none-match", "if-modified-since", "if-none-exist", "content-type", "range"]
)
HEADER_VALUES = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


@st.composite
def damaged(draw: st.DrawFn, seeds: list[dict[str, Any]]) -> Any:
    """A valid resource with some of its values replaced, removed or added."""
    resource: Any = deepcopy(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(places(resource)))
        if not path:
            continue
        holder = resource
        for step in path[:-1]:
            holder = holder[step]
        if draw(st.booleans()) and isinstance(holder, dict):
            holder[draw(st.text(max_size=6))] = draw(ANYTHING)
        else:
            holder[path[-1]] = draw(ANYTHING)
    return resource


def require_answer(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        issues = answer.json()["issue"]
        assert issues[0]["details"]["coding"][0]["code"]


@SHARED
@given(type_=st.sampled_from(TYPES), pairs=PAIRS, lenient=st.booleans())
async def test_any_search_is_answered(
    system: httpx.AsyncClient, type_: str, pairs: list[tuple[str, str]], lenient: bool
) -> None:
    headers = {"prefer": "handling=lenient"} if lenient else {}
    answer = await system.post(f"{type_}/_search", data=dict(pairs), headers=headers)
    require_answer(answer)
    if lenient and not any(name.startswith("_cursor") for name, _ in pairs):
        assert answer.status_code in (200, 400)


@SHARED
@given(type_=st.sampled_from(resource_types()), code=st.data(), value=VALUES)
async def test_every_parameter_of_every_type_is_answered(
    system: httpx.AsyncClient, type_: str, code: Any, value: str
) -> None:
    name = code.draw(st.sampled_from(sorted(search_parameters(type_))))
    require_answer(await system.get(type_, params={name: value}))


@SHARED
@given(resource=damaged(SEEDS) | ANYTHING)
async def test_any_body_is_answered(system: httpx.AsyncClient, resource: Any) -> None:
    body = json.dumps(resource).encode()
    type_ = resource.get("resourceType") if isinstance(resource, dict) else "Patient"
    type_ = type_ if type_ in TYPES else "Patient"
    require_answer(await system.post(type_, content=body, headers=JSON))
    require_answer(await system.put(f"{type_}/fuzzed", content=body, headers=JSON))
    require_answer(await system.post(f"{type_}/$validate", content=body, headers=JSON))


@SHARED
@given(entries=st.lists(ENTRIES, max_size=4), kind=st.sampled_from(["transaction", "batch"]))
async def test_any_bundle_is_answered(system: httpx.AsyncClient, entries: list[Any], kind: str) -> None:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    answer = await system.post("", content=json.dumps(bundle).encode(), headers=JSON)
    require_answer(answer)
    for entry in answer.json().get("entry", []):
        assert not entry["response"]["status"].startswith("5"), entry


@SHARED
@given(patch=ANYTHING | damaged([PARAMETERS]), kind=st.sampled_from(["json-patch", "fhir", "merge-patch"]))
async def test_any_patch_is_answered(system: httpx.AsyncClient, patch: Any, kind: str) -> None:
    made = await system.put("Organization/patched", json={**organization(), "id": "patched"}, headers=JSON)
    assert made.status_code < 300
    headers = {"content-type": f"application/{kind}+json"}
    require_answer(await system.patch("Organization/patched", content=json.dumps(patch).encode(), headers=headers))


@SHARED
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]),
    segments=st.lists(SEGMENTS, max_size=5),
    headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=3),
)
@example(method="GET", segments=["", "", "Patient"], headers={})
async def test_any_request_is_answered(
    system: httpx.AsyncClient, method: str, segments: list[str], headers: dict[str, str]
) -> None:
    path = system.base_url.raw_path + quote("/".join(segments), safe="/%$").encode()
    answer = await system.request(method, system.base_url.copy_with(raw_path=path), headers=headers)
    assert answer.status_code < 500, answer.text
