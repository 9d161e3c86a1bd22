"""Healing what is expected of a result, or writing it: rows and columns, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from harness.matching.exceptions import message_of
from harness.matching.healing.errors import NO_ERROR, described, is_mistake, source_of
from harness.matching.healing.repairs import (
    TEMPLATE,
    Refusal,
    Repair,
    at,
    holds_template,
    replacement,
)
from harness.matching.healing.rows import Listed, Rows
from harness.matching.healing.values import Values
from harness.matching.healing.writer import Writer, texts
from harness.matching.outcome import SqlResult
from harness.matching.rows import Table, expected_row
from harness.matching.values import count_of
from harness.results import Edit, Path, ResultSet
from harness.spec.expectations import RESULT, SqlOutcome
from harness.spec.matchers import PLACEHOLDER
from harness.spec.state import TableState

_OF_A_TABLE = ("rows", "contains", "count")
_OF_A_RESULT = ("columns", "rows", "contains", "row", "value", "count")
_NO_RESULT = "the statement has no result set"
_NO_COUNT = "the statement has no command count"
_NOTHING = "it returns nothing: expect its `changes` or `notices`"


def statement_repairs(
    expect: SqlOutcome, written: Any, outcome: SqlResult, path: Path, values: Values
) -> Iterator[Repair]:
    """What makes hold what is expected of a statement that succeeded, as it should."""
    keys = [key for key in _OF_A_RESULT if expect.given(key)]
    if outcome.result is not None:
        yield from _Subject(expect, written, outcome.result, path, values).repairs(keys)
    else:
        yield from (Refusal(at(written, path, key)[1], _NO_RESULT) for key in keys)
    if expect.given("affected"):
        node, place = at(written, path, "affected")
        if outcome.affected is None:
            yield Refusal(place, _NO_COUNT)
        else:
            yield from count_repairs(expect.affected, node, outcome.affected, place, values)


def table_repairs(
    expect: TableState, written: Any, result: ResultSet, path: Path, values: Values
) -> Iterator[Repair]:
    """What makes hold what a table is expected to hold."""
    keys = [key for key in _OF_A_TABLE if expect.given(key)]
    yield from _Subject(expect, written, result, path, values).repairs(keys)


def count_repairs(
    expected: Any, written: Any, number: int, path: Path, values: Values
) -> Iterator[Repair]:
    """What makes an expected number of things hold."""
    if not values.holds(expected, count_of(number)):
        yield values.writer.count(written, number, path)


class _Subject:
    """A result and what is expected of it."""

    def __init__(
        self,
        expect: SqlOutcome | TableState,
        written: Any,
        result: ResultSet,
        path: Path,
        values: Values,
    ) -> None:
        self._expect = expect
        self._written = written
        self._names = [column.name for column in result.columns]
        self._table = Table(result, "found")
        self._path = path
        self._values = values
        self._rows = Rows(values, self._table)

    def repairs(self, keys: list[str]) -> Iterator[Repair]:
        """What makes the keys hold, all together."""
        names, times = self._names, Counter(self._names)
        double = next((name for name in names if times[name] > 1), None)
        if double is not None and keys != ["count"]:
            yield Refusal(self._path, f"the result has several columns named {double}")
            keys = [key for key in keys if key == "count"]
        if "columns" in keys and self._expect.columns != names and self._is_bound():
            yield Refusal(self._path, f"the columns are others, and of the rows {TEMPLATE}")
            return
        for key in keys:
            node, place = at(self._written, self._path, key)
            yield from _REPAIRS[key](self, node, place)

    def _is_bound(self) -> bool:
        """Whether rows that follow `columns` hold a template, so that they cannot be rewritten."""
        nodes = [
            at(self._written, self._path, key)[0]
            for key in ("rows", "contains", "row")
            if self._expect.given(key)
        ]
        return any(map(holds_template, nodes))

    def columns(self, written: Any, path: Path) -> Iterator[Repair]:
        if self._expect.columns == self._names:
            return
        if self._names:
            yield self._values.writer.replacement(written, texts(self._names), path)
        else:
            yield Refusal(path, "the result has no columns")

    def rows(self, written: Any, path: Path) -> Iterator[Repair]:
        expect = self._expect
        in_order = isinstance(expect, SqlOutcome) and expect.order is None
        listed = Listed(expect.rows or [], expect.columns, written, path)
        yield from self._rows.all(listed, in_order=in_order)

    def contains(self, written: Any, path: Path) -> Iterator[Repair]:
        listed = Listed(self._expect.contains or [], self._expect.columns, written, path)
        yield from self._rows.some(listed)

    def row(self, written: Any, path: Path) -> Iterator[Repair]:
        assert isinstance(self._expect, SqlOutcome)
        row, columns = self._expect.row, self._expect.columns
        if len(self._table.rows) == 1:
            yield from self._rows.one(row, columns, written, path)
        else:
            names = self._rows.named([expected_row(row, columns)])
            yield from _instead(self._rows, names, written, path)

    def value(self, written: Any, path: Path) -> Iterator[Repair]:
        assert isinstance(self._expect, SqlOutcome)
        if len(self._table.rows) == len(self._names) == 1:
            value = self._table.rows[0].fields[self._names[0]]
            yield from self._values.repairs(self._expect.value, written, value, path)
        else:
            yield from _instead(self._rows, self._names, written, path)

    def count(self, written: Any, path: Path) -> Iterator[Repair]:
        number = len(self._table.rows)
        yield from count_repairs(self._expect.count, written, number, path, self._values)


_REPAIRS: dict[str, Callable[[_Subject, Any, Path], Iterator[Repair]]] = {
    "columns": _Subject.columns,
    "rows": _Subject.rows,
    "contains": _Subject.contains,
    "row": _Subject.row,
    "value": _Subject.value,
    "count": _Subject.count,
}


def _instead(rows: Rows, names: list[str], written: Any, path: Path) -> Iterator[Repair]:
    """What puts `rows` in the place of a key that allows for one row alone."""
    place = (*path[:-1], "rows")
    repair = replacement(written, path, lambda: rows.text(place, names))
    if isinstance(repair, Edit):
        yield Edit(path, "remove")
        yield Edit(place, "insert", repair.value)
    else:
        yield repair


def sighting(key: str, outcome: SqlResult, path: Path, values: Values) -> Iterator[Repair]:
    """What puts the outcome of a statement in the place of the placeholder at `path`.

    Args:
        key: `expect`, or the key that it stands behind.
        outcome: what the statement did.
        path: to the placeholder.
        values: writes it.
    """
    writer, error = values.writer, outcome.error
    if error is not None:
        yield _of_error(key, error, path, writer)
    elif key == "error":
        yield Refusal(path, NO_ERROR)
    elif key == "affected" or (key == "expect" and outcome.result is None):
        yield _of_count(key, outcome.affected, path, writer)
    elif outcome.result is not None:
        yield from _Sighted(outcome.result, path, values).repairs(key)
    else:
        yield Refusal(path, _NO_RESULT)


def _of_error(key: str, error: BaseException, path: Path, writer: Writer) -> Repair:
    if key in RESULT:
        return Refusal(path, "the operation failed, no error was expected")
    if key == "expect" and is_mistake(error):
        message = message_of(source_of(error))
        reason = f"the operation failed: {message} (`error: ???` would expect that)"
        return Refusal(path, reason)

    def write() -> str:
        if key == "error":
            return described(error, path, writer)
        return f"{{error: {described(error, (*path, 'error'), writer)}}}"

    return replacement(PLACEHOLDER, path, write)


def _of_count(key: str, affected: int | None, path: Path, writer: Writer) -> Repair:
    if affected is None:
        return Refusal(path, _NOTHING if key == "expect" else _NO_COUNT)
    if key == "affected":
        return writer.count(PLACEHOLDER, affected, path)
    place = (*path, "affected")
    return replacement(PLACEHOLDER, path, lambda: f"{{affected: {writer.number(affected, place)}}}")


class _Sighted:
    """A result that a placeholder stands for."""

    def __init__(self, result: ResultSet, path: Path, values: Values) -> None:
        self._names = [column.name for column in result.columns]
        self._table = Table(result, "found")
        self._path = path
        self._values = values
        self._rows = Rows(values, self._table)

    def repairs(self, key: str) -> Iterator[Repair]:
        path, writer = self._path, self._values.writer
        number = len(self._table.rows)
        tells_rows = bool(self._names) and len({*self._names}) == len(self._names)
        if key == "count":
            yield writer.count(PLACEHOLDER, number, path)
        elif key == "columns" and self._names:
            yield writer.replacement(PLACEHOLDER, texts(self._names), path)
        elif key == "expect" and not tells_rows:
            place = (*path, "count")
            yield replacement(
                PLACEHOLDER, path, lambda: f"{{count: {writer.number(number, place)}}}"
            )
        elif not tells_rows:
            yield Refusal(path, "the result has no columns, or several of one name")
        elif key == "contains" and not number:
            yield Refusal(path, "there are no rows")
        elif key in ("row", "value"):
            yield from self._single(key)
        else:
            yield replacement(PLACEHOLDER, path, lambda: self._rows.text(path))

    def _single(self, key: str) -> Iterator[Repair]:
        """One row or value; where there is not exactly one, all rows."""
        path, writer, rows = self._path, self._values.writer, self._table.rows
        if key == "row" and len(rows) == 1:
            yield writer.replacement(PLACEHOLDER, rows[0], path)
        elif key == "value" and len(rows) == len(self._names) == 1:
            yield writer.replacement(PLACEHOLDER, rows[0].fields[self._names[0]], path)
        else:
            yield from _instead(self._rows, self._names, PLACEHOLDER, path)
