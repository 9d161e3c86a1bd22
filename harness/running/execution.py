"""What happens inside one spec's transaction: seeds, operations, expectations."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jmespath
import psycopg
from jmespath.exceptions import JMESPathError

from harness.config import Config
from harness.database.isolation import EscapedTransactionError, Isolation
from harness.errors import Problem, SpecError
from harness.loader import LoadedSpec
from harness.matching import SqlResult, judge_error
from harness.results import Mismatch, OperationResult, Path, RowCount, SpecResult, Statement, Status
from harness.running.catalogs import Catalogs
from harness.running.changes import Watch
from harness.running.counts import changed_counts
from harness.running.performed import Performed
from harness.running.replay import Replay
from harness.running.scope import Scope
from harness.running.seeding import Seeder
from harness.running.sql import error_data, execute, outcome, prepare
from harness.running.verdict import Verdict
from harness.spec.expectations import Changes
from harness.spec.operations import BaseOperation, SeedOperation, SqlOperation
from harness.templating import UnrenderableError, render

if TYPE_CHECKING:
    from harness.running.mending import Mending


class StoppedError(Exception):
    """Nothing that follows in the spec could be true; why is among the mismatches already."""


class Execution:
    """One spec on its way: what it saw so far, and what was wrong.

    Args:
        loaded: the spec.
        isolation: its transaction, not yet begun.
        catalogs: what the database holds.
        config: the project's settings.
        mending: gathers what would make the expectations hold, if that is wanted.
    """

    def __init__(
        self,
        loaded: LoadedSpec,
        isolation: Isolation,
        catalogs: Catalogs,
        config: Config,
        mending: Mending | None = None,
    ) -> None:
        self._loaded = loaded
        self._mending = mending
        self._isolation = isolation
        self._catalogs = catalogs
        self._scope = Scope(isolation, loaded.case, config.env)
        self._seeder = Seeder(isolation, catalogs, self._scope, autofill=config.autofill)
        self._verdict = Verdict(isolation, catalogs, self._scope, mending)
        self._replay = Replay(loaded, catalogs.beginning, config)
        self._operations: list[OperationResult] = []
        self._mismatches: list[Mismatch] = []
        self._watch: Watch | None = None
        self._broken = False
        self._counts: tuple[RowCount, ...] = ()
        self._current: tuple[Path, Statement | None] = ((), None)

    def run(self) -> None:
        """Everything from the seeds to the proof that nothing is left; mismatches are collected.

        Raises:
            EscapedTransactionError: the spec ended its own transaction.
            psycopg.OperationalError: the connection is lost.
        """
        try:
            self._arrange()
            expect = self._loaded.spec.expect
            self._watch = self._watching(expect.changes if expect else None, ("expect",))
            for index, operation in enumerate(self._loaded.spec.operations):
                self._operate(index, operation)
            self._current = ((), None)
            last = self._judge_state()
        except StoppedError:
            last = ""
        if self._has_failed and self._isolation.usable:
            last = self._look_back(last)
        self._end(last)

    def fail(self, reason: str, hint: str, *, broken: bool = False) -> None:
        """Note that the spec ended for a reason outside what it expects.

        `broken`: one that no spec may expect, as it says nothing about what is tested.
        """
        self._broken = self._broken or broken
        path, statement = self._current
        mismatch = self._placed(Mismatch(path, reason, hint=hint))
        index = len(self._operations)
        if path[:1] == ("operations",) and path[1:] == (index,):
            operation = self._loaded.spec.operations[index]
            self._note(index, operation, statement, (mismatch,), 0.0)
        else:
            self._mismatches.append(mismatch)

    def result(self, duration: float) -> SpecResult:
        """What came of it; `duration` in seconds."""
        failed = self._has_failed
        mending = self._mending
        if mending is not None:
            operations = (each for op in self._operations for each in op.mismatches)
            found = (*operations, *self._mismatches)
            mending.refuse([each for each in found if not _is_of_expectation(each.path)])
        return SpecResult(
            name=self._loaded.id,
            status=Status.FAILED if failed else Status.PASSED,
            operations=tuple(self._operations),
            mismatches=tuple(self._mismatches),
            broken=self._broken,
            variables=self._scope.shown() if failed else (),
            counts=self._counts,
            edits=tuple(mending.edits) if mending else (),
            refusals=tuple(mending.refusals) if mending else (),
            duration=duration,
        )

    def script(self, result: SpecResult) -> str:
        """The spec as a script for psql."""
        return self._replay.script(result)

    @property
    def _has_failed(self) -> bool:
        return bool(self._mismatches) or any(each.mismatches for each in self._operations)

    def _look_back(self, last: str) -> str:
        """See what a spec that failed has done; gives what is still to be sent with the end."""
        if last:
            self._settle()
        try:
            self._counts = changed_counts(self._isolation, self._catalogs)
        except psycopg.Error:
            if self._isolation.lost:
                raise
        return ""

    # -- seeds

    def _arrange(self) -> None:
        spec = self._loaded.spec
        with self._stopping(("vars",), self._mismatches):
            self._scope.define(spec.vars)
        with self._stopping(("seed",), self._mismatches):
            try:
                self._seeder.insert(spec.seed)
            finally:
                self._replay.seed(self._seeder.sent)

    # -- operations

    def _operate(self, index: int, operation: BaseOperation) -> None:
        started = time.perf_counter()
        path: Path = ("operations", index)
        self._current = (path, None)
        self._replay.operation(index, operation, may_fail=self._may_fail(operation, path))
        found: list[Mismatch] = []
        stopped = False
        try:
            changes = operation.expect.changes if operation.expect else None
            watch = self._watching(changes, (*path, "expect"))
            performed = self._perform(operation, path, found)
            self._judge(operation, performed, watch, (*path, "expect"), found)
            self._save(operation, performed.data, path, found)
        except StoppedError:
            stopped = True
        placed = tuple(map(self._placed, found))
        self._note(index, operation, self._current[1], placed, time.perf_counter() - started)
        if stopped:
            raise StoppedError

    def _perform(self, operation: BaseOperation, path: Path, found: list[Mismatch]) -> Performed:
        """Do what the verb says; an error that is not expected ends the spec here."""
        self._isolation.take_notices()
        if isinstance(operation, SqlOperation):
            performed = self._sql(operation, path, found)
        else:
            assert isinstance(operation, SeedOperation)  # the loader refuses the other verbs
            performed = self._seed(operation, path, found)
        if self._isolation.schema_changed:
            self._isolation.schema_changed = False
            self._catalogs.refresh()
        error = performed.result.error
        if error is not None and not self._may_fail(operation, path):
            found += judge_error(None, error, (*path, operation.verb))
            raise StoppedError
        return replace(performed, notices=self._isolation.take_notices())

    def _sql(self, operation: SqlOperation, path: Path, found: list[Mismatch]) -> Performed:
        with self._stopping((*path, "params"), found):
            params = None if operation.params is None else render(operation.params, self._scope)
            prepared = prepare(operation, params)
        self._current = (path, prepared.statement)
        self._seeder.is_alone = False
        with self._stopping((*path, "sql"), found):
            self._replay.statement(prepared)
            try:
                result = execute(
                    prepared, self._isolation, may_fail=self._may_fail(operation, path)
                )
            except EscapedTransactionError:
                self._replay.escaped()
                raise
        if result.error is not None:
            self._replay.failed(result.error)
            self._current = (path, prepared.failed(result.error))
        return Performed(result, outcome(result) if operation.save else {}, prepared)

    def _seed(self, operation: SeedOperation, path: Path, found: list[Mismatch]) -> Performed:
        if self._watch is not None:
            self._watch.pause()
        try:
            return self._insert(operation, path, found)
        finally:
            if self._watch is not None and not self._isolation.lost:
                self._watch.resume()

    def _insert(self, operation: SeedOperation, path: Path, found: list[Mismatch]) -> Performed:
        if not self._may_fail(operation, path):
            with self._stopping((*path, "seed"), found):
                return Performed(SqlResult(), {"seed": self._seeded(operation)})
        try:
            with self._isolation.undone_on_error():
                return Performed(SqlResult(), {"seed": self._seeded(operation)})
        except SpecError as refused:
            self._replay.failed(refused)
            error = refused.__cause__ or refused
            return Performed(SqlResult(error=error), {"error": error_data(error)})

    def _seeded(self, operation: SeedOperation) -> Mapping[str, Any]:
        try:
            return self._seeder.insert(operation.seed)
        finally:
            self._replay.sent(self._seeder.sent)

    def _judge(
        self,
        operation: BaseOperation,
        performed: Performed,
        watch: Watch | None,
        path: Path,
        found: list[Mismatch],
    ) -> None:
        """Hold what an operation did against all that is expected of it."""
        with self._stopping(path, found):
            found += self._verdict.on_operation(operation.expect, performed, watch, path)

    def _watching(self, changes: Changes | None, path: Path) -> Watch | None:
        """What tells later what has changed from here on, if anybody wants to know."""
        if changes is not None:
            return Watch(changes.ignore, self._isolation, self._catalogs)
        wanted = self._mending and self._mending.wants_changes(path)
        return Watch([], self._isolation, self._catalogs) if wanted else None

    def _may_fail(self, operation: BaseOperation, path: Path) -> bool:
        if operation.expect is not None and operation.expect.error is not None:
            return True
        return self._mending is not None and self._mending.wants_error((*path, "expect"))

    def _save(
        self, operation: BaseOperation, data: Mapping[str, Any], path: Path, found: list[Mismatch]
    ) -> None:
        for name, expression in operation.save.items():
            place = (*path, "save", name)
            try:
                value = jmespath.search(expression.removesuffix("?"), data)
            except JMESPathError as error:
                found.append(Mismatch(place, f"{expression!r} fails: {error}"))
                raise StoppedError from error
            if value is None and not expression.endswith("?"):
                found.append(
                    Mismatch(
                        place,
                        f"{expression!r} finds nothing, or null",
                        hint=f"there is: {', '.join(data)}; a path that ends in ? saves null",
                    )
                )
                raise StoppedError
            self._scope[name] = value

    def _note(
        self,
        index: int,
        operation: BaseOperation,
        statement: Statement | None,
        mismatches: tuple[Mismatch, ...],
        duration: float,
    ) -> None:
        self._operations.append(
            OperationResult(
                index=index,
                verb=operation.verb,
                name=operation.name,
                status=Status.FAILED if mismatches else Status.PASSED,
                statement=statement,
                mismatches=mismatches,
                duration=duration,
            )
        )

    # -- the state at the end

    def _judge_state(self) -> str:
        """Judge what is left; gives what is to be sent together with the end."""
        expect = self._loaded.spec.expect
        deferred = expect is not None and expect.constraints == "deferred"
        check = "" if deferred else "SET CONSTRAINTS ALL IMMEDIATE;"
        here: Path = ("expect",)
        unwritten = self._mending is not None and self._mending.placeholders(here)
        if not unwritten and (expect is None or not (expect.tables or expect.changes)):
            return check
        if check:
            self._settle()
        with self._stopping(here, self._mismatches):
            found = self._verdict.on_state(expect, self._watch, here)
            self._mismatches += map(self._placed, found)
        return ""

    def _settle(self) -> None:
        """Check deferred constraints; where changes are watched, in the message that reads them."""
        try:
            if self._watch is not None:
                self._watch.observe(settled=True)
            else:
                self._isolation.read("SELECT", settled=True)
        except psycopg.Error as error:
            if self._isolation.lost:
                raise
            self._refuse_commit(error)

    def _end(self, last: str) -> None:
        try:
            self._isolation.end(last)
        except psycopg.Error as error:
            if self._isolation.lost:
                raise
            self._refuse_commit(error)

    def _refuse_commit(self, error: psycopg.Error) -> None:
        """A deferred constraint that does not hold: these rows could never be committed."""
        found = judge_error(None, error, ("operations",))
        self._replay.checked()
        for mismatch in found:
            reason = f"what the operations left could never be committed: {mismatch.reason}"
            self._mismatches.append(self._placed(replace(mismatch, reason=reason)))

    # -- mismatches

    @contextmanager
    def _stopping(self, path: Path, found: list[Mismatch]) -> Iterator[None]:
        """Turn a mistake in the spec's own data into mismatches, after which it stops."""
        try:
            yield
        except SpecError as error:
            mistakes = [self._mistake(path, problem, error) for problem in error.problems]
            found += mistakes
            if self._mending is not None:
                self._mending.refuse(mistakes)
            raise StoppedError from error

    def _mistake(self, path: Path, problem: Problem, error: SpecError) -> Mismatch:
        if isinstance(error, UnrenderableError):
            path = (*path, *error.path)
        return self._placed(Mismatch(path, problem.what, hint=problem.hint, where=problem.where))

    def _placed(self, mismatch: Mismatch) -> Mismatch:
        if mismatch.where is not None:
            return mismatch
        return replace(mismatch, where=self._loaded.locate(mismatch.path))


def _is_of_expectation(path: Path) -> bool:
    """Whether something is wrong with what an expectation says, which can be written anew."""
    return path[:1] == ("expect",) or (path[:1] == ("operations",) and path[2:3] == ("expect",))
