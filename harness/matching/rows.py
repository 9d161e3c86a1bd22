"""Expected rows and a result's: which belong together, and in which columns they differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.matching.casts import IncomparableError
from harness.matching.comparison import Comparison
from harness.matching.failure import Failure, senseless
from harness.matching.keys import is_decisive, is_plain, key_of, key_of_expected
from harness.matching.pairing import pair
from harness.matching.plain import plain
from harness.matching.typenames import canonical
from harness.matching.values import Fields, Scalar, Value, reader_of
from harness.results import ResultSet
from harness.spec.matchers import Matcher

_NEAREST = 150
"""So many rows of either side, at most, are tried against each other to show the nearest."""

ExpectedRow = dict[str, Any] | Matcher | Failure
"""By column; or a matcher of the row; or why what a template gave is no row."""

Differences = dict[str | None, Failure]
"""By column; None for the row as a whole."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An expected row and the actual one that it was compared with, or one of them alone."""

    expected: int | None
    actual: int | None
    differences: Differences

    @property
    def same(self) -> bool:
        """Whether the two rows match."""
        return self.expected is not None and self.actual is not None and not self.differences


@dataclass(frozen=True, slots=True)
class Compared:
    """Expected rows, as the spec wrote them and by column, against a table, in pairs."""

    written: Sequence[Any]
    expected: Sequence[ExpectedRow]
    table: Table
    pairs: Sequence[Pair]

    @property
    def wrong(self) -> list[Pair]:
        """The pairs that do not match."""
        return [pair for pair in self.pairs if not pair.same]


class Table:
    """The rows of a result as values.

    Attributes:
        origin: what the rows are said to be, in messages.
    """

    def __init__(self, result: ResultSet, origin: Literal["returned", "found"]) -> None:
        self.origin = origin
        self.types = {column.name: canonical(column.type) for column in result.columns}
        readers = [(column.name, reader_of(column.type)) for column in result.columns]
        self.rows = [
            Fields(
                {name: read(text) for (name, read), text in zip(readers, row, strict=True)},
                "record",
                "column",
            )
            for row in result.rows
        ]


def expected_row(row: Any, columns: Sequence[str] | None) -> ExpectedRow:
    """A row as the spec wrote it, or as a template gave it, by column."""
    row = plain(row)
    if isinstance(row, list):
        if columns is None or len(columns) != len(row):
            return senseless(f"{len(row)} values cannot be a row of {len(columns or ())} columns")
        return dict(zip(columns, row, strict=True))
    if isinstance(row, Matcher) or (isinstance(row, dict) and row):
        return row
    return senseless("{} is no row", row, hint="a row is a mapping of columns to values")


def row_differences(expected: ExpectedRow, row: Fields, comparison: Comparison) -> Differences:
    """Where a row does not match; empty when it does."""
    try:
        if isinstance(expected, Failure):
            return {None: expected}
        if isinstance(expected, Matcher):
            failure = comparison.match(expected, row)
            return {None: failure} if failure else {}
        failures = {name: comparison.field(name, item, row) for name, item in expected.items()}
    except RecursionError:
        return {None: senseless("a value is nested too deeply to be compared")}
    return {name: failure for name, failure in failures.items() if failure}


def row_matches(expected: ExpectedRow, row: Fields, comparison: Comparison) -> bool:
    """Whether a row matches; as `row_differences`, but it stops at the first difference."""
    if not isinstance(expected, dict):
        return not row_differences(expected, row, comparison)
    try:
        return not any(comparison.field(name, item, row) for name, item in expected.items())
    except RecursionError:
        return False


def ordered_pairs(
    expected: Sequence[ExpectedRow], table: Table, comparison: Comparison
) -> list[Pair]:
    """Row by row; where the numbers differ, what begins and ends alike is kept together."""

    def differences(left: int, right: int) -> Differences:
        return row_differences(expected[left], table.rows[right], comparison)

    lefts, rights = len(expected), len(table.rows)
    head = 0
    while head < min(lefts, rights) and not differences(head, head):
        head += 1
    tail = 0
    while tail < min(lefts, rights) - head and not differences(lefts - 1 - tail, rights - 1 - tail):
        tail += 1
    left_rest, right_rest = range(head, lefts - tail), range(head, rights - tail)
    compared = zip(left_rest, right_rest, strict=False)
    both = min(len(left_rest), len(right_rest))
    return [
        *(Pair(index, index, {}) for index in range(head)),
        *(Pair(left, right, differences(left, right)) for left, right in compared),
        *(Pair(left, None, {}) for left in left_rest[both:]),
        *(Pair(None, right, {}) for right in right_rest[both:]),
        *(Pair(lefts - back, rights - back, {}) for back in range(tail, 0, -1)),
    ]


