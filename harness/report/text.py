"""What a failed spec is told as: its YAML, its statements, and all that did not hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from harness.report.excerpt import Excerpt, excerpt, excerpt_lines
from harness.report.glyphs import abridged, printable, width, wrapped
from harness.report.lines import (
    ACTUAL,
    BLANK,
    EXPECTED,
    FAINT,
    HEADING,
    MARKED,
    PLAIN,
    REASON,
    Line,
    Span,
    Style,
    Terminal,
    indented,
    line,
    plain,
    write,
)
from harness.report.table import table_lines
from harness.results import Mismatch, OperationResult, SpecResult, Statement

WIDTH = 100
"""Columns of the plain text, which knows no terminal."""

_LEAST_WIDTH = 40
_SQL_LINES = 20
_VALUE_LINES = 12
_INDENT = 2
_PARTS = {
    "vars": "vars",
    "seed": "seed",
    "operations": "end of the transaction",
    "expect": "state after the operations",
}
"""What the first step of a path that leads to no operation is called."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The first failure as pytest's summary, `--tb=line` and JUnit files show it."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Failure:
    """A mismatch with all that is told of it."""

    operation: OperationResult | None
    mismatch: Mismatch
    place: str | None
    excerpt: Excerpt | None

    @property
    def heading(self) -> str:
        """What it is a failure of."""
        if self.operation is None:
            return _PARTS.get(str(self.mismatch.path[0]) if self.mismatch.path else "", "the spec")
        name = f": {printable(self.operation.name)}" if self.operation.name else ""
        return f"operation {self.operation.index + 1} ({self.operation.verb}){name}"


class SpecReport:
    """A failed spec for pytest, to which any object with `toterminal` is a report.

    It is complete once it is made: a file that changes afterwards does not change it.

    Args:
        result: what failed.
        root: the folder that paths are shown relative to.
        nodeid: the item's id, for the line that says how to run it again.
    """

    def __init__(self, result: SpecResult, root: Path, nodeid: str) -> None:
        self._nodeid = nodeid
        self._failures = tuple(
            _failure(operation, mismatch, root) for operation, mismatch in result.failures
        )
        first = self._failures[0]
        reason = f"{first.heading}: {printable(first.mismatch.reason)}"
        more = f" (and {len(self._failures) - 1} more)" if len(self._failures) > 1 else ""
        self.reprcrash = Crash(first.place or result.name, reason + more)

    def __str__(self) -> str:
        return plain(self._lines(WIDTH)).rstrip("\n")

    def toterminal(self, tw: Terminal) -> None:
        """Write the report to pytest's terminal, in its width and its colours."""
        write(self._lines(max(tw.fullwidth, _LEAST_WIDTH)), tw)

    def _lines(self, columns: int) -> Iterator[Line]:
        for heading, failures in groupby(self._failures, key=lambda failure: failure.heading):
            yield from _section(heading, list(failures), columns)
        if self._nodeid:
            yield (Span("run it again: ", FAINT), Span(f"pytest {shlex.quote(self._nodeid)}"))


def _failure(operation: OperationResult | None, mismatch: Mismatch, root: Path) -> _Failure:
    where = mismatch.where
    if where is None:
        return _Failure(operation, mismatch, None, None)
    path = root / where.path
    relative = path.relative_to(root) if path.is_relative_to(root) else path
    part = str(mismatch.path[0]) if mismatch.path else ""
    place = str(replace(where, path=relative))
    return _Failure(operation, mismatch, place, excerpt(replace(where, path=path), part))


def _section(heading: str, failures: Sequence[_Failure], columns: int) -> Iterator[Line]:
    yield from (line(text, HEADING) for text in wrapped(heading, columns))
    operation = failures[0].operation
    if operation and operation.statement:
        yield from _statement(operation.statement, columns)
    yield BLANK
    for failure in failures:
        yield from _told(failure, columns)
        yield BLANK


def _pointed_at(statement: Statement) -> list[str]:
    """The lines of a statement, with a caret below the place of its error."""
    before = statement.sql[: statement.error_at or 0].splitlines() or [""]
    lines = [text.expandtabs(4) for text in statement.sql.splitlines()]
    if statement.error_at is not None:
        lines.insert(len(before), " " * len(before[-1].expandtabs(4)) + "^")
    while lines and not lines[0].strip():
        lines.pop(0)
    return lines


def _statement(statement: Statement, columns: int) -> Iterator[Line]:
    sql = _pointed_at(statement)
    lines = [part for text in abridged(sql, _SQL_LINES) for part in wrapped(text, columns - 4)]
    yield from indented(map(line, lines), 4)
    for name, value in statement.params:
        yield from indented(_labelled(f":{printable(name)} = ", value, columns - 4), 4)


def _told(failure: _Failure, columns: int) -> Iterator[Line]:
    mismatch = failure.mismatch
    if failure.place:
        yield line(failure.place, FAINT)
    if failure.excerpt:
        yield from excerpt_lines(failure.excerpt, columns)
    yield from (line(text, REASON) for text in wrapped(mismatch.reason, columns))
    yield from indented(_sides(mismatch, columns - _INDENT), _INDENT)
    if mismatch.table:
        yield from indented(table_lines(mismatch.table, columns - _INDENT), _INDENT)
    # PostgreSQL's own hint may stand among the lines of the error already.
    if mismatch.hint and mismatch.hint not in (mismatch.actual or ""):
        yield from _labelled("hint: ", mismatch.hint, columns, MARKED)


def _sides(mismatch: Mismatch, columns: int) -> Iterator[Line]:
    expected, actual = mismatch.expected, mismatch.actual
    if f"{expected} expected, {actual} " in mismatch.reason:
        return  # the reason says it all
    if expected is not None:
        yield from _labelled("expected: ", expected, columns, EXPECTED)
    if actual is not None and expected is not None:
        yield from _labelled("actual:   ", actual, columns, ACTUAL)
    elif actual is not None:
        yield from _labelled("actual: ", actual, columns)


def _labelled(label: str, text: str, columns: int, style: Style = PLAIN) -> Iterator[Line]:
    """A text behind its label; further lines of it are indented as far as its first."""
    size = width(label)
    first, *others = abridged(wrapped(text, max(columns - size, 8)), _VALUE_LINES)
    yield (Span(label, FAINT), Span(first, style))
    yield from indented((line(other, style) for other in others), size)
