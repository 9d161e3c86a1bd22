"""Judging what a statement returned and what a table holds, by all that a spec expects of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from harness.matching.alone import judge_alone
from harness.matching.comparison import Comparison
from harness.matching.display import contrast, show
from harness.matching.exceptions import judge_error
from harness.matching.rows import (
    Compared,
    Table,
    expected_row,
    ordered_pairs,
    unordered_pairs,
)
from harness.matching.tables import row_count, rows_mismatch
from harness.matching.values import count_of
from harness.results import Mismatch, Path, ResultSet
from harness.spec.expectations import SqlOutcome
from harness.spec.state import TableState


@dataclass(frozen=True, slots=True)
class SqlResult:
    """What a statement did.

    Attributes:
        result: its rows; None if it is of a kind that returns none.
        affected: PostgreSQL's command count; None if it has none.
        error: what it ended with, if it failed.
    """

    result: ResultSet | None = None
    affected: int | None = None
    error: BaseException | None = None


def judge_sql(
    expect: SqlOutcome, outcome: SqlResult, path: Path, comparison: Comparison
) -> tuple[Mismatch, ...]:
    """Judge a statement by its expectations, to which `path` leads."""
    if outcome.error is not None or expect.given("error"):
        return judge_error(expect.error, outcome.error, path, comparison.marks)
    found: list[Mismatch | None] = []
    keys = [key for key in _JUDGES if expect.given(key)]
    if outcome.result is None:
        found += [Mismatch((*path, key), "the statement has no result set") for key in keys]
    else:
        found += _judged(keys, _Subject(expect, outcome.result, "returned", path, comparison))
    if expect.given("affected"):
        found.append(_affected(expect.affected, outcome.affected, path, comparison))
    return tuple(mismatch for mismatch in found if mismatch)


def judge_table(
    expect: TableState, result: ResultSet, path: Path, comparison: Comparison
) -> tuple[Mismatch, ...]:
    """Judge a table by its expectations, to which `path` leads; `result` is what was selected."""
    subject = _Subject(expect, result, "found", path, comparison)
    keys = [key for key in ("rows", "contains", "count") if expect.given(key)]
    return tuple(mismatch for mismatch in _judged(keys, subject) if mismatch)


@dataclass(frozen=True)
class _Subject:
    """A result and what is expected of it."""

    expect: SqlOutcome | TableState
    result: ResultSet
    origin: Literal["returned", "found"]
    path: Path
    comparison: Comparison

    @cached_property
    def table(self) -> Table:
        """The result's rows as values."""
        return Table(self.result, self.origin)

    @property
    def ordered(self) -> bool:
        """Whether the order of `rows` counts; a table's never does."""
        return isinstance(self.expect, SqlOutcome) and self.expect.order is None

    def compared(self, written: Sequence[Any], *, in_order: bool) -> Compared:
        """The result's rows against those that the spec wrote."""
        expected = [expected_row(row, self.expect.columns) for row in written]
        pair_up = ordered_pairs if in_order else unordered_pairs
        pairs = pair_up(expected, self.table, self.comparison)
        return Compared(written, expected, self.table, pairs)


def _judged(keys: Sequence[str], subject: _Subject) -> list[Mismatch | None]:
    names = Counter(column.name for column in subject.result.columns)
    double = next((name for name, times in names.items() if times > 1), None)
    if double is None or not keys:
        return [_judge(key, subject) for key in keys]
    ambiguous = Mismatch(
        (*subject.path, keys[0]),
        f"the result has {names[double]} columns named {show(double)}",
        hint="give each a name of its own with AS",
    )
    return [ambiguous, *(_judge(key, subject) for key in keys if key == "count")]


def _judge(key: str, subject: _Subject) -> Mismatch | None:
    with subject.comparison.marks.at((*subject.path, key)):
        return _JUDGES[key](subject)