def unordered_pairs(
    expected: Sequence[ExpectedRow], table: Table, comparison: Comparison
) -> list[Pair]:
    """As many matching pairs as can be, then the nearest of the rest, then what is left over."""
    index = _Index(table, comparison)
    sought = [index.seek(row) for row in expected]

    def holds(left: int, right: int) -> bool:
        rest = sought[left].rest
        return rest is None or row_matches(rest, table.rows[right], comparison)

    partners = pair([each.candidates for each in sought], holds)
    pairs = [Pair(left, right, {}) for left, right in enumerate(partners) if right is not None]
    taken = {match.actual for match in pairs}
    lefts = [left for left, right in enumerate(partners) if right is None]
    rights = [right for right in range(len(table.rows)) if right not in taken]
    near = _nearest(expected, table, comparison, lefts, rights)
    paired = {match.expected for match in near}, {match.actual for match in near}
    alone = [left for left in lefts if left not in paired[0]]
    mistakes = {left: _mistakes(expected[left], table, comparison) for left in alone[:_NEAREST]}
    pairs += [*near, *(Pair(left, None, mistakes.get(left, {})) for left in alone)]
    pairs.sort(key=lambda match: match.expected or 0)
    return [*pairs, *(Pair(None, right, {}) for right in rights if right not in paired[1])]


def _nearest(
    expected: Sequence[ExpectedRow],
    table: Table,
    comparison: Comparison,
    lefts: list[int],
    rights: list[int],
) -> list[Pair]:
    """Pairs of rows that have most columns in common; each row at most once."""
    alone = len(lefts) == 1 and len(rights) == 1
    scored = []
    for left in lefts[:_NEAREST]:
        row = expected[left]
        for right in rights[:_NEAREST]:
            differences = row_differences(row, table.rows[right], comparison)
            agreeing = len(row) - len(differences) if isinstance(row, dict) else 0
            if agreeing or alone:
                scored.append((agreeing, Pair(left, right, differences)))
    pairs: list[Pair] = []
    used: set[tuple[str, int | None]] = set()
    for _, match in sorted(scored, key=lambda each: -each[0]):
        ends = {("left", match.expected), ("right", match.actual)}
        if not used & ends:
            used |= ends
            pairs.append(match)
    return pairs


def _mistakes(expected: ExpectedRow, table: Table, comparison: Comparison) -> Differences:
    """What makes that a row can have no counterpart at all, as far as one row tells."""
    differences = row_differences(expected, table.rows[0], comparison) if table.rows else {}
    return {name: failure for name, failure in differences.items() if failure.senseless}


@dataclass(frozen=True, slots=True)
class _Sought:
    """The rows that may match by their plain cells, and what is still to be compared of them."""

    candidates: Sequence[int]
    rest: ExpectedRow | None


class _Index:
    """Finds rows by hash: those that may match by the cells that an expected row names plainly."""

    def __init__(self, table: Table, comparison: Comparison) -> None:
        self._table = table
        self._casts = comparison.casts
        self._everyone = range(len(table.rows))
        self._rows: dict[tuple[str, ...], dict[tuple[Hashable, ...], list[int]]] = {}
        self._keys: dict[str, list[Hashable]] = {}

    def seek(self, expected: ExpectedRow) -> _Sought:
        """Where a match for the row may be found."""
        if not isinstance(expected, dict):
            return _Sought(self._everyone, expected)
        try:
            plain_ones = {
                name: self._expected(name, expected[name])
                for name in self._table.types
                if self._is_plain(name, expected)
            }
        except IncomparableError:
            return _Sought((), expected)
        except RecursionError:  # for the comparison to tell
            return _Sought(self._everyone, expected)
        decisive = {name: key for name, key in plain_ones.items() if self._is_decisive(name)}
        candidates = self._with(decisive)
        if decisive.keys() != plain_ones.keys():  # PostgreSQL is not asked where a key will do
            candidates = list(dict.fromkeys((*self._with(plain_ones), *candidates)))
        rest = {name: item for name, item in expected.items() if name not in decisive}
        return _Sought(candidates, rest or None)

    def _with(self, keys: dict[str, Hashable]) -> Sequence[int]:
        """The rows whose cells have these keys."""
        if not keys:
            return self._everyone
        return self._rows_by(tuple(keys)).get(tuple(keys.values()), ())

    def _is_decisive(self, name: str) -> bool:
        return is_decisive(self._table.types[name])

    def _is_plain(self, name: str, row: dict[str, Any]) -> bool:
        return name in row and is_plain(row[name], self._table.types[name])

    def _expected(self, name: str, expected: Any) -> Hashable:
        self._column(name)  # what PostgreSQL has printed, it need not be asked about
        return key_of_expected(expected, self._table.types[name], self._casts)

    def _rows_by(self, names: tuple[str, ...]) -> dict[tuple[Hashable, ...], list[int]]:
        if names not in self._rows:
            grouped: dict[tuple[Hashable, ...], list[int]] = {}
            for index, keys in enumerate(zip(*map(self._column, names), strict=True)):
                grouped.setdefault(keys, []).append(index)
            self._rows[names] = grouped
        return self._rows[names]

    def _column(self, name: str) -> list[Hashable]:
        if name not in self._keys:
            self._keys[name] = [self._key(row.fields[name]) for row in self._table.rows]
        return self._keys[name]

    def _key(self, cell: Value) -> Hashable:
        if isinstance(cell, Scalar) and cell.text is not None and cell.family.asks:
            self._casts.printed(cell.text, cell.type)
        return key_of(cell)
