"""A request as it arrives: an envelope alone, or MTOM/XOP parts; read once, no further than its limits.

Who calls is known before any document is read: the header comes first. A document is kept once, as its bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from ambroise.interfaces.soap import MEDIA, Element, Envelope, EnvelopeReader, Malformed, TooLarge, WrongVersion
from ambroise.interfaces.xds.names import XDSB, XOP, tag

_TEXT: Final = 4_000_000
"""What an envelope may hold besides its documents, in characters."""
_PARTS: Final = 1_000
_PIECE: Final = 16 * 1024
"""What is smaller than this is copied, so that what arrives byte by byte holds no more memory than it has bytes."""
_DOCUMENT: Final = tag(XDSB, "Document")
Known = TypeVar("Known")


class Arrival(Generic[Known]):
    """One request read whole: its envelope, who sent it, and the documents that came with it."""

    def __init__(self, envelope: Envelope, known: Known, contents: dict[Element, bytearray], parts: _Parts) -> None:
        self.envelope = envelope
        self.known = known
        self._contents = contents
        self._parts = parts

    def document(self, element: Element) -> bytes | None:
        """The bytes of a Document element, inline or in a part; given once, and forgotten here. None: there are none.

        Raises Malformed when it names a part that did not come, or that another document took.
        """
        include = element.find(tag(XOP, "Include"))
        inline = self._contents.pop(element, None)
        if include is None:
            return bytes(inline) if inline else None
        href = include.get("href", "")
        part = self._parts.take(unquote(href.removeprefix("cid:"))) if href.startswith("cid:") else None
        if part is None:
            raise Malformed("xop:Include names no part of its own")
        return part


async def receive(
    request: Request, identify: Callable[[Element | None], Awaitable[Known]], *, content_limit: int
) -> Arrival[Known]:
    """Read a request. Raises Malformed, TooLarge, and what `identify` raises, before the documents are read."""
    reader = EnvelopeReader(text=_TEXT, contents=_DOCUMENT, content_limit=content_limit)
    parts = _Parts(request.headers.get("content-type", ""), reader, content_limit)
    room = content_limit * 4 // 3 + 2 * _TEXT
    known: Known | None = None
    try:
        async for chunk in request.stream():
            room -= len(chunk)
            if room < 0:
                raise TooLarge("the request passes the limit")
            try:
                parts.feed(chunk)
            finally:
                # Whatever is wrong further on is told to those alone who are known.
                if known is None and (reader.header is not None or reader.in_body):
                    known = await identify(reader.header)
    except ClientDisconnect:
        raise Malformed("the client left") from None
    try:
        envelope = parts.close()
    finally:
        if known is None and (reader.header is not None or reader.in_body):
            known = await identify(reader.header)
    # A header that ends with the envelope itself: there was no body to wait for.
    return Arrival(envelope, known if known is not None else await identify(reader.header), reader.contents, parts)


class _Parts:
    """Where the bytes of a request go: to the reader of the envelope, and each other part to its own place."""

    def __init__(self, content_type: str, envelope: EnvelopeReader, limit: int) -> None:
        self._found: dict[str, list[memoryview | bytearray]] = {}
        self._envelope = envelope
        self._left = limit
        self._headers: dict[str, bytes] = {}
        self._name = b""
        self._value = b""
        self._number = 0
        self._into: list[memoryview | bytearray] | None = None
        self._parser = self._multipart(content_type)

    def feed(self, data: bytes) -> None:
        """Take some more."""
        if self._parser is None:
            self._feed_envelope(data)
            return
        try:
            self._parser.write(data)
        except FormParserError:
            raise Malformed("the parts are not those of MIME") from None

    def take(self, name: str) -> bytes | None:
        """The bytes of a part, in one piece, which is forgotten here; None when there is none of this name."""
        pieces = self._found.pop(name, None)
        return b"".join(pieces) if pieces is not None else None

    def close(self) -> Envelope:
        """The end of the request."""
        if self._parser is not None:
            try:
                self._parser.finalize()
            except FormParserError:
                raise Malformed("the last part does not end") from None
        return self._envelope.close()

    def _multipart(self, content_type: str) -> MultipartParser | None:
        media, options = parse_options_header(content_type)
        if media in (MEDIA.encode(), b"application/xop+xml"):
            return None
        if media == b"text/xml":
            raise WrongVersion("text/xml is SOAP 1.1")
        if media != b"multipart/related" or not options.get(b"boundary"):
            raise Malformed("send application/soap+xml, or multipart/related with a boundary (MTOM)")
        self._start = options.get(b"start", b"").decode("latin-1").strip("<>")
        return MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._begin,
                "on_header_field": self._add_name,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": self._take,
                "on_part_end": self._end_part,
            },
        )

    def _begin(self) -> None:
        self._headers, self._name, self._value, self._into = {}, b"", b"", None
        self._number += 1
        if self._number > _PARTS:
            raise Malformed("too many parts")

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name, self._value = b"", b""

    def _open(self) -> None:
        encoding = self._headers.get("content-transfer-encoding", b"binary").strip().lower()
        if encoding not in (b"binary", b"8bit", b"7bit"):
            raise Malformed("the parts of MTOM are binary")
        name = self._headers.get("content-id", b"").decode("latin-1").strip().strip("<>")
        if self._number == 1:
            if self._start and name != self._start:
                raise Malformed("the envelope is the first part")
            return
        if not name or name in self._found:
            raise Malformed("each part has a Content-ID of its own")
        self._into = self._found[name] = []

    def _end_part(self) -> None:
        if self._number == 1:
            self._envelope.end()

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._into is None:
            self._feed_envelope(data[start:end])
            return
        self._left -= end - start
        if self._left < 0:
            raise TooLarge("the documents pass the limit")
        if end - start >= _PIECE:
            self._into.append(memoryview(data)[start:end])
        elif self._into and isinstance(last := self._into[-1], bytearray):
            last += memoryview(data)[start:end]
        else:
            self._into.append(bytearray(memoryview(data)[start:end]))

    def _feed_envelope(self, data: bytes) -> None:
        if data:
            self._envelope.feed(data)
