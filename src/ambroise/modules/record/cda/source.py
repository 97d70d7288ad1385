"""Read XML from strangers: no document type, no entity, no network, bounded depth, and payloads kept out of the tree.

A text of ordinary size cannot hold too many elements, and becomes a tree at once, without the payloads that are in
plain sight: that one of them decodes says as well as a parser that nothing of it is markup. For a larger one a first
pass checks the text and finds the large base64 payloads; they are cut out before the tree is built, so a document with
a 50 MB PDF inside costs its own bytes and a small tree. Comments and processing instructions (a stylesheet among them)
are dropped: nothing ever follows one.

Both passes are made by expat, which never opens an address, and which knows no entity but the five of XML in a text
that has no document type: such a text is refused before a tree is made. The tree is that of the standard library: its
elements are plain objects, several times faster to walk than those of lxml, which are made anew at every step.
"""

import binascii
import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.etree.ElementTree import ParseError, XMLParser
from xml.parsers import expat

import pybase64

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.cda.nodes import Element, local

MAX_DEPTH = 200
MAX_ELEMENTS = 400_000
MAX_ATTRIBUTES = 400_000

# An element takes four bytes at least, and an attribute five: a text of this size has fewer than are allowed.
_ORDINARY = 4 * MAX_ELEMENTS
# Shorter payloads stay in the tree: cutting them would save nothing.
_CUT_FROM = 4096
# The sign `@` is no letter of base64, so no honest payload can be taken for the mark of a cut.
_CUT_MARK = "@@"
_REPRESENTATION = re.compile(rb"\srepresentation\s*=\s*$")
_B64 = b'"B64"'
_CDATA = b"<![CDATA["
_DOCTYPE = b"<!DOCTYPE"
_WHITE = b" \t\r\n"
_DECLARATION = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z][\w.\-]*)["']""")
_ENCODINGS = {
    name: codec
    for codec, names in {
        "utf-8": ("utf-8", "utf8", "us-ascii", "ascii"),
        "utf-16": ("utf-16", "utf-16le", "utf-16be"),
        "iso8859-1": ("iso-8859-1", "latin1"),
        "iso8859-15": ("iso-8859-15",),
        "cp1252": ("windows-1252", "cp1252"),
    }.items()
    for name in names
}


@dataclass(frozen=True, eq=False)
class Source:
    """A parsed document: its tree, its text in UTF-8, and where its large payloads stand in that text."""

    root: Element
    text: bytes
    payloads: tuple[tuple[int, int], ...]
    opened: tuple[bytes, ...] = ()
    """The bytes of the payloads, where finding them meant decoding them."""

    @cached_property
    def parents(self) -> Mapping[Element, Element]:
        """The parent of each element but the root."""
        return {child: parent for parent in self.root.iter() if len(parent) for child in parent[:]}

    @property
    def without_payloads(self) -> bytes:
        """The text, a mark in the place of each large payload."""
        return _without(self.text, self.payloads)

    def decode(self, element: Element) -> bytes:
        """The bytes that a base64 element holds. Raises Refusal BASE64_INVALID."""
        written = element.text or ""
        if written.startswith(_CUT_MARK) and written[len(_CUT_MARK) :].isdigit():
            number = int(written[len(_CUT_MARK) :])
            if number < len(self.opened):
                return self.opened[number]
            start, end = self.payloads[number] if number < len(self.payloads) else (0, 0)
            raw = self.text[start:end]
        else:
            raw = (written if not len(element) else "".join(element.itertext())).encode()
        try:
            return pybase64.b64decode(raw.translate(None, _WHITE), validate=True)
        except (binascii.Error, ValueError) as error:
            place = local(element)
            raise Refusal(
                Kind.UNPROCESSABLE,
                "BASE64_INVALID",
                f"the content of {place} is not base64: {error}; encode the bytes again",
                element=place,
            ) from error


def read_xml(content: bytes) -> Source:
    """Parse untrusted XML. Raises Refusal XML_MALFORMED, XML_DTD_FORBIDDEN or XML_TOO_COMPLEX."""
    text = _utf8(content)
    quick = _quick(text) if len(text) <= _ORDINARY else None
    if quick is not None:
        return quick
    # One element may have millions of attributes. A payload has two of these signs at most.
    if text.count(b"=") > MAX_ATTRIBUTES:
        raise _too_complex("line 1")
    payloads = _survey(text)
    light = _without(text, payloads)
    try:
        return Source(_tree(light), text, tuple(payloads))
    except ParseError as error:
        # The survey does not look at namespaces.
        raise _malformed(*error.position, expat.ErrorString(error.code) or "not XML") from error


def _quick(text: bytes) -> Source | None:
    """A text without document type, its evident payloads cut out; None when only the survey can say what it is.

    What was cut is not looked at again: looking for a word in base64 takes longer than decoding it.
    """
    spans, opened = _evident(text)
    light = _without(text, spans)
    # A section of text may quote a payload, and a sender may write a mark.
    if spans and (_CDATA in light or light.count(_CUT_MARK.encode()) != len(spans)):
        spans, opened, light = [], [], text
    if _DOCTYPE in light:
        return None
    root = _ordinary(light)
    return None if root is None else Source(root, text, tuple(spans), tuple(opened))


