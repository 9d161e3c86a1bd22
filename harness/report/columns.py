"""The columns of a table: what their cells show, which of them fit, and how wide they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import normalize

from harness.report.glyphs import printable, width
from harness.results import Cell, RowDiff, TableDiff

GAP = "  "
BETWEEN = " ≠ "
"""What stands between the expected and the actual value of a cell."""

NOTHING = "(nothing)"
"""A side that has no value at all, not even null: a column that is not there."""

_NARROW = 12
_AMPLE = 40
"""Columns that differ get up to `_AMPLE` for each side before others are shown, never less than
`_NARROW` while there are others to leave out."""

Texts = tuple[str, ...]
"""What a cell shows: one text, or the expected and the actual one."""


class TableColumn(NamedTuple):
    """A column with the cells of the rows that are shown.

    Attributes:
        natural: how wide it is if nothing is cut.
        sides: 2 if one of its cells differs, else 1.
    """

    name: str
    cells: tuple[Texts, ...]
    natural: int
    sides: int

    def within(self, limit: int) -> int:
        """How wide it is if no side of a cell may be wider than `limit`."""
        return min(self.natural, self.sides * limit + (self.sides - 1) * len(BETWEEN))


def columns_of(table: TableDiff, rows: Sequence[RowDiff]) -> list[TableColumn]:
    """The columns of a table, with the cells of some of its rows."""
    return [_column(name, index, rows) for index, name in enumerate(table.columns)]


def fitting(columns: Sequence[TableColumn], room: int) -> list[TableColumn]:
    """The columns that are shown side by side, at least one of those that differ.

    That is the first, those that differ, and others only where these need not be cut for them.
    """
    needed = [index for index, column in enumerate(columns) if index == 0 or column.sides > 1]
    while len(needed) > 2 and _total([columns[index] for index in needed], _NARROW) > room:
        needed.pop()
    kept = set(needed)
    free = room - _total([columns[index] for index in needed], _AMPLE)
    for index, column in enumerate(columns):
        cost = column.within(_NARROW) + len(GAP)
        if index not in kept and column.sides == 1 and cost <= free:
            kept.add(index)
            free -= cost
    return [column for index, column in enumerate(columns) if index in kept]


def widths(columns: Sequence[TableColumn], room: int) -> list[int]:
    """How wide the columns are so that they fit: the widest are cut, all to the same limit."""
    limit = room
    while limit > 1 and _total(columns, limit) > room:
        limit -= 1
    return [column.within(limit) for column in columns]


def _total(columns: Sequence[TableColumn], limit: int) -> int:
    return sum(column.within(limit) + len(GAP) for column in columns) - len(GAP)


def _column(name: str, index: int, rows: Sequence[RowDiff]) -> TableColumn:
    cells = tuple(_texts(row, row.cells[index]) for row in rows)
    header = printable(name)
    natural = max(width(header), *(width(BETWEEN.join(texts)) for texts in cells))
    return TableColumn(header, cells, natural, max(map(len, cells)))


def _texts(row: RowDiff, cell: Cell) -> Texts:
    if row.mark == "differs" and not cell.matches:
        return _distinct(_shown(cell.expected, NOTHING), _shown(cell.actual, NOTHING))
    return (_shown(cell.expected if row.mark == "missing" else cell.actual, ""),)


def _shown(text: str | None, otherwise: str) -> str:
    return otherwise if text is None else printable(text)


def _distinct(expected: str, actual: str) -> Texts:
    """Both sides; as escapes if they are written differently and look the same."""
    if normalize("NFC", expected) == normalize("NFC", actual):
        return ascii(expected)[1:-1], ascii(actual)[1:-1]
    return expected, actual
