"""A payload in plain sight is cut out before the text is parsed; what is read is the same as when it is not."""

import base64
import time
from contextlib import suppress
from xml.etree import ElementTree

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.modules.record.cda import source

FILE = bytes(range(256)) * 40
B64 = base64.b64encode(FILE)
WRAPPED = base64.encodebytes(FILE)
TEXT = b'<text mediaType="application/pdf" representation="B64">'


def doc(inside: bytes, prolog: bytes = b'<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    return prolog + b'<ClinicalDocument xmlns="urn:hl7-org:v3">' + inside + b"</ClinicalDocument>"


DOCUMENTS = {
    "one": doc(TEXT + B64 + b"</text>"),
    "wrapped": doc(TEXT + b"\n  " + WRAPPED + b"  </text>"),
    "two": doc(TEXT + B64 + b"</text>" + TEXT + WRAPPED + b"</text>" + TEXT + b"QQ==</text>"),
    "single quotes": doc(TEXT.replace(b'"', b"'") + B64 + b"</text>"),
    "one of each quote": doc(TEXT + B64 + b"</text>" + TEXT.replace(b'"', b"'") + B64 + b"</text>"),
    "spaces in the tag": doc(b'<text representation = "B64" id="a"\n>' + B64 + b"</text>"),
    "another attribute": doc(b'<text about="B64">' + B64 + b"</text>"),
    "a longer name": doc(b'<text norepresentation="B64">' + B64 + b"</text>"),
    "closed at once": doc(b'<text representation="B64"/>' + B64 + b"<a/>"),
    "not base64": doc(TEXT + B64 + b"!</text>"),
    "of a wrong length": doc(TEXT + B64[:-3] + b"</text>"),
    "white": doc(TEXT + b" " * 5000 + b"</text>"),
    "an element inside": doc(TEXT + B64 + b"<a/></text>"),
    "an entity inside": doc(TEXT + B64 + b"&#65;</text>"),
    "a comment inside": doc(TEXT + B64 + b"<!-- a --></text>"),
    "commented out": doc(b"<!-- " + TEXT + B64 + b"</text> -->" + TEXT + B64 + b"</text>"),
    "an instruction": doc(b'<?a representation="B64">' + B64 + b"<?>" + TEXT + B64 + b"</text>"),
    "in a section of text": doc(b"<p><![CDATA[" + TEXT + B64 + b"</text>]]></p>" + TEXT + B64 + b"</text>"),
    "in an attribute": doc(b'<p a=\' representation="B64">' + B64 + b"'/>" + TEXT + B64 + b"</text>"),
    "before the root": doc(b"<a/>", b'<!-- representation="B64">' + b" " * 5000 + b"-->"),
    "white before the root": doc(TEXT + B64 + b"</text>", b'<!-- representation="B64"-->' + b" " * 5000),
    "after the root": doc(b"<a/>") + TEXT + B64 + b"</text>",
    "malformed after it": doc(TEXT + b"\n\n" + WRAPPED + b"</text><a></b>"),
    "malformed before it": doc(b"<a></b>" + TEXT + WRAPPED + b"</text>"),
    "an entity that is not": doc(TEXT + WRAPPED + b"</text>&no;"),
    "a document type": doc(TEXT + B64 + b"</text>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>"),
    "too deep": doc(TEXT + WRAPPED + b"</text>" + b"<a>" * 300 + b"</a>" * 300),
    "in Latin": doc(TEXT + B64 + b"</text><p>\xe9</p>", b'<?xml version="1.0" encoding="ISO-8859-1"?>'),
    "more than is ordinary": doc(TEXT + B64 + b"</text>" + b"<p/>" * source.MAX_ELEMENTS),
    "with a false mark": doc(TEXT + b"@@0</text>" + TEXT + B64 + b"</text>" + TEXT + b"@@7</text>"),
}


def read(content: bytes) -> object:
    """All that a reader sees of a document, its files opened; or the refusal, in its words."""
    try:
        found = source.read_xml(content)
    except Refusal as refusal:
        return refusal.code, refusal.diagnostics, refusal.element, refusal.data
    payloads = [each for each in found.root.iter("*") if each.get("representation") == "B64"]
    files = [opened(found, each) for each in payloads]
    for each in payloads:
        each.text = None
    return ElementTree.tostring(found.root), files


def opened(found: source.Source, element: source.Element) -> bytes | str:
    try:
        return found.decode(element)
    except Refusal as refusal:
        return f"{refusal.code} {refusal.diagnostics}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_payload_in_plain_sight_is_read_as_the_survey_would(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = read(DOCUMENTS[name])
    monkeypatch.setattr(source, "_evident", lambda _text: ([], []))
    assert quick == read(DOCUMENTS[name])


def test_a_payload_in_plain_sight_is_decoded_once() -> None:
    found = source.read_xml(DOCUMENTS["one"])
    element = found.root[0]
    assert found.decode(element) == FILE
    assert found.decode(element) is found.decode(element)


@pytest.mark.parametrize(
    "hostile",
    [
        b"<a x='" + b'"B64"' * 310_000,
        b"<a><b" + b' representation="B64"' * 37_000 + b">" + b"A" * 800_001 + b"</b></a>",
        b"<a>" + b'"B64"' * 300_000 + b"<b/></a>",
    ],
    ids=["never closed", "one tag that says it again and again", "words that say it again and again"],
)
def test_what_a_stranger_repeats_is_not_read_again_and_again(hostile: bytes) -> None:
    began = time.process_time()
    with suppress(Refusal):
        source.read_xml(hostile)
    assert time.process_time() - began < 5
