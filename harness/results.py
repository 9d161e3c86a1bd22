"""What a run saw, as frozen plain data that reporters render and pytest-xdist can send."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from harness.errors import Location

Step = str | int
Path = tuple[Step, ...]


class Status(StrEnum):
    """How a spec or an operation ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: its name and its type as PostgreSQL's `format_type` names it.

    The type carries no length or precision: `character varying`, `numeric`, `integer[]`.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class ResultSet:
    """Rows as PostgreSQL printed them: each cell is the type's text output, None for NULL."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, slots=True)
class TableChange:
    """The net difference of one table, as rows; `replaced` are the old values of `updated`."""

    inserted: ResultSet
    updated: ResultSet
    deleted: ResultSet
    replaced: ResultSet


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a compared table; a text is None where that side has no such row or says nothing.

    `actual` is what the database returned, `expected` what the spec wrote, both ready to show.
    `parts` of them differ, if they are lists or mappings: `Mismatch.differences` has them all.
    """

    actual: str | None
    expected: str | None
    matches: bool
    parts: int = 0


@dataclass(frozen=True, slots=True)
class RowDiff:
    """One line of a compared table: a pair of rows, or a row that only one side has."""

    mark: Literal["same", "differs", "missing", "unexpected"]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TableDiff:
    """Expected against actual rows; every row has a cell for every column.

    Attributes:
        sides: what is compared; of `before and after`, a row is missing that was deleted.
        unnamed: so many columns, the last ones, are in no expectation: they tell rows apart.
    """

    columns: tuple[str, ...]
    rows: tuple[RowDiff, ...]
    sides: Literal["expected and actual", "before and after"] = "expected and actual"
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of a list or mapping that is not as expected.

    Attributes:
        path: the way to it as people write it, e.g. "row 2: payload.items[2].price".
        reason: a phrase, e.g. "4 expected, 5 found".
        expected: how the spec wrote it, in full; None where the reason says all.
        actual: what was there instead, in full.
    """

    path: str
    reason: str
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that does not hold, or one thing that went wrong.

    Attributes:
        path: the way to it inside the spec, e.g. ("operations", 0, "expect", "rows", 1).
        reason: one sentence without a full stop, e.g. "3 rows expected, 2 returned".
        expected: how the spec wrote it, or None where the reason says all.
        actual: what was there instead, ready to show.
        table: the rows side by side, for mismatches of rows.
        hint: what to do, where that is known.
        where: the place of `path` in the YAML source; whoever knows the spec fills it in.
        differences: where lists and mappings differ inside, as far as the reason does not say it.
    """

    path: Path
    reason: str
    expected: str | None = None
    actual: str | None = None
    table: TableDiff | None = None
    hint: str | None = None
    where: Location | None = None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL as it was written, and its bind parameters by name, each value ready to show.

    `error_at` is the offset in `sql` of what PostgreSQL's error points at.
    """

    sql: str
    params: tuple[tuple[str, str], ...] = ()
    error_at: int | None = None


@dataclass(frozen=True, slots=True)
class SentQuery:
    """A statement that the application sent.

    Attributes:
        place: the line of its code that did, e.g. `app/issues.py:12 in list_all`.
    """

    text: str
    place: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """A node of a spec that `--harness-update` writes anew, so that it says what was seen.

    Attributes:
        path: to the node as it is written, from the spec: steps that a short form leaves out are
            not in it.
        action: `replace` the value; `insert` an item before the one at `path` (or behind the last),
            or a key; `remove` an item or a key.
        value: what is to stand there, as YAML flow text; None for `remove`.
    """

    path: Path
    action: Literal["replace", "insert", "remove"]
    value: str | None = None


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows a table held before the spec began, and how many it held in the end."""

    table: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What one operation did.

    Attributes:
        actor: the name of who it ran as, if it ran as somebody who has one.
        duration: in seconds.
    """

    index: int
    verb: str
    name: str | None
    status: Status
    statement: Statement | None = None
    mismatches: tuple[Mismatch, ...] = ()
    duration: float = 0.0
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class SpecResult:
    """What one spec did; `mismatches` are those of the spec itself: seed, state, transaction.

    Attributes:
        skipped: why the spec did not run, if it did not.
        broken: it ended its own transaction, or its database died: no failure to expect.
        variables: of a spec that failed, the names that templates could use: name → ready to show.
        counts: of a spec that failed, the tables whose number of rows had changed, if that could
            still be read.
        script: of a spec that failed, SQL that repeats it up to there, for psql.
        edits: what `--harness-update` would write, so that its expectations hold.
        refusals: why something that failed is nothing to be written.
        duration: seconds, from before BEGIN until after the clean-up.
    """

    name: str
    status: Status
    operations: tuple[OperationResult, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    skipped: str | None = None
    broken: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    counts: tuple[RowCount, ...] = ()
    script: str | None = None
    edits: tuple[Edit, ...] = ()
    refusals: tuple[str, ...] = ()
    duration: float = 0.0

    @property
    def failures(self) -> tuple[tuple[OperationResult | None, Mismatch], ...]:
        """Every mismatch with the operation that it belongs to, in the order of the spec."""
        of_operations = ((op, mismatch) for op in self.operations for mismatch in op.mismatches)
        return (*of_operations, *((None, mismatch) for mismatch in self.mismatches))
