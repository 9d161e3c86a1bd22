"""Expected rows and a result's: which belong together, and in which columns they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.matching.assignment import assign
from harness.matching.comparison import Comparison
from harness.matching.failure import Failure, senseless
from harness.matching.operators import GIVEN_UP
from harness.matching.plain import plain
from harness.matching.sieve import Sieve
from harness.matching.typenames import canonical
from harness.matching.values import Fields, reader_of
from harness.results import ResultSet
from harness.spec.matchers import Matcher

_NEAREST = 150
"""So many rows of either side, at most, are tried against each other to show the nearest."""

_SAY_MORE = "name more of the columns, so that fewer rows could be meant"

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
    marks = comparison.marks

    def differences(left: int, right: int) -> Differences:
        with marks.at((*marks.place, left)):
            return row_differences(expected[left], table.rows[right], comparison)

    def same(left: int, right: int) -> bool:
        state = marks.state
        if not differences(left, right):
            return True
        marks.restore(state)  # perhaps they do not belong together at all
        return False

    lefts, rights = len(expected), len(table.rows)
    head = 0
    while head < min(lefts, rights) and same(head, head):
        head += 1
    state = marks.state
    tail = 0
    while tail < min(lefts, rights) - head and same(lefts - 1 - tail, rights - 1 - tail):
        tail += 1
    left_rest, right_rest = range(head, lefts - tail), range(head, rights - tail)
    both = min(len(left_rest), len(right_rest))
    compared = [
        Pair(left, right, differences(left, right))
        for left, right in zip(left_rest, right_rest, strict=False)
    ]
    if lefts != rights:
        marks.restore(state)  # which rows belong together is a guess from here on
    return [
        *(Pair(index, index, {}) for index in range(head)),
        *compared,
        *(Pair(left, None, {}) for left in left_rest[both:]),
        *(Pair(None, right, {}) for right in right_rest[both:]),
        *(Pair(lefts - back, rights - back, {}) for back in range(tail, 0, -1)),
    ]


def unordered_pairs(
    expected: Sequence[ExpectedRow], table: Table, comparison: Comparison
) -> list[Pair]:
    """As many matching pairs as can be, then the nearest of the rest, then what is left over."""
    marks = comparison.marks

    def matches(left: int, right: int) -> bool:
        with marks.at((*marks.place, left)):
            return row_matches(expected[left], table.rows[right], comparison)

    assigned = assign(expected, table.rows, comparison, matches)
    partners = assigned.partners
    pairs = [Pair(left, right, {}) for left, right in enumerate(partners) if right is not None]
    taken = {match.actual for match in pairs}
    lefts = [left for left, right in enumerate(partners) if right is None]
    rights = [right for right in range(len(table.rows)) if right not in taken]
    if assigned.given_up:
        unsure = [Pair(left, None, {None: senseless(GIVEN_UP, hint=_SAY_MORE)}) for left in lefts]
    else:
        unsure = _rest(expected, table, comparison, lefts, rights)
    paired = {match.actual for match in unsure}
    pairs = sorted([*pairs, *unsure], key=lambda match: match.expected or 0)
    return [*pairs, *(Pair(None, right, {}) for right in rights if right not in paired)]


def _rest(
    expected: Sequence[ExpectedRow],
    table: Table,
    comparison: Comparison,
    lefts: list[int],
    rights: list[int],
) -> list[Pair]:
    """The expected rows that match none, with the actual rows that are nearest to them."""
    near: dict[int, int] = {}
    if len(lefts) == 1 and len(rights) == 1:
        near[lefts[0]] = rights[0]
    elif lefts:
        near = _nearest(expected, table, comparison, lefts[:_NEAREST], rights[:_NEAREST])
    pairs = []
    for index, left in enumerate(lefts):
        state = comparison.marks.state
        if left in near:
            row = table.rows[near[left]]
            pairs.append(Pair(left, near[left], row_differences(expected[left], row, comparison)))
        else:
            known = index < _NEAREST
            mistakes = _mistakes(expected[left], table, comparison) if known else {}
            pairs.append(Pair(left, None, mistakes))
        comparison.marks.restore(state)
    return pairs


def _nearest(
    expected: Sequence[ExpectedRow],
    table: Table,
    comparison: Comparison,
    lefts: list[int],
    rights: list[int],
) -> dict[int, int]:
    """For expected rows those that have most columns in common with them; each at most once."""
    sieve = Sieve([table.rows[right] for right in rights], comparison, marked=True)
    scored = []
    for left in lefts:
        row = expected[left]
        cells = row.items() if isinstance(row, dict) else ()
        agreeing = [sieve.agreeing(name, item) for name, item in cells]
        for index, right in enumerate(rights):
            score = sum(places >> index & 1 for places in agreeing)
            if score:
                scored.append((score, left, right))
    scored.sort(key=lambda each: -each[0])
    near: dict[int, int] = {}
    used: set[int] = set()
    for _, left, right in scored:
        if left not in near and right not in used:
            near[left] = right
            used.add(right)
    return near


def _mistakes(expected: ExpectedRow, table: Table, comparison: Comparison) -> Differences:
    """What makes that a row can have no counterpart at all, as far as one row tells."""
    differences = row_differences(expected, table.rows[0], comparison) if table.rows else {}
    return {name: failure for name, failure in differences.items() if failure.senseless}
