"""The reader of envelopes: whatever arrives, an envelope or a refusal, and a document costs no more than itself."""

import base64
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ambroise.interfaces import soap
from ambroise.interfaces.soap import SOAP, EnvelopeReader, Malformed, TooLarge, read_envelope

OPEN = f'<e:Envelope xmlns:e="{SOAP}"><e:Header><a xmlns="urn:a">é &amp; b</a></e:Header><e:Body>'
CLOSE = "</e:Body></e:Envelope>"
GOOD = (OPEN + '<q:P xmlns:q="urn:q" said="1 &amp;#38; &#38; 2"><q:D id="x">QUJD</q:D></q:P>' + CLOSE).encode()

LINKED = (OPEN + '<q:P xmlns:q="urn:q"><q:D id="x"><i xmlns="urn:i" href="cid:1"/></q:D> t</q:P>' + CLOSE).encode()


def reader(limit: int = 1000) -> EnvelopeReader:
    return EnvelopeReader(contents="{urn:q}D", content_limit=limit)


@given(st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_an_envelope_reads_the_same_in_any_pieces(size: int) -> None:
    pieces = reader()
    for start in range(0, len(GOOD), size):
        pieces.feed(GOOD[start : start + size])
    envelope = pieces.close()
    assert envelope.body.get("said") == "1 &#38; & 2"
    assert envelope.header is not None
    assert envelope.header[0].text == "é & b"
    assert [bytes(one) for one in pieces.contents.values()] == [b"ABC"]


@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=6), st.integers(0, 8)), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_damaged_envelope_is_read_or_refused_and_nothing_else(damages: list[tuple[int, bytes, int]]) -> None:
    damaged = GOOD
    for place, put, taken in damages:
        damaged = damaged[:place] + put + damaged[place + taken :]
    found = reader()
    try:
        found.feed(damaged)
        found.close()
    except (Malformed, TooLarge):
        pass


PIECES = st.sampled_from(
    [
        *(b"<a>", b"</a>", b"<a/>", b"<!-- x -->", b"<?p?>", b"<![CDATA[<b>]]>", b"&amp;", b"&#60;", b"&x;", b"QUJD"),
        *(b"<!DOCTYPE e>", b"<?xml version='1.0'?>", b"<?xml version='1.0' encoding='utf-7'?>", b"\xef\xbb\xbf", b" "),
        *(b'<q:D xmlns:q="urn:q"/>', b'<q:D xmlns:q="urn:q"> <z/> </q:D>', b'xmlns="urn:z"', b"<a>" * 29, b"\xc3"),
        *(OPEN.partition("<e:Body>")[0].encode(), OPEN.encode(), CLOSE.encode(), b"<e:Header><h/></e:Header>"),
    ]
)


def outcome(content: bytes, *, wait: bool) -> object:
    """What becomes of these bytes when they are read in one go, or piece by piece."""
    found = reader()
    with pytest.MonkeyPatch.context() as patch:
        if not wait:
            patch.setattr(soap, "_SMALL", -1)
        try:
            found.feed(content)
            envelope = found.close()
        except (Malformed, TooLarge) as error:
            return type(error)
    root = envelope.body.getroottree().getroot()
    header = None if found.header is None else etree.tostring(found.header, method="c14n")
    return etree.tostring(root, method="c14n"), header, found.in_body, [bytes(one) for one in found.contents.values()]


@given(st.lists(st.tuples(st.integers(0, len(LINKED)), PIECES, st.integers(0, 3)), max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_small_envelope_says_the_same_in_one_go_as_piece_by_piece(damages: list[tuple[int, bytes, int]]) -> None:
    damaged = LINKED
    for place, put, taken in damages:
        damaged = damaged[:place] + put + damaged[place + taken :]
    assert outcome(damaged, wait=True) == outcome(damaged, wait=False)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(Malformed):
        read_envelope(content)


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE e [<!ENTITY x "y">]>' + OPEN + "<a>&x;</a>" + CLOSE,
        '<!DOCTYPE e SYSTEM "file:///etc/passwd">' + OPEN + "<a/>" + CLOSE,
        OPEN + "<a>&x;</a>" + CLOSE,
        OPEN + "<a>" * 100 + "</a>" * 100 + CLOSE,
        OPEN + "<a/><b/>" + CLOSE,
        OPEN + CLOSE,
        OPEN.replace("2003/05", "2001/12") + "<a/>" + CLOSE,
        OPEN + '<q:D xmlns:q="urn:q">QU*D</q:D>' + CLOSE,
        OPEN + '<q:D xmlns:q="urn:q">QUJ</q:D>' + CLOSE,
        OPEN + '<q:D xmlns:q="urn:q">QQ==QQ==</q:D>' + CLOSE,
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_is_dangerous_or_wrong_is_refused(content: str, encoding: str) -> None:
    found = reader()
    with pytest.raises(Malformed):
        for start in range(0, len(encoded := content.encode(encoding)), 50):
            found.feed(encoded[start : start + 50])
        found.close()


def test_elements_text_and_documents_are_counted() -> None:
    with pytest.raises(Malformed):
        small = EnvelopeReader(elements=10)
        small.feed((OPEN + "<a>" + "<b/>" * 20 + "</a>" + CLOSE).encode())
        small.close()
    with pytest.raises(Malformed):
        short = EnvelopeReader(text=1000)
        short.feed((OPEN + "<a>" + "b" * 2000 + "</a>" + CLOSE).encode())
        short.close()
    with pytest.raises(TooLarge):
        small = reader(2)
        small.feed(GOOD)
        small.close()


def test_reading_a_document_costs_the_document() -> None:
    document = bytes(range(256)) * 60_000
    head, tail = GOOD.split(b"QUJD")
    sent = head + base64.b64encode(document) + tail
    pieces = [sent[start : start + 65536] for start in range(0, len(sent), 65536)]
    found = reader(len(document))
    tracemalloc.start()
    for piece in pieces:
        found.feed(piece)
    found.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bytes(next(iter(found.contents.values()))) == document
    assert peak < 1.5 * len(document)


@pytest.mark.parametrize("padding", [0, 70_000])
def test_names_that_each_cost_a_look_at_all_the_others_are_bounded(padding: int) -> None:
    """Namespaces in scope and attributes of one element: some hundred kilobytes took a quarter of a minute."""
    few, many = 150, 201
    for count in (few, many):
        spaces = " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(count))
        attributes = " ".join(f'a{number}=""' for number in range(count))
        body = f"<x {spaces}><n7:y {attributes}/>{'z' * padding}</x>"
        written = (OPEN + body + CLOSE).encode()
        if count == few:
            assert read_envelope(written).body[0].tag == "{urn:7}y"
            continue
        with pytest.raises(Malformed):
            read_envelope(written)
    beside = "".join(f'<y xmlns:n{number}="urn:{number}"/>' for number in range(1_000))
    assert len(read_envelope((OPEN + f"<x>{beside}</x>" + CLOSE).encode()).body) == 1_000, "one after the other"
