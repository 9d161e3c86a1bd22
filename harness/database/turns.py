"""One transaction at a time on the worker's one connection: specs and Python tests take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import DatabaseError

if TYPE_CHECKING:
    from harness.database.protocol import Database

# UNKNOWN is a connection that is lost, which is told by who uses it.
_FREE = ("IDLE", "UNKNOWN")


class BusyError(DatabaseError):
    """Something wants to begin a transaction inside another one."""

    def __init__(self) -> None:
        super().__init__(
            "a test or a fixture has a transaction open on the worker's one connection",
            hint="one at a time: a test that runs specs has neither db_connection nor db_session, "
            "`harness.isolated` blocks stand one after the other, and no fixture holds one for "
            "several tests",
        )


def take_turn(database: Database) -> None:
    """See that no transaction is open; one begun inside it would see, and undo, what it did.

    Raises:
        BusyError: there is one.
        ConfigError, DatabaseError: there is no database.
    """
    __tracebackhide__ = True
    database.revive()
    session, _ = database.connect()
    if session.status.name not in _FREE:
        raise BusyError
