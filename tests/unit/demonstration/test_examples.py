"""The committed examples are what the command writes, and hold together."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from lxml import etree

from ambroise.interfaces.demonstration.examples import files

FOLDER = Path(__file__).parents[3] / "examples"
CDA = {"h": "urn:hl7-org:v3"}
WRITTEN = files()


@pytest.mark.parametrize("name", WRITTEN)
def test_the_committed_file_is_what_the_command_writes(name: str) -> None:
    assert (FOLDER / name).read_bytes() == WRITTEN[name]


def test_the_documents_are_about_the_test_identity_by_the_sample_author() -> None:
    for name in ("letter", "biology"):
        root = etree.fromstring(WRITTEN[f"documents/{name}.xml"])
        assert root.xpath("string(//h:patientRole/h:id/@extension)", namespaces=CDA) == "279035121518989"
        assert root.xpath("string(h:author//h:id/@extension)", namespaces=CDA) == "801234567897"


def test_the_bundle_carries_the_letter_and_says_its_size_and_hash() -> None:
    bundle = json.loads(WRITTEN["fhir/iti-65-bundle.json"])
    submission, reference, binary = (entry["resource"] for entry in bundle["entry"])
    content = base64.b64decode(binary["data"])
    attachment = reference["content"][0]["attachment"]
    assert content == WRITTEN["documents/letter.xml"]
    assert attachment["size"] == len(content)
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(content).digest()
    assert attachment["url"] == bundle["entry"][2]["fullUrl"]
    assert submission["entry"][0]["item"]["reference"] == bundle["entry"][1]["fullUrl"]


def test_the_metadata_agree_with_the_header() -> None:
    bundle = json.loads(WRITTEN["fhir/iti-65-bundle.json"])
    reference = bundle["entry"][1]["resource"]
    root = etree.fromstring(WRITTEN["documents/letter.xml"])
    uid = root.xpath("string(h:id/@root)", namespaces=CDA)
    assert reference["masterIdentifier"]["value"] == f"urn:oid:{uid}"
    assert reference["type"]["coding"][0]["code"] == root.xpath("string(h:code/@code)", namespaces=CDA)


def test_the_simplified_publish_carries_a_pdf() -> None:
    reference = json.loads(WRITTEN["fhir/iti-105-document-reference.json"])
    attachment = reference["content"][0]["attachment"]
    assert base64.b64decode(attachment["data"]).startswith(b"%PDF-1.4")
    assert attachment["contentType"] == "application/pdf"
