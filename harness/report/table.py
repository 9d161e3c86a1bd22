"""Expected and actual rows side by side, as an aligned table that marks what differs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.report.glyphs import ELLIPSIS, clipped, padded, printable, width, wrapped
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
from harness.results import Cell, RowDiff, TableDiff

MAX_ROWS = 40
"""Rows of one table that are shown; those that are alike and not near a difference do not count."""

_NEAR = 2
"""So many rows before and after each differing one are shown."""

_GAP = "  "
_BETWEEN = " ≠ "
_NARROWEST = 12
"""A column is left out rather than cut to less than this, for each side of a differing cell."""

_MARKS: dict[str, tuple[str, Style]] = {
    "same": (" ", PLAIN),
    "missing": ("-", EXPECTED),
    "unexpected": ("+", ACTUAL),
    "differs": ("~", MARKED),
}
_LEGEND = {
    "missing": "- missing: expected, but not there",
    "unexpected": "+ unexpected: there, but not expected",
    "differs": f"~ differs: expected{_BETWEEN}actual",
}

Texts = tuple[str, ...]
"""What a cell shows: one text, or the expected and the actual one."""


def table_lines(table: TableDiff, columns: int) -> Iterator[Line]:
    """The table in so many columns: header, rows, and what the marks mean."""
    folded = _folded(table.rows)
    rows = [each for each in folded if isinstance(each, RowDiff)]
    if not rows or not table.columns:
        return
    room = columns - len(_GAP)  # the mark and the space after it
    names = [printable(name) for name in table.columns]
    cells = [[_texts(row, cell) for row in rows] for cell in range(len(names))]
    ...
