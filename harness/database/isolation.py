"""The rolled-back transaction of one spec, and all that a rollback does not undo.

A rollback leaves sequences, session-level advisory locks and prepared statements as they are, and
a spec can end the transaction itself. What is sent at the end puts back the former and proves that
the latter did not happen. Where proof fails, the database has to be replaced.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
from psycopg.errors import InvalidSavepointSpecification
from psycopg.pq import PipelineStatus, TransactionStatus

from harness.database.catalog import Catalog
from harness.database.literals import literal
from harness.database.session import Reply, Session
from harness.errors import HarnessError, SpecError

FORGET = "DEALLOCATE ALL;DISCARD SEQUENCES"
"""Undoes what a rollback leaves of prepared statements and sequences' caches."""

# Only `nextval` and `setval` change a sequence for good, and both lock it until the end of the
# whole transaction, in a savepoint that was undone, too. To ask for locks takes the same time for
# any number of sequences; to compare the states of a hundred takes longer than most specs.
_TOUCHED = "SELECT relation FROM pg_lock_status() WHERE mode = 'RowExclusiveLock'"
_TOUCHED_FROM_THE_END = -5


class EscapedTransactionError(Exception):
    """The spec ended its own transaction: what it did may have been committed."""


class CastError(ValueError):
    """PostgreSQL cannot read a text as a type; the message says why."""


