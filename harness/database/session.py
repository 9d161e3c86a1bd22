"""How the harness sends SQL: psycopg directly, in few round trips, and every cell as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import RawCursor, adapters, errors, generators
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from harness.results import Column, ResultSet

_COUNT = re.compile(r"(\d+)$")
_NOTED = ("NOTICE", "WARNING")
_LATER_REPLIES = 3
_FINE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY)


@dataclass(frozen=True, slots=True)
class Reply:
    """What one statement gave: its result set if it has one, and its command tag."""

    result: ResultSet | None
    tag: str

    @property
    def affected(self) -> int | None:
        """The command's count, as in `UPDATE 3`; None for commands that have none."""
        match = _COUNT.search(self.tag)
        return int(match[1]) if match else None

    @property
    def rows(self) -> tuple[tuple[str | None, ...], ...]:
        """The rows of the result set."""
        return self.result.rows if self.result else ()


class Session:
    """A connection in autocommit, of which every type is read as text.

    Text, because each type is then compared as what it is, and because values that Python cannot
    hold (infinity, year 20000, 1 BC) are values all the same. So psycopg's cursors, which make
    objects, have little to do here; to pass them by takes a third of the time of a small message.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._cursor: RawCursor[tuple[str | None, ...]] = RawCursor(connection)
        self._types = dict(_known_types())
        self._notices: list[str] = []
        self._later: str = ""
        connection.add_notice_handler(self._note)

    @property
    def status(self) -> TransactionStatus:
        """Whether a transaction is open, as the server said with its last answer."""
        return TransactionStatus(self.connection.pgconn.transaction_status)

    @property
    def encoding(self) -> str:
        """Of all text that comes and goes, as PostgreSQL calls it and said with its last answer."""
        return _text(self.connection.pgconn.parameter_status(b"client_encoding")) or ""

    def run(self, script: str) -> list[Reply]:
        """Send statements in one message; a reply for each.

        Raises:
            psycopg.Error: of the first statement that failed; nothing after it has run.
        """
        later, self._later = self._later, ""
        try:
            results = self._exchange(f"{later}{script}")
        except psycopg.Error:
            if self.status is TransactionStatus.IDLE:
                self._later = later  # a syntax error: nothing of the message has run
            raise
        return list(map(self._reply, results[_LATER_REPLIES if later else 0 :]))

    def execute(self, statement: str, params: Sequence[Any]) -> Reply:
        """Send one statement with its `$1`, `$2`, … bound.

        Raises:
            psycopg.Error: the statement failed.
        """
        if self._later:
            self.run("SELECT")
        self._cursor.execute(statement.encode(), params)
        assert self._cursor.pgresult is not None  # it was executed
        return self._reply(self._cursor.pgresult)

    def run_later(self, statement: str) -> None:
        """Run a statement in a transaction of its own, in the message that comes next.

        To be called on an idle session; it saves a round trip. What the statement does may be done
        twice.
        """
        self._later = f"BEGIN;{statement};COMMIT;"

    def take_notices(self) -> tuple[str, ...]:
        """The NOTICE and WARNING messages since the last call, in order.

        All that anyone's statements on this connection caused are among them, those of a statement
        that failed too. What `client_min_messages` holds back the server never sends.
        """
        taken, self._notices = tuple(self._notices), []
        return taken

    def _note(self, diagnostic: Diagnostic) -> None:
        # The other name of the severity is in the server's own language.
        if diagnostic.severity_nonlocalized in _NOTED:
            self._notices.append(diagnostic.message_primary or "")

    def _exchange(self, script: str) -> list[PGresult]:
        """Send a message; gives a result for each of its statements."""
        connection = self.connection
        with connection.lock:
            connection.pgconn.send_query(script.encode())
            results: list[PGresult] = connection.wait(generators.execute(connection.pgconn))
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(result)
            if result.status not in _FINE:
                raise psycopg.ProgrammingError("COPY cannot be used here: its data has no place")
        return results

    def _reply(self, result: PGresult) -> Reply:
        tag = (result.command_status or b"").decode()
        if result.status != ExecStatus.TUPLES_OK:
            return Reply(None, tag)
        fields = range(result.nfields)
        rows = tuple(
            tuple([_text(result.get_value(row, field)) for field in fields])
            for row in range(result.ntuples)
        )
        columns = tuple(
            Column((result.fname(field) or b"").decode(), self._type_name(result.ftype(field)))
            for field in fields
        )
        return Reply(ResultSet(columns, rows), tag)

    def _type_name(self, oid: int) -> str:
        if oid not in self._types:
            (result,) = self._exchange(f"select format_type({oid}, null)")
            # Not kept when a transaction made the type: after its rollback the oid is another's.
            name = _text(result.get_value(0, 0)) or "unknown"
            if self.status is TransactionStatus.INTRANS:
                return name
            self._types[oid] = name
        return self._types[oid]

    def learn_types(self, names: Mapping[int, str]) -> None:
        """Types that the database has beside PostgreSQL's own: oid → name."""
        self._types.update(names)


def _text(value: bytes | None) -> str | None:
    # What is no UTF-8 comes of a client_encoding, which `Isolation` refuses after the statement.
    return None if value is None else value.decode(errors="replace")


@lru_cache(maxsize=1)
def _known_types() -> dict[int, str]:
    """PostgreSQL's own types, oid → name as `format_type` gives it."""
    known = {}
    for info in adapters.types:
        known[info.oid] = info.regtype
        if info.array_oid:
            known[info.array_oid] = f"{info.regtype}[]"
    return known
