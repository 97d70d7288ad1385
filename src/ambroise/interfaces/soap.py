"""SOAP 1.2 with WS-Addressing, for every service that speaks it: envelopes read with every protection, and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NoReturn, TypeAlias

import pybase64
from lxml import etree

Element: TypeAlias = etree._Element  # pyright: ignore[reportPrivateUsage]

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
SOAP_1_1: Final = "http://schemas.xmlsoap.org/soap/envelope/"
WSA: Final = "http://www.w3.org/2005/08/addressing"
MEDIA: Final = "application/soap+xml"
_ENVELOPE: Final = f"{{{SOAP}}}Envelope"
_HEADER: Final = f"{{{SOAP}}}Header"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_SMALL: Final = 64 * 1024
_WIDEST: Final = 200
"""Namespaces in scope, or attributes of one element: each is looked for among all the others."""
_PLAIN: Final = re.compile(
    rb"""[ \t\r\n]*(?:<\?xml[ \t\r\n]+version=["']1\.0["'](?:[ \t\r\n]+encoding=["']utf-8["'])?[ \t\r\n]*\?>"""
    rb"""[ \t\r\n]*)?<[^?!]""",
    re.IGNORECASE,
)
_SPACES: Final = {ord(each): None for each in " \t\r\n"}


class Malformed(ValueError):
    """What arrived is not an envelope of SOAP 1.2, or goes beyond what a reader takes."""


class WrongVersion(Malformed):
    """It is an envelope, of another version of SOAP."""


class TooLarge(ValueError):
    """A content inside the envelope passes its limit."""


class EnvelopeReader:
    """Reads an envelope while its bytes arrive: no document type, no entity, no depth or size without end.

    The base64 of elements named in `contents` is decoded on its way and never stands in the tree, so that reading a
    document costs no more than the document. `header` is there as soon as it is read.

    A small envelope waits until it is there whole, and is then read in one go where that gives the very same tree.
    """

    def __init__(
        self,
        *,
        depth: int = 30,
        elements: int = 50_000,
        text: int = 4_000_000,
        contents: str | None = None,
        content_limit: int = 0,
    ) -> None:
        self._tree = _Tree(_ENVELOPE, depth, elements, text, contents, content_limit)
        self._waiting: bytearray | None = bytearray()
        self._limits = (depth, elements, text, contents)
        self._root: Element | None = None
        # The target counts what it is given and builds the tree itself: the library's own limits, made for the trees
        # that it builds, would only stop a large document.
        self._parser = _parser(self._tree)

    @property
    def header(self) -> Element | None:
        """The header, once all of it has arrived."""
        return self._tree.header

    @property
    def in_body(self) -> bool:
        """Whether the header, if there is one, is behind."""
        return self._tree.in_body

    @property
    def contents(self) -> dict[Element, bytearray]:
        """What the elements of `contents` held as base64."""
        return self._tree.found

    def feed(self, data: bytes) -> None:
        """Read some more. Raises Malformed, TooLarge."""
        if self._waiting is not None:
            self._waiting += data
            if len(self._waiting) > _SMALL:
                self._read_waiting()
            return
        self._feed(data)

    def end(self) -> None:
        """Nothing more comes: what waited is read. Raises Malformed, TooLarge."""
        if self._waiting is None:
            return
        whole = _small(bytes(self._waiting), *self._limits)
        if whole is None:
            # Whatever is wrong or unusual is for the reader that takes it piece by piece.
            self._read_waiting()
            return
        self._waiting, (self._root, self._tree.found) = None, whole
        self._tree.in_body = True
        self._tree.header = self._root[0] if self._root[0].tag == _HEADER else None

    def _read_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        self._feed(bytes(waiting or b""))

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise self._tree.refused(error) from None

    def close(self) -> Envelope:
        """The whole envelope. Raises Malformed, TooLarge."""
        self.end()
        if self._root is not None:
            return Envelope(self._root)
        try:
            root: Element | None = self._parser.close()  # type: ignore[assignment]
        except (etree.XMLSyntaxError, ValueError) as error:
            raise self._tree.refused(error) from None
        if root is None:
            raise Malformed("no envelope")
        return Envelope(root)


class Envelope:
    """One request: its only body element, and what its header says of where it goes."""

    def __init__(self, root: Element) -> None:
        header, body = child(root, SOAP, "Header"), child(root, SOAP, "Body")
        if root.tag != _ENVELOPE or body is None or len(body) != 1:
            raise Malformed("an envelope of SOAP 1.2 has one element in its body")
        self.header = header
        self.body: Element = body[0]
        self.action = text_of(header, WSA, "Action") if header is not None else None
        self.message_id = text_of(header, WSA, "MessageID") if header is not None else None

    def not_understood(self, *understood: str) -> Element | None:
        """The first header block that must be understood and is not of these namespaces (SOAP 1.2 part 1, 5.2.3)."""
        for block in self.header if self.header is not None else ():
            must = (block.get(f"{{{SOAP}}}mustUnderstand") or "").strip()
            if must in ("1", "true") and etree.QName(block).namespace not in (WSA, *understood):
                return block
        return None


def read_envelope(content: bytes, *, depth: int = 30) -> Envelope:
    """An envelope that is there whole. Raises Malformed."""
    reader = EnvelopeReader(depth=depth)
    reader.feed(content)
    return reader.close()


def read_element(content: bytes, root: str, *, depth: int = 30, text: int = 4_000_000) -> Element:
    """An XML file whose root is `root`, read with the same protections. Raises Malformed."""
    tree = _Tree(root, depth, 50_000, text, None, 0)
    parser = _parser(tree)
    try:
        parser.feed(content)
        found: Element | None = parser.close()  # type: ignore[assignment]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise tree.refused(error) from None
    if found is None:
        raise Malformed("it does not end")
    return found


def child(holder: Element, namespace: str, name: str) -> Element | None:
    """The first child of this name."""
    return holder.find(f"{{{namespace}}}{name}")


def children(holder: Element, namespace: str, name: str) -> list[Element]:
    """Every child of this name."""
    return holder.findall(f"{{{namespace}}}{name}")


def text_of(holder: Element, namespace: str, name: str) -> str | None:
    """The text of the first child of this name, without the space around it; None when empty or absent."""
    found = child(holder, namespace, name)
    return ((found.text or "").strip() or None) if found is not None else None


def new_envelope(action: str | None, relates_to: str | None, message_id: str | None) -> tuple[Element, Element]:
    """An envelope to fill in, and its body; without an action it has no header."""
    envelope = etree.Element(_ENVELOPE, nsmap={"S": SOAP, "wsa": WSA})
    if action is not None:
        header = etree.SubElement(envelope, _HEADER)
        etree.SubElement(header, f"{{{WSA}}}Action").text = action
        if message_id is not None:
            etree.SubElement(header, f"{{{WSA}}}MessageID").text = message_id
        if relates_to is not None:
            etree.SubElement(header, f"{{{WSA}}}RelatesTo").text = relates_to
    return envelope, etree.SubElement(envelope, f"{{{SOAP}}}Body")


def add_fault(
    body: Element,
    code: str,
    subcode: str,
    reason: str,
    *,
    language: str,
    prefixes: Mapping[str, str] | None = None,
) -> Element:
    """Write a fault; returns its Detail, to fill in. `subcode` is a name with S, wsa or a prefix of `prefixes`."""
    said = etree.SubElement(body, f"{{{SOAP}}}Fault", nsmap=dict(prefixes or {}))
    value = etree.SubElement(said, f"{{{SOAP}}}Code")
    etree.SubElement(value, f"{{{SOAP}}}Value").text = f"S:{code}"
    etree.SubElement(etree.SubElement(value, f"{{{SOAP}}}Subcode"), f"{{{SOAP}}}Value").text = subcode
    text = etree.SubElement(etree.SubElement(said, f"{{{SOAP}}}Reason"), f"{{{SOAP}}}Text")
    text.set(f"{{{_XML}}}lang", language)
    text.text = reason
    return etree.SubElement(said, f"{{{SOAP}}}Detail")


def of_another_version(reason: str) -> bytes:
    """The fault for who speaks SOAP 1.1, in its words, with the version to speak (SOAP 1.2 part 1, appendix A)."""
    envelope = etree.Element(f"{{{SOAP_1_1}}}Envelope", nsmap={"S11": SOAP_1_1})
    header = etree.SubElement(envelope, f"{{{SOAP_1_1}}}Header")
    upgrade = etree.SubElement(header, f"{{{SOAP}}}Upgrade", nsmap={"S": SOAP})
    etree.SubElement(upgrade, f"{{{SOAP}}}SupportedEnvelope").set("qname", "S:Envelope")
    fault = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP_1_1}}}Body"), f"{{{SOAP_1_1}}}Fault")
    etree.SubElement(fault, "faultcode").text = "S11:VersionMismatch"
    etree.SubElement(fault, "faultstring").text = reason
    return to_bytes(envelope)


