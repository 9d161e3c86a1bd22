"""Python values as values that expectations are compared with, e.g. attributes of an exception."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from harness.matching import times
from harness.matching.families import JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT, family_of
from harness.matching.plain import plain
from harness.matching.values import Fields, Items, Scalar, Value


class Attributes(Mapping[str, Value]):
    """The attributes of an object, read when they are asked for; `known` ones are given."""

    def __init__(self, owner: object, known: Mapping[str, Value] | None = None) -> None:
        self._owner = owner
        self._known = known or {}

    def __getitem__(self, name: str) -> Value:
        if name in self._known:
            return self._known[name]
        try:
            return of_python(getattr(self._owner, name))
        except Exception as error:
            raise KeyError(name) from error

    def __iter__(self) -> Iterator[str]:
        names = {**self._known, **getattr(self._owner, "__dict__", {})}
        return (name for name in names if not name.startswith("_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def of_python(value: Any) -> Value:
    """A Python value as one that compares alike to a value of the database or of json."""
    if isinstance(value, Mapping):
        return Fields({str(key): of_python(item) for key, item in value.items()}, "json", "key")
    if isinstance(value, (list, set, frozenset)) or type(value) is tuple:
        return Items(tuple(map(of_python, value)), "json")
    return _scalar(value) or Fields(Attributes(value), type(value).__name__, "attribute")


def _scalar(value: Any) -> Scalar | None:
    for kind, naive, aware in _TYPED:
        if isinstance(value, kind):
            name = aware if getattr(value, "tzinfo", None) else naive
            return Scalar(plain(value), name, family_of(name))
    data = plain(value)
    if data is None:
        return Scalar(None, "json", JSON_TEXT)
    if isinstance(data, bool):
        return Scalar("true" if data else "false", "json", JSON_BOOLEAN)
    if isinstance(data, (int, float, Decimal)):
        return Scalar(str(data), "json", JSON_NUMBER)
    return Scalar(data, "json", JSON_TEXT) if isinstance(data, str) else None


_TYPED: tuple[tuple[type, str, str], ...] = (
    (datetime, times.TIMESTAMP, times.TIMESTAMPTZ),
    (date, "date", "date"),
    (time, times.TIME, times.TIMETZ),
    (UUID, "uuid", "uuid"),
    (bytes, "bytea", "bytea"),
)
"""Python types, and what they are in PostgreSQL without and with a time zone."""
