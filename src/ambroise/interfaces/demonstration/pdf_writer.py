"""A small, fast writer of PDF 1.4: letters and reports of one or two pages in the standard fonts.

The standard fonts need no embedding, and WinAnsi encoding covers French. Every page says that the document is
fictitious. The same content gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from random import Random

from msgspec import Struct

WIDTH, HEIGHT = 595, 842
MARGIN = 56
FICTITIOUS = "Document fictif de démonstration : personnes, structures et faits inventés, sans valeur médicale."

_BODY, _LEADING = 10, 13
_BOTTOM = 70
# Widths of Helvetica by thousandths of the size, from the space to the tilde.
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


@lru_cache(maxsize=16384)
def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


class Table(Struct, frozen=True):
    """Rows of short texts under a header; `widths` are shares of the page width."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


class Letter(Struct, frozen=True):
    """What is written: who sends it, about whom, under which title, and the body of paragraphs and tables."""

    title: str
    sender: tuple[str, ...]
    subject: tuple[str, ...]
    place_and_date: str
    body: tuple[str | Table, ...]
    signature: tuple[str, ...]
    moment: datetime


def write(letter: Letter, *, pad_to: int = 0) -> bytes:
    """Write a letter; with `pad_to`, a page of scanned noise is added to bring the file near that many bytes."""
    pages = _Layout(letter).pages()
    document = _assemble(letter, pages, b"")
    if pad_to > len(document):
        document = _assemble(letter, pages, _noise(letter, pad_to - len(document) - 600))
    return document


@lru_cache(maxsize=8192)
def _word_width(word: str) -> int:
    return sum(_WIDTHS[ord(c) - 32] if 32 <= ord(c) < 127 else 556 for c in word)


@lru_cache(maxsize=4096)
def _wrap(text: str, width: int, size: int) -> tuple[str, ...]:
    """Lines of a paragraph, escaped for a PDF string."""
    room = width * 1000 // size
    lines: list[str] = []
    line: list[str] = []
    used = 0
    for word in text.split(" "):
        needed = _word_width(word)
        if line and used + 278 + needed > room:
            lines.append(" ".join(line))
            line, used = [], 0
        used += needed + (278 if line else 0)
        line.append(word)
    lines.append(" ".join(line))
    return tuple(entry.translate(_ESCAPES) for entry in lines)


