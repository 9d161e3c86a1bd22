"""Seeds: rows into tables, in the order of their foreign keys, in as few messages as they allow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg

from harness.database.catalog import Column, ForeignKey, Table
from harness.database.isolation import Isolation
from harness.database.literals import literal
from harness.database.session import Reply
from harness.errors import Location, Problem, SpecError, did_you_mean
from harness.matching.values import decode
from harness.running.catalogs import Catalogs
from harness.running.ordering import Key, is_nullable, order_rows, order_tables
from harness.running.records import read_records, refuse_repeated
from harness.running.rows import (
    Autofill,
    PendingRow,
    Reference,
    expression,
    insert,
    insert_again,
    move_sequence,
    references,
    sequence_moved,
    update,
)
from harness.running.scope import Scope
from harness.running.sending import Sending, refused
from harness.spec.seeds import RowSource, SeedRow, TableSeed
from harness.templating import UnrenderableError, render, templates_in

_CHECK = "SET CONSTRAINTS ALL IMMEDIATE"


class Seeder:
    """Inserts the seeds of one spec.

    Statements wait, and are sent when a row needs what a waiting one will return.

    Args:
        isolation: the spec's transaction.
        catalogs: give the tables.
        scope: of the spec's templates; `seed` in it gets every row that is stored.
        autofill: whether required columns that a row leaves out get a value.

    Attributes:
        is_alone: nothing but seeds has changed the database so far.
    """

    def __init__(
        self,
        isolation: Isolation,
        catalogs: Catalogs,
        scope: Scope,
        *,
        autofill: bool,
    ) -> None:
        self._isolation = isolation
        self._catalogs = catalogs
        self._scope = scope
        self._autofill = Autofill() if autofill else None
        self._labels: dict[tuple[Key, str], PendingRow] = {}
        self._names: dict[Key, str] = {}
        self._counts: dict[Key, int] = {}
        self._sending = Sending(isolation)
        self.is_alone = True
        self._cut: frozenset[tuple[Key, str]] = frozenset()

    @property
    def sent(self) -> Sequence[str]:
        """What the last `insert` sent, as statements that repeat it; the last may have failed."""
        return self._sending.sent

    def insert(self, seed: Sequence[TableSeed]) -> dict[str, list[dict[str, Any]]]:
        """Insert rows; afterwards templates can name them.

        Returns:
            the rows of each table as the database returned them, in the order written.

        Raises:
            SpecError: something is wrong with a row; the place is the row's.
            psycopg.OperationalError: the connection is lost.
        """
        self._sending = Sending(self._isolation)
        if not seed:
            return {}
        given = self._by_table(seed)
        order, self._cut = order_tables([table for table, _ in given.values()])
        deferred = self._deferred(order)
        if deferred:
            self._sending.add(f"SET CONSTRAINTS {deferred} DEFERRED")
        written = {table.key: self._written(*given[table.key]) for table in order}
        rows: list[PendingRow] = []
        for table in order:
            for row in self._ordered(table, written[table.key]):
                self._add(row)
                rows.append(row)
        self._flush()
        self._finish_postponed(rows)
        self._move_sequences(rows)
        if self._catalogs.current.deferrable:
            self._check_constraints(deferred, seed)
        stored = self._scope["seed"]
        inserted: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(rows, key=lambda row: row.index):
            name = self._names[row.table.key]
            inserted.setdefault(name, []).append(stored[name][row.index])
        return inserted

    # -- which rows, in which order

    def _by_table(self, seed: Sequence[TableSeed]) -> dict[Key, tuple[Table, list[TableSeed]]]:
        given: dict[Key, tuple[Table, list[TableSeed]]] = {}
        for item in seed:
            table = self._table(item)
            given.setdefault(table.key, (table, []))[1].append(item)
            self._names.setdefault(table.key, item.table)
        return given

    def _table(self, item: TableSeed) -> Table:
        table = self._catalogs.find(item.table)
        if table is None:
            raise SpecError(
                f"there is no table {item.table!r}",
                where=item.where,
                hint=did_you_mean(item.table, self._catalogs.current.names),
            )
        return table

    def _written(self, table: Table, items: Sequence[TableSeed]) -> list[PendingRow | RowSource]:
        """What the YAML gives a table; rows that labels name must be known before any goes in."""
        found: list[PendingRow | RowSource] = []
        for item in items:
            if isinstance(item.rows, RowSource):
                found.append(item.rows)
                continue
            for seed in item.rows:
                row = PendingRow(table, seed)
                if seed.label is not None:
                    self._label(row, seed.label)
                found.append(row)
        return found

    def _ordered(self, table: Table, written: Sequence[PendingRow | RowSource]) -> list[PendingRow]:
        """The rows of a table, those from elsewhere fetched, in the order to insert them."""
        rows: list[PendingRow] = []
        for item in written:
            rows += self._fetched(table, item) if isinstance(item, RowSource) else [item]
        for row in rows:
            row.index = self._counts[table.key] = self._counts.get(table.key, -1) + 1
            if self._autofill:
                self._autofill.keep_clear_of(row)
        own_keys = [key for key in table.foreign_keys if key.target == table.key]
        return order_rows(rows, lambda row: _needed(row, own_keys, rows)) if own_keys else rows

    def _label(self, row: PendingRow, label: str) -> None:
        other = self._labels.setdefault((row.table.key, label), row)
        if other is not row:
            raise SpecError(
                f"{row.table.name!r} already has a row labelled {label!r}, at {other.where}",
                where=row.where,
            )

    def _fetched(self, table: Table, source: RowSource) -> list[PendingRow]:
        if source.kind == "sql":
            self._flush()
            records = self._queried(source)
        else:
            records = read_records(source)
        return [PendingRow(table, SeedRow(None, record, where)) for record, where in records]

    def _queried(self, source: RowSource) -> list[tuple[dict[str, Any], Location]]:
        reply = self._sending.query(source)
        if reply.result is None:
            raise SpecError("this statement gives no rows", where=source.where)
        names = [column.name for column in reply.result.columns]
        refuse_repeated(names, source.where)
        return [(dict(zip(names, row, strict=True)), source.where) for row in reply.rows]

    # -- one row

    def _add(self, row: PendingRow) -> None:
        values = self._rendered(row)
        columns: dict[str, str] = {}
        for reference in references(row, values):
            self._resolve(row, reference, columns)
        for name, value in values.items():
            if name in row.table.columns:
                columns[name] = expression(row, row.table.columns[name], value)
        self._postpone_explicit(row, columns)
        if self._autofill:
            self._autofill.fill(row, columns)
        self._sending.add(insert(row, columns), row, partial(_inserted_again, row, columns))

    def _rendered(self, row: PendingRow) -> dict[str, Any]:
        if row.seed.source is None:
            return dict(row.seed.values)  # rows from elsewhere are data, whatever they hold
        rendered = {}
        for name, value in row.seed.values.items():
            try:
                templates = templates_in(value)
                if any("seed" in template.names for template in templates):
                    self._flush()
                rendered[name] = render(value, self._scope) if templates else value
            except UnrenderableError as error:
                problem = error.problems[0]
                raise SpecError(
                    Problem(problem.what, problem.where or row.place(name), problem.hint)
                ) from error
        return rendered

    def _resolve(self, row: PendingRow, reference: Reference, columns: dict[str, str]) -> None:
        """Give the columns of a foreign key the values of the row that the label names."""
        key = reference.key
        if reference.label is None:
            columns.update(dict.fromkeys(key.columns, "NULL"))
            return
        target = self._target(row, reference)
        if target.stored is None and self._sending.holds(target):
            self._flush()
        if target.stored is not None:
            columns.update(_key_values(key, target.stored))
        elif is_nullable(row.table, key):
            row.postponed.update(dict.fromkeys(key.columns, reference))
        else:
            columns.update(self._promised(row, reference, target))

    def _target(self, row: PendingRow, reference: Reference) -> PendingRow:
        target = reference.key.target
        label = reference.label
        found = self._labels.get((target, label)) if isinstance(label, str) else None
        if found is None:
            labels = [name for table, name in self._labels if table == target]
            columns = ", ".join(reference.key.columns)
            raise SpecError(
                f"{reference.name}: no row of {target[1]!r} is labelled {label!r}",
                where=row.place(reference.name),
                hint=did_you_mean(str(label), labels) or f"give {columns} to name no seeded row",
            )
        return found

    def _promised(
        self, row: PendingRow, reference: Reference, target: PendingRow
    ) -> dict[str, str]:
        """The key of a row that comes later, where the YAML gives it."""
        given = target.seed.values
        if any(name not in given for name in reference.key.target_columns):
            raise SpecError(
                f"{reference.name}: the row {reference.label!r} is inserted later, as the tables "
                "reference each other",
                where=row.place(reference.name),
                hint=f"give {', '.join(reference.key.target_columns)} in that row",
            )
        pairs = zip(reference.key.columns, reference.key.target_columns, strict=True)
        return {
            own: expression(target, target.table.columns[other], render(given[other], self._scope))
            for own, other in pairs
        }

    def _postpone_explicit(self, row: PendingRow, columns: dict[str, str]) -> None:
        """Leave out, for now, references to tables that had to come later."""
        for key in row.table.foreign_keys:
            is_cut = (row.table.key, key.name) in self._cut
            given = all(columns.get(name, "NULL") != "NULL" for name in key.columns)
            if is_cut and given and not key.deferrable and is_nullable(row.table, key):
                row.postponed.update({name: columns.pop(name) for name in key.columns})

    # -- sending

    def _flush(self) -> None:
        """Send what waits; every row of it is then stored."""
        for row, reply in self._sending.flush():
            self._store(row, reply)

    def _store(self, row: PendingRow, reply: Reply) -> None:
        result = reply.result
        if result is None or len(result.rows) != 1:
            raise SpecError(
                f"the row was not inserted: a trigger or rule on {row.table.name!r} prevented it",
                where=row.where,
            )
        names = [column.name for column in result.columns]
        row.stored = dict(zip(names, result.rows[0], strict=True))
        rows = self._scope["seed"].setdefault(self._names[row.table.key], {})
        decoded = {
            column.name: decode(text, column.type)
            for column, text in zip(result.columns, result.rows[0], strict=True)
            if column.name != "ctid"
        }
        rows[row.index] = decoded
        if row.seed.label is not None:
            rows[row.seed.label] = decoded

    def _finish_postponed(self, rows: Sequence[PendingRow]) -> None:
        """Give the rows that had to wait for others the references to them."""
        for row in rows:
            if not row.postponed or row.stored is None:
                continue
            columns: dict[str, str] = {}
            for name, value in row.postponed.items():
                if isinstance(value, str):
                    columns[name] = value
                else:
                    target = self._target(row, value)
                    columns.update(_key_values(value.key, target.stored or {}))
            self._sending.add(update(row, columns), row)
        self._flush()

    # -- what follows the rows

    def _move_sequences(self, rows: Sequence[PendingRow]) -> None:
        """Move the sequences behind columns that were given past what was given."""
        moved: dict[tuple[Key, str], tuple[Table, Column]] = {}
        for row in rows:
            for name in row.seed.values:
                column = row.table.columns.get(name)
                if column is not None and column.sequence:
                    moved[row.table.key, name] = (row.table, column)
        for table, column in moved.values():
            again = partial(_moved_again, column)
            self._sending.add(move_sequence(table, column), again=again)
        self._flush()

    def _deferred(self, order: Sequence[Table]) -> str:
        """The constraints that rows of a cycle need deferred and that are not so by themselves."""
        return ", ".join(
            f'"{table.schema}"."{key.name}"'
            for table in order
            for key in table.foreign_keys
            if (table.key, key.name) in self._cut and key.deferrable and not key.deferred
        )

    def _check_constraints(self, deferred: str, seed: Sequence[TableSeed]) -> None:
        """Check what is deferred: a bad seed is the seed's error, not an operation's.

        What triggers do that wait for a commit is the seed's, too. Once there was an operation,
        its own may be waiting with them.
        """
        back = [f"SET CONSTRAINTS {deferred} IMMEDIATE"] if deferred else []
        triggers = ", ".join(self._catalogs.current.deferred_triggers)
        fired = []
        if triggers and self.is_alone:
            fired = [f"SET CONSTRAINTS {triggers} {mode}" for mode in ("IMMEDIATE", "DEFERRED")]
        self._sending.sent += (*back, *fired)
        check = ("SAVEPOINT harness_check", _CHECK, "ROLLBACK TO SAVEPOINT harness_check")
        try:
            self._isolation.batch(";".join((*back, *check, *fired)))
        except psycopg.Error as error:
            if self._isolation.lost:
                raise
            named = [
                item.where for item in seed if item.table.endswith(error.diag.table_name or "")
            ]
            if not (named or self.is_alone):
                return  # an operation has left that, and may still mend it
            self._sending.sent.append(_CHECK)
            raise refused(error, named[0] if named else seed[0].where) from error


def _needed(
    row: PendingRow, keys: Sequence[ForeignKey], rows: Sequence[PendingRow]
) -> list[PendingRow]:
    """The rows of the same table that a row references."""
    values = row.seed.values
    found = []
    for key in keys:
        short = key.columns[0].removesuffix("_id")
        label = values.get(key.name, values.get(short) if short not in row.table.columns else None)
        wanted = [values.get(name) for name in key.columns]
        for other in rows:
            offered = [other.seed.values.get(name) for name in key.target_columns]
            by_label = isinstance(label, str) and other.seed.label == label
            if by_label or (None not in wanted and wanted == offered):
                found.append(other)
    return found


def _key_values(key: ForeignKey, stored: Any) -> dict[str, str]:
    pairs = zip(key.columns, key.target_columns, strict=True)
    texts = {own: stored[other] for own, other in pairs}
    return {own: "NULL" if text is None else literal(text) for own, text in texts.items()}


def _inserted_again(row: PendingRow, columns: dict[str, str], reply: Reply) -> str:
    result = reply.result
    if result is None or not result.rows:
        return insert(row, columns)
    names = (column.name for column in result.columns)
    return insert_again(row, columns, dict(zip(names, result.rows[0], strict=True)))


def _moved_again(column: Column, reply: Reply) -> str | None:
    """What moves a sequence to where it was moved; None if it was far enough."""
    return sequence_moved(column, str(reply.rows[0][0])) if reply.rows else None
