"""Healing rows: cells that differ, rows too many, and rows that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.matching.failure import Failure
from harness.matching.healing.alignment import Pairs, aligned
from harness.matching.healing.repairs import (
    TEMPLATE,
    Refusal,
    Repair,
    UnwritableError,
    relaxed,
    replacement,
)
from harness.matching.healing.values import Values
from harness.matching.rows import (
    ExpectedRow,
    Table,
    expected_row,
    row_matches,
    unordered_pairs,
)
from harness.matching.values import Fields, Items
from harness.results import Path


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of rows that is expected.

    Attributes:
        rows: of the model.
        columns: what the values of a row that is a list belong to.
        written: the list in the YAML, or a template.
        path: to it.
    """

    rows: Sequence[Any]
    columns: Sequence[str] | None
    written: Any
    path: Path

    @property
    def expected(self) -> list[ExpectedRow]:
        """The rows by column."""
        return [expected_row(row, self.columns) for row in self.rows]


class Rows:
    """Heals rows of one table.

    Args:
        values: heals what is in them.
        table: the rows that were seen.
    """

    def __init__(self, values: Values, table: Table) -> None:
        self._values = values
        self._writer = values.writer
        self._table = table

    def all(self, listed: Listed, *, in_order: bool) -> Iterator[Repair]:
        """What makes the rows exactly those of the table."""
        yield from self._listed(listed, self._pairs(listed.expected, in_order=in_order))

    def some(self, listed: Listed) -> Iterator[Repair]:
        """What makes the rows some of the table's."""
        pairs = self._pairs(listed.expected, in_order=False)
        found: Pairs = [(left, right) for left, right in pairs if left is not None]
        if all(right is None for _, right in found):
            yield Refusal(listed.path, "there is no row that is anything like these")
        else:
            yield from self._listed(listed, found)

    def one(
        self, row: Any, columns: Sequence[str] | None, written: Any, path: Path
    ) -> Iterator[Repair]:
        """What makes an expected row hold for the only one that there is."""
        yield from self._row(expected_row(row, columns), written, 0, path)

    def text(self, path: Path, names: Sequence[str] | None = None) -> str:
        """All rows as a list, in the columns named or all; they are recorded below `path`.

        Raises:
            UnwritableError: one of them cannot be written, or their number is not stable.
        """
        self._writer.number(len(self._table.rows), path)
        style = _Style(names or list(self._table.types))
        return self._list(range(len(self._table.rows)), style, path)

    def named(self, expected: Sequence[ExpectedRow]) -> list[str]:
        """The columns that expected rows name, in the result's order; all, if they name none."""
        named = {name for row in expected if isinstance(row, dict) for name in row}
        return [name for name in self._table.types if name in named] or list(self._table.types)

    def _pairs(self, expected: Sequence[ExpectedRow], *, in_order: bool) -> Pairs:
        sought = [row if isinstance(row, Failure) else relaxed(row) for row in expected]
        table, comparison = self._table, self._values.comparison
        if not in_order:
            pairs = unordered_pairs(sought, table, comparison)
            return [(match.expected, match.actual) for match in pairs]

        def fits(left: int, right: int) -> bool:
            with self._values.trying():
                return row_matches(sought[left], table.rows[right], comparison)

        def likeness(left: int, right: int) -> int:
            expected, row = sought[left], table.rows[right]
            if not isinstance(expected, dict):
                return 0
            with self._values.trying():
                return sum(not comparison.field(*item, row) for item in expected.items())

        return aligned(len(sought), len(table.rows), fits, likeness)

    def _listed(self, listed: Listed, pairs: Pairs) -> Iterator[Repair]:
        expected, written, path = listed.expected, listed.written, listed.path
        gaps = any(None in match for match in pairs)
        if not isinstance(written, list):
            if gaps or not all(map(self._values.holds, expected, self._table.rows)):
                yield Refusal(path, TEMPLATE)
            return
        if gaps:
            try:
                self._writer.number(len(self._table.rows), path)
            except UnwritableError as error:
                yield Refusal(path, f"the number of rows: {error}")
                return
        style = self._style(listed)
        if written and all(None in match for match in pairs):  # none of them stays
            rows = [right for _, right in pairs if right is not None]
            yield replacement(written, path, lambda: self._list(rows, style, path))
            return
        yield from self._values.sequence(
            pairs,
            written,
            path,
            lambda left, right: self._row(expected[left], written[left], right, (*path, left)),
            lambda right, place: self._text(right, style, place),
        )

    def _style(self, listed: Listed) -> _Style:
        if any(isinstance(row, list) for row in listed.written):
            return _Style(list(self._table.types), as_list=True)
        return _Style(self.named(listed.expected))

    def _row(self, expected: ExpectedRow, written: Any, row: int, path: Path) -> Iterator[Repair]:
        fields = self._table.rows[row]
        if isinstance(expected, Failure):
            yield Refusal(path, TEMPLATE)  # only a template can have given what is no row
        elif not isinstance(written, list) or not isinstance(expected, dict):
            yield from self._values.repairs(expected, written, fields, path)
        elif list(expected) != list(fields.fields):
            yield self._rearranged(expected, fields, path)
        else:
            for index, (name, item) in enumerate(expected.items()):
                cell = fields.fields[name]
                yield from self._values.repairs(item, written[index], cell, (*path, index))

    def _rearranged(self, expected: dict[str, Any], fields: Fields, path: Path) -> Repair:
        """A row that is a list, for other columns than it was written for."""
        found = fields.fields

        def write() -> str:
            cells = [
                expected[name]
                if name in expected and self._values.holds(expected[name], value)
                else self._writer.data(value, (*path, index))
                for index, (name, value) in enumerate(found.items())
            ]
            return self._writer.shown(cells, Items(tuple(found.values()), "record"))

        return replacement(None, path, write)

    def _list(self, rows: Sequence[int], style: _Style, path: Path) -> str:
        return f"[{', '.join(self._text(row, style, (*path, f'+{row}')) for row in rows)}]"

    def _text(self, row: int, style: _Style, path: Path) -> str:
        found = self._table.rows[row].fields
        fields = {name: found[name] for name in style.columns}
        if style.as_list:
            return self._writer.text(Items(tuple(fields.values()), "record"), path)
        return self._writer.text(Fields(fields, "record", "column"), path)


@dataclass(frozen=True, slots=True)
class _Style:
    """How a row is written: which columns, and whether as a list."""

    columns: Sequence[str]
    as_list: bool = False
