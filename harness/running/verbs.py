"""The verbs: what operations do, each in its own way, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from harness.database.isolation import EscapedTransactionError, Isolation
from harness.database.recorder import is_control
from harness.database.script import Script
from harness.errors import SpecError
from harness.matching import SqlResult
from harness.matching.display import show
from harness.results import Path, SentQuery, Statement
from harness.running.calls import Calls
from harness.running.findings import Findings
from harness.running.performed import Performed
from harness.running.replay import Replay
from harness.running.scope import Scope
from harness.running.seeding import Seeder
from harness.running.sql import error_data, execute, outcome, prepare
from harness.spec.actors import Actor
from harness.spec.operations import (
    BaseOperation,
    CallOperation,
    HttpOperation,
    SeedOperation,
    SqlOperation,
)
from harness.templating import render

_KINDS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("call", "http", "content"), (str, "text")),
    **dict.fromkeys(("with", "headers", "form", "query"), (dict, "a mapping")),
    "args": (list, "a list"),
}
"""Keys of operations → what stands behind them."""


class Verbs:
    """Performs the operations of one spec.

    Args:
        isolation: the spec's transaction.
        scope: of its templates.
        seeder: inserts its seeds.
        calls: reach the application.
        replay: is told what is sent.

    Attributes:
        statement: what the operation has sent, for messages.
    """

    def __init__(
        self, isolation: Isolation, scope: Scope, seeder: Seeder, calls: Calls, replay: Replay
    ) -> None:
        self._isolation = isolation
        self._scope = scope
        self._seeder = seeder
        self._calls = calls
        self._replay = replay
        self.statement: Statement | None = None

    def perform(
        self,
        operation: BaseOperation,
        actor: Actor | None,
        path: Path,
        findings: Findings,
        *,
        may_fail: bool,
    ) -> Performed:
        """Do what an operation says.

        Args:
            operation: as it is written.
            actor: who it runs as; has been put in force.
            path: to the operation.
            findings: get what is wrong with the operation itself.
            may_fail: an error is expected, and must leave the transaction usable.

        Raises:
            StoppedError: the operation cannot be performed.
            psycopg.OperationalError: the connection is lost.
            EscapedTransactionError: it ended the spec's transaction.
        """
        if not isinstance(operation, SeedOperation):
            self._seeder.is_alone = False
        match operation:
            case SqlOperation():
                return self._sql(operation, path, findings, may_fail=may_fail)
            case SeedOperation():
                return self._seed(operation, path, findings, may_fail=may_fail)
            case CallOperation():
                return self._call(operation, actor, path, findings)
            case HttpOperation():
                return self._http(operation, actor, path, findings)
        raise AssertionError(operation.verb)  # the loader refuses what cannot run yet

    def _sql(
        self, operation: SqlOperation, path: Path, findings: Findings, *, may_fail: bool
    ) -> Performed:
        with findings.stopping((*path, "params")):
            params = None if operation.params is None else render(operation.params, self._scope)
            prepared = prepare(operation, params)
        self.statement = prepared.statement
        with findings.stopping((*path, "sql")):
            self._replay.statement(prepared)
            try:
                result = execute(prepared, self._isolation, may_fail=may_fail)
            except EscapedTransactionError:
                self._replay.escaped()
                raise
        if result.error is not None:
            self._replay.failed(result.error)
            self.statement = prepared.failed(result.error)
        counts = operation.expect is not None and operation.expect.given("queries")
        sent = _statements(operation.sql) if counts else ()
        return Performed(result, outcome(result) if operation.save else {}, prepared, queries=sent)

    def _seed(
        self, operation: SeedOperation, path: Path, findings: Findings, *, may_fail: bool
    ) -> Performed:
        if not may_fail:
            with findings.stopping((*path, "seed")):
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

    def _call(
        self, operation: CallOperation, actor: Actor | None, path: Path, findings: Findings
    ) -> Performed:
        keys = {"call": "call", "with_": "with", "args": "args"}
        given = self._rendered(operation, keys, path, findings)
        target, args, named = given["call"], given.get("args", []), given.get("with_", {})
        arguments = [*map(show, args), *(f"{name}={show(value)}" for name, value in named.items())]
        self.statement = Statement(f"{target}({', '.join(arguments)})")
        self._replay.left_out(target)
        with findings.stopping(path):
            performed = self._calls.call(target, args, named, actor)
        return self._saving(operation, performed)

    def _http(
        self, operation: HttpOperation, actor: Actor | None, path: Path, findings: Findings
    ) -> Performed:
        keys = {key: key for key in ("http", "query", "headers", "form", "content")}
        keys["json_"] = "json"
        given = self._rendered(operation, keys, path, findings)
        request = str(given["http"])
        parts = (f"{keys[each]}: {show(given[each])}" for each in given if each != "http")
        self.statement = Statement("\n".join([request, *parts]))
        self._replay.left_out(request)
        with findings.stopping(path):
            performed = self._calls.request(given, actor)
        return self._saving(operation, performed)

    def _saving(self, operation: BaseOperation, performed: Performed) -> Performed:
        """The same with plain data, if any of it is to be saved: objects may have to be read."""
        return replace(performed, data=self._calls.data(performed)) if operation.save else performed

    def _rendered(
        self, operation: BaseOperation, keys: Mapping[str, str], path: Path, findings: Findings
    ) -> dict[str, Any]:
        """The parts that an operation gives, by their fields; `keys` are those of the YAML."""
        given = {}
        for field, key in keys.items():
            if operation.given(field):
                with findings.stopping((*path, key)):
                    given[field] = _of_kind(key, render(getattr(operation, field), self._scope))
        return given


def _of_kind(key: str, value: Any) -> Any:
    """What a part of an operation is, which a template may have given.

    Raises:
        SpecError: it is of another kind.
    """
    kind, noun = _KINDS.get(key, (object, ""))
    if not isinstance(value, kind):
        raise SpecError(f"`{key}` is {noun}, not {show(value)}")
    return value


def _statements(text: str) -> tuple[SentQuery, ...]:
    """The statements of an operation, without those that control the transaction."""
    found = (each.text for each in Script(FilePath(), text).statements())
    return tuple(SentQuery(each, None) for each in found if not is_control(each))