def to_bytes(envelope: Element) -> bytes:
    """The envelope as it is sent."""
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _small(
    content: bytes, depth: int, elements: int, text: int, contents: str | None
) -> tuple[Element, dict[Element, bytearray]] | None:
    """The tree of a small envelope, and its elements of `contents`, all empty; None where another reader must look.

    Here is read what is written in UTF-8 without a document type, within the limits, header first.
    """
    size = len(content)
    within = (size <= elements or content.count(b"<") <= elements) and size <= text
    if not within or content.count(b"xmlns") > _WIDEST or b"<!D" in content or _PLAIN.match(content) is None:
        return None
    try:
        root = etree.fromstring(content, _plain_parser())
    except (etree.XMLSyntaxError, ValueError):
        return None
    headers = [place for place, one in enumerate(root) if one.tag == _HEADER]
    if root.tag != _ENVELOPE or not len(root) or headers not in ([], [0]) or _deeper_than(depth)(root):
        return None
    found: dict[Element, bytearray] = {}
    for one in root.iter(contents) if contents else ():
        if "".join(one.itertext()).strip() or one.find(f".//{contents}") is not None:
            return None
        found[one] = bytearray()
    return root, found


def _plain_parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )


@cache
def _deeper_than(depth: int) -> Callable[[Element], bool]:
    """Whether a tree has an element below so many others."""
    found = etree.XPath("boolean(/*" + "/*" * depth + ")")
    return lambda root: bool(found(root))


