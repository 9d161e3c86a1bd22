"""The text of PostgreSQL arrays: `{1,NULL,"a b",{…}}`.

https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

Nested = list[Any]
"""Texts, None for NULL, and lists of the same."""

_BOUNDS = re.compile(r"(\[[+-]?\d+(:[+-]?\d+)?\])+=")


def parse_array(text: str, delimiter: str = ",") -> Nested:
    """The elements of an array's text output; its bounds, if printed, are left out.

    Raises:
        ValueError: it is not the text of an array.
    """
    bounds = _BOUNDS.match(text)
    tokens = _tokens(delimiter)
    position = bounds.end() if bounds else 0
    outermost: Nested = []
    open_lists = [outermost]
    while position < len(text):
        token = tokens.match(text, position)
        if token is None or (len(open_lists) == 1 and outermost):
            raise ValueError(f"not the text of an array: {text[:80]!r}")
        position = token.end()
        _place(token, open_lists)
    if len(open_lists) != 1 or not outermost or not isinstance(outermost[0], list):
        raise ValueError(f"not the text of an array: {text[:80]!r}")
    return outermost[0]


def _place(token: re.Match[str], open_lists: list[Nested]) -> None:
    match token.lastgroup:
        case "open":
            inner: Nested = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        case "close":
            open_lists.pop()
            if not open_lists:
                raise ValueError("a closing brace too many in the text of an array")
        case "quoted":
            open_lists[-1].append(re.sub(r"\\(.)", r"\1", token["quoted"], flags=re.DOTALL))
        case "bare":
            word = re.sub(r"\\(.)", r"\1", token["bare"], flags=re.DOTALL)
            open_lists[-1].append(None if token["bare"].upper() == "NULL" else word)


@lru_cache(maxsize=8)
def _tokens(delimiter: str) -> re.Pattern[str]:
    separator = re.escape(delimiter)
    return re.compile(
        rf'(?P<open>\{{)|(?P<close>\}}){separator}?|"(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*+)"{separator}?'
        rf"|(?P<bare>(?:[^{{}}\"\\{separator}]++|\\.)++){separator}?",
        re.DOTALL,
    )
