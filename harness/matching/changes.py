"""Judging the net difference of a database: what was inserted, updated and deleted, by table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.matching.comparison import Comparison
from harness.matching.display import contrast, contrast_texts, show
from harness.matching.rows import Compared, Table, expected_row, unordered_pairs
from harness.matching.tables import row_count, rows_mismatch
from harness.matching.values import count_of, value_of
from harness.results import Cell, Mismatch, Path, ResultSet, RowDiff, TableChange, TableDiff
from harness.spec.expectations import Changes, TableChanges

_NOTHING = ResultSet((), ())
_UNCHANGED = TableChange(_NOTHING, _NOTHING, _NOTHING, _NOTHING)
_KINDS = {"inserted": "inserted into", "updated": "updated in", "deleted": "deleted from"}
"""The keys of the format, and how they are said of a table."""


def judge_changes(
    expect: Changes, seen: Mapping[str, TableChange], path: Path, comparison: Comparison
) -> tuple[Mismatch, ...]:
    """Judge all that has changed.

    Args:
        expect: what should have changed, and nothing else.
        seen: the tables that have changed, without ignored ones; each under the name that `expect`
            has for it, if it has one.
        path: to the expectation.
        comparison: compares rows and counts.
    """
    found: list[Mismatch] = []
    for name, expected in expect.tables.items():
        change = seen.get(name, _UNCHANGED)
        found += _of_table(name, expected, change, (*path, name), comparison)
    for name, change in seen.items():
        if name not in expect.tables:
            reason = f"{name} has changed, and is not named: {described(change)}"
            hint = "name it with what should happen to it, or in `ignore`"
            found.append(Mismatch(path, reason, table=_diff(change), hint=hint))
    return tuple(found)


def described(change: TableChange) -> str:
    """A change in numbers: "2 rows inserted, 1 row deleted"."""
    numbers = {kind: len(getattr(change, kind).rows) for kind in _KINDS}
    return ", ".join(f"{row_count(number)} {kind}" for kind, number in numbers.items() if number)


def _of_table(
    name: str, expected: TableChanges, change: TableChange, path: Path, comparison: Comparison
) -> Iterator[Mismatch]:
    for kind, words in _KINDS.items():
        wanted, result = getattr(expected, kind), getattr(change, kind)
        place = (*path, kind) if expected.given(kind) else path
        noun = f"rows {words} {name}"
        judge = _rows if isinstance(wanted, list) else _count
        mismatch = judge(wanted, result, place, comparison)
        if mismatch is None:
            continue
        table = mismatch.table
        if table is None and result.rows:
            table = _diff(_only(kind, change))
        yield replace(mismatch, reason=f"{noun}: {mismatch.reason}", table=table)


def _count(wanted: Any, result: ResultSet, path: Path, comparison: Comparison) -> Mismatch | None:
    number = count_of(len(result.rows))
    failure = comparison.verdict(wanted, number)
    if failure is None:
        return None
    left, right = contrast(wanted, number)
    return Mismatch(path, str(failure), left, right, hint=failure.hint)


def _rows(
    wanted: list[Any], result: ResultSet, path: Path, comparison: Comparison
) -> Mismatch | None:
    expected = [expected_row(row, None) for row in wanted]
    table = Table(result, "found")
    pairs = unordered_pairs(expected, table, comparison)
    compared = Compared(wanted, expected, table, pairs)
    if not compared.wrong:
        return None
    same_number = len(wanted) == len(result.rows)
    numbers = f"{len(wanted)} expected, {len(result.rows) or 'none'} found"
    return rows_mismatch(path, compared, None if same_number else numbers)


def _only(kind: str, change: TableChange) -> TableChange:
    """One of the three kinds of a change."""
    if kind == "updated":
        return replace(change, inserted=_NOTHING, deleted=_NOTHING)
    return replace(_UNCHANGED, **{kind: getattr(change, kind)})


def _diff(change: TableChange) -> TableDiff:
    """What has changed, as before against after."""
    known = (change.inserted, change.updated, change.deleted, change.replaced)
    columns = tuple(dict.fromkeys(column.name for part in known for column in part.columns))
    rows: list[RowDiff] = []
    for record in _records(change.inserted):
        cells = tuple(Cell(record.get(name), None, matches=False) for name in columns)
        rows.append(RowDiff("unexpected", cells))
    for record in _records(change.deleted):
        cells = tuple(Cell(None, record.get(name), matches=False) for name in columns)
        rows.append(RowDiff("missing", cells))
    for old, new in zip(_records(change.replaced), _records(change.updated), strict=True):
        rows.append(RowDiff("differs", tuple(_cell(old.get(c), new.get(c)) for c in columns)))
    return TableDiff(columns, tuple(rows), sides="before and after")


def _records(result: ResultSet) -> Iterator[dict[str, str]]:
    for row in result.rows:
        yield {
            column.name: show(value_of(text, column.type))
            for column, text in zip(result.columns, row, strict=True)
        }


def _cell(old: str | None, new: str | None) -> Cell:
    if old == new:
        return Cell(new, old, matches=True)
    before, after = contrast_texts(old or "", new or "")
    return Cell(None if new is None else after, None if old is None else before, matches=False)
