"""Expected and actual rows side by side, as an aligned table that marks what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.report.columns import (
    BAR,
    BETWEEN,
    Shown,
    TableColumn,
    Texts,
    columns_of,
    fitting,
    gaps,
    natural,
    widths,
)
from harness.report.detail import Detail
from harness.report.glyphs import ELLIPSIS, clipped, first_difference, width, wrapped
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
    indented,
    labelled,
    line,
)
from harness.results import RowDiff, TableDiff

_NEAR = 2
"""So many rows before and after each differing one are shown."""

_MARKS: dict[str, tuple[str, Style]] = {
    "same": (" ", PLAIN),
    "missing": ("-", EXPECTED),
    "unexpected": ("+", ACTUAL),
    "differs": ("~", MARKED),
}
_LEGENDS = {
    "expected and actual": {
        "missing": "- missing",
        "unexpected": "+ unexpected",
        "differs": f"~ expected{BETWEEN}actual",
    },
    "before and after": {
        "missing": "- deleted",
        "unexpected": "+ inserted",
        "differs": f"~ before{BETWEEN}after",
    },
}
_ALIKE = {"same": "alike", "differs": "that differ"}


def table_lines(table: TableDiff, columns: int, detail: Detail) -> Iterator[Line]:
    """The table in so many columns of the terminal: header, rows, and what the marks mean.

    Columns that differ and do not fit follow below, beside the first column again; others that
    do not fit are named only. Where nothing may be cut, a table that is too wide is a list.
    """
    folded, rest = _folded(table.rows, detail.rows)
    rows = [each for each in folded if isinstance(each, RowDiff)]
    if not rows or not table.columns:
        return
    room = columns - 2  # a mark and a space begin each line
    first, *hidden = columns_of(table, rows, detail)
    legend = [line(text, FAINT) for text in wrapped(_legend(table, rows), columns)]
    if not detail.cuts and natural([first, *hidden]) > room:
        yield from (*_records(table, [first, *hidden], columns), *legend)
        return
    unnamed = detail.unnamed
    while True:
        shown = fitting([first, *hidden], room, unnamed)
        yield from _block(folded, rest, shown, widths(shown, room))
        hidden = [column for column in hidden if column not in shown]
        unnamed = 0  # once is enough
        if not any(column.differs for column in hidden):
            break
    yield from legend
    names = ", ".join(column.name for column in hidden if column.named)
    if names:
        yield from (line(text, FAINT) for text in wrapped(f"not shown: {names}", columns))


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
        if isinstance(each, RowDiff):
            yield _row(each, next(cells), columns, sizes)
        else:
            yield _note(each)
    if rest:
        yield _note(f"{ELLIPSIS} {_counted(rest)}")


def _folded(rows: Sequence[RowDiff], limit: int | None) -> tuple[list[RowDiff | str], Counter[str]]:
    """The rows to show, with notes where rows that are alike are passed over; what is left out."""
    if limit is None:
        return list(rows), Counter()
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
    rest: Counter[str] = Counter(each.mark for each in folded[limit:] if isinstance(each, RowDiff))
    return folded[:limit], rest


def _header(columns: Sequence[TableColumn], sizes: Sequence[int]) -> Line:
    spans = [Span("  ")]
    space = ""
    for column, size, gap in zip(columns, sizes, gaps(columns), strict=True):
        name = clipped(column.name, size)
        spans += _gap(space, gap)
        spans.append(Span(name, HEADING if column.named else FAINT))
        space = " " * (size - width(name))
    return tuple(spans)


def _row(
    row: RowDiff, cells: Sequence[Shown], columns: Sequence[TableColumn], sizes: Sequence[int]
) -> Line:
    mark, style = _MARKS[row.mark]
    spans = [Span(mark, style)]
    space = " "
    for cell, column, size, gap in zip(cells, columns, sizes, gaps(columns), strict=True):
        # In a row that differs, the cells that do carry the colour.
        plain = PLAIN if row.mark == "differs" else style
        pieces = _pieces(cell, size, plain if column.named else FAINT)
        spans += [*_gap(space, gap), *pieces]
        space = " " * (size - sum(width(piece.text) for piece in pieces))
    while not spans[-1].text.strip():
        spans.pop()
    return tuple(spans)


def _gap(space: str, gap: str) -> list[Span]:
    return [Span(space), Span(gap, FAINT)] if gap == BAR else [Span(space + gap)]


def _pieces(cell: Shown, size: int, style: Style) -> list[Span]:
    if len(cell.texts) == 1:
        return [Span(clipped(cell.texts[0], size), MARKED if cell.counts else style)]
    expected, actual = cell.texts
    first = first_difference(expected, actual)
    left, right = _shares(width(expected), width(actual), size - len(BETWEEN))
    return [
        Span(clipped(expected, left, first), EXPECTED),
        Span(BETWEEN, MARKED),
        Span(clipped(actual, right, first), ACTUAL),
    ]


def _records(table: TableDiff, shown: Sequence[TableColumn], columns: int) -> Iterator[Line]:
    """Every row with every column on lines of its own, nothing cut."""
    sides = table.sides.split(" and ")
    for index, row in enumerate(table.rows):
        mark, style = _MARKS[row.mark]
        yield (Span(mark, style), Span(f" {index + 1} of {len(table.rows)}", HEADING))
        for column in shown:
            texts = column.cells[index].texts
            yield from indented(_record(column.name, texts, sides, columns - 4), 4)


def _record(name: str, texts: Texts, sides: Sequence[str], columns: int) -> Iterator[Line]:
    if len(texts) == 1:
        if texts[0]:
            yield from labelled(f"{name}: ", texts[0], columns, None)
        return
    size = max(map(len, sides)) + 1
    indent = " " * width(f"{name}: ")
    yield from labelled(f"{name}: {sides[0]:{size}}", texts[0], columns, None, EXPECTED)
    yield from labelled(f"{indent}{sides[1]:{size}}", texts[1], columns, None, ACTUAL)


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


def _legend(table: TableDiff, rows: Sequence[RowDiff]) -> str:
    marks = {row.mark for row in rows}
    legend = _LEGENDS[table.sides]
    return f"({', '.join(text for mark, text in legend.items() if mark in marks)})"
