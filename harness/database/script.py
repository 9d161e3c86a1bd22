"""SQL scripts: a file's statements one by one, each with its place, as psql would send them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from harness.errors import DatabaseError, Location

_TOKEN = re.compile(
    r"""
      (?P<space>\s+ | --[^\n]*)
    | (?P<comment>/\*)
    | (?P<quoted>[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*")
    | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
    | (?P<word>\w[\w$]*)
    | (?P<command>\\[^\n]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_END_OF_DATA = re.compile(r"^\\\.\r?$", re.MULTILINE)
# pg_dump frames its output with these; they mean something to psql alone.
_HARMLESS_COMMANDS = re.compile(r"\\(un)?restrict\b")


@dataclass(frozen=True, slots=True)
class Statement:
    r"""One statement without its semicolon.

    Attributes:
        text: the SQL, from its first word on.
        offset: where in the script it begins, in characters.
        data: the lines between COPY ... FROM STDIN and `\.`; None for any other statement.
    """

    text: str
    offset: int
    data: str | None = None


class Script:
    """The text of one SQL file."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text

    def location(self, offset: int) -> Location:
        """The line and column of a character."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        return Location(self.path, self.text.count("\n", 0, offset) + 1, offset - line_start + 1)

    def statements(self) -> Iterator[Statement]:
        """The statements in order.

        Raises:
            DatabaseError: a psql command, or COPY data without an end.
        """
        position = 0
        while position < len(self.text):
            statement, position = self._next(position)
            if statement is not None:
                yield statement

    def _next(self, position: int) -> tuple[Statement | None, int]:
        """The statement that begins at or after a position, and where the script goes on."""
        start = None
        words: list[str] = []
        nesting = _Nesting()
        while position < len(self.text):
            token = _TOKEN.match(self.text, position)
            assert token is not None  # the last alternative matches anything
            kind, here = token.lastgroup, position
            position = self._end(token)
            if kind in ("space", "comment"):
                continue
            if kind == "command":
                self._refuse_command(token)
                continue
            if token[0] == ";" and nesting.is_flat:
                return self._statement(start, here, words, position)
            start = here if start is None else start
            nesting.see(kind, token[0].lower())
            if kind == "word":
                words.append(token[0].lower())
        return self._statement(start, position, words, position)

    def _statement(
        self, start: int | None, end: int, words: list[str], position: int
    ) -> tuple[Statement | None, int]:
        if start is None:
            return None, position
        text = self.text[start:end].rstrip()
        if words[:1] != ["copy"] or ("from", "stdin") not in pairwise(words):
            return Statement(text, start), position
        first = self.text.find("\n", position) + 1
        last = _END_OF_DATA.search(self.text, first) if first else None
        if last is None:
            raise DatabaseError(
                "the data of this COPY has no end",
                where=self.location(start),
                hint=r"after the data comes a line with just \.",
            )
        return Statement(text, start, self.text[first : last.start()]), last.end()

    def _end(self, token: re.Match[str]) -> int:
        """Where the token ends; for comments and dollar quotes the whole of them."""
        if token.lastgroup == "dollar":
            close = self.text.find(token[0], token.end())
            return len(self.text) if close < 0 else close + len(token[0])
        if token.lastgroup != "comment":
            return token.end()
        depth, position = 1, token.end()
        while depth and (edge := _COMMENT_EDGE.search(self.text, position)):
            depth += 1 if edge[0] == "/*" else -1
            position = edge.end()
        return len(self.text) if depth else position

    def _refuse_command(self, token: re.Match[str]) -> None:
        if not _HARMLESS_COMMANDS.match(token[0]):
            raise DatabaseError(
                f"{token[0].split()[0]} is a command of psql, not SQL",
                where=self.location(token.start()),
                hint="leave it out of the file, or write what it does in SQL",
            )


class _Nesting:
    """Whether a semicolon ends the statement: not in parentheses, nor in BEGIN ATOMIC ... END."""

    def __init__(self) -> None:
        self._parentheses = 0
        self._blocks = 0
        self._last = ""

    @property
    def is_flat(self) -> bool:
        return self._parentheses <= 0 and self._blocks == 0

    def see(self, kind: str | None, text: str) -> None:
        self._parentheses += {"(": 1, ")": -1}.get(text, 0)
        if kind == "word":
            if (text == "atomic" and self._last == "begin") or (self._blocks and text == "case"):
                self._blocks += 1
            elif self._blocks and text == "end":
                self._blocks -= 1
        self._last = text