class _Layout:
    """Places the content from top to bottom, opening a page when one is full."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._pages: list[list[str]] = []
        self._y = 0
        self._open_page()

    def pages(self) -> list[bytes]:
        letter = self._letter
        self._block(letter.sender, 9, 11, bold_first=True)
        self._box(letter.subject)
        self._line(letter.place_and_date, x=MARGIN + 250)
        self._y -= 8
        for line in _wrap(letter.title, WIDTH - 2 * MARGIN, 15):
            self._text(line, MARGIN, 15, "F2")
            self._y -= 19
        self._y -= 6
        for part in letter.body:
            if isinstance(part, Table):
                self._table(part)
            else:
                self._paragraph(part)
        self._y -= 10
        self._room(len(letter.signature) * 12)
        for line in letter.signature:
            self._line(line, x=MARGIN + 250)
        return [self._finish(number, ops) for number, ops in enumerate(self._pages, 1)]

    def _open_page(self) -> None:
        self._pages.append([])
        self._y = HEIGHT - MARGIN

    def _room(self, height: int) -> None:
        if self._y - height < _BOTTOM:
            self._open_page()

    def _text(self, escaped: str, x: int, size: int, font: str) -> None:
        self._pages[-1].append(f"BT /{font} {size} Tf {x} {self._y} Td ({escaped}) Tj ET")

    def _line(self, text: str, x: int = MARGIN) -> None:
        self._text(_escape(text), x, _BODY, "F1")
        self._y -= _LEADING

    def _block(self, lines: Sequence[str], size: int, leading: int, *, bold_first: bool) -> None:
        for number, text in enumerate(lines):
            self._text(_escape(text), MARGIN, size, "F2" if bold_first and not number else "F1")
            self._y -= leading
        self._y -= 6

    def _box(self, lines: Sequence[str]) -> None:
        height = len(lines) * 12 + 10
        top = self._y + 8
        self._pages[-1].append(f"0.6 G {MARGIN - 6} {top - height} {WIDTH - 2 * MARGIN + 12} {height} re S 0 G")
        self._y -= 4
        self._block(lines, 9, 12, bold_first=True)
        self._y -= 8

    def _paragraph(self, text: str) -> None:
        lines = _wrap(text, WIDTH - 2 * MARGIN, _BODY)
        self._room(len(lines) * _LEADING)
        shown = ") Tj T* (".join(lines)
        self._pages[-1].append(f"BT /F1 {_BODY} Tf {_LEADING} TL {MARGIN} {self._y} Td ({shown}) Tj ET")
        self._y -= len(lines) * _LEADING + 6

    def _table(self, table: Table) -> None:
        total = sum(table.widths)
        room = WIDTH - 2 * MARGIN
        positions = [MARGIN + room * sum(table.widths[:n]) // total for n in range(len(table.widths))]
        self._row(table.header, positions, "F2")
        self._pages[-1].append(f"0.8 G {MARGIN} {self._y + 9} {room} 0 re S 0 G")
        for row in table.rows:
            self._row(row, positions, "F1")
        self._y -= 8

    def _row(self, cells: Sequence[str], positions: Sequence[int], font: str) -> None:
        self._room(_LEADING)
        for text, x in zip(cells, positions, strict=True):
            self._text(_escape(text), x, 9, font)
        self._y -= _LEADING

    def _finish(self, number: int, ops: list[str]) -> bytes:
        footer = f"{FICTITIOUS} Page {number} / {len(self._pages)}"
        ops.append(f"BT /F2 8 Tf 0.45 g {MARGIN} 40 Td ({_escape(footer)}) Tj ET")
        return "\n".join(ops).encode("cp1252", "replace")


def _noise(letter: Letter, size: int) -> bytes:
    lines = max(size // _SCAN_WIDTH, 1)
    seed = f"{letter.title}{letter.moment.isoformat()}"
    return Random(seed).randbytes(lines * _SCAN_WIDTH)  # noqa: S311 - a fake scan, reproducible on purpose.


_SCAN_WIDTH = 400
_FONTS = (
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
)
_FIRST_PAGE = 6


def _assemble(letter: Letter, pages: list[bytes], scan: bytes) -> bytes:
    """Catalog, page tree, fonts, information, then each page and its content, then the scan on a page of its own."""
    contents = list(pages)
    scan_number = _FIRST_PAGE + 2 * (len(pages) + 1) if scan else 0
    if scan:
        contents.append(b"q 480 0 0 680 56 90 cm /Im1 Do Q")
    kids = b" ".join(b"%d 0 R" % (_FIRST_PAGE + 2 * n) for n in range(len(contents)))
    title = ("\ufeff" + letter.title).encode("utf-16-be").hex().encode()
    date = letter.moment.strftime("D:%Y%m%d%H%M%S").encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(fr-FR)/ViewerPreferences<</DisplayDocTitle true>>>>",
        b"<</Type/Pages/Count %d/MediaBox[0 0 %d %d]/Kids[%s]>>" % (len(contents), WIDTH, HEIGHT, kids),
        *_FONTS,
        b"<</Title<%s>/Subject(Document fictif)/Creator(Ambroise)/Producer(Ambroise)/CreationDate(%s)>>"
        % (title, date),
    ]
    images = b"/XObject<</Im1 %d 0 R>>" % scan_number if scan else b""
    for number, content in enumerate(contents):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R/F2 4 0 R>>%s>>/Contents %d 0 R>>"
            % (images, _FIRST_PAGE + 2 * number + 1)
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    if scan:
        objects.append(
            b"<</Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Width %d/Height %d/Length %d>>"
            b"stream\n%s\nendstream" % (_SCAN_WIDTH, len(scan) // _SCAN_WIDTH, len(scan), scan)
        )
    return _with_cross_references(objects)


def _with_cross_references(objects: list[bytes]) -> bytes:
    parts = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
    position = len(parts[0])
    offsets: list[int] = []
    for number, content in enumerate(objects, 1):
        offsets.append(position)
        part = b"%d 0 obj\n%s\nendobj\n" % (number, content)
        parts.append(part)
        position += len(part)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    parts.append(
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R/Info 5 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (size, entries, size, position)
    )
    return b"".join(parts)
