"""Seed rows brought to columns: foreign keys by label, autofill, and the INSERT that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.database.catalog import Column, ForeignKey, Table
from harness.database.literals import column_text, identifier, literal
from harness.errors import Location, SpecError, did_you_mean
from harness.running.autofill import value_for
from harness.spec.seeds import SeedRow, SqlExpression


@dataclass(slots=True, eq=False)
class PendingRow:
    """A row of a table on its way into the database.

    Attributes:
        index: its place among all rows of the table, in the order written.
        stored: the row as the database returned it, column → text; None until then.
        filled: columns that got a value of the harness's own.
        postponed: column → what it gets once the row that it references is there.
    """

    table: Table
    seed: SeedRow
    index: int = 0
    stored: Mapping[str, str | None] | None = None
    filled: tuple[str, ...] = ()
    postponed: dict[str, Reference | str] = field(default_factory=dict)

    @property
    def where(self) -> Location:
        """The row's place in the YAML."""
        return self.seed.where

    def place(self, name: str) -> Location:
        """The place of one of its columns."""
        return self.seed.place(name)


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key given by label: the key in the row, the constraint, and the label."""

    name: str
    key: ForeignKey
    label: Any


def references(row: PendingRow, values: Mapping[str, Any]) -> Iterator[Reference]:
    """The foreign keys that a row gives by label; checks every name that it uses.

    Raises:
        SpecError: a name that is neither a column nor a foreign key, or two foreign keys.
    """
    table = row.table
    for name, value in values.items():
        if name in table.columns:
            continue
        candidates = [key for key in table.foreign_keys if _answers_to(key, name)]
        if len(candidates) > 1:
            named = " and ".join(key.name for key in candidates)
            raise SpecError(
                f"{name!r} could be the foreign keys {named}",
                where=row.place(name),
                hint="use the constraint's name, or the columns themselves",
            )
        if not candidates:
            known = [
                *table.columns,
                *(key.columns[0].removesuffix("_id") for key in table.foreign_keys),
            ]
            raise SpecError(
                f"the table {table.name!r} has no column {name!r}",
                where=row.place(name),
                hint=did_you_mean(name, known),
            )
        clash = [column for column in candidates[0].columns if column in values]
        if clash:
            raise SpecError(
                f"{name!r} and {clash[0]!r} give the same foreign key", where=row.place(name)
            )
        yield Reference(name, candidates[0], value)


def _answers_to(key: ForeignKey, name: str) -> bool:
    return key.name == name or key.columns == (f"{name}_id",)


def expression(row: PendingRow, column: Column, value: Any) -> str:
    """SQL for a value of a column.

    Raises:
        SpecError: the column's type cannot take such a value.
    """
    if value is None:
        return "NULL"
    if isinstance(value, SqlExpression):
        return f"({value.text}\n)"  # the line break ends a comment that the text may end with
    try:
        return literal(column_text(value, column.base))
    except ValueError as error:
        raise SpecError(f"{column.name}: {error}", where=row.place(column.name)) from error


class Autofill:
    """Values for required columns that rows leave out; one for all the seeds of a spec."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, str], int] = {}
        self._given: dict[tuple[str, str, str], set[str]] = {}

    def keep_clear_of(self, row: PendingRow) -> None:
        """Do not use, in unique columns, what this row gives by itself."""
        for name, value in row.seed.values.items():
            self._given.setdefault((*row.table.key, name), set()).add(str(value))

    def fill(self, row: PendingRow, columns: dict[str, str]) -> None:
        """Add what is missing to `columns` (column → SQL).

        Raises:
            SpecError: a column that has to be given: a foreign key, or of a type without values.
        """
        table = row.table
        keys = {name for key in table.foreign_keys for name in key.columns}
        filled = []
        for column in table.columns.values():
            if column.name in columns or column.name in row.postponed:
                continue
            if not column.required or column.default:
                continue
            if column.name in keys:
                raise SpecError(
                    f"{table.name}.{column.name} is a foreign key and NOT NULL",
                    where=row.where,
                    hint=f"give {column.name}, or {column.name.removesuffix('_id')} as a label",
                )
            columns[column.name] = self._value(row, column)
            filled.append(column.name)
        row.filled = tuple(filled)

    def _value(self, row: PendingRow, column: Column) -> str:
        table = row.table
        value = value_for(column, table.name, 1)
        if any(column.name in unique for unique in table.unique):
            value = self._unused(table, column)
        if value is None:
            raise SpecError(
                f"{table.name}.{column.name} is NOT NULL, and no value of type {column.type} "
                "is made up",
                where=row.where,
                hint=f"give {column.name} in the row",
            )
        return literal(value)

    def _unused(self, table: Table, column: Column) -> str | None:
        place = (*table.key, column.name)
        while True:
            self._last[place] = self._last.get(place, 0) + 1
            value = value_for(column, table.name, self._last[place])
            if value not in self._given.get(place, ()):
                return value


def insert(row: PendingRow, columns: Mapping[str, str]) -> str:
    """The INSERT of a row; `columns` are those that it names, with their SQL."""
    names = ",".join(map(identifier, columns))
    overriding = any(row.table.columns[name].always for name in columns)
    override = " OVERRIDING SYSTEM VALUE" if overriding else ""
    values = f"({names}){override} VALUES ({','.join(columns.values())})"
    return f"INSERT INTO {row.table.quoted} {values if columns else 'DEFAULT VALUES'}"


def insert_again(row: PendingRow, columns: Mapping[str, str], stored: Mapping[str, Any]) -> str:
    """The INSERT that repeats one: what the database made up by chance comes out alike.

    Args:
        row: the row.
        columns: those that the first INSERT named, with their SQL.
        stored: the row as the first INSERT returned it.
    """
    by_chance = {
        column.name: literal(stored[column.name])
        for column in row.table.columns.values()
        if column.base == "uuid" and column.name not in columns and stored.get(column.name)
    }
    return insert(row, {**columns, **by_chance})


def update(row: PendingRow, columns: Mapping[str, str]) -> str:
    """The UPDATE that gives a stored row the foreign keys that had to wait."""
    stored = row.stored or {}
    values = ",".join(f"{identifier(name)}={value}" for name, value in columns.items())
    place = " AND ".join(
        f"{identifier(name) if name in row.table.columns else name} = {literal(str(stored[name]))}"
        for name in row.table.primary or ("ctid",)
    )
    return f"UPDATE {row.table.quoted} SET {values} WHERE {place}"


def returning(row: PendingRow) -> str:
    """Makes an INSERT or UPDATE return the row, and where it stands if nothing else tells it."""
    place = "ctid, " if row.postponed and not row.table.primary else ""
    return f" RETURNING {place}*"


def move_sequence(table: Table, column: Column) -> str:
    """Moves the sequence behind a column past the largest value that stands in it."""
    sequence = literal(column.sequence or "")
    return (
        f"SELECT setval(q.oid::regclass, x.m) FROM (SELECT {sequence}::regclass AS oid) q,"
        " pg_get_sequence_data(q.oid) d, pg_sequence p,"
        f" (SELECT max({identifier(column.name)})::bigint AS m FROM {table.quoted}) x"
        " WHERE p.seqrelid = q.oid AND p.seqincrement > 0 AND x.m >= d.last_value"
    )


def sequence_moved(column: Column, value: str) -> str:
    """Moves the sequence behind a column to where `move_sequence` has moved it."""
    return f"SELECT setval({literal(column.sequence or '')}, {value})"
