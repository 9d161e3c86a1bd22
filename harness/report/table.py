"""Expected and actual rows side by side, as an aligned table that marks what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.report.columns import BETWEEN, GAP, TableColumn, Texts, columns_of, fitting, widths
from harness.report.glyphs import ELLIPSIS, clipped, padded, width, wrapped
from harness.report.lines import (
    ACTUAL,
    EXPECTED,
    FAINT,
    HEADING,
    MARKED,
    PLAIN,
    Line,
    Span,
    Style,
    line,
)
from harness.results import RowDiff, TableDiff

MAX_ROWS = 30
"""Lines of one table; rows that are alike and not near a difference are folded into one."""

_NEAR = 2
"""So many rows before and after each differing one are shown."""

_MARKS: dict[str, tuple[str, Style]] = {
    "same": (" ", PLAIN),
    "missing": ("-", EXPECTED),
    "unexpected": ("+", ACTUAL),
    "differs": ("~", MARKED),
}
_LEGEND = {
    "missing": "- missing",
    "unexpected": "+ unexpected",
    "differs": f"~ expected{BETWEEN}actual",
}
_ALIKE = {"same": "alike", "differs": "that differ"}


def table_lines(table: TableDiff, columns: int) -> Iterator[Line]:
    """The table in so many columns of the terminal: header, rows, and what the marks mean.

    Columns that differ and do not fit follow below, beside the first column again; others that
    do not fit are named only.
    """
    folded, rest = _folded(table.rows)
    rows = [each for each in folded if isinstance(each, RowDiff)]
    if not rows or not table.columns:
        return
    room = columns - 2  # a mark and a space begin each line
    first, *hidden = columns_of(table, rows)
    while True:
        shown = fitting([first, *hidden], room)
        yield from _block(folded, rest, shown, widths(shown, room))
        hidden = [column for column in hidden if column not in shown]
        if not any(column.sides > 1 for column in hidden):
            break
    yield from (line(text, FAINT) for text in wrapped(_legend(rows), columns))
    if hidden:
        names_of_hidden = ", ".join(column.name for column in hidden)
        yield from (line(text, FAINT) for text in wrapped(f"not shown: {names_of_hidden}", columns))


def _block(
    folded: Sequence[RowDiff | str],
    rest: Counter[str],
    columns: Sequence[TableColumn],
    sizes: Sequence[int],
) -> Iterator[Line]:
    """Some columns of all the rows that are shown, below their names."""
    yield _header(columns, sizes)
    cells = iter(zip(*(column.cells for column in columns), strict=True))
    for each in folded:
        yield _row(each, next(cells), sizes) if isinstance(each, RowDiff) else _note(each)
    if rest:
        yield _note(f"{ELLIPSIS} {_counted(rest)}")


def _folded(rows: Sequence[RowDiff]) -> tuple[list[RowDiff | str], Counter[str]]:
    """The rows to show, with notes where rows that are alike are passed over; what is left out."""
    near = {
        index + offset
        for index, row in enumerate(rows)
        if row.mark != "same"
        for offset in range(-_NEAR, _NEAR + 1)
    }
    folded: list[RowDiff | str] = []
    for shown, group in groupby(enumerate(rows), key=lambda each: each[0] in near):
        run = [row for _, row in group]
        if shown or len(run) == 1:
            folded += run
        else:
            folded.append(f"{ELLIPSIS} {len(run)} rows alike")
    rest: Counter[str] = Counter(
        each.mark for each in folded[MAX_ROWS:] if isinstance(each, RowDiff)
    )
    return folded[:MAX_ROWS], rest


def _header(columns: Sequence[TableColumn], sizes: Sequence[int]) -> Line:
    names = (
        padded(clipped(column.name, size), size)
        for column, size in zip(columns, sizes, strict=True)
    )
    return (Span("  "), Span(GAP.join(names).rstrip(), HEADING))


def _row(row: RowDiff, cells: Sequence[Texts], sizes: Sequence[int]) -> Line:
    mark, style = _MARKS[row.mark]
    spans = [Span(mark, style)]
    space = " "
    for texts, size in zip(cells, sizes, strict=True):
        # In a row that differs, the cells that do carry the colour.
        pieces = _pieces(texts, size, PLAIN if row.mark == "differs" else style)
        spans += [Span(space), *pieces]
        space = GAP + " " * (size - sum(width(piece.text) for piece in pieces))
    return tuple(spans)


def _pieces(texts: Texts, size: int, style: Style) -> list[Span]:
    if len(texts) == 1:
        return [Span(clipped(texts[0], size), style)]
    expected, actual = texts
    first = _first_difference(expected, actual)
    left, right = _shares(width(expected), width(actual), size - len(BETWEEN))
    return [
        Span(clipped(expected, left, first), EXPECTED),
        Span(BETWEEN, MARKED),
        Span(clipped(actual, right, first), ACTUAL),
    ]


def _first_difference(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    shorter = min(len(left), len(right))
    return next((index for index, (one, other) in pairs if one != other), shorter)


def _shares(left: int, right: int, room: int) -> tuple[int, int]:
    """How two widths share a room: what one of them does not need goes to the other."""
    half = room // 2
    if left <= half:
        return left, room - left
    if right <= half:
        return room - right, right
    return half, room - half


def _note(text: str) -> Line:
    return line(f"  {text}", FAINT)


def _counted(rest: Counter[str]) -> str:
    counts = (f"{number} {_ALIKE.get(mark, mark)}" for mark, number in rest.items())
    return f"{rest.total()} more rows: {', '.join(counts)}"


def _legend(rows: Sequence[RowDiff]) -> str:
    marks = {row.mark for row in rows}
    return f"({', '.join(text for mark, text in _LEGEND.items() if mark in marks)})"
