"""Python's own scalars as YAML would write them; templates and applications give such."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

YAML_SCALARS = (str, bool, int, float, Decimal)
_LONGEST_INT = 10_000
"""In bits; Python refuses to write ints that are a little longer."""

_WRITTEN_SO = frozenset((*YAML_SCALARS, dict, list, type(None)))


def plain(value: Any) -> Any:
    """The YAML value that stands for a Python value; what has none stays as it is."""
    if type(value) is int and value.bit_length() > _LONGEST_INT:
        return Decimal(value)
    if type(value) in _WRITTEN_SO:
        return value
    for kinds, convert in _CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    return value


def _of_member(member: Enum) -> Any:
    return plain(member.value)


def _of_time(moment: datetime | date | time) -> str:
    return moment.isoformat()


def _of_interval(interval: timedelta) -> str:
    return f"{interval.days} days {interval.seconds}.{interval.microseconds:06} seconds"


def _of_bytes(data: bytes | bytearray | memoryview) -> str:
    return f"\\x{data.hex()}"


_CONVERSIONS: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((Enum,), _of_member),
    ((datetime, date, time), _of_time),
    ((timedelta,), _of_interval),
    ((UUID,), str),
    ((bytes, bytearray, memoryview), _of_bytes),
    ((tuple,), list),
)
