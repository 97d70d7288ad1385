"""Which tables a telephone has no room for, and the words that then stand beside each of their cells.

A table whose columns do not fit is read there a row at a time, each cell under the heading of its column. The renderer
writes both ways of reading into one table; the page chooses by its own width.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ambroise.modules.record.cda.nodes import Element, children, local, text

# What a telephone of 390 px leaves to a document, and what letters and the edges of a cell take of it.
_ROOM = 318
_LETTER = 7
_EDGES = 21
_SENTENCE = 40
_SENTENCE_ROOM = 180
# Beyond these it is no table of a report: headings repeated beside each cell would make a page many times its document.
_MOST_COLUMNS = 24
_LONGEST_HEADING = 80


class Stacking(Struct, frozen=True):
    """The heading of each cell of the body, and the rows that hold nothing but headings of columns."""

    labels: Mapping[Element, str]
    heads: frozenset[Element]


class _Grid:
    """Where the cells of a table stand, row after row, with those that reach over several."""

    def __init__(self) -> None:
        self._left = [0] * _MOST_COLUMNS

    def row(self, cells: Sequence[Element]) -> list[tuple[int, int, Element]] | None:
        """Column, columns and cell of each cell of the next row; None when it is wider than a table of a report."""
        placed: list[tuple[int, int, Element]] = []
        left, column = self._left, 0
        for cell in cells:
            while column < _MOST_COLUMNS and left[column]:
                column += 1
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            if column + wide > _MOST_COLUMNS:
                return None
            placed.append((column, wide, cell))
            left[column : column + wide] = [high] * wide
            column += wide
        self._left = [max(rows - 1, 0) for rows in left]
        return placed


def stacking(table: Element) -> Stacking | None:
    """How a table is read a row at a time; None for one that fits, or that says no heading for its columns."""
    grid, headings = _Grid(), dict[int, str]()
    labels, heads, needs = dict[Element, str](), set[Element](), [0] * _MOST_COLUMNS
    heading_before = False
    for group in children(table):
        for row in children(group):
            if local(row) != "tr":
                continue
            cells = [cell for cell in children(row) if local(cell) in ("td", "th")]
            placed = grid.row(cells)
            if placed is None:
                return None
            _measure(placed, needs)
            heading = len(cells) > 1 and (local(group) == "thead" or all(local(cell) == "th" for cell in cells))
            if heading:
                if not heading_before:
                    headings = {}
                _note(placed, headings)
                heads.add(row)
            else:
                labels |= _labels(placed, headings)
            heading_before = heading
    if not labels or sum(needs) <= _ROOM or max(map(len, labels.values())) > _LONGEST_HEADING:
        return None
    return Stacking(labels, frozenset(heads))


def _labels(placed: Sequence[tuple[int, int, Element]], headings: Mapping[int, str]) -> dict[Element, str]:
    """The heading of each cell; none in a row with a cell below several headings, which says something else."""
    if any(len({headings.get(one) for one in range(column, column + wide)}) > 1 for column, wide, _ in placed):
        return {}
    return {cell: headings[column] for column, _, cell in placed if headings.get(column)}


def _note(placed: Sequence[tuple[int, int, Element]], headings: dict[int, str]) -> None:
    """Add a row of headings to what stands above each column."""
    for column, wide, cell in placed:
        if words := text(cell):
            for one in range(column, column + wide):
                # Kept no longer than what shows that it is too long, so that no number of headings makes it costly.
                headings[one] = f"{headings.get(one, '')} {words}".lstrip()[: _LONGEST_HEADING + 1]


def _measure(placed: Sequence[tuple[int, int, Element]], needs: list[int]) -> None:
    """Widen each column to the longest word that it cannot break, or to what a sentence needs to be read."""
    for column, wide, cell in placed:
        words = text(cell) or ""
        if wide == 1:
            longest = _LETTER * max(map(len, words.split()), default=0)
            needed = max(longest, _SENTENCE_ROOM if len(words) > _SENTENCE else 0) + _EDGES
            needs[column] = max(needs[column], needed)


def _span(cell: Element, name: str) -> int:
    value = cell.get(name, "")
    return max(int(value[:4]), 1) if value.isascii() and value.isdigit() else 1
