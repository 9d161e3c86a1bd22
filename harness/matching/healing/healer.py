"""What `--harness-update` writes: for each expectation that fails, the edits that make it hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.matching.comparison import Comparison
from harness.matching.healing.changes import change_text, changes_repairs, changes_text
from harness.matching.healing.errors import described_parts, error_repairs
from harness.matching.healing.queries import queries_repairs
from harness.matching.healing.repairs import Healing, Refusal, UnwritableError, at, replacement
from harness.matching.healing.responses import is_failure, response_repairs, response_seen
from harness.matching.healing.results import (
    count_repairs,
    sighting,
    statement_repairs,
    table_repairs,
)
from harness.matching.healing.stability import Stability
from harness.matching.healing.values import Values
from harness.matching.healing.writer import Writer, texts
from harness.matching.objects import of_python
from harness.matching.outcome import SqlResult
from harness.matching.responses import Response
from harness.matching.values import Value
from harness.results import Path, ResultSet, SentQuery, TableChange
from harness.spec.expectations import (
    Changes,
    ErrorExpectation,
    HttpOutcome,
    Queries,
    SqlOutcome,
)
from harness.spec.matchers import PLACEHOLDER, Matcher
from harness.spec.state import TableState

_ENDLESS = "it is nested too deeply to be written, or holds itself"


class Healer:
    """Heals the expectations of one spec in one of its runs.

    Each expectation is given as the rendered model, `expect`; as plain data as the YAML has it,
    `written`; and by the path to that node. What holds gets no edit.

    Args:
        comparison: judges values, as for the mismatches.
        stability: knows which values will be others in the next run.
    """

    def __init__(self, comparison: Comparison, stability: Stability) -> None:
        self._writer = Writer(comparison, stability)
        self._values = Values(comparison, self._writer)

    def sql(self, expect: SqlOutcome, written: Any, outcome: SqlResult, path: Path) -> Healing:
        """Heal what is expected of a statement: its error, rows and counts."""
        if outcome.error is not None or expect.given("error"):
            node, place = at(written, path, "error") if expect.given("error") else (written, path)
            return self.error(expect.error, node, outcome.error, place)
        return Healing.of(statement_repairs(expect, written, outcome, path, self._values))

    def table(self, expect: TableState, written: Any, result: ResultSet, path: Path) -> Healing:
        """Heal what a table is expected to hold; `result` is what was selected of it."""
        return Healing.of(table_repairs(expect, written, result, path, self._values))

    def error(
        self,
        expect: ErrorExpectation | None,
        written: Any,
        error: BaseException | None,
        path: Path,
    ) -> Healing:
        """Heal the error that an operation is expected to end with; `path` leads to `error`."""
        return Healing.of(error_repairs(expect, written, error, path, self._writer))

    def returned(self, expected: Any, written: Any, value: Any, path: Path) -> Healing:
        """Heal what a call is expected to return; `value` is what it did, as Python has it."""
        try:
            return self.heal(expected, written, of_python(value), path)
        except RecursionError:
            return Healing.of([Refusal(path, _ENDLESS)])

    def has_failed(self, expect: HttpOutcome | None, written: Any, response: Response) -> bool:
        """Whether a request failed that was not to fail: nothing is to be written of it."""
        return is_failure(expect, written, response, self._values)

    def response(
        self, expect: HttpOutcome, written: Any, response: Response, path: Path
    ) -> Healing:
        """Heal what is expected of a response: its status, body and headers."""
        return Healing.of(response_repairs(expect, written, response, path, self._values))

    def queries(
        self,
        expected: Queries | Matcher | int,
        written: Any,
        sent: Sequence[SentQuery],
        path: Path,
    ) -> Healing:
        """Heal how many statements an operation is expected to send; placeholders, too."""
        return Healing.of(queries_repairs(expected, written, sent, path, self._values))

    def notices(
        self, expected: Sequence[Any], written: Any, messages: Sequence[str], path: Path
    ) -> Healing:
        """Heal the expected notices."""
        return self.heal(list(expected), written, texts(messages), path)

    def changes(
        self, expect: Changes, written: Any, seen: Mapping[str, TableChange], path: Path
    ) -> Healing:
        """Heal the changes that are expected; `seen` as `judge_changes` has it."""
        return Healing.of(changes_repairs(expect, written, seen, path, self._values))

    def count(self, expected: Any, written: Any, number: int, path: Path) -> Healing:
        """Heal an expected number of things."""
        return Healing.of(count_repairs(expected, written, number, path, self._values))

    def heal(self, expected: Any, written: Any, value: Value, path: Path) -> Healing:
        """Heal what is expected of a value."""
        return Healing.of(self._values.repairs(expected, written, value, path))

    def seen(self, key: str, outcome: SqlResult, path: Path) -> Healing:
        """Replace a placeholder at `path` that stands for a whole expectation of a statement.

        Args:
            key: `expect`, or the key that it stands behind: `rows`, `row`, `value`, `count`,
                `affected`, `columns`, `contains` or `error`. Of a table it is `rows`, of the rows
                that changed `count`.
            outcome: what was seen; of a table only the `result`.
            path: to the placeholder.
        """
        return Healing.of(sighting(key, outcome, path, self._values))

    def seen_error(
        self,
        keys: Sequence[str],
        expect: ErrorExpectation | None,
        error: BaseException | None,
        path: Path,
    ) -> Healing:
        """Replace placeholders for parts of an error, which stand behind these keys of it.

        `expect` is what else is expected of the error; `path` leads to `error`.
        """
        return Healing.of(described_parts(keys, expect, error, path, self._writer))

    def seen_return(self, value: Any, path: Path) -> Healing:
        """Replace a placeholder for all that is expected of a call that returned a value."""
        place = (*path, "result")

        def write() -> str:
            try:
                return f"{{result: {self._writer.text(of_python(value), place)}}}"
            except RecursionError as error:
                raise UnwritableError(_ENDLESS) from error

        return Healing.of([replacement(PLACEHOLDER, path, write)])

    def seen_response(self, response: Response, path: Path) -> Healing:
        """Replace a placeholder for all that is expected of a response."""
        return Healing.of([response_seen(response, path, self._writer)])

    def seen_notices(self, messages: Sequence[str], path: Path) -> Healing:
        """Replace a placeholder for the notices."""
        return Healing.of([self._writer.replacement(PLACEHOLDER, texts(messages), path)])

    def seen_state(self, seen: Mapping[str, TableChange], path: Path) -> Healing:
        """Replace a placeholder for all that is expected of a spec: what it has changed."""
        place = (*path, "changes")

        def write() -> str:
            return f"{{changes: {changes_text(seen, place, self._writer)}}}"

        return Healing.of([replacement(PLACEHOLDER, path, write)])

    def seen_changes(self, seen: Mapping[str, TableChange], path: Path) -> Healing:
        """Replace a placeholder for all changes."""
        return Healing.of(
            [replacement(PLACEHOLDER, path, lambda: changes_text(seen, path, self._writer))]
        )

    def seen_change(self, seen: TableChange, path: Path) -> Healing:
        """Replace a placeholder for the changes of one table."""
        return Healing.of(
            [replacement(PLACEHOLDER, path, lambda: change_text(seen, path, self._writer))]
        )
