"""What a call returned against what a spec expects of it: Python's own values, and objects."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import OrderedDict, deque, namedtuple
from collections.abc import Awaitable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import ip_address
from pathlib import PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pydantic
import pytest

from harness.matching import Marks
from harness.matching.calls import judge_result
from harness.matching.objects import of_python
from harness.matching.values import Fields
from harness.results import Mismatch

from .recorded import comparison, expectation

PATH = ("operations", 0, "expect", "result")
ID = UUID("7f6f0f5e-0000-4000-8000-000000000001")
EAST = timezone(timedelta(hours=2))


class Status(StrEnum):
    NEW = "new"


class Level(IntEnum):
    HIGH = 3


class Pair(Enum):
    ONE = (1, "a")


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    id: int
    title: str
    status: Status = Status.NEW

    @pydantic.computed_field  # type: ignore[prop-decorator]  # as pydantic documents
    @property
    def loud(self) -> str:
        return self.title.upper()

    def close(self) -> None:
        """Stay a method."""


class Numbers(pydantic.RootModel[list[int]]):
    """A list, as pydantic wraps it."""


@dataclasses.dataclass
class Data:
    id: int
    title: str
    parent: Any = None

    @property
    def broken(self) -> str:
        raise ValueError("no use")

    @property
    def lacking(self) -> Any:
        return self.gone  # type: ignore[attr-defined]  # the point


@dataclasses.dataclass(slots=True)
class Slotted:
    id: int
    title: str


@attrs.define
class Attributed:
    id: int
    title: str
    parent: Any = None


class Named(NamedTuple):
    id: int
    title: str

    @property
    def loud(self) -> str:
        return self.title.upper()


class Plain:
    def __init__(self) -> None:
        self.id, self.title, self._hidden = 1, "t", 2


class interval:  # noqa: N801 - a class may have the name of a type
    pass


Untyped = namedtuple("Untyped", ["id", "title"])

OBJECTS: list[Any] = [
    Model(id=1, title="t"),
    Data(1, "t"),
    Slotted(1, "t"),
    Attributed(1, "t"),
    Named(1, "t"),
    Untyped(1, "t"),
    Plain(),
    SimpleNamespace(id=1, title="t"),
]


def judge(expected: Any, value: Any) -> tuple[Mismatch, ...]:
    return judge_result(expectation(expected), value, PATH, comparison())


def only(expected: Any, value: Any) -> Mismatch:
    (mismatch,) = judge(expected, value)
    return mismatch


def generated() -> Iterator[int]:
    yield 1


async def awaited() -> int:
    return 1


# Each scalar with expectations that hold, and with such that do not.
SCALARS: list[tuple[Any, list[Any], list[Any]]] = [
    (None, [None, {"$null": True}, {"$any": True}], ["", 0, False, "null", {"$not": 1}, []]),
    (True, [True, {"$type": "bool"}], [1, "true", "t", False, None, {"$type": "int"}]),
    (False, [False], [0, "", None, True]),
    (1, [1, Decimal("1.0"), {"$type": "int"}, {"$gt": 0}], [True, "1", 2, [1], {"$type": "float"}]),
    (1.5, [Decimal("1.5"), {"$type": "float"}, {"$approx": 1.5}], ["1.5", 1, {"$type": "int"}]),
    (0.1 + 0.2, [{"$approx": Decimal("0.3")}], [Decimal("0.3")]),
    (Decimal("1.10"), [Decimal("1.1"), 1.1, {"$lt": 2}], ["1.10", 1, Decimal("1.11")]),
    (10**4000, [10**4000], [10**4000 + 1]),
    ("a", ["a", {"$type": "text"}, {"$len": 1}, {"$regex": "^a$"}], ["A", "a ", None, ["a"], {}]),
    ("1", ["1"], [1, True, {"$gt": 0}]),
    ("", [""], [None, {"$null": True}]),
    (Status.NEW, ["new", {"$type": "text"}], ["NEW", "Status.NEW"]),
    (Level.HIGH, [3, {"$type": "int"}], ["HIGH", "3", 4]),
    (Pair.ONE, [[1, "a"]], ["ONE", [1]]),
    (ID, [str(ID), str(ID).upper(), {"$type": "uuid"}, {"$in": [str(ID)]}],
     ["7f6f0f5e-0000-4000-8000-000000000002", "x", None, 5, {"$type": "text"}]),
    (str(ID), [str(ID), {"$type": "uuid"}, {"$type": "text"}], [str(ID).upper()]),
    (datetime(2026, 1, 1, 10, tzinfo=UTC),
     ["2026-01-01T10:00:00+00:00", "2026-01-01 12:00:00+02", "2026-01-01T10:00:00Z",
      {"$now": 1}, {"$type": "timestamptz"}, {"$lt": "2026-01-02"}],
     ["2026-01-01T11:00:00+00:00", "2026-01-01", {"$type": "timestamp"}, {"$now": 0}, 2026]),
    (datetime(2026, 1, 1, 12, tzinfo=EAST), ["2026-01-01T10:00:00+00:00"], ["2026-01-01T12:00Z"]),
    (datetime(2026, 1, 1, 10), ["2026-01-01T10:00:00", {"$type": "timestamp"}],
     ["2026-01-01T10:00:01", {"$type": "timestamptz"}]),
    (date(2026, 1, 1), ["2026-01-01", {"$type": "date"}],
     ["2026-01-02", "2026-01-01T10:00:00", {"$type": "timestamp"}, {"$now": 100_000}]),
    (time(10, 30), ["10:30", "10:30:00", {"$type": "time"}], ["10:31", "10:30:00+02"]),
    (time(10, tzinfo=EAST), ["10:00:00+02", "10:00+02"], ["10:00:00", "08:00+00"]),
    (timedelta(days=1), ["1 day", "24:00:00", {"$type": "interval"}], ["7 days", {"$type": "text"}]),
    (timedelta(hours=24), ["1 day", "24:00:00"], ["7 days", 1]),
    (b"ab", ["\\x6162", "ab", {"$len": 2}, {"$type": "bytes"}], ["\\x6163", "b'ab'"]),
    (bytearray(b"ab"), ["\\x6162"], ["\\x61"]),
    (ip_address("10.0.0.1"), ["10.0.0.1", "10.0.0.1/32", {"$type": "inet"}], ["10.0.0.2"]),
    (PurePosixPath("a/b"), ["a/b"], ["a"]),
    (pydantic.HttpUrl("https://a.org/x"), ["https://a.org/x"], ["https://a.org"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"), [(value, each) for value, right, _ in SCALARS for each in right]
)
def test_scalars_that_match(value: Any, expected: Any) -> None:
    assert judge(expected, value) == ()


@pytest.mark.parametrize(
    ("value", "expected"), [(value, each) for value, _, wrong in SCALARS for each in wrong]
)
def test_scalars_that_do_not(value: Any, expected: Any) -> None:
    mismatch = only(expected, value)

    assert mismatch.path[: len(PATH)] == PATH
    assert mismatch.reason.startswith("result: ")
    assert len(mismatch.reason) < 500


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
class TestObjects:
    def test_an_object_by_the_fields_named(self, value: Any) -> None:
        assert judge({"id": 1, "title": "t"}, value) == ()
        assert judge({"title": {"$regex": "^t"}}, value) == ()
        assert judge({"id": {"$type": "int"}}, value) == ()
        assert judge({"$partial": {"id": 1}}, value) == ()
        assert judge([{"id": 1}], [value]) == ()
        assert judge({"found": {"id": 1}}, {"found": value}) == ()
        assert judge({"$unordered": [{"id": 1}, {"id": 2}]}, [Data(2, "u"), value]) == ()
        assert judge({"$unordered": [{"a": {"id": 1}}, 5]}, [5, {"a": value}]) == ()
        assert judge({"$each": {"id": 1}}, [value, value]) == ()
        assert judge({"$contains": [{"title": "t"}]}, [None, value]) == ()

    @pytest.mark.parametrize(
        "expected",
        [
            {"id": 2},
            {"id": True},
            {"id": 1, "title": "T"},
            {"id": 1, "gone": None},
            {"id": 1, "gone": {"$any": True}},
            {"id": 1, "gone": {"$not": 5}},
            {"id": {"$absent": True}},
            {"id": 1, "gone": {"$absent": True}},  # of keys alone
            {"titel": "t"},
            {},
            [],
            None,
            1,
            "t",
            {"$not": {"id": 1}},
            {"$not": {"gone": 1}},
            {"$len": {"$gt": 2}},
            {"$type": "json"},
            {"$type": "text"},
            {"$unordered": [1, "u"]},
        ],
        ids=repr,
    )
    def test_an_object_that_is_another(self, value: Any, expected: Any) -> None:
        assert judge(expected, value) != ()
        assert judge([expected], [value]) != ()
        assert judge({"$unordered": [expected]}, [value]) != ()
        assert judge({"$unordered": [expected, {"id": 1}]}, [value, value]) != ()

    def test_a_mistyped_attribute(self, value: Any) -> None:
        mismatch = only({"titel": "t"}, value)

        assert mismatch.reason == "result: there is no attribute titel"
        assert mismatch.hint == "did you mean 'title'?"

    def test_what_is_there_is_shown(self, value: Any) -> None:
        mismatch = only({"id": 2}, value)

        assert mismatch.reason == "result: id: 2 expected, 1 found"
        assert mismatch.path == (*PATH, "id")
        assert mismatch.expected == "{id: 2}"
        assert (mismatch.actual or "").startswith(
            f"<{type(value).__name__} object {{id: 1, title: t"
        )

    def test_objects_that_are_the_same(self, value: Any) -> None:
        spec = comparison(marks=Marks())
        one = expectation({"a": {"$same": "it"}, "b": {"$same": "it"}})

        assert judge_result(one, {"a": value, "b": value}, PATH, spec) == ()
        assert judge_result(one, {"a": value, "b": Data(2, "t")}, PATH, spec) != ()

    def test_an_object_in_a_mapping_that_lacks_a_key(self, value: Any) -> None:
        assert judge({"a": {"id": 1}}, {"a": value, "b": 2}) != ()
        assert judge({"a": {"id": 1}, "b": 2}, {"a": value}) != ()


LISTS: list[tuple[Any, list[Any], list[Any]]] = [
    ([1, 2], [[1, 2], {"$unordered": [2, 1]}, {"$len": 2}, {"$contains": 1}, {"$type": "array"}],
     [[2, 1], [1], [1, 2, 3], [1, 1], {"0": 1}, "12", None, {"$unordered": [1, 1]}]),
    ((1, 2), [[1, 2]], [[2, 1]]),
    (deque([1, 2]), [[1, 2]], [[2, 1]]),
    (range(2), [[0, 1]], [[0, 1, 2]]),
    ({"a": 1}.values(), [[1]], [[2], [1, 2]]),
    (Numbers([1, 2]), [[1, 2]], [[2, 1], {"root": [1, 2]}]),
    ([], [[], {"$len": 0}], [None, [None], {}, {"$each": 1}]),
    ([[ID], [None]], [[[str(ID)], [None]], {"$unordered": [[None], [str(ID)]]}], [[[None], [str(ID)]]]),
    ([{"a": ID}], [[{"a": str(ID)}], {"$unordered": [{"a": str(ID)}]}], [[{"a": None}], [{}]]),
    ({"a": 1}, [{"a": 1}, {"$partial": {"a": 1}}, {"$contains": "a"}, {"$len": 1}, {"$type": "json"}],
     [{}, {"a": 1, "b": 2}, {"a": 2}, {"b": 1}, [1], None, {"$partial": {"b": 1}}]),
    ({"a": 1, "b": 2}, [{"b": 2, "a": 1}, {"$partial": {"a": 1}}], [{"a": 1}, {"$not": {"a": 1, "b": 2}}]),
    (OrderedDict(a=1), [{"a": 1}], [{"a": 2}]),
    (MappingProxyType({"a": 1}), [{"a": 1}], [{"a": 1, "b": 1}]),
    ({}, [{}, {"$len": 0}], [None, [], {"a": {"$any": True}}]),
    ({1: "a", Status.NEW: "b", ID: "c", None: "d"},
     [{"1": "a", "new": "b", str(ID): "c", "null": "d"}], [{"1": "a"}]),
    ({True: "a"}, [{"true": "a"}], [{"1": "a"}, {"True": "a"}]),
    (Named(1, "t"), [[1, "t"], {"loud": "T"}, {"$len": 2}, {"$partial": [1, "t"]}],
     [[1], ["t", 1], [1, "t", 2], {"loud": "t"}, {"count": {"$any": True}}]),
    ([Named(1, "t"), Named(2, "u")],
     [[[1, "t"], {"id": 2}], {"$unordered": [[2, "u"], [1, "t"]]}, {"$contains": [[2, {"$any": True}]]}],
     [{"$unordered": [[2, "u"], [2, "u"]]}, {"$unordered": [[1, "u"], [2, "t"]]},
      {"$unordered": [[1, "t"], [2, "u"], [3, "v"]]}, {"$unordered": [[1], [2]]}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"), [(value, each) for value, right, _ in LISTS for each in right]
)
def test_lists_and_mappings_that_match(value: Any, expected: Any) -> None:
    assert judge(expected, value) == ()


@pytest.mark.parametrize(
    ("value", "expected"), [(value, each) for value, _, wrong in LISTS for each in wrong]
)
def test_lists_and_mappings_that_do_not(value: Any, expected: Any) -> None:
    assert judge(expected, value) != ()


@pytest.mark.parametrize("value", [{3, 1, 2}, frozenset((1, 2, 3)), {1: "", 2: "", 3: ""}.keys()])
def test_a_set_has_no_order(value: Any) -> None:
    assert judge({"$unordered": [3, 2, 1]}, value) == ()
    assert judge({"$len": 3}, value) == ()
    assert judge({"$contains": [1, 3]}, value) == ()
    assert judge({"$each": {"$gt": 0}}, value) == ()
    assert judge({"$unordered": [{"$unordered": [1, 2, 3]}, 5]}, [5, value]) == ()
    assert judge({"$unordered": [1, 2]}, value) != ()
    assert judge({"$unordered": [1, 2, 4]}, value) != ()
    for wrong in (
        [1, 2, 3],
        [3, 1, 2],
        {"$not": [3, 2, 1]},
        {"$partial": [1, 2, 3]},
        {"$in": [[1, 2, 3]]},
    ):
        assert only(wrong, value).hint == "write {$unordered: [...]}"
        assert judge({"$unordered": [wrong]}, [value]) != ()


def test_an_empty_set_is_no_list_either() -> None:
    assert judge([], set()) != ()
    assert judge({"$unordered": []}, set()) == ()


def test_sets_are_the_same_in_any_order() -> None:
    same = {"a": {"$same": "it"}, "b": {"$same": "it"}}

    assert judge(same, {"a": {"x", "y"}, "b": {"y", "x"}}) == ()
    assert judge(same, {"a": {"x", "y"}, "b": {"y", "z"}}) != ()
    assert judge(same, {"a": {"x", "y"}, "b": ["x", "y"]}) != ()


ANYTHING: list[Any] = [
    {"$any": True},
    {"$null": False},
    {"$not": 5},
    {"$one_of": [None, {"$not": 3}]},
    None,
    [],
    [1],
    {"$len": 1},
    {"$same": "x"},
    {"$type": "array"},
]


@pytest.mark.parametrize("expected", ANYTHING, ids=repr)
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (generated, "a generator can be read only once"),
        (lambda: map(str, [1]), "a map can be read only once"),
        (lambda: iter([1]), "a list_iterator can be read only once"),
        (lambda: generated, "a function is no value"),
        (lambda: Data, "a type is no value"),
        (lambda: {(1, 2): 1}, "a mapping with a key of type tuple"),
        (lambda: {1: 1, "1": 1}, "a mapping with two keys that are both written '1'"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_what_cannot_be_judged_never_holds(make: Any, reason: str, expected: Any) -> None:
    mismatch = only(expected, make())

    assert reason in mismatch.reason
    assert mismatch.hint
    assert judge([expected], [make()]) != ()
    assert judge({"$unordered": [expected, 1]}, [1, make()]) != ()
    assert judge({"a": expected}, {"a": make()}) != ()
    assert judge({"a": expected}, SimpleNamespace(a=make())) != ()
    assert judge({"$unordered": [{"a": expected}] * 9}, [SimpleNamespace(a=make())] * 9) != ()


def test_enormous_numbers() -> None:
    assert judge(10**5000, 10**5000) == ()
    assert len(only(5, 10**5000).reason) < 500


def test_an_iterator_is_not_used_up() -> None:
    value = generated()
    judge([1], value)

    assert list(value) == [1]


def test_what_nobody_has_awaited() -> None:
    value: Awaitable[int] = awaited()
    assert "nobody has awaited" in only({"$any": True}, value).reason
    asyncio.run(_finished(value))


async def _finished(value: Awaitable[int]) -> None:
    assert await value == 1


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ({"broken": {"$any": True}}, "broken: Data.broken cannot be read: ValueError: no use"),
        ({"broken": {"$absent": True}}, "broken: Data.broken cannot be read: ValueError: no use"),
        ({"broken": {"$not": 1}}, "broken: Data.broken cannot be read: ValueError: no use"),
        ({"lacking": {"$absent": True}}, "lacking: Data.lacking cannot be read: AttributeError: "),
        ({"__init__": {"$any": True}}, "__init__: Data.__init__ is a method"),
    ],
)
def test_attributes_that_cannot_be_read(expected: Any, reason: str) -> None:
    for value, wanted in ((Data(1, "t"), expected), ([Data(1, "t")], [expected])):
        assert reason in only(wanted, value).reason
    assert judge({"$unordered": [expected] * 9}, [Data(1, "t")] * 9) != ()


def test_properties_and_fields_of_pydantic() -> None:
    value = Model.model_validate({"id": 1, "title": "t", "more": [1]})

    assert judge({"loud": "T", "status": "new", "more": [1]}, value) == ()
    assert judge({"close": {"$any": True}}, value) != ()
    assert judge({"model_dump": {"$any": True}}, value) != ()
    assert judge({"more": [1, 2]}, value) != ()


def test_a_class_with_the_name_of_a_type() -> None:
    for kind in ("interval", "json", "text"):
        assert judge({"$type": kind}, interval()) != ()


def test_an_attribute_is_read_once() -> None:
    class Counting:
        reads = 0

        @property
        def next(self) -> int:
            Counting.reads += 1
            return Counting.reads

    assert judge({"next": {"$all": [1, {"$type": "int"}, {"$in": [1]}]}}, Counting()) == ()
    assert Counting.reads == 1
    value = of_python(Counting())
    assert isinstance(value, Fields)
    assert value.fields["next"] is value.fields["next"]


def test_an_attribute_that_asks_for_itself() -> None:
    class Looping:
        @property
        def loop(self) -> Any:
            return self.loop

    for expected in ({"$any": True}, {"$absent": True}, {"$not": 1}):
        assert "nested too deeply" in only({"loop": expected}, Looping()).reason


def test_objects_that_only_a_property_tells_apart() -> None:
    class Ranked:
        def __init__(self, rank: int) -> None:
            self.id, self._rank = 1, rank

        @property
        def rank(self) -> int:
            return self._rank

    twice = {"$contains": [{"rank": {"$same": "it"}}, {"rank": {"$same": "it"}}]}
    assert judge(twice, [Ranked(1), Ranked(2), Ranked(2)]) == ()
    assert judge(twice, [Ranked(1), Ranked(2), Ranked(3)]) != ()


def test_objects_that_hold_themselves() -> None:
    child = Data(2, "child")
    value = Attributed(1, "t", [child])
    child.parent = value

    assert judge({"parent": [{"parent": {"id": 1, "parent": [{"id": 2}]}}]}, value) == ()
    mismatch = only({"parent": [{"parent": {"id": 3}}]}, value)
    assert mismatch.path == (*PATH, "parent", 0, "parent", "id")
    assert mismatch.actual == "<Attributed object {id: 1, title: t, parent: [<Data object>]}>"
    assert judge({"parent": {"$same": "x"}, "title": {"$same": "x"}}, value) != ()
    assert judge({"$unordered": [{"$same": "x"}, {"$same": "x"}]}, [value, Data(1, "t")]) != ()


def test_lists_that_hold_themselves() -> None:
    value: list[Any] = [1]
    value.append(value)

    assert "nested too deeply" in only([1, {"$any": True}], value).reason


def test_the_place_is_as_deep_as_the_expectation_goes() -> None:
    value = {"items": [{"price": 1, "tags": ["a"]}, {"price": 2, "tags": []}], "n": 1}

    def place(expected: Any) -> tuple[str | int, ...]:
        return only(expected, value).path[len(PATH) :]

    items: list[Any] = [{"price": 1, "tags": ["a"]}, {"price": 2, "tags": []}]
    assert place({"items": items, "n": 2}) == ("n",)
    assert place({"items": [items[0], items[1] | {"price": 3}], "n": 1}) == ("items", 1, "price")
    assert place({"items": [items[0], {"price": 3, "tags": [1]}], "n": 1}) == ("items", 1)
    assert place({"items": [items[0], {"price": 3, "tags": []}], "n": 2}) == ()
    assert place({"items": [items[0]], "n": 1}) == ("items",)
    assert place({"items": {"$each": {"$partial": {"price": 1}}}, "n": 1}) == ("items",)
    assert place({"items": items}) == ()
