"""The worker's database for tests in Python: their transactions are rolled back, as specs' are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from harness.application.application import Application
from harness.database.isolation import EscapedTransactionError, Isolation
from harness.database.protocol import Database
from harness.database.turns import take_turn
from harness.errors import DatabaseError, HarnessError

_SETTINGS = """
(SELECT coalesce(string_agg(name || '=' || setting, ' ' ORDER BY name), '')
 FROM pg_settings WHERE source = 'session')
"""
_NEXT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@dataclass(frozen=True, slots=True)
class _Mark:
    """What was there when a test was given the bare connection.

    Attributes:
        transaction: the number of the next one.
        settings: of the session.
    """

    transaction: int
    settings: str


class WorkerDatabase:
    """The one database of a worker; it starts when it is first used.

    Args:
        database: the database.
        application: has the engines on its connection.
    """

    def __init__(self, database: Database, application: Application) -> None:
        self._database = database
        self._application = application
        self._mark: _Mark | None = None

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The connection itself, in autocommit: to read; a test that commits there fails."""
        session, _ = self._database.connect()
        if self._mark is None and session.status.name == "IDLE":
            self._set_mark()
        return session.connection

    @property
    def url(self) -> str:
        """The address; PGlite has one place, and the worker's own connection has it."""
        info = self._database.connect()[0].connection.info
        url = URL.create("postgresql", info.user, info.password or None, None, None, info.dbname)
        query = {"host": info.host, "port": str(info.port)}
        return url.update_query_dict(query).render_as_string(hide_password=False)

    def start(self) -> None:
        """Start the database, if it is not running.

        Raises:
            ConfigError, DatabaseError: it cannot be built or started.
        """
        self._database.connect()

    @contextmanager
    def isolated(self) -> Iterator[Connection]:
        """A transaction that is rolled back: what is committed in it are savepoints.

        Raises:
            DatabaseError: there is one already; or it was ended, and the database is replaced.
        """
        __tracebackhide__ = True
        take_turn(self._database)
        with self.paused():
            with self._transaction():
                joined = self._application.joined
                connection = joined.engine.connect()
                with _finally(connection.close), _finally(joined.transactions.forget):
                    yield connection
            self._database.tend()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Run something in a transaction of its own while a test has the bare connection.

        Raises:
            DatabaseError: something was changed on it before; the database is replaced.
        """
        if self._mark is None:
            yield
            return
        self._prove()
        with _finally(self._set_mark):  # putting back sequences is a transaction, too
            yield

    @contextmanager
    def session(
        self, connection: Connection, *, is_async: bool
    ) -> Iterator[Session | AsyncSession]:
        """A session on a connection that `isolated` gave.

        An asynchronous one is beside it, in the same transaction: what cannot be done without
        waiting, such as lazy loads, fails there as it would on a server.
        """
        session: Session | AsyncSession
        if is_async:
            session = AsyncSession(self._application.joined.async_engine, expire_on_commit=False)
            synchronous = session.sync_session
        else:
            session = synchronous = Session(connection, join_transaction_mode="create_savepoint")
            event.listen(session, "before_commit", _check_deferred)
        try:
            yield session
        finally:
            # What cannot be rolled back any more is found out, and told, when `isolated` ends.
            with suppress(SQLAlchemyError, psycopg.Error):
                synchronous.close()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Prove, after the end of a test, that nothing was done outside of a transaction.

        Raises:
            DatabaseError: something was; the database is replaced.
        """
        with _finally(self._prove):
            yield

    def _set_mark(self) -> None:
        session, _ = self._database.connect()
        row = session.run(f"SELECT {_NEXT}, {_SETTINGS}")[0].rows[0]
        self._mark = _Mark(int(row[0] or 0), row[1] or "")

    def _prove(self) -> None:
        mark, self._mark = self._mark, None
        if mark is None:
            return
        session, _ = self._database.connect()
        if session.connection.closed:
            raise self._lost()
        if session.status.name == "IDLE":
            since = f"generate_series({mark.transaction}, {_NEXT} - 1) number"
            row = session.run(
                f"SELECT {_SETTINGS}, count(*) FROM {since}"
                " WHERE pg_xact_status(number::text::xid8) = 'committed'"
            )[0].rows[0]
            if row == (mark.settings, "0"):
                return
        self._database.replace()
        raise DatabaseError(
            "something was changed by worker_db.connection, outside of a transaction that is "
            "rolled back; the database is replaced",
            hint="change what you like by db_connection, db_session or "
            "`harness.isolated(worker_db)`; rows for all tests belong into `setup`",
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction that is rolled back, with the proof that nothing is left."""
        session, catalog = self._database.connect()
        # It sees which of the application's transactions have written something.
        self._application.lend()
        isolation = Isolation(session, catalog)
        try:
            isolation.begin()
        except psycopg.OperationalError:
            raise self._lost() from None
        with _finally(lambda: self._end(isolation)):
            yield

    def _end(self, isolation: Isolation) -> None:
        try:
            isolation.end()
        except EscapedTransactionError:
            self._database.replace()
            raise DatabaseError(
                "the test ended the transaction that it runs in; the database is replaced",
                hint="leave COMMIT and ROLLBACK out of SQL: commit and roll back by SQLAlchemy",
            ) from None
        except psycopg.Error:
            if isolation.lost:
                raise self._lost() from None
            self._database.replace()
            raise

    def _lost(self) -> DatabaseError:
        ending = self._database.ending()
        self._database.replace()
        return DatabaseError(
            f"the connection to the database was lost; its process: {ending}",
            hint="the next test gets a new one",
        )


@contextmanager
def _finally(clean_up: Callable[[], None]) -> Iterator[None]:
    """Clean up after the block; what is wrong then does not hide an error in it."""
    __tracebackhide__ = True
    try:
        yield
    except BaseException as error:
        try:
            clean_up()
        except HarnessError as another:
            error.add_note(f"and then: {another}")
        raise
    clean_up()


def _check_deferred(session: Session) -> None:
    """Check deferred constraints, as the commit that is about to happen would.

    A session that found its connection in a transaction has a savepoint only, whose release checks
    nothing. All other commits are seen where the connection's own are.
    """
    connection = session.connection()
    if session.in_nested_transaction() or not connection.in_nested_transaction():
        return
    session.flush()
    with connection.begin_nested() as trial:
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        trial.rollback()  # leaves each of them in its mode
