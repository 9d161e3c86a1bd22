"""SQL as a script for psql holds it: nothing in it that a terminal or psql itself would act on."""

from __future__ import annotations

import re

from harness.sqltext import Token, is_complete, tokens

_BLANK = " \t\r\n\f\v"
"""What PostgreSQL takes for space; Python would strip more."""
_AS_SPACE = str.maketrans("\r\f\v", "\n  ")
_MAYBE_ESCAPED = re.compile(r"\\?(.)", re.DOTALL)


def statement(sql: str) -> str:
    """The statement with its semicolon; as a comment that says why, if psql could not send it.

    psql puts its variables in for `:name` outside of quotes, takes a backslash there for a command
    of its own, and waits for the end of whatever is open. In a terminal, characters that are not
    printable can do anything: in quotes they are written as escapes.
    """
    found = list(tokens(sql.rstrip(_BLANK)))
    try:
        if not is_complete(sql):
            raise ValueError("psql would wait for the end of a quote, comment or parenthesis")
        text = "".join(map(_written, found))
    except ValueError as error:
        return comment(f"cannot be sent: {error}\n{sql}")
    if found and found[-1].kind == "comment":
        return f"{text}\n;"
    return text if text.endswith(";") else f"{text};"


def comment(text: str) -> str:
    """Lines of text as comments, on which only what is printable is left as it is."""
    return "\n".join(f"-- {_visible(line)}".rstrip() for line in text.rstrip().split("\n"))


def _written(token: Token) -> str:
    text = token.text
    if token.kind in ("comment", "block"):
        return _visible(text)
    if text == "\\":
        raise ValueError("psql takes a backslash outside of quotes for a command of its own")
    if token.kind == "param" or text == ":":
        return f": {text[1:]}"  # SQL has such a colon only in slices, where a space may follow
    if _is_plain(text):
        return text
    written = _escaped(token)
    if not _is_plain(written):
        raise ValueError(f"a character in {_visible(text)} does not show, or acts on a terminal")
    return written


def _escaped(token: Token) -> str:
    """The token with escapes in it, if it is of a kind that can have them."""
    text = token.text
    if token.kind == "space":
        return text.translate(_AS_SPACE)
    if text.startswith('"'):
        return f' U&"{_visible(_doubled(text[1:-1]), name=True)}"'
    if text.startswith("'"):
        return f" E'{_visible(_doubled(text[1:-1]))}'"
    if token.kind == "dollar":
        tag = text.index("$", 1) + 1
        body = text[tag:-tag].replace("'", "''")
        return f" E'{_visible(_doubled(body))}'"
    if token.kind == "escape":  # there a backslash before such a character means nothing
        return _MAYBE_ESCAPED.sub(lambda it: it[0] if _is_plain(it[1]) else _visible(it[1]), text)
    return text


def _doubled(text: str) -> str:
    return text.replace("\\", "\\\\")


def _is_plain(text: str) -> bool:
    return text.isprintable() or all(each.isprintable() or each in "\n\t" for each in text)


def _visible(text: str, *, name: bool = False) -> str:
    r"""The text with escapes: as in E'\u202e', or as in the name U&"\202e"."""
    short, long = ("\\{:04x}", "\\+{:06x}") if name else ("\\u{:04x}", "\\U{:08x}")
    return "".join(
        each if _is_plain(each) else (short if each <= "\uffff" else long).format(ord(each))
        for each in text
    )
