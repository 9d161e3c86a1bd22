"""Specs on the worker's database, one after the other: what each leaves is nothing."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from packaging.specifiers import SpecifierSet

from harness.application.application import Application
from harness.config import Config
from harness.database.catalog import Catalog, read_catalog
from harness.database.isolation import EscapedTransactionError, Isolation
from harness.database.protocol import Database
from harness.database.watchdog import Deadline, OverdueError, Watchdog
from harness.loader import LoadedSpec
from harness.results import Mismatch, OperationResult, SpecResult, Status, Step
from harness.running.catalogs import Catalogs
from harness.running.execution import Execution
from harness.spec.suite import Requirements

if TYPE_CHECKING:
    from harness.running.mending import Mending


class Runner:
    """Runs specs on the one database of this worker.

    Args:
        database: not yet started, perhaps.
        config: the project's settings.
        mend: finds out what would make failing expectations hold, if that is wanted.
        script: give failed specs as SQL that repeats them.

    Attributes:
        application: what specs call; Python tests have their sessions on its engines.
    """

    def __init__(
        self,
        database: Database,
        config: Config,
        mend: type[Mending] | None = None,
        script: bool = False,
    ) -> None:
        self._database = database
        self._config = config
        self._mend = mend
        self._script = script
        self._watchdog = Watchdog()
        self.application = Application(config, lambda: database.connect()[0].connection)

    def run(self, loaded: LoadedSpec) -> SpecResult:
        """Run one spec and leave nothing of it behind.

        Whatever goes wrong in it is its result: a failed expectation, an error, a database that
        died or was killed because time was up. After the last two, and after a spec that ended
        its own transaction, the database is replaced.

        Raises:
            ConfigError, DatabaseError: there is no database to run on.
        """
        if self._mend is None or loaded.spec.xfail:
            return self._run(loaded, None)
        first = self._mend(loaded, None)
        result = self._run(loaded, first)
        if result.edits:
            # Once more: what is another value then is not to be written.
            result = self._run(loaded, self._mend(loaded, first.recorded))
        # What holds, but for a placeholder that nothing can be written for, has not passed.
        stays = result.status is Status.PASSED and result.refusals
        return _unwritten(loaded, result) if stays else result

    def close(self) -> None:
        """End what runs of the application: nothing is run after it."""
        self.application.close()

    def _run(self, loaded: LoadedSpec, mending: Mending | None) -> SpecResult:
        started = time.perf_counter()
        session, catalog = self._database.connect()
        missing = unmet(loaded.spec.requires, self._config, catalog)
        if missing:
            return SpecResult(loaded.id, Status.SKIPPED, skipped=missing)
        if mending is None and loaded.placeholders:
            return _unwritten(loaded)
        isolation = Isolation(session, catalog)
        catalogs = Catalogs(catalog, lambda: read_catalog(isolation.read))
        execution = Execution(loaded, isolation, catalogs, self.application, mending)
        try:
            self._execute(execution, loaded, isolation)
        except BaseException:
            # A bug, or Ctrl-C: nobody knows what state the session is in.
            self._database.replace()
            raise
        result = execution.result(time.perf_counter() - started)
        if self._script and result.status is Status.FAILED:
            return replace(result, script=execution.script(result))
        return result

    def _execute(self, execution: Execution, loaded: LoadedSpec, isolation: Isolation) -> None:
        own = loaded.spec.timeout
        limit = self._config.timeout if own is None else own
        deadline = Deadline(limit, self._database.kill)
        try:
            with self._watchdog.watch(deadline):
                self._run_to_its_end(execution, isolation, deadline)
        except OverdueError:
            pass  # told below
        if deadline.passed:
            unit = "second" if limit == 1 else "seconds"
            execution.fail(
                f"the spec did not end within {limit:g} {unit}; its database was killed",
                "raise `timeout` if it needs longer",
                in_a_statement=True,
            )
        elif not isolation.lost and not isolation.is_over:
            execution.fail(
                "the connection was left in the middle of something: an open pipeline, COPY or "
                "stream, or a transaction",
                "what the application opens on the connection itself, it has to close",
                broken=True,
            )
            self._database.replace()
        if deadline.passed or isolation.lost:
            self._database.replace()

    def _run_to_its_end(
        self, execution: Execution, isolation: Isolation, deadline: Deadline
    ) -> None:
        try:
            execution.run()
        except EscapedTransactionError:
            execution.fail(
                "the spec's transaction was ended here",
                "the harness rolls every spec back: use savepoints to undo a part of it, and "
                "leave COMMIT and ROLLBACK out",
                broken=True,
            )
            self._database.replace()
        except psycopg.Error as error:
            if not isolation.lost:
                raise
            _raise_interrupt(error)
            if not deadline.passed:
                ending = self._database.ending()
                what = f"the database process ended: {ending}"
                if ending.startswith("still running"):
                    what = "the connection to the database was closed here, or broken"
                hint = "the next spec gets a new one"
                execution.fail(what, hint, broken=True, in_a_statement=True)


def _unwritten(loaded: LoadedSpec, updated: SpecResult | None = None) -> SpecResult:
    """The result of a spec whose expectations are not all written, nor now being updated."""
    what, hint = "nothing is expected here yet", "pytest --harness-update writes what it sees"
    edits, refusals = (updated.edits, updated.refusals) if updated else ((), ())
    if updated:
        hint = "the summary of --harness-update says why it stays"
    places = [
        path
        for path in loaded.placeholders
        if not any(edit.path == path[: len(edit.path)] for edit in edits)
    ]

    def found(*start: Step) -> tuple[Mismatch, ...]:
        below = (path for path in places if path[: len(start)] == start)
        return tuple(Mismatch(each, what, hint=hint, where=loaded.locate(each)) for each in below)

    operations = (
        OperationResult(index, each.verb, each.name, Status.FAILED, mismatches=mismatches)
        for index, each in enumerate(loaded.spec.operations)
        if (mismatches := found("operations", index))
    )
    return SpecResult(
        *(loaded.id, Status.FAILED, tuple(operations), found("expect")),
        edits=edits,
        refusals=refusals,
    )


def _raise_interrupt(error: BaseException) -> None:
    """Ctrl-C in the middle of a statement comes as the loss of the connection that it led to."""
    context = error.__context__
    while context is not None:
        if isinstance(context, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        context = context.__context__


def unmet(requires: Requirements | None, config: Config, catalog: Catalog) -> str | None:
    """Why a spec cannot run here, or None if it can."""
    if requires is None:
        return None
    backend = "pglite" if config.backend == "pglite" else "postgres"
    if requires.backend not in (None, backend):
        return f"requires the backend {requires.backend}"
    if requires.postgres and not SpecifierSet(requires.postgres).contains(catalog.version):
        return f"requires PostgreSQL {requires.postgres}, this is {catalog.version}"
    for name in requires.extensions:
        if name not in catalog.extensions:
            return f"requires the extension {name}"
    for module in requires.python:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            return f"requires the Python module {module}"
    return None
