"""The columns of a table: what their cells show, which of them fit, and how wide they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple
from unicodedata import normalize

from harness.report.detail import Detail
from harness.report.glyphs import around, first_difference, printable, width
from harness.results import Cell, RowDiff, TableDiff

GAP = "  "
BAR = " | "
"""Between the columns that are compared and the others."""
BETWEEN = " ≠ "
"""What stands between the expected and the actual value of a cell."""

NOTHING = "(nothing)"
"""A side that has no value at all, not even null: a column that is not there."""

_NARROW = 12
_AMPLE = 40
"""Columns that differ get up to `_AMPLE` for each side before others are shown, never less than
`_NARROW` while there are others to leave out."""

_LONGEST = 400
"""Characters of a text that are looked at where texts are cut: no terminal is wider."""

Texts = tuple[str, ...]
"""What a cell shows: one text, or the expected and the actual one."""


class Shown(NamedTuple):
    """A cell; `counts` if it tells only how many of its parts differ."""

    texts: Texts
    counts: bool = False


class TableColumn(NamedTuple):
    """A column with the cells of the rows that are shown.

    Attributes:
        natural: how wide it is if nothing is cut.
        sides: 2 if one of its cells shows both sides, else 1.
        differs: whether one of its cells differs.
        named: whether the expectation names it.
    """

    name: str
    cells: tuple[Shown, ...]
    natural: int
    sides: int
    differs: bool
    named: bool

    @property
    def says_something(self) -> bool:
        """Whether there is a value in it."""
        return any(text not in ("", "null") for cell in self.cells for text in cell.texts)

    def within(self, limit: int) -> int:
        """How wide it is if no side of a cell may be wider than `limit`."""
        return min(self.natural, self.sides * limit + (self.sides - 1) * len(BETWEEN))


def columns_of(table: TableDiff, rows: Sequence[RowDiff], detail: Detail) -> list[TableColumn]:
    """The columns of a table, with the cells of some of its rows."""
    named = len(table.columns) - table.unnamed
    return [
        _column(name, [(row, row.cells[index]) for row in rows], index < named, detail)
        for index, name in enumerate(table.columns)
    ]


def fitting(columns: Sequence[TableColumn], room: int, unnamed: int | None) -> list[TableColumn]:
    """The columns that are shown side by side, at least one of those that differ.

    That is the first, those that differ, and others only where these need not be cut for them; of
    those that no expectation names so many at most, and only whole.
    """
    needed = [index for index, column in enumerate(columns) if index == 0 or column.differs]
    while len(needed) > 2 and _total([columns[index] for index in needed], _NARROW) > room:
        needed.pop()
    kept = set(needed)
    free = room - _total([columns[index] for index in needed], _AMPLE)
    for index, column in enumerate(columns):
        cost = column.within(_NARROW) + len(GAP)
        if index not in kept and column.named and not column.differs and cost <= free:
            kept.add(index)
            free -= cost
    shown = [column for index, column in enumerate(columns) if index in kept]
    return [*shown, *islice(_besides(columns, room - _total(shown, room)), unnamed)]


def _besides(columns: Sequence[TableColumn], free: int) -> Iterator[TableColumn]:
    """The columns that no expectation names, as far as there is room."""
    free -= len(BAR) - len(GAP)
    for column in columns:
        cost = column.natural + len(GAP)
        if not column.named and column.says_something and cost <= free:
            free -= cost
            yield column


def widths(columns: Sequence[TableColumn], room: int) -> list[int]:
    """How wide the columns are so that they fit: the widest are cut, all to the same limit."""
    limit = room
    while limit > 1 and _total(columns, limit) > room:
        limit -= 1
    return [column.within(limit) for column in columns]


def natural(columns: Sequence[TableColumn]) -> int:
    """How wide the columns are side by side if nothing is cut."""
    return sum(column.natural for column in columns) + len("".join(gaps(columns)))


def gaps(columns: Sequence[TableColumn]) -> list[str]:
    """What stands before each column."""
    named = [True, *(column.named for column in columns)]
    between = [GAP if before == after else BAR for before, after in pairwise(named)]
    return ["", *between[1:]]


def _total(columns: Sequence[TableColumn], limit: int) -> int:
    return sum(column.within(limit) for column in columns) + len("".join(gaps(columns)))


def _column(
    name: str, pairs: Sequence[tuple[RowDiff, Cell]], named: bool, detail: Detail
) -> TableColumn:
    cells = tuple(_shown(row, cell, detail) for row, cell in pairs)
    header = printable(name)
    natural = max(width(header), *(width(BETWEEN.join(cell.texts)) for cell in cells))
    sides = max(len(cell.texts) for cell in cells)
    differs = sides > 1 or any(cell.counts for cell in cells)
    return TableColumn(header, cells, natural, sides, differs, named)


def _shown(row: RowDiff, cell: Cell, detail: Detail) -> Shown:
    if row.mark != "differs" or cell.matches:
        text = cell.expected if row.mark == "missing" else cell.actual
        return Shown((_text(text, "", 0, detail),))
    expected, actual = cell.expected, cell.actual
    first = first_difference(expected or "", actual or "")
    sides = _text(expected, NOTHING, first, detail), _text(actual, NOTHING, first, detail)
    if cell.parts and detail.cuts and width(BETWEEN.join(sides)) > _AMPLE:
        return Shown((f"≠ in {cell.parts} {'place' if cell.parts == 1 else 'places'}",), True)
    return Shown(_distinct(*sides))


def _text(text: str | None, otherwise: str, first: int, detail: Detail) -> str:
    if text is None:
        return otherwise
    return printable(around(text, first, _LONGEST if detail.cuts else None))


def _distinct(expected: str, actual: str) -> Texts:
    """Both sides; as escapes if they are written differently and look the same."""
    if normalize("NFC", expected) == normalize("NFC", actual):
        return ascii(expected)[1:-1], ascii(actual)[1:-1]
    return expected, actual
