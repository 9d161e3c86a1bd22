"""The catalog as one spec sees it: the worker's, until the spec's own DDL makes it stale."""

from __future__ import annotations

from collections.abc import Callable

from harness.database.catalog import Catalog, Table


class Catalogs:
    """The worker's catalog, read anew inside the transaction where it may be out of date.

    Attributes:
        beginning: as the database was built.
        current: as the spec's transaction sees it, as far as is known.

    Args:
        current: the catalog of the database as it was built.
        read: reads it as the spec's transaction sees it now.
    """

    def __init__(self, current: Catalog, read: Callable[[], Catalog]) -> None:
        self.beginning = self.current = current
        self._read = read

    def find(self, name: str) -> Table | None:
        """The table of this name; one that is not there may have been made by the spec."""
        found = self.current.find(name)
        if found is None:
            self.refresh()
            found = self.current.find(name)
        return found

    def refresh(self) -> None:
        """Read the catalog as it is now, after a statement that may have changed it."""
        self.current = self._read()
