"""The application's transactions, each a savepoint inside the spec's own.

Savepoints on one connection stand inside each other, transactions on connections of their own do
not. So one that has changed nothing begins anew wherever another one ends or writes: then it
neither undoes nor keeps what is not its own. Where two that have both written overlap so that only
connections of their own could do it, that is an error, and never a silent difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any

import psycopg
from psycopg.errors import InvalidSavepointSpecification
from psycopg.pq import TransactionStatus

from harness.database.origin import origin
from harness.errors import SpecError

# A commit would check deferred constraints. Going back to a savepoint leaves each in its mode, and
# what is pending pending, as for the next commit.
_CHECK = (
    "SAVEPOINT harness_commit;SET CONSTRAINTS ALL IMMEDIATE;"
    "ROLLBACK TO SAVEPOINT harness_commit;RELEASE SAVEPOINT harness_commit"
)


class OverlapError(SpecError):
    """Two transactions of the application overlap, which savepoints on one connection cannot."""

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            hint="in a spec all transactions of the application share one connection: end one that "
            "has written before another one writes, or let them use one session",
        )


@dataclass(slots=True, eq=False)
class Transaction:
    """A transaction of the application.

    Attributes:
        savepoint: where it began.
        read_only: PostgreSQL refuses to write in it.
        origin: the line of code that began it.
        wrote: it has changed something, as far as is known.
        holds_others: what another one did stands inside it.
        partly: a part of it was kept, or undone, with another one: `kept`, `undone`.
    """

    savepoint: str
    read_only: bool
    origin: str | None
    wrote: bool = False
    holds_others: bool = False
    partly: frozenset[str] = frozenset()

    @property
    def opening(self) -> str:
        """The statements that begin it."""
        mode = ";SET TRANSACTION READ ONLY" if self.read_only else ""
        return f"SAVEPOINT {self.savepoint}{mode}"


class Transactions:
    """All transactions of the application that are open on the worker's connection.

    Args:
        connection: gives psycopg's connection; its transaction is the spec's, and has begun.
    """

    def __init__(self, connection: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connection = connection
        self._open: list[Transaction] = []  # each inside the one before
        self._names = (f"harness_application_{number}" for number in count(1))
        self._lock = Lock()  # threads may have sessions of their own
        self._overlap: OverlapError | None = None

    @property
    def uncommitted(self) -> bool:
        """Whether a transaction is open that has changed something."""
        return any(each.wrote for each in self._open)

    def begin(self, *, read_only: bool = False) -> Transaction:
        """Begin a transaction.

        Raises:
            OverlapError: another one has failed, and is still to be rolled back.
        """
        with self._lock:
            if self._open and self._status is TransactionStatus.INERROR:
                raise self._overlapping("began while another one had failed", self._open[-1])
            transaction = Transaction(next(self._names), read_only, origin())
            self._run([transaction.opening])
            self._open.append(transaction)
            return transaction

    def commit(self, transaction: Transaction) -> None:
        """End a transaction; what it did is kept. One that has failed is undone, silently.

        Raises:
            psycopg.Error: a deferred constraint does not hold; the transaction is undone.
            OverlapError: a part of it was undone with another one.
        """
        with self._lock:
            if self._is_over(transaction):
                if transaction.wrote:
                    raise self._overlapping("was undone when its operation ended", transaction)
            elif self._status is TransactionStatus.INERROR:
                self._undo(transaction)  # PostgreSQL answers so to COMMIT, too
            elif "undone" in transaction.partly:
                raise self._overlapping("was undone with another one around it", transaction)
            else:
                self._keep(transaction)

    def rollback(self, transaction: Transaction) -> None:
        """Undo a transaction; one that is over already is left as it is.

        Raises:
            OverlapError: it cannot be undone alone.
        """
        with self._lock:
            if not self._is_over(transaction):
                self._undo(transaction)

    def abandon(self, transaction: Transaction) -> None:
        """Undo a transaction whose connection is closed, if that can be done right now.

        The garbage collector closes connections in the middle of anything, a statement for example,
        when nothing can be sent. Then it is undone with the rest, when its operation ends.
        """
        if self._lock.acquire(blocking=False):
            try:
                if not (self._connection().lock.locked() or self._is_over(transaction)):
                    self._undo(transaction)
            finally:
                self._lock.release()

    @contextmanager
    def statement(self, transaction: Transaction | None) -> Iterator[Transaction]:
        """Around a statement of a transaction; without one, it is a transaction by itself."""
        if transaction is not None:
            yield transaction
            return
        own = self.begin()
        try:
            yield own
        except BaseException:
            self.rollback(own)
            raise
        self.commit(own)

    def innermost(self) -> Transaction | None:
        """The transaction that began last, of those that are open."""
        return self._open[-1] if self._open else None

    def note_write(self, transaction: Transaction) -> None:
        """Note that a statement of a transaction has changed something."""
        with self._lock:
            transaction.wrote = True
            if self._is_over(transaction):
                return
            inner = self._open[self._open.index(transaction) + 1 :]
            if not inner:
                return
            if any(each.wrote for each in inner):
                for each in inner:
                    each.holds_others = True
            else:
                self._run([_release(inner[0]), *_openings(inner)])

    def undo(self) -> tuple[Transaction, ...]:
        """Undo all transactions that are still open, and give them.

        Raises:
            OverlapError: here or before, be it that the application caught it.
        """
        left = tuple(self._open)
        try:
            for transaction in reversed(left):
                # An overlap is kept for below; a savepoint that is gone leaves the connection in a
                # transaction that has failed, which whoever runs the spec looks at.
                with suppress(OverlapError, InvalidSavepointSpecification):
                    self.rollback(transaction)
            if self._open and self._can_send:
                with suppress(InvalidSavepointSpecification):
                    self._run(_undoing(self._open[0]))
        finally:
            overlap = self._overlap
            self.forget()
        if overlap is not None:
            raise overlap
        return left

    def forget(self) -> None:
        """Forget all that is open: the spec's transaction is over, or as good as that."""
        self._open.clear()
        self._overlap = None

    def _keep(self, transaction: Transaction) -> None:
        here = self._open.index(transaction)
        inner, outer = self._open[here + 1 :], self._open[:here]
        anew: list[Transaction] = []
        if transaction.wrote or transaction.holds_others:
            while outer and not outer[-1].wrote:
                anew.insert(0, outer.pop())
        first = anew[0] if anew else transaction
        try:
            self._run([_CHECK, _release(first), *_openings([*anew, *inner])])
        except psycopg.Error:
            if self._can_send:
                self._undo(transaction)
            raise
        self._ended(transaction, inner, "kept")
        for each in anew:
            each.holds_others = False
        if transaction.wrote or transaction.holds_others:
            for each in outer:
                each.holds_others = True

    def _undo(self, transaction: Transaction) -> None:
        if "kept" in transaction.partly or transaction.holds_others:
            raise self._overlapping("cannot be undone without another one", transaction)
        inner = self._open[self._open.index(transaction) + 1 :]
        self._run([*_undoing(transaction), *_openings(inner)])
        self._ended(transaction, inner, "undone")

    def _ended(self, transaction: Transaction, inner: Sequence[Transaction], fate: str) -> None:
        self._open.remove(transaction)
        for each in inner:
            each.holds_others = False  # it has begun anew
            if each.wrote:
                each.partly |= {fate}

    def _is_over(self, transaction: Transaction) -> bool:
        if not self._can_send:
            self._open.clear()
        return transaction not in self._open

    @property
    def _can_send(self) -> bool:
        return not self._connection().closed and self._status is not TransactionStatus.IDLE

    @property
    def _status(self) -> TransactionStatus:
        return self._connection().info.transaction_status

    def _run(self, statements: Sequence[str]) -> None:
        # Not by the connection's own kind of cursor: that is the application's, and is counted.
        script = ";".join(statements).encode()
        psycopg.RawCursor(self._connection()).execute(script, prepare=False)

    def _overlapping(self, what: str, transaction: Transaction) -> OverlapError:
        at = f" that began at {transaction.origin}" if transaction.origin else ""
        error = OverlapError(f"transactions of the application overlap: one{at} {what}")
        self._overlap = self._overlap or error
        return error


def _release(transaction: Transaction) -> str:
    return f"RELEASE SAVEPOINT {transaction.savepoint}"


def _undoing(transaction: Transaction) -> list[str]:
    return [f"ROLLBACK TO SAVEPOINT {transaction.savepoint}", _release(transaction)]


def _openings(transactions: Sequence[Transaction]) -> list[str]:
    return [each.opening for each in transactions]
