"""What a spec needs of the database that its worker shares; each backend has it in its own way."""

from __future__ import annotations

from typing import Protocol

from harness.database.catalog import Catalog
from harness.database.memory import Footprint
from harness.database.session import Session


class Database(Protocol):
    """One database; nothing of it starts before it is first used."""

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

    def revive(self) -> None:
        """Between two specs: give up a process that has ended; the next `connect` starts another.

        `connect` itself does not: in the middle of a spec that would be another database.
        """
        ...

    def tend(self) -> None:
        """Between two specs: keep the database from growing, by replacing it if nothing else helps.

        Each replacement is told to whoever made this.
        """
        ...

    def footprint(self) -> Footprint | None:
        """What this process and the database's hold; None while no database is running."""
        ...

    @property
    def exhausted(self) -> str | None:
        """Why no more specs should be run, once the memory limit cannot be kept."""
        ...

    def kill(self) -> None:
        """End the process at once, from any thread; who waits for an answer gets an error."""
        ...

    def ending(self) -> str:
        """How the process ended, for a message, after its connection was lost."""
        ...
