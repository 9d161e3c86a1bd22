"""Numbers: texts and YAML values as exact decimals."""

from __future__ import annotations

import re
from collections.abc import Hashable
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import Literal

from harness.matching.casts import Casts, IncomparableError
from harness.matching.typenames import INTEGERS

NumberKey = Decimal | Literal["NaN"]
"""Equal keys are equal numbers; NaN, which no decimal equals, is a word."""

_SHORT = 100
"""Longer texts are not remembered: some are megabytes."""

_INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_SPECIAL = re.compile(r"\s*(nan|[+-]?inf(inity)?)\s*", re.IGNORECASE)


def number_key(text: str) -> NumberKey | None:
    """The number that a text is, or None."""
    return _short_key(text) if len(text) <= _SHORT else _key(text)


@lru_cache(maxsize=4096)
def _short_key(text: str) -> NumberKey | None:
    return _key(text)


def _key(text: str) -> NumberKey | None:
    if not (_NUMBER.fullmatch(text) or _SPECIAL.fullmatch(text)):
        return None
    try:
        number = Decimal(text.strip())
    except DecimalException:  # an exponent beyond all reason
        return None
    return "NaN" if number.is_nan() else number


def printed_number(text: str) -> NumberKey | str:
    """The key of a number that PostgreSQL printed."""
    key = number_key(text)
    return text if key is None else key


def rank(key: Hashable) -> tuple[bool, Decimal] | None:
    """What numbers are ordered by, as PostgreSQL has it: NaN is greater than all others."""
    if key == "NaN":
        return True, Decimal(0)
    return (False, key) if isinstance(key, Decimal) else None


def plain_number(expected: object) -> NumberKey:
    """The key of a YAML number.

    Raises:
        IncomparableError: it is none.
    """
    if isinstance(expected, bool) or not isinstance(expected, (int, float, Decimal)):
        noun = "a boolean" if isinstance(expected, bool) else "text"
        raise IncomparableError(f"{noun} is expected, a number found")
    number = Decimal(expected) if isinstance(expected, int) else Decimal(str(expected))
    return "NaN" if number.is_nan() else number


def expected_number(expected: object, type: str, casts: Casts) -> NumberKey | str:
    """The key of what is expected of a number column: a number, or text that is one.

    Raises:
        IncomparableError: it is neither.
    """
    if not isinstance(expected, str):
        return plain_number(expected)
    key = number_key(expected)
    if key is not None and type in INTEGERS and not _INTEGER.fullmatch(expected):
        raise IncomparableError(f"it is not of type {type}")
    if key is not None:
        return key
    try:
        return printed_number(casts.cast(expected, type))
    except ValueError as error:
        raise IncomparableError(str(error)) from error
