"""The verb `sql`: a statement, its parameters, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from harness.database.isolation import Isolation
from harness.database.literals import parameter
from harness.matching.display import show
from harness.matching.exceptions import chain, message_of
from harness.matching.members import Members, UnreadableError
from harness.matching.outcome import SqlResult
from harness.matching.plaindata import plain_data
from harness.matching.values import decode
from harness.results import ResultSet, Statement
from harness.spec.expectations import CONDITION_NAMES
from harness.spec.operations import SqlOperation
from harness.sqltext import BoundSql, bind


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement ready to be sent: numbered parameters, and the values in that order."""

    text: str
    values: tuple[Any, ...] | None
    statement: Statement
    bound: BoundSql | None = None

    def failed(self, error: BaseException) -> Statement:
        """The statement with the place that PostgreSQL's error points at, if it names one."""
        position = error.diag.statement_position if isinstance(error, psycopg.Error) else None
        if position is None:
            return self.statement
        offset = int(position) - 1
        return replace(
            self.statement, error_at=self.bound.written_offset(offset) if self.bound else offset
        )


def prepare(operation: SqlOperation, params: Mapping[str, Any] | None) -> Prepared:
    """The statement of an operation with its rendered parameters."""
    if params is None:
        return Prepared(operation.sql, None, Statement(operation.sql))
    bound = bind(operation.sql, frozenset(params))
    shown = tuple((name, show(value)) for name, value in params.items())
    values = tuple(parameter(params[name]) for name in bound.names)
    return Prepared(bound.text, values, Statement(operation.sql, shown), bound)


def execute(prepared: Prepared, isolation: Isolation, *, may_fail: bool) -> SqlResult:
    """Send a statement.

    Args:
        prepared: the statement.
        isolation: the spec's transaction.
        may_fail: an error is expected, and must leave the transaction usable.

    Raises:
        psycopg.OperationalError: the connection is lost.
        EscapedTransactionError: the statement ended the spec's transaction.
    """
    try:
        # A savepoint only where it is needed: it costs a round trip, and would end savepoints
        # that the spec makes itself and goes back to in a later operation.
        with isolation.undone_on_error() if may_fail else nullcontext():
            replies = isolation.run(prepared.text, prepared.values)
    except psycopg.Error as error:
        if isolation.lost:
            raise
        return SqlResult(result=None, affected=None, error=error)
    last = replies[-1]
    return SqlResult(result=last.result, affected=last.affected, error=None)


def outcome(result: SqlResult) -> dict[str, Any]:
    """The outcome as plain data, for `save`: rows, row, value, count, affected, error."""
    if result.error is not None:
        return {"error": error_data(result.error)}
    rows = _records(result.result) if result.result else None
    found: dict[str, Any] = {"affected": result.affected}
    if rows is not None:
        found |= {"rows": rows, "count": len(rows)}
    if rows and len(rows) == 1:
        found["row"] = rows[0]
        if len(rows[0]) == 1:
            found["value"] = next(iter(rows[0].values()))
    return found


def _records(result: ResultSet) -> list[dict[str, Any]]:
    return [
        {
            column.name: decode(text, column.type)
            for column, text in zip(result.columns, row, strict=True)
        }
        for row in result.rows
    ]


def error_data(error: BaseException) -> dict[str, Any]:
    """An error as plain data, for `save`: the keys that `expect.error` has, and its attributes.

    What PostgreSQL says may stand in an error that this one wraps.
    """
    own = plain_data(dict(_attributes(error)))
    found = {**own, "exception": type(error).__name__, "message": message_of(error)}
    source = next((each for each in chain(error) if isinstance(each, psycopg.Error)), None)
    if source is None:
        return found
    diag = source.diag
    return {
        **found,
        "sqlstate": source.sqlstate,
        "condition": CONDITION_NAMES.get(source.sqlstate or ""),
        "message": diag.message_primary or message_of(source),
        "detail": diag.message_detail,
        "hint": diag.message_hint,
        "constraint": diag.constraint_name,
        "schema": diag.schema_name,
        "table": diag.table_name,
        "column": diag.column_name,
    }


def _attributes(error: BaseException) -> Iterator[tuple[str, Any]]:
    """What an application's own class of errors adds: of an error and of its class alike."""
    members = Members(error)
    for name in dir(error):
        if not name.startswith("_") and not hasattr(Exception, name):
            with suppress(KeyError, UnreadableError):
                yield name, members.read(name)
