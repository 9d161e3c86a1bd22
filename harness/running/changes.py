"""The expectation `changes`: what a spec, or one operation, changes in the whole database."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.database import snapshot
from harness.database.catalog import Catalog, Table
from harness.database.isolation import Isolation
from harness.database.snapshot import Snapshot, TableKey
from harness.errors import did_you_mean
from harness.results import Mismatch, Path, TableChange
from harness.running.catalogs import Catalogs


class Watch:
    """Watches the database from one moment on, for one expectation.

    Args:
        ignore: names of the tables that may change.
        isolation: the spec's transaction.
        catalogs: what the database holds.
    """

    def __init__(self, ignore: list[str], isolation: Isolation, catalogs: Catalogs) -> None:
        self._ignore = ignore
        self._isolation = isolation
        self._catalogs = catalogs
        self._before = self._now()
        self._catalog = catalogs.current  # its tables may be dropped later
        self._after: Snapshot | None = None
        self._interrupted: Snapshot | None = None

    def pause(self) -> None:
        """What happens until `resume` does not count."""
        self._interrupted = self._now()

    def resume(self) -> None:
        """What happens from here on counts again."""
        assert self._interrupted is not None  # after `pause`
        self._before = snapshot.rebased(self._before, self._interrupted, self._now())
        self._interrupted = None

    def observe(self, *, settled: bool) -> None:
        """See what there is now; what happens from here on does not count.

        Args:
            settled: check deferred constraints before.

        Raises:
            psycopg.Error: the connection is lost, or what is deferred does not hold.
        """
        self._after = self._now(settled=settled)

    def seen(self, named: Collection[str]) -> Mapping[str, TableChange]:
        """What has changed between the beginning and `observe`, or now, by table.

        Args:
            named: what the expectation calls the tables that it names.

        Raises:
            psycopg.OperationalError: the connection is lost.
        """
        if self._after is None:
            self._after = self._now()
        return self._named(named, snapshot.changes(self._before, self._after))

    def _now(self, *, settled: bool = False) -> Snapshot:
        catalogs = self._catalogs
        return snapshot.take(
            self._isolation,
            lambda: catalogs.current,
            catalogs.refresh,
            self._ignored(catalogs.current),
            settled=settled,
        )

    def _ignored(self, catalog: Catalog) -> set[TableKey]:
        found = map(catalog.find, self._ignore)
        return {table.key for table in found if table}

    def _named(
        self, named: Collection[str], changed: Mapping[TableKey, TableChange]
    ) -> Mapping[str, TableChange]:
        """The changes by the names that the expectation has, or that it would have."""
        catalog = self._catalogs.current
        names = {table.key: name for name in named if (table := self._find(name))}
        ignored = self._ignored(catalog)
        shown = {
            key: names.get(key)
            or (catalog if key in catalog.tables else self._catalog).name_of(key)
            for key in sorted(changed)
        }
        return {name: changed[key] for key, name in shown.items() if key not in ignored}

    def _find(self, name: str) -> Table | None:
        """The table of this name; one that was dropped has lost its rows, which is a change."""
        return self._catalogs.find(name) or self._catalog.find(name)

    def mistakes(self, named: Collection[str], path: Path) -> list[Mismatch]:
        """Names of tables that are none, or that are another's rows; `path` leads to `changes`."""
        found: list[Mismatch] = []
        seen: dict[TableKey, str] = {}
        places = [(name, (*path, name)) for name in named]
        places += [(name, (*path, "ignore", i)) for i, name in enumerate(self._ignore)]
        for name, place in places:
            table = self._find(name)
            if table is None or not snapshot.is_counted(table):
                found.append(_uncounted(name, table, place, self._catalogs.current))
            elif table.key in seen:
                reason = f"{name!r} and {seen[table.key]!r} are the same table"
                found.append(Mismatch(place, reason, hint="name it once"))
            else:
                seen[table.key] = name
        return found


def _uncounted(name: str, table: Table | None, path: Path, catalog: Catalog) -> Mismatch:
    if table is None:
        hint = did_you_mean(name, catalog.names)
        return Mismatch(path, f"there is no table {name!r}", hint=hint)
    if table.partition:
        return Mismatch(
            path, f"{name!r} is a partition", hint="its rows count for the partitioned table"
        )
    kind = "a temporary table" if table.temporary else "no table, its rows are others'"
    return Mismatch(path, f"{name!r} is {kind}: changes do not count it", hint="remove it")
