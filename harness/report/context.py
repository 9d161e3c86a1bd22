"""What stood around a failure, for the end of its report: variables, row counts, the script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.report.detail import Detail
from harness.report.glyphs import ELLIPSIS, around, printable, wrapped
from harness.report.lines import FAINT, HEADING, Line, indented, labelled, line
from harness.results import SpecResult

_LONGEST = 40
"""Characters of a variable where all of them share a few lines."""


def context_lines(result: SpecResult, columns: int, detail: Detail) -> Iterator[Line]:
    """The variables that templates could use, and the tables whose number of rows has changed."""
    if result.variables and detail.variables is None:
        yield line("variables:", FAINT)
        for name, value in result.variables:
            lines = labelled(f"{printable(name)} = ", value, columns - 2, detail.value, FAINT)
            yield from indented(lines, 2)
    elif result.variables:
        shown = [f"{name} = {around(value, 0, _LONGEST)}" for name, value in result.variables]
        yield from _list("variables: ", shown, columns, detail.variables)
    if result.counts:
        shown = [f"{each.table} {each.before} → {each.after}" for each in result.counts]
        yield from _list("rows: ", shown, columns, detail.variables)


def script_lines(script: str) -> Iterator[Line]:
    """The script as it is, to be copied."""
    yield line("psql script:", HEADING)
    for text in script.rstrip("\n").split("\n"):
        yield line(text)


def _list(label: str, items: Sequence[str], columns: int, limit: int | None) -> Iterator[Line]:
    """Items one after the other in so many lines; of those that find no room the number is told."""
    for number in range(len(items), 0, -1):
        rest = [f"{ELLIPSIS} {len(items) - number} more"] if number < len(items) else []
        lines = wrapped(printable(label + ", ".join([*items[:number], *rest])), columns)
        if limit is None or len(lines) <= limit or number == 1:
            yield from (line(text, FAINT) for text in lines)
            return
