"""Seed rows: tables in the order written, each row with its label and its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from typing_extensions import TypeAliasType

from harness.errors import Location
from harness.source import YamlMapping, YamlSequence
from harness.spec.model import is_extension, refuse
from harness.sqltext import is_balanced


@dataclass(frozen=True, slots=True)
class SqlExpression:
    """A value that PostgreSQL computes: `{$sql: "now() - interval '3 days'"}`."""

    text: str


@dataclass(frozen=True, slots=True)
class SeedRow:
    """One row: column (or foreign key by label) → value; templates are not rendered yet."""

    label: str | None
    values: dict[str, Any]
    origin: YamlMapping | Location

    @property
    def source(self) -> YamlMapping | None:
        """The YAML that it is written in, if it is written in YAML."""
        return None if isinstance(self.origin, Location) else self.origin

    @property
    def where(self) -> Location:
        """Where it is written, or what it is read from is named."""
        return self.origin if isinstance(self.origin, Location) else self.origin.location

    def place(self, column: str) -> Location:
        """Where the YAML gives this column."""
        if self.source is None or column not in self.source:
            return self.where
        return self.source.key_location(column)


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows from elsewhere: `{file: people.csv}` or `{sql: "select …"}`."""

    kind: str
    text: str
    where: Location


@dataclass(frozen=True, slots=True)
class TableSeed:
    """What one `seed` mapping gives one table."""

    table: str
    rows: tuple[SeedRow, ...] | RowSource
    seed: YamlMapping

    @property
    def where(self) -> Location:
        """Where the table is named."""
        return self.seed.key_location(self.table)


def _tables(value: Any) -> tuple[TableSeed, ...]:
    if not isinstance(value, YamlMapping):
        refuse("a seed maps tables to rows", hint="seed: {table: [{column: value}]}")
    return tuple(
        TableSeed(table, _rows(table, rows, value), value)
        for table, rows in value.items()
        if not is_extension(table)
    )


def _rows(table: str, rows: Any, seed: YamlMapping) -> tuple[SeedRow, ...] | RowSource:
    if isinstance(rows, YamlMapping):
        for kind in ("file", "sql"):
            if isinstance(rows.get(kind), str):
                if len(rows) > 1:
                    refuse(f"`{kind}` gives all the rows of {table!r}", table)
                return RowSource(kind, rows[kind], seed.value_location(table))
        labelled = ((label, row) for label, row in rows.items() if not is_extension(label))
        return tuple(_row(row, label, (table, label)) for label, row in labelled)
    if isinstance(rows, YamlSequence):
        return tuple(_row(row, None, (table, index)) for index, row in enumerate(rows))
    return refuse(
        f"the rows of {table!r} are a list of mappings, or a mapping of labels to mappings",
        table,
        hint="an empty list is []",
    )


def _row(row: Any, label: str | None, path: tuple[str | int, ...]) -> SeedRow:
    if not isinstance(row, YamlMapping):
        refuse("a row is a mapping of columns to values", *path, hint="a row of defaults is {}")
    values = {
        column: _value(value, (*path, column)) if isinstance(value, (dict, list)) else value
        for column, value in row.items()
    }
    return SeedRow(label, values, row)


def _value(value: Any, path: tuple[str | int, ...]) -> Any:
    """The value of a column: `$sql` is an expression, everything else plain data."""
    if isinstance(value, dict) and value.keys() == {"$sql"}:
        if not isinstance(value["$sql"], str):
            refuse("$sql is the text of an expression", *path, "$sql")
        if not is_balanced(value["$sql"]):
            refuse("$sql is one expression: its parentheses do not match", *path, "$sql")
        return SqlExpression(value["$sql"])
    return plain_data(value, path)


def plain_data(value: Any, path: tuple[str | int, ...] = ()) -> Any:
    """A fresh copy of data in which keys that begin with `$` are escaped, and matchers refused.

    Fresh, because aliases share objects and psycopg refuses a list that holds another one twice.
    """
    if isinstance(value, dict):
        return {_key(key, path): plain_data(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_data(item, (*path, index)) for index, item in enumerate(value)]
    return value


def _key(key: str, path: tuple[str | int, ...]) -> str:
    if key.startswith("$$"):
        return key[1:]
    if key.startswith("$"):
        refuse(
            f"{key!r} has no meaning in data",
            *path,
            key,
            hint=f"$sql stands for a column of a seed; for the key {key!r} itself write '${key}'",
        )
    return key


# schema.json describes it in `harness.schema`: a validator's code says nothing of its input.
Seed = TypeAliasType(
    "Seed", Annotated[tuple[TableSeed, ...], PlainValidator(_tables), WithJsonSchema({})]
)
"""A `seed` mapping, validated."""
