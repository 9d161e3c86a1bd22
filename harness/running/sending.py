"""The statements of seeds: sent in few messages, and kept as a script that repeats them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from harness.database.isolation import Isolation
from harness.database.session import Reply
from harness.errors import Location, SpecError
from harness.running.rows import PendingRow, returning
from harness.spec.seeds import RowSource

Again = Callable[[Reply], str | None]
"""Makes, of what a statement gave, the statement that repeats it; None if there is nothing to."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    statement: str
    row: PendingRow | None
    again: Again | None

    @property
    def text(self) -> str:
        """What is sent."""
        return self.statement + (returning(self.row) if self.row else "")

    def repeated(self, reply: Reply) -> str | None:
        """What repeats it."""
        return self.again(reply) if self.again else self.statement


class Sending:
    """Statements wait here, and are sent together when an answer is needed.

    Attributes:
        sent: what has been sent so far, as statements that repeat it; one that failed is the last.
    """

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation
        self._waiting: list[_Waiting] = []
        self.sent: list[str] = []

    def add(
        self, statement: str, row: PendingRow | None = None, again: Again | None = None
    ) -> None:
        """Let a statement wait.

        Args:
            statement: without a semicolon.
            row: what it stores; the statement returns it.
            again: what repeats the statement, if that is not the statement itself.
        """
        self._waiting.append(_Waiting(statement, row, again))

    def holds(self, row: PendingRow) -> bool:
        """Whether the statement that stores a row still waits."""
        return any(each.row is row for each in self._waiting)

    def flush(self) -> list[tuple[PendingRow, Reply]]:
        """Send what waits; gives the rows that it stores with what was returned of them.

        Raises:
            SpecError: PostgreSQL refused one of them.
        """
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        try:
            replies = self._isolation.batch(";".join(each.text for each in waiting))
        except psycopg.Error:
            if self._isolation.lost:
                raise
            # Which statement it was, the server does not say: find out one by one.
            replies = []
            for each in waiting:
                replies += self.send(each.text, each.row.where if each.row else None, each.row)
                self._keep(each, replies[-1])
        else:
            for each, reply in zip(waiting, replies, strict=True):
                self._keep(each, reply)
        return [
            (each.row, reply)
            for each, reply in zip(waiting, replies, strict=True)
            if each.row is not None
        ]

    def query(self, source: RowSource) -> Reply:
        """What a query for rows gives.

        Raises:
            SpecError: PostgreSQL refused it.
        """
        reply = self.send(source.text, source.where)[-1]
        self.sent.append(source.text)
        return reply

    def send(
        self, script: str, where: Location | None, row: PendingRow | None = None
    ) -> Sequence[Reply]:
        """Send statements at once.

        Args:
            script: the statements.
            where: the place of the seed that they belong to.
            row: its row, if it is one.

        Raises:
            SpecError: PostgreSQL refused one of them.
        """
        try:
            return self._isolation.batch(script)
        except psycopg.Error as error:
            if self._isolation.lost:
                raise
            self.sent.append(script.removesuffix(returning(row)) if row else script)
            raise refused(error, where, row) from error

    def _keep(self, waiting: _Waiting, reply: Reply) -> None:
        statement = waiting.repeated(reply)
        if statement is not None:
            self.sent.append(statement)


def refused(
    error: psycopg.Error, where: Location | None, row: PendingRow | None = None
) -> SpecError:
    """PostgreSQL's refusal of a seed, at its row."""
    diag = error.diag
    what = f"PostgreSQL refused this seed: {diag.message_primary or error}"
    detail = f" ({diag.message_detail})" if diag.message_detail else ""
    hint = diag.message_hint
    if row is not None and row.filled:
        names = ", ".join(row.filled)
        hint = f"the harness filled in {names}; if that is what breaks it, give the value"
    return SpecError(f"{what}{detail}", where=where, hint=hint)
