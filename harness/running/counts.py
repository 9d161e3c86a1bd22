"""How many rows each table holds: told of a spec that failed."""

from __future__ import annotations

from harness.database.catalog import Catalog
from harness.database.isolation import Isolation
from harness.database.literals import literal
from harness.database.session import Reply
from harness.database.snapshot import is_counted
from harness.results import RowCount
from harness.running.catalogs import Catalogs


def changed_counts(isolation: Isolation, catalogs: Catalogs) -> tuple[RowCount, ...]:
    """The tables whose number of rows has changed since the transaction began.

    The transaction goes back to its beginning for that: nothing more can be seen of the spec.

    Raises:
        psycopg.Error: a table cannot be read any more.
    """
    after = _counts(isolation.read(_query(catalogs.current)))
    before = _counts(isolation.rewound(_query(catalogs.beginning)))
    return tuple(
        RowCount(name, before.get(name, 0), after.get(name, 0))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, 0) != after.get(name, 0)
    )


def _query(catalog: Catalog) -> str:
    counts = (
        f"SELECT {literal(catalog.name_of(table.key))}, count(*)"
        f" FROM {'' if table.kind == 'p' else 'ONLY '}{table.quoted}"
        for table in catalog.tables.values()
        if is_counted(table)
    )
    return " UNION ALL ".join(("SELECT NULL, 0 WHERE false", *counts))


def _counts(replies: list[Reply]) -> dict[str, int]:
    return {str(name): int(number or 0) for name, number in replies[0].rows}
