"""SQLAlchemy engines on the worker's one connection, whose transactions are parts of the spec's.

Applications commit, roll back and begin as they like. Nothing of SQLAlchemy is patched: to its
psycopg dialect each checkout from the engine is a connection of its own, whose transactions are
savepoints.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.interfaces import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

from harness.database.savepoints import Transaction, Transactions

T = TypeVar("T")


class Joined:
    """Engines, for synchronous and asynchronous code, on one connection.

    Args:
        connection: gives psycopg's connection; its transaction is the spec's, and has begun.

    Attributes:
        transactions: those of both engines.
    """

    def __init__(self, connection: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connection = connection
        self.transactions = Transactions(connection)
        self.engine = self._engine("harness", Checkout)
        self.async_engine = AsyncEngine(self._engine("harness_async", AsyncCheckout))
        # SQLAlchemy asks for versions now, and in no operation.
        self.engine.connect().close()
        at_once(_connected(self.async_engine))

    def undo(self) -> tuple[Transaction, ...]:
        """Undo all transactions that are still open; see `Transactions.undo`."""
        return self.transactions.undo()

    def _engine(self, dialect: str, checkout: type[Checkout]) -> Engine:
        return create_engine(
            f"postgresql+{dialect}://",
            creator=lambda: checkout(self._connection(), self.transactions),
            poolclass=NullPool,
            pool_reset_on_return=None,  # closing a checkout does it
        )


class Checkout:
    """What SQLAlchemy takes for a connection of psycopg's; all that is not here is the worker's.

    As there, a transaction begins with the first statement, unless `autocommit` is set.

    Args:
        driver: the worker's connection.
        transactions: those that are open on it.

    Attributes:
        autocommit: each statement is a transaction by itself.
        read_only: of the transactions that begin from now on.
        isolation_level: has no effect: that of the spec's transaction is what it is.
        deferrable: likewise.
    """

    def __init__(self, driver: psycopg.Connection[Any], transactions: Transactions) -> None:
        self.driver = driver
        self.autocommit = False
        self.read_only: bool | None = None
        self.isolation_level: psycopg.IsolationLevel | None = None
        self.deferrable: bool | None = None
        self._transactions = transactions
        self._transaction: Transaction | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.driver, name)

    def cursor(self, *args: Any, **options: Any) -> Any:
        """A cursor whose statements are parts of this checkout's transactions."""
        cursor = self.driver.cursor(*args, **options)
        cursor.checkout = self  # the worker's own kind of cursor has it
        return cursor

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Execute a statement on a new cursor."""
        return self.cursor().execute(query, params, **options)

    def begin(self) -> None:
        """Begin a transaction, unless there is one."""
        if self._transaction is None and not self.autocommit:
            self._transaction = self._transactions.begin(read_only=bool(self.read_only))

    @contextmanager
    def statement(self) -> Iterator[Transaction]:
        """Around a statement; gives the transaction that it is a part of."""
        self.begin()
        with self._transactions.statement(self._transaction) as transaction:
            yield transaction

    def commit(self) -> None:
        """Keep what the transaction did; see `Transactions.commit`."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            self._transactions.commit(transaction)

    def rollback(self) -> None:
        """Undo what the transaction did; see `Transactions.rollback`."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            self._transactions.rollback(transaction)

    def close(self) -> None:
        """Undo what is not committed; the connection stays, as it is the worker's."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            self._transactions.abandon(transaction)


class AsyncCheckout(Checkout):
    """A checkout for SQLAlchemy's asyncio extension: sending a statement has to be awaited.

    There is nothing to wait for. But what would fail on a server, such as a lazy load in the midst
    of asynchronous code, is to fail here.
    """

    @contextmanager
    def statement(self) -> Iterator[Transaction]:
        """Around a statement; gives the transaction that it is a part of."""
        await_only(_nothing())
        with super().statement() as transaction:
            yield transaction


async def _nothing() -> None:
    pass


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never waits, as none does whose engine is a `Joined`'s.

    It needs no event loop, and works while one is running.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("the coroutine waits for something")


async def _connected(engine: AsyncEngine) -> None:
    connection = await engine.connect()
    await connection.close()


class JoinedDialect(PGDialect_psycopg):
    """psycopg's dialect for connections that are checkouts."""

    supports_statement_cache = True

    def on_connect(self) -> None:
        """Do nothing with a checkout: the worker's connection is as it should be."""

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Begin at once: who takes psycopg's own connection from here is inside, too."""
        checkout: Checkout = dbapi_connection.dbapi_connection  # type: ignore[assignment]  # the engine's creator made it
        checkout.begin()

    def get_driver_connection(self, connection: Any) -> Any:
        """The worker's connection."""
        return connection.driver


class AsyncJoinedDialect(JoinedDialect):
    """The same for SQLAlchemy's asyncio extension, which asks for a dialect that says so."""

    is_async = True
    supports_statement_cache = True


registry.register("postgresql.harness", __name__, JoinedDialect.__name__)
registry.register("postgresql.harness_async", __name__, AsyncJoinedDialect.__name__)