class Isolation:
    """One transaction that is rolled back, on a session that is idle before and after.

    A savepoint with a name that nobody can know is set at its start. If it is still there at the
    end, the transaction is the one that was begun: COMMIT, ROLLBACK, `COMMIT; BEGIN` and
    `COMMIT AND CHAIN` all take it away. The transaction begins with the first message.

    Attributes:
        schema_changed: a statement of the spec made, altered or dropped something.
        savepoints: how many more the spec has set than released, by what it was answered.
    """

    def __init__(self, session: Session, catalog: Catalog) -> None:
        self._session = session
        self._sequences = catalog.sequences
        self._own_settings = _set_locally(catalog.settings)
        self._guard = f"harness_{secrets.token_hex(8)}"
        self._begun = False
        self.schema_changed = False
        self.savepoints = 0

    def run(self, statement: str, params: Sequence[object] | None = None) -> list[Reply]:
        """Run a statement of the spec as it is; with parameters it can be only one.

        Raises:
            psycopg.Error: it failed, and with it the transaction.
            EscapedTransactionError: it ended the transaction.
            SpecError: text would no longer be read as what it is.
        """
        self.begin()
        try:
            if params is None:
                replies = self._session.run(statement)
            else:
                replies = [self._session.execute(statement, params)]
        finally:
            self._check()
        self._check_encoding()
        self.schema_changed = self.schema_changed or any(map(_is_ddl, replies))
        tags = [reply.tag for reply in replies]
        self.savepoints += tags.count("SAVEPOINT") - tags.count("RELEASE")
        if any(reply.tag == "COMMIT" for reply in replies):
            raise EscapedTransactionError  # another one may have begun behind it
        return replies

    def begin(self) -> None:
        """Begin the transaction, if nothing has been sent yet."""
        if not self._begun:
            self._send("")

    def check(self) -> None:
        """See whether what others sent on the connection has ended the transaction.

        Raises:
            EscapedTransactionError: it has.
            SpecError: text would no longer be read as what it is.
        """
        self._check()
        if self.usable:
            self._check_encoding()

    @property
    def usable(self) -> bool:
        """Whether statements can be run in the transaction: it has begun, and has not failed."""
        return not self.lost and self._session.status is TransactionStatus.INTRANS

    @property
    def is_over(self) -> bool:
        """Whether nothing is open on the connection: the next transaction can begin."""
        pgconn = self._session.connection.pgconn
        idle = self._session.status is TransactionStatus.IDLE
        return idle and pgconn.pipeline_status == PipelineStatus.OFF

    @property
    def lost(self) -> bool:
        """Whether the connection is gone: the database process ended, or was ended."""
        return self._session.connection.closed

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """An error inside the block undoes the block alone, and the transaction goes on."""
        self._send("SAVEPOINT harness_operation")
        try:
            yield
        except (psycopg.Error, HarnessError):
            self._undo("harness_operation")
            raise

    def batch(self, script: str) -> list[Reply]:
        """Run statements of the harness's own in one message, all or none.

        Raises:
            psycopg.Error: one of them failed; all are undone and the transaction goes on.
            EscapedTransactionError: they ended the transaction.
        """
        if not self._begun:
            return self._first_batch(script)
        self._session.run("SAVEPOINT harness_batch")
        try:
            replies = self._session.run(f"{script}\n;RELEASE SAVEPOINT harness_batch")
        except psycopg.Error:
            self._undo("harness_batch")
            raise
        self._check()
        return replies[:-1]

    def read(self, queries: str, *, settled: bool = False, trusted: bool = True) -> list[Reply]:
        """Run queries of the harness's own in one message, as the session began.

        They run as the connection's own role and print values as at first, whatever the spec has
        set; nothing of them remains.

        Args:
            queries: the statements.
            settled: deferred constraints are checked before, as a commit would; what their
                triggers do remains.
            trusted: they are free of syntax errors, which would undo the whole message.

        Raises:
            psycopg.Error: one of them failed; the transaction goes on as if none had run.
        """
        outer = "SAVEPOINT harness_settled;"
        if not trusted:
            self._send(outer)
            outer = ""
        opening = "" if self._begun else f"BEGIN;SAVEPOINT {self._guard};"
        check = "SET CONSTRAINTS ALL IMMEDIATE;" if settled else ""
        before = f"{opening}{outer}{check}SAVEPOINT harness_read;"
        after = "ROLLBACK TO SAVEPOINT harness_read;RELEASE SAVEPOINT harness_settled"
        self._begun = True
        try:
            replies = self._session.run(f"{before}{self._own_settings};{queries};{after}")
        except psycopg.Error:
            self._undo("harness_settled")
            raise
        skipped = before.count(";") + 1
        return replies[skipped:-2]

    def rewound(self, queries: str) -> list[Reply]:
        """Run queries of the harness's own where the transaction began, undoing all of the spec.

        Raises:
            psycopg.Error: one of them failed.
            EscapedTransactionError: the transaction is not the one that was begun.
        """
        try:
            return self._session.run(f"ROLLBACK TO SAVEPOINT {self._guard};{queries}")[1:]
        except InvalidSavepointSpecification as error:
            raise EscapedTransactionError from error

    def _first_batch(self, script: str) -> list[Reply]:
        """Begin with a batch: one round trip for most specs' whole beginning."""
        self._begun = True
        opening = f"BEGIN;SAVEPOINT {self._guard}"
        try:
            replies = self._session.run(f"{opening};{script}")
        except psycopg.Error:
            if self.lost:
                raise
            if self._session.status is not TransactionStatus.IDLE:
                self._undo(self._guard, keep=True)
                raise
            # A syntax error: nothing of the message has run, not even BEGIN. (If instead the script
            # ended the transaction and failed then, it does so again.)
            self._session.run(opening)
            return self.batch(script)
        self._check()
        return replies[2:]

    def evaluate(self, expression: str) -> str:
        """The text of an SQL expression, as its type prints it.

        Raises:
            CastError: it fails; the transaction goes on.
        """
        try:
            return str(self.batch(f"SELECT {expression}")[0].rows[0][0])
        except (psycopg.DataError, psycopg.ProgrammingError, psycopg.NotSupportedError) as error:
            raise CastError(error.diag.message_primary or str(error)) from error

    def cast(self, text: str, type_name: str) -> str:
        """What PostgreSQL makes of a text as a type, as its canonical text.

        Raises:
            CastError: it makes nothing of it.
        """
        return self.evaluate(f"{literal(text)}::{type_name}")

    def now(self) -> str:
        """The text of the transaction's start, a timestamp with time zone."""
        return self.evaluate("now()")

    def compare(self, left: str, operator: str, right: str, type_name: str) -> bool:
        """Whether `left operator right` holds for two texts read as a type.

        Raises:
            CastError: one of them cannot be read, or the type has no such operator.
        """
        first, second = literal(left), literal(right)
        return self.evaluate(f"{first}::{type_name} {operator} {second}::{type_name}") == "t"

    def end(self, last: str = "") -> None:
        """Roll back, put back what a rollback leaves, and prove that nothing escaped.

        Args:
            last: statements to run before, in the same message; they end with a semicolon.

        Raises:
            psycopg.Error: `last` failed (the rest was done all the same), or the connection is
                lost.
            EscapedTransactionError: the guard is gone; the database is not what it was.
        """
        if not self._begun:
            return
        self._check()
        if self._session.status is TransactionStatus.INERROR:
            last = ""
        try:
            replies = self._session.run(
                f"{last}ROLLBACK TO SAVEPOINT {self._guard};{_TOUCHED};ROLLBACK;{FORGET};"
                # Locks of the session, and what a spec's own setseed() left.
                f"SELECT pg_advisory_unlock_all(), setseed({random.uniform(-1, 1)})"
            )
        except InvalidSavepointSpecification as error:
            raise EscapedTransactionError from error
        except psycopg.Error:
            if last and not self.lost:
                self.end()
            raise
        self._restore({int(oid or 0) for (oid,) in replies[_TOUCHED_FROM_THE_END].rows})

    def _restore(self, touched: set[int]) -> None:
        """Put back the sequences among what was touched, before anything else is sent."""
        states = [each for each in self._sequences if each.oid in touched]
        if states:
            calls = (f"setval({each.oid}, {each.value}, {each.called})" for each in states)
            self._session.run_later(f"SELECT {','.join(calls)}")

    def _send(self, script: str) -> list[Reply]:
        if self._begun:
            return self._session.run(script)
        self._begun = True
        return self._session.run(f"BEGIN;SAVEPOINT {self._guard};{script}")[2:]

    def _check(self) -> None:
        """See, without a round trip, whether the last message ended the transaction."""
        if not self.lost and self._session.status is TransactionStatus.IDLE:
            raise EscapedTransactionError

    def _check_encoding(self) -> None:
        """See, without a round trip, whether text comes and goes in another encoding now."""
        encoding = self._session.encoding
        if encoding != "UTF8":
            self._session.run("SET LOCAL client_encoding = 'UTF8'")
            raise SpecError(
                f"this sets client_encoding to {encoding}, which is no encoding of a spec's text",
                hint="leave it: PostgreSQL converts from and to UTF8",
            )

    def _undo(self, savepoint: str, *, keep: bool = False) -> None:
        """Go back to a savepoint after an error; one that is gone went with the transaction."""
        if self.lost:
            return
        self._check()
        release = "" if keep else f";RELEASE SAVEPOINT {savepoint}"
        try:
            self._session.run(f"ROLLBACK TO SAVEPOINT {savepoint}{release}")
        except InvalidSavepointSpecification as error:
            self._go_back_to_the_guard()
            raise SpecError(
                "this went back behind its own beginning, so that its error cannot be undone",
                hint="let an operation of its own go back to, or release, an older savepoint",
            ) from error

    def _go_back_to_the_guard(self) -> None:
        """After a savepoint is gone: see whether the transaction is, too."""
        try:
            self._session.run(f"ROLLBACK TO SAVEPOINT {self._guard}")
        except InvalidSavepointSpecification as error:
            raise EscapedTransactionError from error

    def take_notices(self) -> tuple[str, ...]:
        """The NOTICE and WARNING messages since the last call; see `Session.take_notices`."""
        return self._session.take_notices()

    def tried(self, preparation: str, statement: str, params: Sequence[object]) -> Reply:
        """What a statement gives after a script that prepares it; both are undone.

        It runs as the role in force, with the settings in force.

        Raises:
            psycopg.Error: one of them failed; the transaction goes on.
        """
        self._send("SAVEPOINT harness_trial")
        try:
            self._session.run(preparation)
            return self._session.execute(statement, params)
        finally:
            self._undo("harness_trial")


def _set_locally(settings: Mapping[str, str]) -> str:
    calls = (f"set_config({literal(n)}, {literal(v)}, true)" for n, v in settings.items())
    return f"SELECT {', '.join(calls)}"


def _is_ddl(reply: Reply) -> bool:
    return reply.tag.startswith(("CREATE", "ALTER", "DROP"))
