"""Lists and mappings that differ inside: every part by its path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.results import Column, Mismatch, ResultSet

from .recorded import result_set, sql


def value(expected: Any, found: Any) -> Mismatch:
    """The mismatch of one json value."""
    result = ResultSet((Column("data", "jsonb"),), ((json.dumps(found),),))
    (mismatch,) = sql({"value": expected}, result)
    return mismatch


def told(mismatch: Mismatch) -> list[str]:
    return [f"{each.path}: {each.reason}" for each in mismatch.differences]


@pytest.mark.parametrize(
    ("expected", "found", "parts"),
    [
        ({"a": 1}, {"a": 2}, ["a: 1 expected, 2 found"]),
        (
            {"a": {"b": [1, 2]}, "c": 3},
            {"a": {"b": [1, 3]}, "c": 4},
            ["a.b[1]: 2 expected, 3 found", "c: 3 expected, 4 found"],
        ),
        (
            {"x": {"a": 1, "gone": 2}},
            {"x": {"a": 2, "new": 1, "newer": 1}},
            [
                "x.a: 1 expected, 2 found",
                "x: there is no key gone",
                "x: unexpected key new",
                "x: unexpected key newer",
            ],
        ),
        ([1, 2, 3], [1, 3], ["[1]: 2 expected, nothing found"]),
        ([1, 3], [1, 2, 3], ["[1]: nothing expected, 2 found"]),
        ([1, 2, 9], [0, 2], ["[0]: 1 expected, 0 found", "[2]: 9 expected, nothing found"]),
        ([{"a": 1}, 2], [{"a": 5}, 3, 4], ["[0].a: 1 expected, 5 found", "[1]: 2 expected, 3 found", "[2]: nothing expected, 4 found"]),
        ([], [1, 2], ["[0]: nothing expected, 1 found", "[1]: nothing expected, 2 found"]),
        (
            {"$partial": {"a": 1, "b": {"c": 2}}},
            {"a": 2, "b": {"c": 3, "d": 4}},
            ["a: 1 expected, 2 found", "b.c: 2 expected, 3 found"],
        ),
        ({"a": {"$gt": 3}, "b": 1}, {"a": 2, "b": 2}, ["a: > 3 expected, 2 found", "b: 1 expected, 2 found"]),
        ({"a": [1]}, {"a": None}, ["a: [1] expected, null found"]),
        ([1], {"a": 1}, []),
        (1, 2, []),
    ],
)  # fmt: skip
def test_parts(expected: Any, found: Any, parts: list[str]) -> None:
    assert told(value(expected, found)) == parts


def test_the_reason_tells_the_first_part_and_how_many_more() -> None:
    assert value([1, 2, 3], [1, 5, 6]).reason == (
        "value: [1]: 2 expected, 5 found, and 1 more part differs"
    )
    assert value([1, 2], [1, 5]).reason == "value: [1]: 2 expected, 5 found"
    assert value(list(range(5)), [9] * 5).reason.endswith(", and 4 more parts differ")


def test_a_long_list_is_not_compared_element_by_element() -> None:
    mismatch = value([0] * 2000, [1] * 1999)
    assert mismatch.differences == ()
    assert mismatch.reason.startswith("value: 2000 elements expected, 1999 found: ")


def test_no_more_than_anyone_could_read() -> None:
    assert len(value([0] * 500, [1] * 500).differences) == 100


def test_parts_of_rows() -> None:
    result = result_set(
        {"id": "integer", "data": "jsonb", "tags": "text[]", "other": "text"},
        ("1", '{"a": 1}', "{x,y}", "p"),
        ("2", '{"a": 1, "b": 2}', "{x,y}", "q"),
    )
    expected = [
        {"id": 1, "data": {"a": 1}},
        {"id": 3, "data": {"a": 3, "b": 3}, "tags": ["x", "z"]},
    ]
    (mismatch,) = sql({"rows": expected}, result)
    assert told(mismatch) == [
        "row 2: data.a: 3 expected, 1 found",
        "row 2: data.b: 3 expected, 2 found",
        "row 2: tags[1]: z expected, y found",
    ]
    assert mismatch.table is not None
    assert mismatch.table.columns == ("id", "data", "tags", "other")
    assert mismatch.table.unnamed == 1
    assert [[cell.parts for cell in row.cells] for row in mismatch.table.rows] == [
        [0, 0, 0, 0],
        [0, 2, 1, 0],
    ]
    assert [row.cells[3].actual for row in mismatch.table.rows] == ["p", "q"]


def test_values_are_kept_whole() -> None:
    long = "x" * 5000
    mismatch = value({"a": f"{long}1", "b": 1}, {"a": f"{long}2", "b": 2})
    part = mismatch.differences[0]
    assert (part.expected, part.actual) == (f"{long}1", f"{long}2")
    assert len(part.reason) < 300
    enormous = "x" * 1_000_000
    assert len(value(enormous, "y").expected or "") <= 100_002