def _parser(tree: _Tree) -> etree.XMLParser:
    return etree.XMLParser(
        target=tree,  # type: ignore[arg-type]
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )


class _Tree:
    """What the parser calls (lxml parser target); it refuses by raising, which stops the parser."""

    def __init__(
        self, root: str, depth: int, elements: int, text: int, contents: str | None, content_limit: int
    ) -> None:
        self._root = root
        self._builder = etree.TreeBuilder()
        self._room = depth
        self._elements = elements
        self._text = text
        self._contents = contents
        self._left = content_limit
        self._decoder: _Base64 | None = None
        self._depth = 0
        self._scope: list[int] = []
        self._opened = 0
        self._begun = False
        self.header: Element | None = None
        self.in_body = False
        self.found: dict[Element, bytearray] = {}
        self._refusal: Malformed | TooLarge | None = None

    def refused(self, error: Exception) -> Malformed | TooLarge:
        """Why reading stopped: the parser closes its target on its way out, and may hide the first reason."""
        return self._refusal or Malformed(str(error))

    def doctype(self, name: str | None, public: str | None, system: str | None) -> None:
        self._refuse("a document type is not taken")

    def start(self, tag: str, attributes: Mapping[str, str], namespaces: Mapping[str, str] | None = None) -> None:
        self._begun = True
        self._depth += 1
        self._elements -= 1
        self._text -= len(tag) + sum(len(name) + len(value) for name, value in attributes.items())
        self._text -= sum(len(value) for value in (namespaces or {}).values())
        if self._depth > self._room or self._elements < 0 or self._text < 0:
            self._refuse("too deep, or too many elements")
        self._scope.append((self._scope[-1] if self._scope else 0) + len(namespaces or {}))
        if self._scope[-1] > _WIDEST or len(attributes) > _WIDEST:
            self._refuse("too many namespaces, or attributes of one element")
        if self._depth == 1 and tag != self._root:
            if self._root == _ENVELOPE and tag.endswith("}Envelope"):
                self._refusal = WrongVersion("an envelope of another version than SOAP 1.2")
                raise self._refusal
            wanted = "an envelope of SOAP 1.2" if self._root == _ENVELOPE else self._root
            self._refuse(f"not {wanted}")
        if self._depth == 2 and tag != _HEADER:
            self.in_body = True
        if tag == self._contents and self._decoder is None:
            self._decoder = _Base64(self._left)
            self._opened = self._depth
        prefixes = {prefix or None: name for prefix, name in (namespaces or {}).items()}
        # Where entities are not resolved, the parser leaves an ampersand of an attribute as this very reference.
        read = {name: value.replace("&#38;", "&") for name, value in attributes.items()}
        self._builder.start(tag, read, prefixes)  # type: ignore[call-arg]

    def end(self, tag: str) -> Element:
        element: Any = self._builder.end(tag)
        self._scope.pop()
        if self._decoder is not None and self._depth == self._opened:
            self._decode(None)
            self.found[element] = self._decoder.decoded
            self._left -= len(self._decoder.decoded)
            self._decoder = None
        if self._depth == 2 and tag == _HEADER and self.header is None:
            self.header = element
        self._depth -= 1
        return element

    def data(self, data: str) -> None:
        if self._decoder is not None:
            self._decode(data)
            return
        self._text -= len(data)
        if self._text < 0:
            self._refuse("too much text")
        self._builder.data(data)

    def _decode(self, data: str | None) -> None:
        """Take some more base64, or the end of it."""
        assert self._decoder is not None  # noqa: S101
        try:
            if data is None:
                self._decoder.close()
            else:
                self._decoder.feed(data)
        except (Malformed, TooLarge) as refusal:
            self._refusal = refusal
            raise

    def close(self) -> Element | None:
        return self._builder.close() if self._begun and self._depth == 0 and self._refusal is None else None

    def _refuse(self, reason: str) -> NoReturn:
        self._refusal = Malformed(reason)
        raise self._refusal


class _Base64:
    """Decodes base64 that arrives in pieces."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = ""
        self._ended = False
        self.decoded = bytearray()

    def feed(self, data: str) -> None:
        text = self._rest + data.translate(_SPACES)
        whole = len(text) - len(text) % 4
        self._rest = text[whole:]
        if not whole:
            return
        if self._ended:
            raise Malformed("not base64")
        try:
            self.decoded += pybase64.b64decode(text[:whole], validate=True)
        except ValueError:
            raise Malformed("not base64") from None
        self._ended = text[whole - 1] == "="
        if len(self.decoded) > self._limit:
            raise TooLarge("a document passes the limit")

    def close(self) -> None:
        if self._rest:
            raise Malformed("not base64")
