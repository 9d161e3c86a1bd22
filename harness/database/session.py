"""How the harness sends SQL: psycopg directly, in few round trips, and every cell as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import RawCursor, adapters
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.string import TextLoader

from harness.results import Column, ResultSet

_Answer = tuple[str, list[tuple[str, int]] | None, tuple[tuple[str | None, ...], ...]]
_COUNT = re.compile(r"(\d+)$")
_NOTED = ("NOTICE", "WARNING")
_LATER_REPLIES = 3


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
    """A connection in autocommit, through one cursor that reads every type as text.

    Text, because each type is then compared as what it is, and because values that Python cannot
    hold (infinity, year 20000, 1 BC) are values all the same.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._cursor: RawCursor[tuple[str | None, ...]] = RawCursor(connection)
        for oid in _known_types():
            self._cursor.adapters.register_loader(oid, TextLoader)
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
        return self.connection.info.parameter_status("client_encoding") or ""

    def run(self, script: str) -> list[Reply]:
        """Send statements in one message; a reply for each.

        Raises:
            psycopg.Error: of the first statement that failed; nothing after it has run.
        """
        later, self._later = self._later, ""
        try:
            self._cursor.execute(f"{later}{script}".encode())
        except psycopg.Error:
            if self.status is TransactionStatus.IDLE:
                self._later = later  # a syntax error: nothing of the message has run
            raise
        answers = [self._answer()]
        while self._cursor.nextset():
            answers.append(self._answer())
        return list(map(self._reply, answers[_LATER_REPLIES if later else 0 :]))

    def execute(self, statement: str, params: Sequence[Any]) -> Reply:
        """Send one statement with its `$1`, `$2`, … bound.

        Raises:
            psycopg.Error: the statement failed.
        """
        if self._later:
            self.run("SELECT")
        self._cursor.execute(statement.encode(), params)
        return self._reply(self._answer())

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

    def _answer(self) -> _Answer:
        """What the cursor stands at; the types stay numbers, as their names may need the cursor."""
        tag = self._cursor.statusmessage or ""
        result = self._cursor.pgresult
        if result is None or result.status != ExecStatus.TUPLES_OK:
            return tag, None, ()
        fields = range(result.nfields)
        columns = [((result.fname(i) or b"").decode(), result.ftype(i)) for i in fields]
        return tag, columns, tuple(self._cursor.fetchall())

    def _reply(self, answer: _Answer) -> Reply:
        tag, columns, rows = answer
        if columns is None:
            return Reply(None, tag)
        named = tuple(Column(name, self._type_name(oid)) for name, oid in columns)
        return Reply(ResultSet(named, rows), tag)

    def _type_name(self, oid: int) -> str:
        if oid not in self._types:
            self._cursor.execute(b"select format_type($1, null)", [oid])
            row = self._cursor.fetchone()
            # Not kept when a transaction made the type: after its rollback the oid is another's.
            name = str(row[0]) if row else "unknown"
            if self.status is TransactionStatus.INTRANS:
                return name
            self._types[oid] = name
        return self._types[oid]

    def learn_types(self, names: Mapping[int, str]) -> None:
        """Types that the database has beside PostgreSQL's own: oid → name."""
        self._types.update(names)


@lru_cache(maxsize=1)
def _known_types() -> dict[int, str]:
    """PostgreSQL's own types, oid → name as `format_type` gives it."""
    known = {}
    for info in adapters.types:
        known[info.oid] = info.regtype
        if info.array_oid:
            known[info.array_oid] = f"{info.regtype}[]"
    return known
