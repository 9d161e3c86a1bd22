"""Python values as plain data, for `save` and for templates."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pydantic
import pytest

from harness.matching.plaindata import plain_data

ID = UUID("7f6f0f5e-0000-4000-8000-000000000001")


class Color(Enum):
    RED = "red"
    PAIR = (1, ID)


class Model(pydantic.BaseModel):
    id: UUID
    price: Decimal
    parent: Model | None = None

    @pydantic.computed_field  # type: ignore[prop-decorator]  # as pydantic documents
    @property
    def double(self) -> Decimal:
        return self.price * 2


class Words(pydantic.RootModel[dict[str, Color]]):
    """A mapping, as pydantic wraps it."""


@dataclasses.dataclass
class Data:
    id: int
    more: Any = None


@attrs.define
class Attributed:
    id: int
    more: Any = None


class Named(NamedTuple):
    id: int
    day: date


class Broken:
    def __init__(self) -> None:
        self.id, self._hidden = 1, 2


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (1.5, 1.5),
        ("a", "a"),
        (Decimal("1.10"), Decimal("1.10")),
        (ID, str(ID)),
        (datetime(2026, 1, 1, 10, tzinfo=UTC), "2026-01-01T10:00:00+00:00"),
        (date(2026, 1, 1), "2026-01-01"),
        (time(10, 30), "10:30:00"),
        (timedelta(days=1, hours=2), "1 day 02:00:00"),
        (timedelta(seconds=-5), "-00:00:05"),
        (-timedelta(days=1, microseconds=1), "-1 days -00:00:00.000001"),
        (timedelta(), "00:00:00"),
        (timedelta(days=2), "2 days"),
        (b"ab", "\\x6162"),
        (Color.RED, "red"),
        (Color.PAIR, [1, str(ID)]),
        ([ID, {"a": Color.RED}], [str(ID), {"a": "red"}]),
        ((1, 2), [1, 2]),
        (deque([1]), [1]),
        ({"b", "a", "c"}, ["a", "b", "c"]),
        ({1: "a", Color.RED: "b", (1, 2): "c"}, {"1": "a", "red": "b"}),
        (Words({"a": Color.RED}), {"a": "red"}),
        (Named(1, date(2026, 1, 1)), {"id": 1, "day": "2026-01-01"}),
        (Data(1, [Data(2)]), {"id": 1, "more": [{"id": 2, "more": None}]}),
        (Attributed(1, {"a": ID}), {"id": 1, "more": {"a": str(ID)}}),
        (SimpleNamespace(id=1, _b=2), {"id": 1}),
        (Broken(), {"id": 1}),
        (object(), None),
        (len, None),
        (Data, None),
        ([1, len, 2], [1, None, 2]),
        ({"a": len, "b": 1}, {"b": 1}),
        (Data(1, len), {"id": 1}),
    ],
)  # fmt: skip
def test_plain(value: Any, plain: Any) -> None:
    found = plain_data(value)

    assert found == plain
    assert type(found) is type(plain)


def test_numbers_keep_their_kind() -> None:
    found = plain_data([Decimal("5"), 5, 5.0, True, math.inf])

    assert [type(each) for each in found] == [Decimal, int, float, bool, float]


def test_pydantic() -> None:
    inner = Model(id=ID, price=Decimal("1.10"))

    assert plain_data(Model(id=ID, price=Decimal(2), parent=inner)) == {
        "id": str(ID),
        "price": Decimal(2),
        "double": Decimal(4),
        "parent": {
            "id": str(ID),
            "price": Decimal("1.10"),
            "double": Decimal("2.20"),
            "parent": None,
        },
    }


def test_what_holds_itself_is_cut() -> None:
    parent = Data(1)
    parent.more = [Data(2, parent), Data(3)]
    ring: list[Any] = [1]
    ring.append(ring)

    assert plain_data(parent) == {"id": 1, "more": [{"id": 2}, {"id": 3, "more": None}]}
    assert plain_data(ring) == [1, None]


def test_what_is_only_there_twice_is_not() -> None:
    shared = Data(2)

    assert plain_data([shared, shared]) == [{"id": 2, "more": None}] * 2


def test_an_iterator_is_not_used_up() -> None:
    numbers = iter([1, 2])

    assert plain_data({"a": numbers, "b": 1}) == {"b": 1}
    assert list(numbers) == [1, 2]


def test_what_is_nested_too_deeply_is_nothing() -> None:
    value: Any = 1
    for _ in range(5_000):
        value = [value]

    assert plain_data(value) is None
