"""What functions may return: every kind of value, and of object."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import attrs
from pydantic import BaseModel, Field


class Mood(Enum):
    CALM = "calm"
    CROSS = "cross"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Tag(BaseModel):
    name: str
    level: Level = Level.LOW


class Model(BaseModel):
    id: int
    name: str
    mood: Mood
    tag: Tag
    extra: dict[str, Any] = Field(default_factory=dict)


@dataclass
class Data:
    id: int
    name: str
    mood: Mood
    tag: Tag
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.id}: {self.name}"


@attrs.frozen
class Attributes:
    id: int
    name: str
    mood: Mood
    tag: Tag
    extra: dict[str, Any]


class Named(NamedTuple):
    id: int
    name: str
    mood: Mood
    tag: Tag
    extra: dict[str, Any]


Untyped = namedtuple("Untyped", "id name mood tag extra")

KINDS: dict[str, Any] = {
    "pydantic": Model,
    "dataclass": Data,
    "attrs": Attributes,
    "named tuple": Named,
    "namedtuple": Untyped,
    "namespace": SimpleNamespace,
    "mapping": dict,
}
_SCALARS: dict[str, Any] = {
    "none": None,
    "empty": "",
    "text": "Ann",
    "int": 7,
    "float": 0.5,
    "bool": True,
    "decimal": Decimal("2.50"),
    "uuid": UUID("00000000-0000-4000-8000-000000000001"),
    "date": dt.date(2026, 1, 31),
    "naive": dt.datetime(2026, 1, 31, 12),
    "aware": dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
    "time": dt.time(12, 30),
    "interval": dt.timedelta(days=1, hours=2),
    "bytes": b"\x00\xff",
    "member": Mood.CALM,
    "number": Level.HIGH,
    "set": {"b", "a"},
    "tuple": (1, "a"),
}


def something(kind: str) -> Any:
    """An object of that kind; all have the same fields."""
    tag = Tag(name="new")
    return KINDS[kind](id=1, name="Ann", mood=Mood.CALM, tag=tag, extra={"a": [1, 2], "b": None})


def scalar(kind: str) -> Any:
    return _SCALARS[kind]


async def scalar_later(kind: str) -> Any:
    await asyncio.sleep(0)
    return _SCALARS[kind]


def echo(value: Any) -> Any:
    return value


def echo_all(*values: Any, **named: Any) -> dict[str, Any]:
    return {"values": values, "named": named}


def numbers(up_to: int) -> Iterator[int]:
    """A generator, which is read to its end."""
    yield from range(up_to)


def numbers_unread() -> list[Any]:
    """Holds something that can be read only once."""
    return [iter([1, 2])]


def converted(
    key: UUID, day: dt.date, price: Decimal, *, mood: Mood, tag: Tag, rate: float = 0.5
) -> dict[str, str]:
    """The types of what came."""
    given = {"key": key, "day": day, "price": price, "mood": mood, "tag": tag, "rate": rate}
    return {name: type(value).__name__ for name, value in given.items()}


def positional(first: int, second: int = 2, /, third: int = 3, *, fourth: int = 4) -> list[int]:
    return [first, second, third, fourth]
