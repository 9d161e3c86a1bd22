"""What happens inside one spec's transaction: seeds, operations, expectations."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jmespath
import psycopg
from jmespath.exceptions import JMESPathError

from harness.application.application import Application
from harness.database.isolation import Isolation
from harness.loader import LoadedSpec
from harness.matching import judge_error
from harness.matching.display import abridged
from harness.results import Mismatch, OperationResult, Path, RowCount, SpecResult, Status
from harness.running.actors import Actors
from harness.running.calls import Calls
from harness.running.catalogs import Catalogs
from harness.running.changes import Watch
from harness.running.counts import changed_counts
from harness.running.findings import Findings, StoppedError
from harness.running.performed import Performed
from harness.running.replay import Replay
from harness.running.scope import Scope
from harness.running.seeding import Seeder
from harness.running.verbs import Verbs
from harness.running.verdict import Verdict
from harness.spec.actors import Actor
from harness.spec.expectations import Changes, SqlOutcome
from harness.spec.operations import BaseOperation, SeedOperation
from harness.templating import render

if TYPE_CHECKING:
    from harness.running.mending import Mending


class Execution:
    """One spec on its way: what it saw so far, and what was wrong.

    Args:
        loaded: the spec.
        isolation: its transaction, not yet begun.
        catalogs: what the database holds.
        application: what operations may call, with the project's settings.
        mending: gathers what would make the expectations hold, if that is wanted.
    """

    def __init__(
        self,
        loaded: LoadedSpec,
        isolation: Isolation,
        catalogs: Catalogs,
        application: Application,
        mending: Mending | None = None,
    ) -> None:
        config = application.config
        self._loaded = loaded
        self._mending = mending
        self._isolation = isolation
        self._catalogs = catalogs
        self._scope = Scope(isolation, loaded.case, config.env)
        self._seeder = Seeder(isolation, catalogs, self._scope, autofill=config.autofill)
        self._verdict = Verdict(isolation, catalogs, self._scope, mending)
        self._replay = Replay(loaded, catalogs.beginning, config)
        self._actors = Actors(
            isolation, catalogs, config.db_role, lambda sent: self._replay.sent([sent])
        )
        self._calls = Calls(application, isolation)
        self._verbs = Verbs(isolation, self._scope, self._seeder, self._calls, self._replay)
        self._operations: list[OperationResult] = []
        self._findings = Findings(loaded, mending)
        self._watch: Watch | None = None
        self._broken = False
        self._counts: tuple[RowCount, ...] = ()
        self._current: Path = ()

    def run(self) -> None:
        """Everything from the seeds to the proof that nothing is left; mismatches are collected.

        Raises:
            EscapedTransactionError: the spec ended its own transaction.
            psycopg.OperationalError: the connection is lost.
        """
        try:
            self._arrange()
            self._current = ()
            expect = self._loaded.spec.expect
            self._watch = self._watching(expect.changes if expect else None, ("expect",))
            for index, operation in enumerate(self._loaded.spec.operations):
                self._operate(index, operation)
            self._current = ("expect",) if expect else ()
            last = self._judge_state()
            self._current = ()
        except StoppedError:
            last = ""
        finally:
            self._calls.close()
        if self._has_failed and self._isolation.usable:
            last = self._look_back(last)
        self._end(last)

    def fail(
        self, reason: str, hint: str, *, broken: bool = False, in_a_statement: bool = False
    ) -> None:
        """Note that the spec ended for a reason outside what it expects.

        `broken`: one that no spec may expect, as it says nothing about what is tested.
        `in_a_statement`: what the application sent last may be to blame.
        """
        self._broken = self._broken or broken
        path, index = self._current, len(self._operations)
        in_operation = path[:1] == ("operations",) and path[1:] == (index,)
        findings = Findings(self._loaded, self._mending) if in_operation else self._findings
        sent = self._calls.last_sent if in_operation and in_a_statement else None
        if sent is not None:
            text = abridged(" ".join(sent.text.split()))
            reason += f"; the application's last statement was {text} ({sent.place})"
        findings.add([Mismatch(path, reason, hint=hint)])
        if in_operation:
            self._note(index, findings, 0.0)

    def result(self, duration: float) -> SpecResult:
        """What came of it; `duration` in seconds."""
        failed = self._has_failed
        mending = self._mending
        if mending is not None:
            operations = (each for op in self._operations for each in op.mismatches)
            found = (*operations, *self._findings.mismatches)
            mending.refuse([each for each in found if not _is_of_expectation(each.path)])
        return SpecResult(
            name=self._loaded.id,
            status=Status.FAILED if failed else Status.PASSED,
            operations=tuple(self._operations),
            mismatches=tuple(self._findings.mismatches),
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
        return bool(self._findings) or any(each.mismatches for each in self._operations)

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
        self._current = ("seed",) if spec.seed else ()
        with self._findings.stopping(("vars",)):
            self._scope.define(spec.vars)
        with self._findings.stopping(("seed",)):
            try:
                self._seeder.insert(spec.seed)
            finally:
                self._replay.seed(self._seeder.sent)

    # -- operations

    def _operate(self, index: int, operation: BaseOperation) -> None:
        started = time.perf_counter()
        path: Path = ("operations", index)
        self._current = path
        may_fail = self._may_fail(operation, path)
        self._replay.operation(index, operation, may_fail=may_fail)
        self._verbs.statement = None
        findings = Findings(self._loaded, self._mending)
        stopped = False
        try:
            changes = operation.expect.changes if operation.expect else None
            watch = self._watching(changes, (*path, "expect"))
            with findings.stopping((*path, "as")):
                actor = self._actor(operation)
            performed = self._perform(operation, actor, path, findings, may_fail=may_fail)
            self._judge(operation, performed, watch, path, findings)
            self._judge_plan(operation, actor, performed, path, findings)
            self._save(operation, performed.data, path, findings)
            self._calls.settle()
        except StoppedError:
            stopped = True
        finally:
            self._scope.pop("actor", None)
        self._note(index, findings, time.perf_counter() - started)
        if stopped:
            raise StoppedError

    def _perform(
        self,
        operation: BaseOperation,
        actor: Actor | None,
        path: Path,
        findings: Findings,
        *,
        may_fail: bool,
    ) -> Performed:
        """Do what the operation says, as who it says; an error not expected ends the spec here."""
        self._isolation.take_notices()
        with ExitStack() as around:
            around.enter_context(findings.stopping((*path, "as")))
            if isinstance(operation, SeedOperation):
                around.enter_context(self._unwatched())
            else:
                around.enter_context(self._actors.acting(actor))
            performed = self._verbs.perform(operation, actor, path, findings, may_fail=may_fail)
        if self._isolation.schema_changed:
            self._isolation.schema_changed = False
            self._catalogs.refresh()
        error = performed.result.error
        if error is not None and not may_fail:
            findings.add(judge_error(None, error, (*path, operation.verb)))
            raise StoppedError
        return replace(performed, notices=self._isolation.take_notices())

    def _judge(
        self,
        operation: BaseOperation,
        performed: Performed,
        watch: Watch | None,
        path: Path,
        findings: Findings,
    ) -> None:
        """Hold what an operation did against all that is expected of it."""
        here = (*path, "expect")
        with findings.stopping(here):
            findings.add(self._verdict.on_operation(operation.expect, performed, watch, here))

    def _judge_plan(
        self,
        operation: BaseOperation,
        actor: Actor | None,
        performed: Performed,
        path: Path,
        findings: Findings,
    ) -> None:
        """Hold how a statement may be planned against what is expected; policies are part of it."""
        plan = operation.expect.plan if isinstance(operation.expect, SqlOutcome) else None
        if plan is not None and performed.prepared is not None:
            place = (*path, "expect", "plan")
            with findings.stopping(place), self._actors.acting(actor):
                findings.add(self._verdict.on_plan(plan, performed.prepared, place))

    def _actor(self, operation: BaseOperation) -> Actor | None:
        """Who an operation runs as, without templates; templates can name it from here on."""
        spec = self._loaded.spec
        reference = operation.as_ if operation.given("as_") else spec.as_
        written = spec.actors[reference] if isinstance(reference, str) else reference
        actor: Actor | None = render(written, self._scope)
        if actor is not None:
            self._scope["actor"] = actor.model_dump(by_alias=True, exclude_unset=True)
        return actor

    @contextmanager
    def _unwatched(self) -> Iterator[None]:
        """What happens inside the block does not count for the spec's own `changes`."""
        if self._watch is None:
            yield
            return
        self._watch.pause()
        try:
            yield
        finally:
            if not self._isolation.lost:
                self._watch.resume()

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
        self, operation: BaseOperation, data: Mapping[str, Any], path: Path, findings: Findings
    ) -> None:
        for name, expression in operation.save.items():
            place = (*path, "save", name)
            try:
                value = jmespath.search(expression.removesuffix("?"), data)
            except JMESPathError as error:
                findings.add([Mismatch(place, f"{expression!r} fails: {error}")])
                raise StoppedError from error
            if value is None and not expression.endswith("?"):
                hint = f"there is: {', '.join(data)}; a path that ends in ? saves null"
                findings.add([Mismatch(place, f"{expression!r} finds nothing, or null", hint=hint)])
                raise StoppedError
            self._scope[name] = value

    def _note(self, index: int, findings: Findings, duration: float) -> None:
        spec = self._loaded.spec
        operation = spec.operations[index]
        actor = operation.as_ if operation.given("as_") else spec.as_
        self._operations.append(
            OperationResult(
                index=index,
                verb=operation.verb,
                name=operation.name,
                status=Status.FAILED if findings else Status.PASSED,
                statement=self._verbs.statement,
                actor=actor if isinstance(actor, str) else None,
                mismatches=tuple(findings.mismatches),
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
        with self._findings.stopping(here):
            self._findings.add(self._verdict.on_state(expect, self._watch, here))
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
            self._findings.add([replace(mismatch, reason=reason)])


def _is_of_expectation(path: Path) -> bool:
    """Whether something is wrong with what an expectation says, which can be written anew."""
    return path[:1] == ("expect",) or (path[:1] == ("operations",) and path[2:3] == ("expect",))