def _ordinary(text: bytes) -> Element | None:
    """The tree of a text without document type; None when it is not well formed or too deep: the survey says why."""
    try:
        root = _tree(text)
    except ParseError:
        return None
    # Each level but the innermost ends with a tag: few texts have enough of them to be too deep.
    return None if text.count(b"</") >= MAX_DEPTH and _too_deep(root) else root


def _tree(text: bytes) -> Element:
    """The tree of a text that has no document type."""
    parser = XMLParser(encoding="utf-8")  # noqa: S314
    parser.feed(text)
    return parser.close()


def _too_deep(root: Element) -> bool:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def _without(text: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """The text with a mark in the place of each payload."""
    if not spans:
        return text
    pieces: list[bytes] = []
    position = 0
    for number, (start, end) in enumerate(spans):
        pieces += (text[position:start], f"{_CUT_MARK}{number}".encode())
        position = end
    return b"".join((*pieces, text[position:]))


def _evident(text: bytes) -> tuple[list[tuple[int, int]], list[bytes]]:
    """What stands between `representation="B64">` and `</` and decodes; where there is no CDATA, payloads only.

    With the bytes of each. A comment may hold one too, which is cut as harmlessly; one that does not decode stays.
    No part of the text is looked at more than a few times, whatever a stranger repeats in it.
    """
    spans: list[tuple[int, int]] = []
    opened: list[bytes] = []
    place = text.find(_B64)
    while place >= 0:
        start = text.find(b">", place) + 1
        end = text.find(b"<", start) if start else -1
        if end < 0:
            break
        alone = (
            text.find(b"<", place, start) < 0 and text[end : end + 2] == b"</" and _opens_payload(text, place, start)
        )
        content = _base64(text[start:end]) if alone and end - start >= _CUT_FROM else None
        if content is not None:
            spans.append((start, end))
            opened.append(content)
        place = text.find(_B64, end)
    return spans, opened


def _opens_payload(text: bytes, place: int, start: int) -> bool:
    return text[start - 2 : start - 1] != b"/" and _REPRESENTATION.search(text, max(0, place - 40), place) is not None


def _base64(written: bytes) -> bytes | None:
    try:
        return pybase64.b64decode(written, validate=True)
    except ValueError:
        pass
    try:
        return pybase64.b64decode(written.translate(None, _WHITE), validate=True)
    except ValueError:
        return None


def _utf8(content: bytes) -> bytes:
    """The document in UTF-8; both parsers then read the same characters whatever was declared."""
    head = content[:256]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    else:
        declared = _DECLARATION.search(head)
        name = declared[1].decode("ascii").lower() if declared else "utf-8"
    codec = _ENCODINGS.get(name)
    if codec is None:
        raise _malformed(1, 0, f"the encoding {name!r} is not accepted; write the document in UTF-8")
    if codec == "utf-8":
        return content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode(codec).encode("utf-8")
    except UnicodeError as error:
        raise _malformed(1, 0, f"the bytes are not {name}: {error}") from error


def _survey(text: bytes) -> list[tuple[int, int]]:
    """Check the whole text once and return the spans of the large base64 payloads."""
    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    depth = elements = 0
    spans: list[tuple[int, int]] = []
    # The base64 element being read: its depth and where its text began.
    open_depth, open_at = 0, -1

    def start(_name: str, attributes: Any) -> None:
        nonlocal depth, elements, open_depth, open_at
        depth += 1
        elements += 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            raise _too_complex(f"line {parser.CurrentLineNumber}")
        if attributes and "representation" in attributes:
            index = attributes.index("representation")
            if not index % 2 and attributes[index + 1] == "B64":
                open_depth, open_at = depth, -1
                parser.CharacterDataHandler = characters

    def characters(_data: str) -> None:
        nonlocal open_at
        open_at = parser.CurrentByteIndex
        # The first piece tells where the text begins; the others would only cost time.
        parser.CharacterDataHandler = None

    def end(_name: str) -> None:
        nonlocal depth, open_depth
        if depth == open_depth:
            parser.CharacterDataHandler = None
            stop = parser.CurrentByteIndex
            plain = open_at >= 0 and text.find(b"<", open_at, stop) < 0 and text.find(b"&", open_at, stop) < 0
            if plain and stop - open_at >= _CUT_FROM:
                spans.append((open_at, stop))
            open_depth = 0
        depth -= 1

    def document_type(*_: Any) -> None:
        raise _document_type(parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise _malformed(error.lineno, error.offset, expat.ErrorString(error.code) or "not XML") from error
    return spans


def _malformed(line: int, column: int, what: str) -> Refusal:
    return Refusal(
        Kind.UNPROCESSABLE,
        "XML_MALFORMED",
        f"line {line}, column {column}: {what}",
        element=f"line {line}",
        data={"line": line, "column": column},
    )


def _too_complex(place: str) -> Refusal:
    return Refusal(
        Kind.UNPROCESSABLE,
        "XML_TOO_COMPLEX",
        f"the document has more than {MAX_DEPTH} levels, {MAX_ELEMENTS} elements or {MAX_ATTRIBUTES} attributes",
        element=place,
    )


def _document_type(line: int) -> Refusal:
    return Refusal(
        Kind.UNPROCESSABLE,
        "XML_DTD_FORBIDDEN",
        f"line {line}: a document type declaration (DOCTYPE) is never accepted; remove it",
        element=f"line {line}",
    )
