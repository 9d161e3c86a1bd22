"""Parameters as constants in SQL, of the type that they are bound as."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int4, Int8

from harness.database.literals import literal

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (Int4, "integer"),
    (Int8, "bigint"),
    (Decimal, "numeric"),
    (float, "double precision"),
    (Jsonb, "jsonb"),
    (bytes, "bytea"),
)


def constant(value: Any) -> str:
    """SQL for a value that `harness.database.literals.parameter` gave.

    Raises:
        ValueError: the value holds a NUL character.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    text = sql.Literal(value).as_string()
    return f"({text})" if type_of(value) else text  # a cast binds less than a subscript behind it


def type_of(value: Any) -> str | None:
    """The type that psycopg binds a value as; None: PostgreSQL takes it from where it stands."""
    if isinstance(value, list):
        element = next((name for name in map(type_of, value) if name), None)
        return f"{element.removesuffix('[]')}[]" if element else None
    return next((name for kind, name in _TYPES if isinstance(value, kind)), None)


def _number(value: int | float | Decimal) -> str:
    """As it is written, if that has the right type."""
    digits = str(int(value)) if isinstance(value, int) else str(value)
    unsigned = digits.removeprefix("-")
    if _type_as_written(unsigned) != type_of(value):
        return f"('{digits}'::{type_of(value)})"
    return digits if digits == unsigned else f"({digits})"


def _type_as_written(digits: str) -> str | None:
    """The type that PostgreSQL gives to a number without a sign."""
    if not digits.isdigit():
        return "numeric" if digits[:1].isdigit() else None  # Infinity, NaN
    whole = int(digits)
    if whole < 2**31:
        return "integer"
    return "bigint" if whole < 2**63 else "numeric"
