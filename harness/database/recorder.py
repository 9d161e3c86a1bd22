"""What an application sends to PostgreSQL, statement by statement, and from where in its code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg import sql

from harness.database.origin import origin
from harness.results import SentQuery

if TYPE_CHECKING:
    from harness.database.savepoints import Transaction, Transactions

_CONTROL = re.compile(
    r"\s*(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|set\s+transaction)\b",
    re.IGNORECASE,
)
_READING = re.compile(
    r"(SELECT|SHOW|FETCH|MOVE|EXPLAIN|SET|RESET|DECLARE|CLOSE|LOCK|LISTEN|UNLISTEN|PREPARE|"
    r"DEALLOCATE|DISCARD)\b"
)
"""Command tags of what changes nothing, as far as they tell."""
_WRITING = re.compile(
    r"\binsert\s+into\b|\bdelete\s+from\b|\bmerge\s+into\b|\bupdate\b.*\bset\b|;.*\S",
    re.IGNORECASE | re.DOTALL,
)
"""In the text of what changes something all the same: WITH, or another statement behind it."""
_DDL = re.compile(r"\b(create|alter|drop)\b", re.IGNORECASE)


def is_control(text: str) -> bool:
    """Whether a statement only controls the transaction."""
    return _CONTROL.match(text) is not None


def _writes(text: str, tag: str) -> bool:
    """Whether a statement has changed something; what functions do in a SELECT does not show."""
    if not tag or is_control(tag):
        return False
    return not _READING.match(tag) or _WRITING.search(text) is not None


class Recorder:
    """Sees all statements of the application, and notes them while somebody wants to know.

    Args:
        transactions: of the application.

    Attributes:
        schema_changed: a statement may have made, altered or dropped something.
    """

    def __init__(self, transactions: Transactions) -> None:
        self.schema_changed = False
        self._transactions = transactions
        self._sent: list[SentQuery] | None = None

    @contextmanager
    def recording(self) -> Iterator[list[SentQuery]]:
        """A list of what is sent inside the block; transaction control is left out."""
        sent: list[SentQuery] = []
        before, self._sent = self._sent, sent
        try:
            yield sent
        finally:
            self._sent = before

    @contextmanager
    def statement(self, text: str, cursor: _ApplicationCursor) -> Iterator[None]:
        """Around a statement."""
        if self._sent is not None and not is_control(text):
            self._sent.append(SentQuery(text, origin()))
        with self._transaction(cursor) as transaction:
            yield
            self.schema_changed = self.schema_changed or bool(_DDL.search(text))
            if transaction is not None and _writes(text, cursor.statusmessage or ""):
                self._transactions.note_write(transaction)

    def _transaction(
        self, cursor: _ApplicationCursor
    ) -> AbstractContextManager[Transaction | None]:
        """The transaction of the application that a statement is a part of."""
        if cursor.checkout is not None:
            return cursor.checkout.statement()
        if self._sent is None:
            return nullcontext()  # no operation of a spec
        # The application has taken psycopg's own connection.
        return self._transactions.statement(self._transactions.innermost())


class Owner(Protocol):
    """What the application takes for a connection of its own."""

    def statement(self) -> AbstractContextManager[Transaction]:
        """Around a statement; gives the transaction that it is a part of."""
        ...


class _ApplicationCursor:
    """What the application's cursors do besides."""

    checkout: Owner | None = None
    connection: psycopg.Connection[Any]
    statusmessage: str | None

    async def _async_soft_close(self) -> None:
        """SQLAlchemy's asyncio extension calls this of a cursor whose result is read."""

    def _noted(self, query: Any) -> AbstractContextManager[None]:
        recorder: Recorder | None = getattr(self.connection, "recorder", None)
        return nullcontext() if recorder is None else recorder.statement(self._text(query), self)

    def _text(self, query: Any) -> str:
        if isinstance(query, sql.Composable):
            return query.as_string(self.connection)
        return query.decode() if isinstance(query, bytes) else str(query)


class ApplicationCursor(_ApplicationCursor, psycopg.Cursor[Any]):
    """A cursor of the application, on the worker's connection."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> ApplicationCursor:
        """Execute as psycopg does."""
        with self._noted(query):
            super().execute(query, params, **options)
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Execute as psycopg does; it is one statement, however many parameters there are."""
        with self._noted(query):
            super().executemany(query, params_seq, **options)

    def stream(self, query: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        """Execute as psycopg does."""
        with self._noted(query):
            yield from super().stream(query, params, **options)

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **options: Any) -> Iterator[psycopg.Copy]:
        """Copy as psycopg does."""
        with self._noted(statement), super().copy(statement, params, **options) as copy:
            yield copy


class ApplicationServerCursor(_ApplicationCursor, psycopg.ServerCursor[Any]):
    """A cursor of the application that PostgreSQL holds."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> ApplicationServerCursor:
        """Execute as psycopg does."""
        with self._noted(query):
            super().execute(query, params, **options)
        return self
