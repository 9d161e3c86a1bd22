"""SQL text as a client must read it: bind parameters, and COPY that wants the client's own data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# One alternative for each thing that can hide a colon, a semicolon or a keyword. Lexical rules:
# https://www.postgresql.org/docs/current/sql-syntax-lexical.html
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\r\n]*)
    | (?P<block>/\*)
    | (?P<escape>[eE]'(?:[^'\\]|\\.|'')*+')
    | (?P<open>[eE]'(?:[^'\\]|\\.|'')*+\\?\Z)
    | (?P<string>(?:[uU]&|[bBxXnN])?'(?:[^']|'')*')
    | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<number>\d[\w.]*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<cast>::|:=)
    | (?P<param>:[^\W\d]\w*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_WORD_END = re.compile(r"[\w$\x80-\U0010ffff]\Z")
_OPEN_QUOTE = re.compile(r"""['"]|\$(?:[^\W\d]\w*)?\$""")
_COPY = re.compile(r"\bcopy\b", re.IGNORECASE)
_IGNORED = frozenset({"space", "comment", "block"})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL: its kind (a group of the lexer's pattern), its text and offset."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class BoundSql:
    """A statement whose `:name` parameters became `$1`, `$2`, …: `names` in that order.

    `pieces` are the tokens of the text, each as it was written and as it is sent; a space that is
    sent before a parameter was not written.
    """

    text: str
    names: tuple[str, ...]
    pieces: tuple[tuple[str, str], ...] = ()

    def written_offset(self, offset: int) -> int:
        """The offset in the statement as written of an offset in `text`."""
        written = 0
        for before, after in self.pieces:
            if offset < len(after):
                return written + min(offset, max(len(before) - 1, 0))
            written += len(before)
            offset -= len(after)
        return written


@lru_cache(maxsize=4096)
def bind(sql: str, names: frozenset[str]) -> BoundSql:
    """Replace each `:name` of `names` by a numbered parameter, the same number for the same name.

    Literals, quoted identifiers, comments, dollar quotes, casts and array slices stay untouched,
    and so does every `:name` that is not in `names`. A parameter directly behind a word gets a
    space before it: to PostgreSQL, `then$1` is one word.
    """
    numbers: dict[str, int] = {}
    pieces: list[tuple[str, str]] = []
    for token, in_slice in _with_subscripts(sql):
        name = token.text[1:]
        if token.kind == "param" and name in names and not in_slice:
            if pieces and _WORD_END.search(pieces[-1][1]):
                pieces.append(("", " "))
            pieces.append((token.text, f"${numbers.setdefault(name, len(numbers) + 1)}"))
        else:
            pieces.append((token.text, token.text))
    text = "".join(after for _, after in pieces)
    return BoundSql(text, tuple(numbers), tuple(pieces))


def unbound(sql: str, names: frozenset[str]) -> str | None:
    """The first `:name` that could only be a parameter, and is not in `names`."""
    for token, in_slice in _with_subscripts(sql):
        if token.kind == "param" and not in_slice and token.text[1:] not in names:
            return token.text[1:]
    return None


def is_balanced(sql: str) -> bool:
    """Whether every parenthesis of an expression is closed, and none that it did not open."""
    depth = 0
    for token in tokens(sql):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0 or token.text == ";":
            return False
    return depth == 0


def is_complete(sql: str) -> bool:
    """Whether a semicolon would end it: no quote, comment or parenthesis is left open."""
    depth = 0
    for token in tokens(sql):
        if token.kind == "open" or (token.kind == "other" and _OPEN_QUOTE.match(sql, token.start)):
            return False
        comments = map(_depth, _COMMENT_EDGE.findall(token.text) if token.kind == "block" else ())
        if sum(comments):
            return False
        depth = max(0, depth + {"(": 1, ")": -1}.get(token.text, 0))
    return depth == 0


def client_copy(sql: str) -> int | None:
    """The offset of the first COPY that reads from or writes to the client, or None."""
    if not _COPY.search(sql):
        return None
    statement: list[Token] = []
    for token in (*tokens(sql), Token("other", ";", len(sql))):
        if token.kind in _IGNORED:
            continue
        if token.text != ";":
            statement.append(token)
            continue
        words = [item.text.lower() for item in statement if item.kind == "word"]
        if words[:1] == ["copy"] and {"stdin", "stdout"} & set(words):
            return statement[0].start
        statement = []
    return None


def tokens(sql: str) -> Iterator[Token]:
    """The whole of a text, piece by piece."""
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        assert match is not None  # `other` takes any character
        kind = match.lastgroup or "other"
        kind = "dollar" if match["dollar"] else kind
        end = _end_of_comment(sql, position) if kind == "block" else match.end()
        yield Token(kind, sql[position:end], position)
        position = end


def _end_of_comment(sql: str, start: int) -> int:
    """Where the block comment that begins at `start` ends; they nest, and may be unfinished."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, start):
        depth += _depth(edge[0])
        if depth == 0:
            return edge.end()
    return len(sql)


def _depth(edge: str) -> int:
    return 1 if edge == "/*" else -1


def _with_subscripts(sql: str) -> Iterator[tuple[Token, bool]]:
    """Every token, and whether it stands directly inside the brackets of a subscript.

    In `a[1:n]` the colon is a slice; in `array[:n]` it can only be a parameter. What an opening
    bracket is shows in what stands before it: a subscript follows a value.
    """
    open_brackets: list[str] = []
    before: Token | None = None
    for token in tokens(sql):
        if token.text == "[":
            open_brackets.append("subscript" if _ends_value(before) else "array")
        elif token.text == "(":
            open_brackets.append("group")
        elif token.text in ("]", ")") and open_brackets:
            open_brackets.pop()
        yield token, open_brackets[-1:] == ["subscript"]
        if token.kind not in _IGNORED:
            before = token


def _ends_value(token: Token | None) -> bool:
    if token is None:
        return False
    if token.kind == "word":
        return token.text.lower() != "array"
    return token.kind in (
        "quoted",
        "param",
        "number",
        "string",
        "escape",
        "dollar",
    ) or token.text in ("]", ")")
