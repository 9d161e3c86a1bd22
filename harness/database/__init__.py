"""The worker's database: one for each worker, ever, shared by all of its specs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.config import Config
from harness.database.catalog import Catalog
from harness.database.session import Session
from harness.database.worker import WorkerPGlite

__all__ = ["Database", "open_database"]


class Database(Protocol):
    """What a spec needs of the database that its worker shares."""

    def prepare(self) -> object:
        """Do the work that is done once for all workers; starts nothing that stays."""
        ...

    def launch(self) -> None:
        """Begin to start the database, so that it is there when `connect` is called."""
        ...

    def connect(self) -> tuple[Session, Catalog]:
        """The one session, idle, and what the database holds; starts the database if need be.

        Every call gives the same two until `replace`.
        """
        ...

    def replace(self) -> None:
        """Give this database up, in whatever state it is, with all that it left on disk.

        The next `connect` gets a fresh one; at the end of the run there is none.
        """
        ...

    def kill(self) -> None:
        """End the process at once, from any thread; who waits for an answer gets an error."""
        ...

    def ending(self) -> str:
        """How the process ended, for a message, after its connection was lost."""
        ...


def open_database(config: Config, progress: Callable[[str], None], *, rebuild: bool) -> Database:
    """The database of this worker; nothing starts before it is first used.

    Args:
        config: says which backend, and how it is set up.
        progress: gets one sentence before long work.
        rebuild: build the template anew, even if one is cached.
    """
    return WorkerPGlite(config, progress, rebuild=rebuild)
