"""What a failed spec is told as: its YAML, its statements, and all that did not hold."""

from __future__ import annotations

import pickle
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from harness.report.context import context_lines, script_lines
from harness.report.detail import Detail, detail_of
from harness.report.excerpt import Excerpt, excerpt, excerpt_lines
from harness.report.glyphs import (
    ELLIPSIS,
    abridged,
    around,
    first_difference,
    printable,
    width,
    wrapped,
)
from harness.report.lines import (
    ACTUAL,
    BLANK,
    EXPECTED,
    FAINT,
    HEADING,
    MARKED,
    REASON,
    Line,
    Span,
    Terminal,
    indented,
    labelled,
    line,
    plain,
    write,
)
from harness.report.table import table_lines
from harness.results import Difference, Mismatch, OperationResult, SpecResult, Statement

WIDTH = 100
"""Columns of the plain text, which knows no terminal."""

_LEAST_WIDTH = 40
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
        actor = f" as {printable(self.operation.actor)}" if self.operation.actor else ""
        return f"operation {self.operation.index + 1} ({self.operation.verb}){actor}{name}"


class SpecReport:
    """A failed spec for pytest, to which any object with `toterminal` is a report.

    It is complete once it is made: a file that changes afterwards does not change it.

    Args:
        result: what failed.
        root: the folder that paths are shown relative to.
        nodeid: the item's id, for the line that says how to run it again.
        verbosity: pytest's: 1 is `-v`, which shows more of what is long, and 2 all of it.
    """

    def __init__(self, result: SpecResult, root: Path, nodeid: str, verbosity: int = 0) -> None:
        self._result = result
        self._nodeid = nodeid
        self._detail = detail_of(verbosity)
        self._failures = tuple(
            _failure(operation, mismatch, root) for operation, mismatch in result.failures
        )
        first = self._failures[0]
        reason = f"{first.heading}: {printable(first.mismatch.reason)}"
        more = f" (and {len(self._failures) - 1} more)" if len(self._failures) > 1 else ""
        self.reprcrash = Crash(first.place or result.name, reason + more)

    def packed(self) -> bytes:
        """What `pickle` makes the same report of, in another process of this run."""
        return pickle.dumps(self)

    def __str__(self) -> str:
        return plain(self._lines(WIDTH)).rstrip("\n")

    def toterminal(self, tw: Terminal) -> None:
        """Write the report to pytest's terminal, in its width and its colours."""
        write(self._lines(max(tw.fullwidth, _LEAST_WIDTH)), tw)

    def _lines(self, columns: int) -> Iterator[Line]:
        for heading, failures in groupby(self._failures, key=lambda failure: failure.heading):
            yield from _section(heading, list(failures), columns, self._detail)
        yield from context_lines(self._result, columns, self._detail)
        if self._nodeid:
            yield (Span("run it again: ", FAINT), Span(f"pytest {shlex.quote(self._nodeid)}"))
        if self._result.script is not None:
            yield BLANK
            yield from script_lines(self._result.script)


def _failure(operation: OperationResult | None, mismatch: Mismatch, root: Path) -> _Failure:
    where = mismatch.where
    if where is None:
        return _Failure(operation, mismatch, None, None)
    path = root / where.path
    relative = path.relative_to(root) if path.is_relative_to(root) else path
    part = str(mismatch.path[0]) if mismatch.path else ""
    place = str(replace(where, path=relative))
    return _Failure(operation, mismatch, place, excerpt(replace(where, path=path), part))


def _section(
    heading: str, failures: Sequence[_Failure], columns: int, detail: Detail
) -> Iterator[Line]:
    yield from (line(text, HEADING) for text in wrapped(heading, columns))
    operation = failures[0].operation
    if operation and operation.statement:
        yield from indented(_statement(operation.statement, columns - 4, detail), 4)
    yield BLANK
    for failure in failures:
        yield from _told(failure, columns, detail)
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


def _statement(statement: Statement, columns: int, detail: Detail) -> Iterator[Line]:
    limit = detail.statement
    sql = _pointed_at(statement)
    for text in sql if limit is None else abridged(sql, limit):
        yield from map(line, wrapped(text, columns))
    for name, value in statement.params:
        lines = None if limit is None else detail.value
        yield from labelled(f":{printable(name)} = ", value, columns, lines)


def _told(failure: _Failure, columns: int, detail: Detail) -> Iterator[Line]:
    mismatch = failure.mismatch
    if failure.place:
        yield line(failure.place, FAINT)
    if failure.excerpt:
        yield from excerpt_lines(failure.excerpt, columns)
    yield from (line(text, REASON) for text in wrapped(mismatch.reason, columns))
    yield from indented(_more(mismatch, columns - _INDENT, detail), _INDENT)
    # PostgreSQL's own hint may stand among the lines of the error already.
    if mismatch.hint and mismatch.hint not in (mismatch.actual or ""):
        yield from labelled("hint: ", mismatch.hint, columns, None, MARKED)


def _more(mismatch: Mismatch, columns: int, detail: Detail) -> Iterator[Line]:
    """What the reason leaves open: both sides, the rows, the parts that differ."""
    parts = mismatch.differences
    if not (parts and detail.cuts):
        yield from _sides(mismatch, columns, detail)
    if mismatch.table:
        yield from table_lines(mismatch.table, columns, detail)
    if len(parts) == 1 and detail.cuts and _in_words(parts[0]) in mismatch.reason:
        return
    for part in parts[: detail.differences]:
        yield from _part(part, columns, detail)
    if parts[: detail.differences] != parts:
        yield line(f"{ELLIPSIS} {len(parts[detail.differences :])} more parts differ", FAINT)


def _in_words(part: Difference) -> str:
    return f"{part.path}: {part.reason}"


def _part(part: Difference, columns: int, detail: Detail) -> Iterator[Line]:
    path, reason = f"{printable(part.path)}: ", printable(part.reason)
    expected, actual = part.expected or "", part.actual or ""
    if width(path + reason) > columns:
        yield from map(line, wrapped(_in_words(part), columns))
    elif part.reason == f"{expected} expected, {actual} found":
        sides = (Span(expected, EXPECTED), Span(" expected, "), Span(actual, ACTUAL))
        yield (Span(path, HEADING), *sides, Span(" found"))
    else:
        yield (Span(path, HEADING), Span(reason))
    if not detail.cuts and not (expected in part.reason and actual in part.reason):
        yield from indented(_both(expected, actual, columns - _INDENT, detail), _INDENT)


def _sides(mismatch: Mismatch, columns: int, detail: Detail) -> Iterator[Line]:
    expected, actual = mismatch.expected, mismatch.actual
    if f"{expected} expected, {actual} " in mismatch.reason:
        return  # the reason says it all
    if expected is not None and actual is not None:
        yield from _both(expected, actual, columns, detail)
    elif expected is not None:
        yield from labelled("expected: ", expected, columns, detail.value, EXPECTED)
    elif actual is not None:
        yield from labelled("actual: ", actual, columns, detail.value)


def _both(expected: str, actual: str, columns: int, detail: Detail) -> Iterator[Line]:
    if "\n" not in expected + actual:  # an error has lines, and none of them is cut
        first = first_difference(expected, actual)
        expected, actual = (around(text, first, detail.text) for text in (expected, actual))
    yield from labelled("expected: ", expected, columns, detail.value, EXPECTED)
    yield from labelled("actual:   ", actual, columns, detail.value, ACTUAL)
