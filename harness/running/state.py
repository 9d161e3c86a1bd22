"""What tables hold after the last operation: a message for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from harness.database.catalog import Table
from harness.database.isolation import Isolation
from harness.database.literals import column_text, identifier, literal
from harness.errors import did_you_mean
from harness.results import Mismatch, Path, ResultSet
from harness.running.catalogs import Catalogs
from harness.spec.state import TableState


class UnreadableTableError(Exception):
    """A table cannot be read as the expectation says; the mismatch says why."""

    def __init__(self, mismatch: Mismatch) -> None:
        super().__init__(mismatch.reason)
        self.mismatch = mismatch


def read_tables(
    tables: Mapping[str, TableState], isolation: Isolation, catalogs: Catalogs, path: Path
) -> tuple[dict[str, ResultSet], list[Mismatch]]:
    """What tables hold, by their names in the spec, and why others cannot be read.

    Raises:
        psycopg.OperationalError: the connection is lost.
    """
    found: dict[str, ResultSet] = {}
    unreadable: list[Mismatch] = []
    for name, state in tables.items():
        try:
            found[name] = _read(name, state, isolation, catalogs, (*path, name))
        except UnreadableTableError as error:
            unreadable.append(error.mismatch)
    return found, unreadable


def _read(
    name: str, state: TableState, isolation: Isolation, catalogs: Catalogs, path: Path
) -> ResultSet:
    query = _query(name, state, catalogs, path)
    try:
        result = isolation.read(query, trusted=not isinstance(state.where, str))[0].result
    except psycopg.Error as error:
        if isolation.lost:
            raise
        reason = f"the table cannot be read: {error.diag.message_primary or error}"
        mismatch = Mismatch((*path, "where"), reason, hint=error.diag.message_hint)
        raise UnreadableTableError(mismatch) from error
    assert result is not None  # a SELECT has a result set
    return result


def _query(name: str, state: TableState, catalogs: Catalogs, path: Path) -> str:
    table = catalogs.find(name)
    if table is None:
        hint = did_you_mean(name, catalogs.current.names)
        raise UnreadableTableError(Mismatch(path, f"there is no table {name!r}", hint=hint))
    for column in state.columns or ():
        _require(table, column, (*path, "columns"))
    columns = ", ".join(map(identifier, state.columns)) if state.columns else "*"
    where = _condition(table, state.where, (*path, "where")) if state.where else ""
    return f"SELECT {columns} FROM {table.quoted}{where}"


def _condition(table: Table, where: str | Mapping[str, Any], path: Path) -> str:
    if isinstance(where, str):
        return f" WHERE ({where}\n)"  # the line break ends a comment that the text may end with
    conditions = []
    for name, value in where.items():
        _require(table, name, (*path, name))
        if value is None:
            conditions.append(f"{identifier(name)} IS NULL")
            continue
        try:
            text = literal(column_text(value, table.columns[name].base))
        except ValueError as error:
            raise UnreadableTableError(Mismatch((*path, name), str(error))) from error
        conditions.append(f"{identifier(name)} = {text}")
    return f" WHERE {' AND '.join(conditions)}"


def _require(table: Table, column: str, path: Path) -> None:
    if column not in table.columns:
        raise UnreadableTableError(
            Mismatch(
                path,
                f"the table {table.name!r} has no column {column!r}",
                hint=did_you_mean(column, table.columns),
            )
        )
