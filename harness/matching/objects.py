"""Python values as values that expectations are compared with: what a call returned, an error."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
    Set,
    ValuesView,
)
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import AnyUrl, RootModel

from harness.matching import times
from harness.matching.display import show
from harness.matching.families import JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT, family_of
from harness.matching.members import (
    UnreadableError,
    declared,
    is_mapped,
    members_of,
    named_fields,
)
from harness.matching.plain import plain
from harness.matching.typenames import PYTHON, SET
from harness.matching.values import Fields, Items, Scalar, Unreadable, Value
from harness.scalars import written


class Attributes(Mapping[str, Value]):
    """The attributes of an object, each read once, when it is asked for; `known` ones are given."""

    def __init__(self, owner: object, known: Mapping[str, Value] | None = None) -> None:
        self._members = members_of(owner)
        self._values = dict(known or {})
        self._known = tuple(self._values)

    @property
    def owner(self) -> Any:
        """The object."""
        return self._members.owner

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            self._values[name] = self._read(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        names = dict.fromkeys((*self._known, *self._members.names))
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self, name: str) -> Value:
        try:
            return of_python(self._members.read(name))
        except UnreadableError as error:
            return Unreadable(error.reason, error.hint)


def of_python(value: Any) -> Value:
    """A Python value as one that compares alike to a value of the database or of json.

    Scalars, lists and mappings are read at once; what objects hold, when an expectation names it.
    """
    if isinstance(value, Enum):
        return of_python(value.value)
    if isinstance(value, RootModel):
        return of_python(value.root)
    return _scalar(value) or _several(value) or unusable(value) or _object(value)


def _several(value: Any) -> Value | None:
    """A mapping or list, or what else stands for several values; None of others."""
    if isinstance(value, Mapping):
        return _mapping(value)
    if is_mapped(value) or declared(value):
        return _object(value)
    if isinstance(value, Set):
        # In an order that does not change from run to run, for those who read it.
        return Items(tuple(sorted(map(of_python, value), key=show)), SET)
    if not isinstance(value, (Sequence, ValuesView)):
        return None
    items = Items(tuple(map(of_python, value)), PYTHON)
    names = named_fields(value)
    return _named(value, names, items) if names else items


def _object(value: Any, known: Mapping[str, Value] | None = None) -> Fields:
    return Fields(Attributes(value, known), f"{type(value).__name__} object", "attribute")


def _named(value: Any, names: Sequence[str], items: Items) -> Fields:
    known: dict[str, Value] = dict(zip(names, items.items, strict=True))
    for name in known:
        if names.count(name) > 1:
            reason = f"{names.count(name)} columns are named {show(name)}"
            known[name] = Unreadable(reason, "give each a label of its own")
    return Fields(Attributes(value, known), f"{type(value).__name__} object", "attribute", items)


def _mapping(value: Mapping[Any, Any]) -> Value:
    fields: dict[str, Value] = {}
    for key, item in value.items():
        name = key_text(key)
        if name is None:
            return Unreadable(f"a mapping with a key of type {type(key).__name__}", _KEYS)
        if name in fields:
            return Unreadable(f"a mapping with two keys that are both written {show(name)}", _KEYS)
        fields[name] = of_python(item)
    return Fields(fields, PYTHON, "key")


def key_text(key: Any) -> str | None:
    """How json writes the key of a mapping; None of one that it could not write."""
    data = plain(key)
    if data is None or isinstance(data, bool):
        return {None: "null", True: "true", False: "false"}[data]
    return written(data) if isinstance(data, (str, int, float, Decimal)) else None


def unusable(value: Any) -> Unreadable | None:
    """What could not be compared without being used up or called; None of all others."""
    name = type(value).__name__
    if isinstance(value, (Iterator, AsyncIterator)):
        return Unreadable(f"a {name} can be read only once", "return a list")
    if isinstance(value, Awaitable):
        return Unreadable(f"a {name} that nobody has awaited", "await it in the application")
    if isinstance(value, type) or inspect.isroutine(value):
        return Unreadable(f"a {name} is no value", "return what it gives")
    return None


def _scalar(value: Any) -> Scalar | None:
    of_type = typed(value)
    if of_type is not None:
        return Scalar(*of_type, family_of(of_type[1]))
    family, text = JSON_TEXT, None
    if isinstance(value, bool):
        family, text = JSON_BOOLEAN, "true" if value else "false"
    elif isinstance(value, int):
        family, text = JSON_NUMBER, str(plain(int(value)))
    elif isinstance(value, (float, Decimal)):
        family, text = JSON_NUMBER, str(value)
    elif isinstance(value, (str, AnyUrl, PurePath)):
        text = str(value)
    elif value is not None:
        return None
    return Scalar(text, PYTHON, family)


def typed(value: Any) -> tuple[str, str] | None:
    """The text of a value that a type of PostgreSQL stands for, and the name of that type."""
    for kind, name_of, text_of in _TYPED:
        if isinstance(value, kind):
            return text_of(value), name_of(value)
    return None


def interval_text(interval: timedelta) -> str:
    """An interval as PostgreSQL prints it: `1 day 02:00:00`, `-00:00:05`."""
    sign = "-" if interval < timedelta() else ""
    size = abs(interval)
    minutes, seconds = divmod(size.seconds, 60)
    fraction = f".{size.microseconds:06}".rstrip("0") if size.microseconds else ""
    clock = f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"
    days = f"{sign}{size.days} day{'' if size.days == 1 and not sign else 's'}" if size.days else ""
    return days + (f" {clock}" if days else clock) if size.seconds or fraction or not days else days


def _time_text(moment: time) -> str:
    """A time as PostgreSQL prints it, which has no minutes in an offset of whole hours."""
    text = moment.isoformat()
    return text.removesuffix(":00") if _is_aware(moment) else text


def _is_aware(moment: datetime | time) -> bool:
    return moment.utcoffset() is not None


def _always(name: str) -> Callable[[Any], str]:
    return lambda _value: name


_TYPED: tuple[tuple[type | tuple[type, ...], Callable[[Any], str], Callable[[Any], str]], ...] = (
    (datetime, lambda it: times.TIMESTAMPTZ if _is_aware(it) else times.TIMESTAMP, plain),
    (date, _always("date"), plain),
    (time, lambda it: times.TIMETZ if _is_aware(it) else times.TIME, _time_text),
    (timedelta, _always("interval"), interval_text),
    (UUID, _always("uuid"), str),
    ((bytes, bytearray, memoryview), _always("bytea"), plain),
    ((IPv4Address, IPv6Address), _always("inet"), str),
    ((IPv4Network, IPv6Network), _always("cidr"), str),
)
"""Python types, what they are in PostgreSQL, and how it would print them."""

_KEYS = "in a spec the keys are texts; return a list, or keys that differ as texts"
