"""Deterministic values for NOT NULL columns that a seed row leaves out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from harness.database.catalog import Column

_NAMESPACE = uuid.UUID("0b8f9d5e-9a53-5a0e-8c37-5d4f7e0a1c22")  # any fixed one; never change it
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def value_for(column: Column, table: str, number: int) -> str | None:
    """The text of the `number`th value (from one) for a column, or None if its type has none.

    Different numbers give different values wherever the type has as many.
    """
    if column.category == "E":
        return column.labels[(number - 1) % len(column.labels)] if column.labels else None
    make = _MAKERS.get(column.base)
    return make(column, table, number) if make else None


def _text(column: Column, _: str, number: int) -> str:
    text = f"{column.name}-{number}"
    if column.length is None or len(text) <= column.length:
        return text
    return str(number).zfill(column.length)[-column.length :]


def _number(column: Column, _: str, number: int) -> str:
    if column.precision is None:
        return str(number)
    digits, scale = column.precision
    return str(number % 10 ** max(digits - scale, 0)) if digits > scale else f"{number}e-{scale}"


def _uuid(column: Column, table: str, number: int) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{table}.{column.name}.{number}"))


def _clock(number: int) -> str:
    return str(timedelta(seconds=(number - 1) % 86_400))


def _moment(form: str) -> Callable[[Column, str, int], str]:
    return lambda _column, _table, number: (_EPOCH + timedelta(days=number - 1)).strftime(form)


_MAKERS: dict[str, Callable[[Column, str, int], str]] = {
    **dict.fromkeys(("text", "character varying", "character", "citext", "name"), _text),
    **dict.fromkeys(
        ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money"), _number
    ),
    "boolean": lambda _column, _table, number: "false" if number % 2 else "true",
    "uuid": _uuid,
    "date": _moment("%Y-%m-%d"),
    "timestamp without time zone": _moment("%Y-%m-%d 00:00:00"),
    "timestamp with time zone": _moment("%Y-%m-%d 00:00:00+00"),
    "time without time zone": lambda _column, _table, number: _clock(number),
    "time with time zone": lambda _column, _table, number: f"{_clock(number)}+00",
    "interval": lambda _column, _table, number: f"{number} days",
    "bytea": lambda _column, _table, number: f"\\x{number:08x}",
    "inet": lambda _column, _table, number: (
        f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    ),
}
