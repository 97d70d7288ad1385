"""What refers to a document is the same whether all of it is read or only what stands where the record writes it."""

from itertools import product
from typing import Any

import orjson
import pytest

from ambroise.interfaces.xds.entries import entry_uuid_of, status_of
from ambroise.interfaces.xds.finding import reference
from ambroise.modules.record.api import ARCHIVED_EXTENSION

Json = dict[str, Any]
OTHER = {"url": "https://other.example", "valueBoolean": True}


def named(value: str, kind: str = "entryUUID") -> Json:
    return {"type": {"coding": [{"system": "s", "code": kind}]}, "system": "urn:ietf:rfc:3986", "value": value}


def archived(value: bool) -> Json:
    return {"url": ARCHIVED_EXTENSION, "valueBoolean": value}


CONTAINED: list[list[Json]] = [
    [],
    [{"resourceType": "Practitioner", "id": "a", "identifier": [named("urn:uuid:of-somebody")]}],
    [
        {
            "resourceType": "DocumentReference",
            "extension": [archived(False)],
            "masterIdentifier": named("urn:oid:9", "uniqueId"),
            "identifier": [named("urn:uuid:inside")],
            "status": "current",
        }
    ],
]
IDENTIFIERS: list[list[Json]] = [
    [named("urn:uuid:1")],
    [{"value": "other"}, named("urn:uuid:1")],
    [named("urn:uuid:1"), {"value": "after"}],
    [named('urn:uuid:"1\\')],
    [named("urn:uuid:1", "other")],
    [],
]


@pytest.mark.parametrize("contained", CONTAINED, ids=["alone", "a person inside", "a document inside"])
def test_a_reference_is_that_of_the_whole_document(contained: list[Json]) -> None:
    extensions = [[], [archived(False)], [archived(True)], [OTHER, archived(False)], [archived(True), archived(False)]]
    for status, extension, identifiers, description in product(
        ("current", "superseded"), extensions, IDENTIFIERS, (None, '"code":"entryUUID"}],"status":"current"')
    ):
        document: Json = {"resourceType": "DocumentReference", "id": "d", "contained": contained}
        document |= {"extension": extension, "masterIdentifier": named("urn:oid:1", "uniqueId")}
        document |= {"identifier": identifiers, "status": status, "description": description, "content": []}
        backwards = dict(reversed(document.items()))
        for each in (document, backwards):
            written = orjson.dumps(each)
            found = reference(written)
            assert (found.id, found.status) == (entry_uuid_of(each), status_of(each)), written
            assert reference(orjson.dumps(each, option=orjson.OPT_INDENT_2)) == found