def _columns(subject: _Subject) -> Mismatch | None:
    names = [column.name for column in subject.result.columns]
    if subject.expect.columns == names:
        return None
    left, right = contrast(subject.expect.columns, names)
    return Mismatch(
        (*subject.path, "columns"), f"columns {left} expected, {right} returned", left, right
    )


def _rows(subject: _Subject) -> Mismatch | None:
    compared = subject.compared(subject.expect.rows or [], in_order=subject.ordered)
    if not compared.wrong:
        return None
    path, table = (*subject.path, "rows"), compared.table
    wanted, found = len(compared.expected), len(table.rows)
    if wanted != found:
        summary = f"{row_count(wanted)} expected, {found or 'none'} {table.origin}"
        return rows_mismatch(path, compared, summary)
    if subject.ordered and wanted > 1 and _is_permuted(subject, compared):
        hint = "add ORDER BY to the statement, or say `order: any`"
        return rows_mismatch(path, compared, "the rows come in another order", hint)
    return rows_mismatch(path, compared)


def _is_permuted(subject: _Subject, compared: Compared) -> bool:
    """Whether the right rows come in the wrong order; to see that, nothing is marked."""
    marks = subject.comparison.marks
    state = marks.state
    try:
        return not subject.compared(compared.written, in_order=False).wrong
    finally:
        marks.restore(state)


def _contains(subject: _Subject) -> Mismatch | None:
    compared = subject.compared(subject.expect.contains or [], in_order=False)
    sought = replace(compared, pairs=[each for each in compared.pairs if each.expected is not None])
    if not sought.wrong:
        return None
    there = f"{row_count(len(compared.table.rows))} {compared.table.origin}"
    missing = f"{len(sought.wrong)} of {row_count(len(compared.expected))}"
    verb = "is" if len(sought.wrong) == 1 else "are"
    summary = f"{missing} expected {verb} not among the {there}"
    return rows_mismatch((*subject.path, "contains"), sought, summary)


def _row(subject: _Subject) -> Mismatch | None:
    assert isinstance(subject.expect, SqlOutcome)
    compared = subject.compared([subject.expect.row], in_order=False)
    if not compared.wrong:
        return None
    found = len(compared.table.rows)
    summary = None if found == 1 else f"exactly one row expected, {found or 'none'} returned"
    mismatch = rows_mismatch((), compared, summary)
    return replace(mismatch, path=(*subject.path, "row", *mismatch.path[1:]))


def _value(subject: _Subject) -> Mismatch | None:
    assert isinstance(subject.expect, SqlOutcome)
    path, expected = (*subject.path, "value"), subject.expect.value
    columns, rows = subject.result.columns, subject.result.rows
    if len(columns) != 1 or len(rows) != 1:
        width = f"{len(columns)} {'column' if len(columns) == 1 else 'columns'}"
        reason = "exactly one row with one column expected"
        return Mismatch(
            path, f"{reason}, {row_count(len(rows))} with {width} returned", show(expected)
        )
    value = subject.table.rows[0].fields[columns[0].name]
    return judge_alone(expected, value, path, "value", subject.comparison)


def _count(subject: _Subject) -> Mismatch | None:
    number = count_of(len(subject.result.rows))
    path = (*subject.path, "count")
    return judge_alone(subject.expect.count, number, path, "number of rows", subject.comparison)


def _affected(
    expected: Any, affected: int | None, path: Path, comparison: Comparison
) -> Mismatch | None:
    path = (*path, "affected")
    if affected is None:
        return Mismatch(path, "the statement has no command count", show(expected))
    return judge_alone(expected, count_of(affected), path, "affected rows", comparison)


_JUDGES: dict[str, Callable[[_Subject], Mismatch | None]] = {
    "columns": _columns,
    "rows": _rows,
    "contains": _contains,
    "row": _row,
    "value": _value,
    "count": _count,
}
"""What judges each expectation of a result, in the order of the mismatches."""
