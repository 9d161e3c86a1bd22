"""The order of seed rows: tables by foreign keys, rows by those to their own table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from harness.database.catalog import ForeignKey, Table

Key = tuple[str, str]
Item = TypeVar("Item")


def order_tables(tables: Sequence[Table]) -> tuple[list[Table], frozenset[tuple[Key, str]]]:
    """The tables so that what is referenced comes first, and the foreign keys that had to give way.

    In a cycle the deferrable foreign keys give way, then those whose columns may be NULL, then
    the order in which the tables were written decides.

    Returns:
        the order, and (table, name of the foreign key) of each that points at a later table.
    """
    keys = {table.key for table in tables}
    order: list[Table] = []
    waiting = list(tables)
    while waiting:
        table = next(
            (
                table
                for strength in (_any, _rigid, _required)
                for table in waiting
                if not _blockers(table, waiting, strength)
            ),
            waiting[0],
        )
        waiting.remove(table)
        order.append(table)
    position = {table.key: index for index, table in enumerate(order)}
    cut = {
        (table.key, key.name)
        for table in order
        for key in table.foreign_keys
        if key.target in keys and position[key.target] > position[table.key]
    }
    return order, frozenset(cut)


def _blockers(
    table: Table, waiting: Iterable[Table], counts: Callable[[Table, ForeignKey], bool]
) -> list[Table]:
    targets = {key.target for key in table.foreign_keys if counts(table, key)}
    return [other for other in waiting if other is not table and other.key in targets]


def _any(_table: Table, _key: ForeignKey) -> bool:
    return True


def _rigid(_table: Table, key: ForeignKey) -> bool:
    return not key.deferrable


def _required(table: Table, key: ForeignKey) -> bool:
    return not key.deferrable and not is_nullable(table, key)


def is_nullable(table: Table, key: ForeignKey) -> bool:
    """Whether a row can go in without this foreign key and get it later."""
    return any(not table.columns[name].required for name in key.columns)


def order_rows(rows: Sequence[Item], needs: Callable[[Item], Sequence[Item]]) -> list[Item]:
    """The rows so that what a row needs comes before it; otherwise, and in cycles, as written."""
    order: list[Item] = []
    placed: set[int] = set()
    waiting = list(rows)
    while waiting:
        ready = [
            row
            for row in waiting
            if all(id(other) in placed or other is row for other in needs(row))
        ]
        chosen = ready or waiting[:1]
        order += chosen
        placed.update(map(id, chosen))
        waiting = [row for row in waiting if id(row) not in placed]
    return order
