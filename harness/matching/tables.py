"""Rows that do not match, as one mismatch: a sentence, a place, and both tables side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

from harness.matching.differences import differences, told
from harness.matching.display import abridged, show, whole_texts
from harness.matching.failure import Failure
from harness.matching.rows import Compared, ExpectedRow, Pair
from harness.matching.values import Scalar, Value
from harness.results import Cell, Mismatch, Path, RowDiff, Step, TableDiff

_LONGEST = 150
"""Characters of the names of differing columns."""

_MENTIONED = 3
"""So many differing rows are described in the reason; the table has them all."""


def rows_mismatch(
    path: Path, compared: Compared, summary: str | None = None, hint: str | None = None
) -> Mismatch:
    """One mismatch for rows of which not all match.

    Args:
        path: to the list of rows in the spec.
        compared: the rows.
        summary: what there is to say of them all, e.g. of their number.
        hint: what to do, if more is known than the single differences tell.
    """
    wrong, columns = compared.wrong, list(compared.table.types)
    failures = [item for pair in wrong for item in pair.differences.items()]
    absent = (each.reason for name, each in failures if name is not None and name not in columns)
    rows = list(_row_reasons(wrong, columns))
    more = len(rows) - _MENTIONED
    reasons = [
        *([summary] if summary else []),
        *islice(absent, 1),
        *rows[:_MENTIONED],
        *([f"{more} more {'row' if more == 1 else 'rows'} likewise"] if more > 0 else []),
    ]
    several = len(compared.expected) > 1
    inside = [
        (f"row {1 + (pair.expected or 0)}: " if several else "", failure)
        for pair in wrong
        if pair.actual is not None
        for name, failure in pair.differences.items()
        if _parts(pair, name, compared)
    ]
    return Mismatch(
        path=path + _place(wrong, compared.written, columns),
        reason="; ".join(reasons),
        table=table_diff(compared),
        hint=hint or next((failure.hint for _, failure in failures if failure.hint), None),
        differences=differences(inside),
    )


def row_count(number: int) -> str:
    """So many rows, in words."""
    return f"{number or 'no'} {'row' if number == 1 else 'rows'}"


def table_diff(compared: Compared) -> TableDiff:
    """Expected and actual rows side by side; the columns that the expectation names come first."""
    known = list(compared.table.types)
    named = _columns(compared.expected, known)
    unnamed = [name for name in known if name not in named]
    columns = (*named, *unnamed)
    rows = tuple(_row_diff(pair, columns, compared) for pair in compared.pairs)
    return TableDiff(columns, rows, unnamed=len(unnamed))


def _row_reasons(wrong: Sequence[Pair], columns: Sequence[str]) -> Iterator[str]:
    for pair in wrong:
        failures = {
            name: failure
            for name, failure in pair.differences.items()
            if name is None or name in columns
        }
        number = 1 + (pair.expected or 0)
        if len(failures) == 1:
            yield f"row {number}: {told(next(iter(failures.values())))}"
        elif failures:
            names = abridged(", ".join(map(str, failures)), longest=_LONGEST)
            yield f"row {number} differs in {names}{_detail(failures)}"
        elif pair.actual is None:
            yield f"row {number} has no counterpart"


def _detail(failures: dict[str | None, Failure]) -> str:
    """Of several differences the first that the two texts alone do not explain."""
    telling = (each for each in failures.values() if each.senseless or len(each.path) > 1)
    return next((f" ({failure})" for failure in telling), "")


def _place(wrong: Sequence[Pair], written: Sequence[Any], columns: list[str]) -> tuple[Step, ...]:
    """The way from the list of rows to the one row, or the one cell, that is wrong."""
    if len(wrong) != 1 or wrong[0].expected is None:
        return ()
    index, names = wrong[0].expected, list(wrong[0].differences)
    if len(names) != 1 or names[0] is None:
        return (index,)
    if isinstance(written[index], (list, tuple)):
        return (index, columns.index(names[0])) if names[0] in columns else (index,)
    return (index, names[0]) if isinstance(written[index], dict) else (index,)


def _columns(expected: Sequence[ExpectedRow], columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that the expectation names, in the result's order; all, where it names none."""
    named = {name for row in expected for name in (row if isinstance(row, dict) else columns)}
    known = tuple(name for name in columns if name in named or not expected)
    return known + tuple(sorted(named.difference(columns)))


def _row_diff(pair: Pair, columns: Sequence[str], compared: Compared) -> RowDiff:
    wanted: ExpectedRow = {} if pair.expected is None else compared.expected[pair.expected]
    if not isinstance(wanted, dict):  # what is expected of the row as a whole stands in one cell
        wanted = {columns[0]: wanted} if columns else {}
    found = {} if pair.actual is None else compared.table.rows[pair.actual].fields
    cells = tuple(
        _cell(pair, name, wanted, found, _parts(pair, name, compared)) for name in columns
    )
    return RowDiff(_mark(pair), cells)


def _mark(pair: Pair) -> Literal["same", "differs", "missing", "unexpected"]:
    if pair.actual is None:
        return "missing"
    if pair.expected is None:
        return "unexpected"
    return "differs" if pair.differences else "same"


def _parts(pair: Pair, name: str | None, compared: Compared) -> int:
    """How many parts of a cell differ, if it holds a list or mapping and not all of it differs."""
    failure = pair.differences.get(name)
    if failure is None or name is None or pair.actual is None:
        return 0
    is_scalar = isinstance(compared.table.rows[pair.actual].fields.get(name), Scalar)
    is_inside = failure.parts or len(failure.path) > 1
    return sum(1 for _ in failure.leaves) if is_inside and not is_scalar else 0


def _cell(
    pair: Pair, name: str, wanted: dict[str, Any], found: Mapping[str, Value], parts: int
) -> Cell:
    expectation = wanted.get(name)
    left = expectation.reason if isinstance(expectation, Failure) else show(expectation)
    left, right = whole_texts(left, show(found[name]) if name in found else "")
    differs = name in pair.differences or None in pair.differences
    return Cell(
        actual=right if name in found else None,
        expected=left if name in wanted else None,
        matches=_mark(pair) in ("same", "differs") and not (name in wanted and differs),
        parts=parts,
    )
