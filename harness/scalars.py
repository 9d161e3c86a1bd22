"""Unquoted scalars as the YAML 1.2 core schema reads them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_NUMBER_LENGTH = 1_000
"""Characters of a number; Python itself refuses to print integers of more than 4,300 digits."""

MAX_EXPONENT = 131_072
"""PostgreSQL's `numeric` goes no further."""

_CONSTANTS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{
        sign + word: float(sign + "inf")
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|0o(?P<oct>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<dec>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)


def plain(text: str) -> Any:
    """An unquoted scalar as the core schema reads it; ValueError for a number beyond all use."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number of {len(text):,} characters is too long")
    match match.lastgroup:
        case "int":
            return int(text)
        case "oct":
            return int(match["oct"], 8)
        case "hex":
            return int(match["hex"], 16)
    return _decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:  # the exponent is beyond what even Decimal holds
        value = None
    if value is None or abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"the exponent of {shortened(text)} is out of range")
    return value


def written(scalar: object) -> str:
    """A scalar as text; of decimals all digits and no exponent, as PostgreSQL prints `numeric`."""
    is_decimal = isinstance(scalar, Decimal) and scalar.is_finite()
    return f"{scalar:f}" if is_decimal else str(scalar)


def shortened(text: str) -> str:
    """The text as an error quotes it."""
    return text if len(text) <= 40 else f"{text[:40]}..."
