"""Whether what a spec did is what it expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.database.isolation import Isolation
from harness.matching import judge_error, judge_sql
from harness.matching.calls import judge_result
from harness.matching.casts import RememberedCasts
from harness.matching.changes import judge_changes
from harness.matching.comparison import Comparison
from harness.matching.marks import Marks
from harness.matching.notices import judge_notices
from harness.matching.outcome import judge_table
from harness.matching.queries import judge_queries
from harness.matching.responses import judge_response
from harness.results import Mismatch, Path, TableChange
from harness.running.catalogs import Catalogs
from harness.running.changes import Watch
from harness.running.performed import Performed
from harness.running.plans import judge_plan
from harness.running.scope import Scope
from harness.running.sql import Prepared
from harness.running.state import read_tables
from harness.spec.expectations import CallOutcome, Changes, HttpOutcome, Outcome, Plan, SqlOutcome
from harness.spec.state import StateExpectation
from harness.templating import render

if TYPE_CHECKING:
    from harness.running.mending import Mending


class Verdict:
    """Judges the operations and the end of one spec.

    Args:
        isolation: the spec's transaction.
        catalogs: what the database holds.
        scope: what templates in expectations can name.
        mending: gets to see what does not hold, if that is to be written anew.
    """

    def __init__(
        self, isolation: Isolation, catalogs: Catalogs, scope: Scope, mending: Mending | None
    ) -> None:
        self._isolation = isolation
        self._catalogs = catalogs
        self._scope = scope
        self._mending = mending
        self._marks = Marks()

    def on_operation(
        self, written: Outcome | None, performed: Performed, watch: Watch | None, path: Path
    ) -> list[Mismatch]:
        """Judge an operation.

        Args:
            written: what is expected of it, templates and all.
            performed: what it did.
            watch: what it changed, if that is expected.
            path: to the expectation.

        Raises:
            SpecError: a template fails.
            psycopg.OperationalError: the connection is lost.
        """
        expect = render(written, self._scope)
        comparison = self._comparison()
        found, changes = self._changes(expect and expect.changes, watch, path, comparison)
        performed = replace(performed, changes=changes)
        found = [*self._of_verb(expect, performed, path, comparison), *found]
        if self._mending is not None and (found or self._mending.placeholders(path)):
            self._mending.operation(expect, performed, path, comparison)
        return found

    def on_plan(self, written: Plan, prepared: Prepared, path: Path) -> list[Mismatch]:
        """Judge how a statement may be planned, for the role in force; `path` leads to `plan`.

        Raises:
            SpecError: a template fails.
            psycopg.OperationalError: the connection is lost.
        """
        plan = render(written, self._scope)
        return self._unmended(judge_plan(plan, prepared, self._isolation, path))

    def on_state(
        self, written: StateExpectation | None, watch: Watch | None, path: Path
    ) -> list[Mismatch]:
        """Judge what all operations together have left; the arguments as for an operation."""
        expect = render(written, self._scope)
        comparison = self._comparison()
        found, changes = self._changes(expect and expect.changes, watch, path, comparison)
        tables = dict((expect and expect.tables) or {})
        unwritten = self._mending.tables(path) if self._mending else {}
        here = (*path, "tables")
        selected = tables | render(unwritten, self._scope)  # what a template gave is no template
        results, unreadable = read_tables(selected, self._isolation, self._catalogs, here)
        found += self._unmended(unreadable)
        for name in filter(results.__contains__, tables):
            found += judge_table(tables[name], results[name], (*here, name), comparison)
        if self._mending is not None and (found or self._mending.placeholders(path)):
            self._mending.state(expect, results, changes, path, comparison)
        return found

    def _of_verb(
        self, expect: Outcome | None, performed: Performed, path: Path, comparison: Comparison
    ) -> Iterator[Mismatch]:
        response, error = performed.response, performed.result.error
        if response is not None and (expect is None or expect.error is None):
            expected = expect if isinstance(expect, HttpOutcome) else None
            yield from judge_response(expected, response, path, comparison)
        if expect is None:
            return
        if isinstance(expect, SqlOutcome):
            yield from judge_sql(expect, performed.result, path, comparison)
        else:
            yield from judge_error(expect.error, error, path, self._marks)
        if isinstance(expect, CallOutcome) and expect.given("result") and error is None:
            place = (*path, "result")
            yield from judge_result(expect.result, performed.returned, place, comparison)
        if expect.queries is not None:
            place = (*path, "queries")
            yield from judge_queries(expect.queries, performed.queries, place, comparison)
        if expect.notices is not None:
            place = (*path, "notices")
            yield from judge_notices(expect.notices, performed.notices, place, comparison)

    def _changes(
        self, expect: Changes | None, watch: Watch | None, path: Path, comparison: Comparison
    ) -> tuple[list[Mismatch], Mapping[str, TableChange] | None]:
        """What is wrong with what has changed, and what that is."""
        if watch is None:
            return [], None
        here = (*path, "changes")
        named = list(expect.tables) if expect else []
        unwritten = self._mending.placeholders(here) if self._mending else []
        seen = watch.seen((*named, *(str(rest[0]) for rest in unwritten if rest)))
        if expect is None:
            return [], seen
        mistakes = self._unmended(watch.mistakes(named, here))
        return mistakes or [*judge_changes(expect, seen, here, comparison)], seen

    def _unmended(self, mismatches: Sequence[Mismatch]) -> list[Mismatch]:
        """Mismatches that nothing can be written for."""
        if self._mending is not None:
            self._mending.refuse(mismatches)
        return list(mismatches)

    def _comparison(self) -> Comparison:
        """Compares what was seen just now: what PostgreSQL makes of a text may change in a spec."""
        return Comparison(RememberedCasts(self._isolation), marks=self._marks)
