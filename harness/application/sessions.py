"""The sessions and connections that one actor's part of the application works with in one spec."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from harness.database.joined import Joined, at_once


class Sessions:
    """Makes each of them when it is first asked for; between operations no transaction is open.

    The asynchronous ones are ended without a loop: nothing in them waits, and one may be running.
    """

    def __init__(self, joined: Joined) -> None:
        self._joined = joined
        self._sessions: dict[type[Session], Session] = {}
        self._async_sessions: dict[type[AsyncSession], AsyncSession] = {}
        self._connections: dict[bool, Connection] = {}

    def session(self, kind: type[Session] = Session) -> Session:
        """The ORM session, of SQLAlchemy's class or one made from it."""
        if kind not in self._sessions:
            self._sessions[kind] = kind(self._joined.engine)
        return self._sessions[kind]

    def async_session(self, kind: type[AsyncSession] = AsyncSession) -> AsyncSession:
        """The ORM session of asynchronous code; it keeps what it has loaded, as nobody can wait."""
        if kind not in self._async_sessions:
            made = kind(self._joined.async_engine, expire_on_commit=False)
            self._async_sessions[kind] = made
        return self._async_sessions[kind]

    def connection(self) -> Connection:
        """The connection."""
        return self._connected(self._joined.engine, is_async=False)

    def async_connection(self) -> AsyncConnection:
        """The connection of asynchronous code."""
        engine = self._joined.async_engine.sync_engine
        return self._asynchronous(self._connected(engine, is_async=True))

    @property
    def has_work(self) -> bool:
        """Whether something is not committed: written, or still to be flushed."""
        asynchronous = (each.sync_session for each in self._async_sessions.values())
        return self._joined.transactions.uncommitted or any(
            map(_is_pending, (*self._sessions.values(), *asynchronous))
        )

    def keep(self) -> None:
        """Commit what is open, as a unit of work around the operation would.

        Objects keep what they have loaded: what was returned is still to be looked at.

        Raises:
            Exception: it cannot be flushed, or a deferred constraint does not hold.
        """
        for session in self._sessions.values():
            if _is_begun(session):
                with _unexpired(session):
                    session.commit()
        self._each("commit")

    def undo(self) -> None:
        """Undo what is open."""
        for session in self._sessions.values():
            session.rollback()
        self._each("rollback")

    def renew(self) -> None:
        """Forget what objects have loaded: between operations others may have changed the rows.

        Objects that the application holds are loaded again where they are used. Asynchronous code
        could not wait for that there: its sessions let go of them as they are.
        """
        self.undo()
        for session in self._sessions.values():
            session.expire_all()
        for asynchronous in self._async_sessions.values():
            asynchronous.expunge_all()

    def close(self) -> None:
        """Give all of them up: what the application still holds of them works no more."""
        for session in self._sessions.values():
            session.close()
            session.bind = None
        self._each("close")
        for asynchronous in self._async_sessions.values():
            asynchronous.bind = asynchronous.sync_session.bind = None

    def _each(self, action: Literal["commit", "rollback", "close"]) -> None:
        """Do the same with all but the synchronous sessions."""
        for session in self._async_sessions.values():
            if action != "commit" or _is_begun(session.sync_session):
                at_once(getattr(session, action)())
        for is_async, connection in self._connections.items():
            if is_async:
                at_once(getattr(self._asynchronous(connection), action)())
            else:
                getattr(connection, action)()

    def _asynchronous(self, connection: Connection) -> AsyncConnection:
        return AsyncConnection(self._joined.async_engine, connection)

    def _connected(self, engine: Engine, *, is_async: bool) -> Connection:
        if is_async not in self._connections or self._connections[is_async].closed:
            self._connections[is_async] = engine.connect()
        return self._connections[is_async]


@contextmanager
def _unexpired(session: Session) -> Iterator[None]:
    before, session.expire_on_commit = session.expire_on_commit, False
    try:
        yield
    finally:
        session.expire_on_commit = before


def _is_pending(session: Session) -> bool:
    return bool(session.new or session.deleted or any(map(session.is_modified, session.dirty)))


def _is_begun(session: Session) -> bool:
    """Whether there is something to commit: a commit of nothing would call its hooks, too."""
    return session.in_transaction() or _is_pending(session)
