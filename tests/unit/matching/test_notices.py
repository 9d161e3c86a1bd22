"""Notices against those expected: none more, none less, in order."""

from __future__ import annotations

from typing import Any

import pytest

from harness.matching.notices import judge_notices
from harness.results import Mismatch

from .recorded import comparison, expectation


def judge(expected: list[Any], *messages: str) -> tuple[Mismatch, ...]:
    items = [expectation(item) for item in expected]
    return judge_notices(items, messages, ("notices",), comparison())


def only(mismatches: tuple[Mismatch, ...]) -> Mismatch:
    assert len(mismatches) == 1, mismatches
    return mismatches[0]


@pytest.mark.parametrize(
    ("expected", "messages"),
    [
        ([], ()),
        (["a"], ("a",)),
        (["a", "b"], ("a", "b")),
        (["a", "a"], ("a", "a")),
        ([{"$regex": "^table .* does not exist"}, {"$any": True}], ("table t does not exist", "")),
        ([{"$contains": "skip"}], ("relation exists, skipping",)),
        (["5"], ("5",)),
    ],
)
def test_as_expected(expected: list[Any], messages: tuple[str, ...]) -> None:
    assert judge(expected, *messages) == ()


@pytest.mark.parametrize(
    ("expected", "messages", "place", "reason"),
    [
        (["a"], (), (0,), "1 notice expected, none raised"),
        (["a", "b"], (), (), "2 notices expected, none raised"),
        ([], ("a",), (), "no notices expected, 1 raised"),
        (["a"], ("a", "a"), (), "1 notice expected, 2 raised"),
        (["a", "b"], ("b",), (0,), "2 notices expected, 1 raised"),
        ([{"$any": True}], ("a", "b"), (), "1 notice expected, 2 raised"),
        (["a", "b"], ("a", "c"), (1,), "notice 2: b expected, c found"),
        (["a"], ("A",), (0,), "notice 1: a expected, A found"),
        (["a"], ("a ",), (0,), "notice 1: a expected, 'a ' found"),
        (["a", "b", "c"], ("x", "b", "y"), (), "notice 1: a expected, x found; notice 3: c expected, y found"),
        (["a", "b"], ("b", "a"), (), "the notices come in another order"),
        ([{"$absent": True}], ("a",), (0,), "notice 1: it should be absent, a found"),
        ([None], ("",), (0,), "notice 1: null expected, '' found"),
    ],
)  # fmt: skip
def test_not_as_expected(
    expected: list[Any], messages: tuple[str, ...], place: tuple[int, ...], reason: str
) -> None:
    mismatch = only(judge(expected, *messages))
    assert mismatch.reason == reason
    assert mismatch.path == ("notices", *place)


@pytest.mark.parametrize("item", [["a"], {"message": "a"}, {}, 5, True, {"$null": True}])
def test_what_is_no_text_never_holds(item: Any) -> None:
    assert judge([item], "a") != ()


def test_all_that_was_seen_is_shown() -> None:
    mismatch = only(judge(["b", {"$contains": "x"}], "a", "b", "c: d"))
    assert mismatch.expected == "[b, {$contains: x}]"
    assert mismatch.actual == "[a, b, 'c: d']"
    assert mismatch.table is not None
    assert mismatch.table.columns == ("message",)
    assert [row.mark for row in mismatch.table.rows] == ["differs", "differs", "unexpected"]


def test_a_matcher_that_makes_no_sense_says_what_to_do() -> None:
    mismatch = only(judge([{"$type": "itn"}], "a"))
    assert mismatch.hint == "did you mean 'int'?"
