"""What every table holds at one moment, and what has changed between two of them.

The statistics views cannot answer that: they miss TRUNCATE, and they count what a savepoint rolled
back and updates that change nothing. So all rows are read, in one message, before and after: each
as the text of its record, with the text of its primary key. They are kept on our side, where no
ROLLBACK of the spec's reaches them, and where they need no table in PostgreSQL's catalog.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from psycopg.errors import UndefinedColumn, UndefinedTable

from harness.database.catalog import Catalog, Table
from harness.database.isolation import Isolation
from harness.database.literals import identifier
from harness.results import Column, ResultSet, TableChange

TableKey = tuple[str, str]
RowKey = str | tuple[str, int]
Rows = dict[RowKey, str]
"""Records by primary key, or by themselves where there is none; what comes twice is numbered."""

_CELL = re.compile(r'[(,](?:"([^"]*(?:""[^"]*)*)"|([^,)]*))')
_ESCAPED = re.compile(r'""|\\\\')

# Whether the tables are still those that the catalog knows: DDL may hide in any function.
_CENSUS = (
    "SELECT c.oid, c.relnatts FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relispartition"
    " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
)


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table with its rows as they were."""

    table: Table
    rows: Rows


Snapshot = dict[TableKey, TableRows]


def is_counted(table: Table) -> bool:
    """Whether a table's rows are its own, and part of the database.

    Those of partitions are their root's, those of views and foreign tables are somewhere else, and
    temporary tables end with the session.
    """
    return table.kind in "rp" and not table.partition and not table.temporary


def take(
    isolation: Isolation,
    catalog: Callable[[], Catalog],
    refresh: Callable[[], None],
    ignored: Collection[TableKey],
    *,
    settled: bool = False,
) -> Snapshot:
    """The rows of all tables but the ignored ones, in one round trip.

    Args:
        isolation: the spec's transaction.
        catalog: gives what is known of the tables.
        refresh: reads the catalog again; it is called when the tables turn out to be others.
        ignored: tables that are not read.
        settled: see `Isolation.read`.

    Raises:
        psycopg.Error: a table cannot be read, or what is deferred does not hold.
    """
    try:
        found = _read(isolation, catalog(), ignored, settled=settled)
    except (UndefinedTable, UndefinedColumn):
        found = None
    if found is None:
        refresh()
        found = _read(isolation, catalog(), ignored, settled=settled)
    assert found is not None  # nothing happened since the catalog was read
    return found


def _read(
    isolation: Isolation, catalog: Catalog, ignored: Collection[TableKey], *, settled: bool
) -> Snapshot | None:
    """The rows, or None if the tables are not those of the catalog any more."""
    counted = [table for table in catalog.tables.values() if is_counted(table)]
    tables = [table for table in counted if table.key not in ignored]
    query = " UNION ALL ".join(map(_query, range(len(tables)), tables))
    census, *replies = isolation.read(f"{_CENSUS};{query}" if query else _CENSUS, settled=settled)
    if set(census.rows) != {(str(table.oid), str(table.width)) for table in counted}:
        return None
    rows: list[Rows] = [{} for _ in tables]
    for reply in replies:
        for number, key, record in reply.rows:
            _add(rows[int(number or 0)], key, record or "")
    return {table.key: TableRows(table, each) for table, each in zip(tables, rows, strict=True)}


def _query(number: int, table: Table) -> str:
    columns = ", ".join(f"t.{identifier(name)}" for name in table.columns)
    key = ", ".join(f"t.{identifier(name)}" for name in table.primary)
    # A table that others inherit from holds its own rows; a partitioned one those of its parts.
    only = "" if table.kind == "p" else "ONLY "
    shown_key = f"ROW({key})::text" if key else "NULL"
    return f"SELECT {number}, {shown_key}, ROW({columns})::text FROM {only}{table.quoted} t"


def _add(rows: Rows, key: str | None, record: str) -> None:
    """Note a row. A deferred key may for a while be there twice, and tables without one always."""
    base = record if key is None else key
    name: RowKey = base
    number = 0
    while name in rows:
        number += 1
        name = (base, number)
    rows[name] = record


def rebased(baseline: Snapshot, before: Snapshot, after: Snapshot) -> Snapshot:
    """A baseline to which what happened between two later moments belongs, too.

    A row that had changed before that is left as it was, and so still counts as changed.
    """
    result: Snapshot = dict(baseline)
    for key, new in after.items():
        old_rows = before[key].rows if key in before else {}
        if old_rows == new.rows:
            continue
        base = result[key].rows if key in result else {}
        rows = dict(base)
        for name in old_rows.keys() | new.rows.keys():
            old, now = old_rows.get(name), new.rows.get(name)
            if old == now or base.get(name) != old:
                continue
            if now is None:
                rows.pop(name, None)
            else:
                rows[name] = now
        result[key] = TableRows(new.table, rows)
    return result


def changes(before: Snapshot, after: Snapshot) -> Mapping[TableKey, TableChange]:
    """What has changed, by table; tables with the same rows as before are left out."""
    found = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        old_rows, new_rows = old.rows if old else {}, new.rows if new else {}
        table = (new or old or before[key]).table
        old_table = (old or new or after[key]).table
        # The same texts in columns of other names are other rows.
        renamed = list(table.columns) != list(old_table.columns)
        if old_rows == new_rows and not renamed:
            continue
        if table.primary and table.primary == old_table.primary:
            inserted, updated, deleted = _keyed(old_rows, new_rows, renamed=renamed)
        else:
            inserted, updated, deleted = _multiset(old_rows, new_rows, renamed=renamed)
        if inserted or updated or deleted:
            found[key] = TableChange(
                inserted=_result(table, inserted),
                updated=_result(table, (now for _, now in updated)),
                deleted=_result(old_table, deleted),
                replaced=_result(old_table, (was for was, _ in updated)),
            )
    return found


Change = tuple[list[str], list[tuple[str, str]], list[str]]


def _keyed(old: Rows, new: Rows, *, renamed: bool) -> Change:
    both = [(old[key], new[key]) for key in new if key in old]
    return (
        [record for key, record in new.items() if key not in old],
        [pair for pair in both if renamed or pair[0] != pair[1]],
        [record for key, record in old.items() if key not in new],
    )


def _multiset(old: Rows, new: Rows, *, renamed: bool) -> Change:
    if renamed:
        return list(new.values()), [], list(old.values())
    before, after = Counter(old.values()), Counter(new.values())
    return list((after - before).elements()), [], list((before - after).elements())


def _result(table: Table, records: Iterable[str]) -> ResultSet:
    columns = tuple(Column(column.name, column.type) for column in table.columns.values())
    return ResultSet(columns, tuple(_cells(record, len(columns)) for record in records))


def _cells(record: str, number: int) -> tuple[str | None, ...]:
    """The cells of a record in PostgreSQL's text form: `(1,"a b",,"")`."""
    if number == 0:
        return ()
    cells = tuple(
        (quoted and _ESCAPED.sub(_unescaped, quoted)) if plain is None else plain or None
        for quoted, plain in (match.groups() for match in _CELL.finditer(record))
    )
    assert len(cells) == number, record
    return cells


def _unescaped(match: re.Match[str]) -> str:
    return match[0][0]
