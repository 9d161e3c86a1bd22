"""Every matcher: what it holds for and what not, and what `$not` must not make of a mistake."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from harness.matching.operators import OPERATORS
from harness.matching.values import value_of
from harness.spec.matchers import Approximation, Matcher

from .recorded import TS, TSTZ, Recorded, comparison, expectation, failure, holds

UUID_TEXT = "7f6f0f5e-0000-4000-8000-000000000001"
INT, TEXT, JSON = "integer", "text", "jsonb"

Example = tuple[Any, str | None, str]

HOLDS: dict[str, list[Example]] = {
    "$any": [(True, None, INT), (True, "5", INT), (True, "{}", JSON)],
    "$null": [(True, None, INT), (True, "null", JSON), (False, "5", INT), (False, "", TEXT)],
    "$absent": [],  # holds in mappings only, see below
    "$eq": [
        (5, "5", INT),
        ({"a": 1}, '{"a": 1}', JSON),
        ("24:00:00", "1 day", "interval"),
        (float("nan"), "NaN", "numeric"),
    ],
    "$ne": [
        (5, "6", INT),
        (Decimal("5.5"), "5", INT),
        ("a", "b", TEXT),
        ("happy", "ok", "mood"),
        ("abd", "abc", "citext"),
        ("1 week", "1 day", "interval"),
        (9, '"9"', JSON),
        ("9", "9", JSON),
        (float("nan"), "5", "numeric"),
    ],
    "$gt": [
        (4, "5", INT),
        (9, "10", "numeric"),
        (Decimal("0.1"), "0.10000000000000000001", "numeric"),
        ("2026-01-01 12:00+02", "2026-01-01 10:00:01+00", TSTZ),
        ("B", "a", TEXT),
        ("2026-01-01", "infinity", TSTZ),
        (10**30, "NaN", "numeric"),
        (float("inf"), "NaN", "double precision"),
    ],
    "$gte": [
        (5, "5", INT),
        ("2026-01-01", "2026-01-01", "date"),
        ("24:00:00", "1 day", "interval"),
        ("NaN", "NaN", "real"),
        (0, "NaN", "real"),
    ],
    "$lt": [
        (10, "9", INT),
        (10, "9", JSON),
        ("10", "9", INT),
        ("happy", "ok", "mood"),
        (float("nan"), "Infinity", "numeric"),
    ],
    "$lte": [
        (5, "5", INT),
        ("10:00", "09:59:59", "time without time zone"),
        ("24:00:00", "1 day", "interval"),
        ("ABC", "abc", "citext"),
        (float("nan"), "NaN", "double precision"),
        ("NaN", "-5", "numeric"),
    ],
    "$between": [
        ([1, 9], "1", INT),
        ([1, 9], "9", INT),
        ([1, 9], "5.5", "numeric"),
        ([5, float("nan")], "NaN", "numeric"),
    ],
    "$in": [
        ([1, 2], "2", INT),
        (["a", "b"], "a", TEXT),
        ([[1], [2]], "[2]", JSON),
        (["abd", "ABC"], "abc", "citext"),
        (["5", 5], "5", JSON),
    ],
    "$approx": [
        (3, "3.0000029", "numeric"),
        (0, "0.0000000000001", "numeric"),
        (Decimal("3.14"), "3.14", JSON),
        ({"value": 10, "abs": 1}, "9", INT),
        ({"value": 100, "rel": Decimal("0.1")}, "110", INT),
        ({"value": 100, "rel": Decimal("0.1"), "abs": 20}, "120", INT),
        (float("inf"), "Infinity", "real"),
    ],
    "$regex": [("b.d", "abcd", TEXT), ("^a", '"abc"', JSON), ("x$", "x", "citext")],
    "$type": [
        ("int", "5", "smallint"),
        ("int", "5", JSON),
        ("float", "5", "real"),
        ("float", "5.5", JSON),
        ("number", "5", "numeric"),
        ("number", "5.5", JSON),
        ("text", "x", "character varying"),
        ("text", "x", "citext"),
        ("text", "x", "public.citext"),
        ("text", '"x"', JSON),
        ("bool", "t", "boolean"),
        ("bool", "true", JSON),
        ("uuid", UUID_TEXT, "uuid"),
        ("uuid", f'"{UUID_TEXT}"', JSON),
        ("timestamp", "2026-01-01 10:00:00", "timestamp without time zone"),
        ("timestamp", '"2026-01-01T10:00:00"', JSON),
        ("timestamptz", "2026-01-01 10:00:00+00", TSTZ),
        ("timestamptz", '"2026-01-01T10:00:00Z"', JSON),
        ("date", "2026-01-01", "date"),
        ("date", '"2026-01-01"', JSON),
        ("time", "10:00:00", "time without time zone"),
        ("time", '"10:00"', JSON),
        ("interval", "1 day", "interval"),
        ("json", "{}", JSON),
        ("json", "5", "json"),
        ("array", "{}", "integer[]"),
        ("array", "[]", JSON),
        ("bytes", "\\x", "bytea"),
        ("null", None, INT),
        ("null", "null", JSON),
        ("int4", "5", INT),
        ("integer", "5", INT),
        ("varchar", "x", "character varying"),
        ("char", "x", "bpchar"),
        ("decimal", "5", "numeric"),
        ("int[]", "{}", "integer[]"),
        ("jsonb", "{}", JSON),
        ("mood", "ok", "mood"),
    ],
    "$len": [
        (3, "äöü", TEXT),
        (0, "", TEXT),
        (2, "ab   ", "bpchar"),
        (3, "abc", "public.citext"),
        (2, "\\xabcd", "bytea"),
        (0, "\\x", "bytea"),
        (2, "{1,NULL}", "integer[]"),
        (1, '{"a": [1, 2]}', JSON),
        ({"$gte": 1, "$lt": 3}, "[1, 2]", JSON),
    ],
    "$contains": [
        ("b", "abc", TEXT),
        (2, "{1,2}", "integer[]"),
        (None, "{1,NULL}", "integer[]"),
        ([2, 2], "{2,1,2}", "integer[]"),
        ([{"$gt": 1}, {"$any": True}], "{1,2}", "integer[]"),
        ({"a": 1}, '[{"a": 2}, {"a": 1}]', JSON),
        ([[1, 2]], "[[1, 2]]", JSON),
        ("a", '{"a": null}', JSON),
        (["a", "b"], '{"a": 1, "b": 2, "c": 3}', JSON),
        ({"a": {"$gt": 0}}, '{"a": 1, "b": 2}', JSON),
    ],
    "$unordered": [
        ([2, 1], "{1,2}", "integer[]"),
        ([], "[]", JSON),
        ([{"$gte": 1}, {"$gte": 3}, {"$gte": 2}], "[3, 2, 1]", JSON),
        ([[1, 2], "a"], '["a", [1, 2]]', JSON),
        (["24:00:00", "1 day"], '{"1 day","1 day"}', "interval[]"),
    ],
    "$each": [
        ("ABC", "{abc,ABC}", "citext[]"),
        ({"$gt": 0}, "{1,2}", "integer[]"),
        ({"a": 1}, '[{"a": 1}, {"a": 1}]', JSON),
    ],
    "$partial": [
        ({"a": 1}, '{"a": 1, "b": 2}', JSON),
        ({"a": {"b": 1}}, '{"a": {"b": 1, "c": 2}}', JSON),
        ({"a": [{"b": 1}, {"$any": True}]}, '{"a": [{"b": 1, "c": 2}, 5]}', JSON),
        ({"a": {"$unordered": [{"b": 2}, {"b": 1}]}}, '{"a": [{"b": 1, "c": 0}, {"b": 2}]}', JSON),
        ([{"a": 1}], '[{"a": 1, "b": 2}]', JSON),
        ({"a": 1, "z": {"$absent": True}}, '{"a": 1}', JSON),
    ],
    "$now": [
        (5, "2026-01-01 10:00:00.5+00", TSTZ),
        (5, "2026-01-01 10:00:05.5+00", TSTZ),
        (5, "2026-01-01 09:59:55.5+00", TSTZ),
        (0, "2026-01-01 15:30:00.5+05:30", TSTZ),
        (Decimal("0.499999"), "2026-01-01 10:00:00.000001+00", TSTZ),
        (5, "2026-01-01 12:00:00", TS),
        (5, '"2026-01-01T10:00:00Z"', JSON),
        (5, '"2026-01-01T12:00:00"', JSON),
        (10**12, "1926-01-01 10:00:00+00", TSTZ),
    ],
    "$same": [("x", "5", INT), ("x", "", TEXT), ("x", "[1]", JSON), ("x", "infinity", TSTZ)],
    "$not": [
        (5, "6", INT),
        (None, "6", INT),
        ({"$now": 5}, "2026-01-01 10:00:06+00", TSTZ),
        ({"$now": 5}, "20000-01-01 10:00:00+00", TSTZ),
        ({"$now": 5}, "0044-03-15 10:00:00+00 BC", TSTZ),
        ({"$gt": 5}, "5", INT),
        ({"$in": [1, 2]}, "3", INT),
        ({"$type": "text"}, "3", INT),
        ({"$regex": "x"}, "abc", TEXT),
        ({"$contains": 5}, "{1,2}", "integer[]"),
        ({"$len": 0}, "x", TEXT),
        ({"$partial": {"a": 1}}, '{"a": 2}', JSON),
        ({"$not": 5}, "5", INT),
        ("1 week", "1 day", "interval"),
        (9, '"9"', JSON),
        ("6", "5", JSON),
        (True, "1", JSON),
        ({"a": 1}, "[1]", JSON),
        ({"a": 1}, "5", JSON),
        ([1], '{"a": 1}', JSON),
        ([1], '"1"', JSON),
        (5, '{"a": 1}', JSON),
        ("x", "[1]", JSON),
        ({"$in": ["9", True]}, "9", JSON),
        ({"a": "1"}, '{"a": 1}', JSON),
    ],
    "$all": [([{"$gt": 1}, {"$lt": 9}], "5", INT)],
    "$one_of": [
        ([4, 5], "5", INT),
        ([None, {"$not": 3}], None, INT),
        ([None, {"$not": 3}], "4", INT),
        (["x", 5], "5", INT),
    ],
}

FAILS: dict[str, list[Example]] = {
    "$any": [],  # holds for whatever is there
    "$null": [(True, "", TEXT), (True, "0", INT), (False, None, INT), (False, "null", JSON)],
    "$absent": [(True, "5", INT), (True, None, INT), (True, "[]", JSON)],
    "$eq": [(5, "6", INT), (5, None, INT), (1, "t", "boolean"), ({}, '{"a": 1}', JSON)],
    "$ne": [
        (5, "5", INT),
        (5, None, INT),
        (Decimal("1.10"), "1.1", "numeric"),
        ("a", None, TEXT),
        ("24:00:00", "1 day", "interval"),
        ("ABC", "abc", "citext"),
        ("1 dog", "1 day", "interval"),
        (9, "null", JSON),
        (float("nan"), "NaN", "real"),
    ],
    "$gt": [
        (5, "5", INT),
        (10, "9", INT),
        (5, None, INT),
        ("ok", "ok", "mood"),
        ("happy", "ok", "mood"),
        ("24:00:00", "1 day", "interval"),
        (float("nan"), "NaN", "numeric"),
        (float("nan"), "Infinity", "real"),
    ],
    "$gte": [(6, "5", INT), (0, None, INT), (1, "null", JSON), (float("nan"), "5", "numeric")],
    "$lt": [
        (5, "5", INT),
        (9, "10", INT),
        (9, "10", JSON),
        (5, None, INT),
        ("ABC", "abc", "citext"),
        (5, "NaN", "numeric"),
        (float("nan"), "NaN", "real"),
    ],
    "$lte": [(4, "5", INT), (4, None, INT), (10**30, "NaN", "numeric")],
    "$between": [
        ([1, 9], "0", INT),
        ([1, 9], "10", INT),
        ([9, 1], "5", INT),
        ([1, 9], None, INT),
        ([1, 9], "NaN", "numeric"),
        (["2025-01-01", "2026-12-31"], "infinity", TSTZ),
        (["2026-01-02", "2026-12-31"], "2026-01-01 10:00:00+00", TSTZ),
    ],
    "$in": [
        ([1, 2], "3", INT),
        ([1, 2], None, INT),
        (["5"], "5", JSON),
        ([[1, 2]], "1", JSON),
        (["abd"], "abc", "citext"),
    ],
    "$approx": [
        (3, "3.0001", "numeric"),
        (0, "0.00000001", "numeric"),
        (3, None, INT),
        (3, "NaN", "real"),
        (float("nan"), "NaN", "real"),
        (3, "Infinity", "real"),
        (float("inf"), "-Infinity", "real"),
        ({"value": 10, "abs": 1}, "11.5", "numeric"),
        ({"value": 10, "abs": 0}, "10.000001", "numeric"),
        ({"value": 10, "abs": -1}, "10", "numeric"),
        ({"value": 10, "rel": Decimal("0.01")}, "10.2", "numeric"),
        (3, "3", TEXT),
        (1, "t", "boolean"),
        (0, "1e999999999", JSON),
    ],
    "$regex": [("x", "abc", TEXT), ("x", None, TEXT), ("5", "5", INT), ("a", '["a"]', JSON)],
    "$type": [
        ("int", "5", "numeric"),
        ("int", "5.0", JSON),
        ("int", '"5"', JSON),
        ("int", None, INT),
        ("float", "5", "numeric"),
        ("float", "5", JSON),
        ("number", "5", TEXT),
        ("number", "true", JSON),
        ("text", "x", "mood"),
        ("text", None, "citext"),
        ("citext", "x", TEXT),
        ("text", "1", JSON),
        ("bool", "1", INT),
        ("bool", "1", JSON),
        ("uuid", UUID_TEXT, TEXT),
        ("uuid", '"7f6f"', JSON),
        ("uuid", f'"{UUID_TEXT.replace("-", "")}"', JSON),
        ("timestamp", "2026-01-01 10:00:00+00", TSTZ),
        ("timestamp", '"2026-01-01T10:00:00Z"', JSON),
        ("timestamp", '"2026-01-01"', JSON),
        ("timestamptz", "2026-01-01 10:00:00", "timestamp without time zone"),
        ("timestamptz", '"2026-01-01T25:00:00Z"', JSON),
        ("timestamptz", "1767261600", JSON),
        ("date", "2026-01-01 00:00:00", "timestamp without time zone"),
        ("date", '"2026-02-30"', JSON),
        ("time", "10:00:00+00", "time with time zone"),
        ("time", '"25:00"', JSON),
        ("interval", "24:00:00", "time without time zone"),
        ("interval", '"1 day"', JSON),
        ("json", "{}", TEXT),
        ("json", None, JSON),
        ("array", "{}", TEXT),
        ("array", "{}", JSON),
        ("bytes", "\\x", TEXT),
        ("null", "", TEXT),
        ("null", '"null"', JSON),
        ("integer", "5", "bigint"),
        ("integer", "5", JSON),
        ("varchar", "x", TEXT),
        ("mood", "5", INT),
        ("moood", "ok", "mood"),
        ("numeric(10,2)", "5", "numeric"),
        ("23", "5", INT),
        ("", "5", INT),
    ],
    "$len": [
        (2, "abc", TEXT),
        (0, None, TEXT),
        (1, "5", INT),
        ({"$gt": 2}, "[1, 2]", JSON),
        (1, "true", JSON),
        (6, "\\xabcd", "bytea"),
        (4, "abcd", "bytea"),
    ],
    "$contains": [
        ("B", "abc", TEXT),
        ("b", None, TEXT),
        (5, "5", TEXT),
        ("5", "5", INT),
        (3, "{1,2}", "integer[]"),
        ([2, 2], "{2,1}", "integer[]"),
        ([{"$gt": 1}, {"$gt": 1}], "{1,2}", "integer[]"),
        (1, "{}", "integer[]"),
        ([1, 2], "[[1, 2]]", JSON),
        ({"a": 1}, '[{"a": 1, "b": 2}]', JSON),
        ("b", '{"a": "b"}', JSON),
        (["a", "b"], '{"a": 1}', JSON),
        ({"a": 2}, '{"a": 1}', JSON),
        ({"a": {"b": 1}}, '{"a": {"b": 1, "c": 2}}', JSON),
        ("a", "true", JSON),
    ],
    "$unordered": [
        ([1, 1], "{1,2}", "integer[]"),
        ([1], "{1,1}", "integer[]"),
        ([1, 2, 3], "[1, 2]", JSON),
        ([{"$gte": 2}, {"$gte": 2}], "[1, 2]", JSON),
        ([], "{}", JSON),
        ([], "", TEXT),
        ([], None, "integer[]"),
    ],
    "$each": [
        ({"$gt": 1}, "{1,2}", "integer[]"),
        ({"$any": True}, "{}", "integer[]"),
        ({"$any": True}, "[]", JSON),
        ({"$any": True}, "{}", JSON),
        ({"$any": True}, "5", INT),
        ({"$any": True}, None, "integer[]"),
        ({"$gt": 0}, "{1,NULL}", "integer[]"),
    ],
    "$partial": [
        ({"a": 1}, '{"a": 2}', JSON),
        ({"a": None}, '{"b": 2}', JSON),
        ({"a": {"b": 1}}, '{"a": {"c": 2}}', JSON),
        ({"a": [{"b": 1}]}, '{"a": [{"b": 1}, {"b": 1}]}', JSON),
        ({"a": [1, 2]}, '{"a": [2, 1]}', JSON),
        ({"a": 1}, '[{"a": 1}]', JSON),
        ({"a": 1}, None, JSON),
        ({"a": 1, "z": {"$absent": True}}, '{"a": 1, "z": null}', JSON),
    ],
    "$now": [
        (5, "2026-01-01 10:00:05.500001+00", TSTZ),
        (5, "2026-01-01 09:59:55.499999+00", TSTZ),
        (Decimal("0.499999"), "2026-01-01 10:00:00+00", TSTZ),
        (5, "2026-01-01 10:00:00", TS),
        (5, "2026-01-01 10:00:00+02", TSTZ),
        (5, '"2026-01-01T10:00:00+02:00"', JSON),
        (5, '"2026-01-01"', JSON),
        (5, "20000-01-01 10:00:00+00", TSTZ),
        (5, "2026-01-01 10:00:00+00 BC", TSTZ),
        (5, None, TSTZ),
        (5, "null", JSON),
        (5, "infinity", TSTZ),
        (5, "-infinity", TS),
        (10**12, "infinity", TSTZ),
        (10**9, "2026-01-01", "date"),
        (10**9, "2026-01-01 10:00:00+00", TEXT),
        (10**9, "10:00:00", "time without time zone"),
        (10**9, "1767261600", "bigint"),
        (10**9, "1767261600", JSON),
        (-1, "2026-01-01 10:00:00.5+00", TSTZ),
        (5, "01.01.2026 10:00:00 UTC", TSTZ),
    ],
    "$same": [("x", None, INT), ("x", "null", JSON)],
    "$not": [
        (5, "5", INT),
        (5, None, INT),
        ({"$now": 5}, "2026-01-01 10:00:05+00", TSTZ),
        ({"$now": 5}, None, TSTZ),
        ({"$same": "x"}, "5", INT),
        ({"$same": "x"}, None, INT),
        (5, "null", JSON),
        ("24:00:00", "1 day", "interval"),
        ("ABC", "abc", "citext"),
        (["ABC"], "{abc}", "citext[]"),
        (5, "5.0", JSON),
        (None, None, INT),
        ({"$null": False}, None, INT),
    ],
    "$all": [([{"$gt": 1}, {"$lt": 5}], "5", INT), ([5, None], None, INT)],
    "$one_of": [([4, 5], "6", INT), ([None, {"$not": 3}], "3", INT), ([1, True], "t", TEXT)],
}

# Expectations that could not hold for any value of the type: their opposite must not hold either.
SENSELESS: list[Example] = [
    ("five", "6", INT),
    ("5.5", "6", INT),
    (True, "6", INT),
    ([6], "6", INT),
    ({"a": 6}, "6", INT),
    (5, "t", "boolean"),
    ("maybe", "t", "boolean"),
    (True, "x", TEXT),
    ("okk", "ok", "mood"),
    ("2026-13-01", "2026-01-01", "date"),
    ("2026-01-01 10:00", "2026-01-02", "date"),
    ({6}, '"6"', JSON),
    ({6}, "[6]", JSON),
    ('{"a": 1}', '{"a": 2}', JSON),
    ({"$gt": "five"}, "6", INT),
    ({"$gt": True}, "6", INT),
    ({"$gt": 5}, "abc", TEXT),
    ({"$gt": 0}, "t", "boolean"),
    ({"$gt": 5}, '"6"', JSON),
    ({"$gt": [1]}, "{1}", "integer[]"),
    ({"$gt": {"$any": True}}, "6", INT),
    ({"$gt": 5}, "(1,2)", "point"),
    ({"$between": ["a", 9]}, "5", INT),
    ({"$between": [9, "z"]}, "5", INT),
    ({"$in": ["a", 6]}, "5", INT),
    ({"$approx": 3}, "x", TEXT),
    ({"$regex": "x"}, "5", INT),
    ({"$type": "moood"}, "5", INT),
    ({"$type": "numeric(10,2)"}, "5", "numeric"),
    ({"$type": "integer"}, "5", JSON),
    ({"$len": 1}, "5", INT),
    ({"$contains": 5}, "abc", TEXT),
    ({"$contains": "x"}, "{1}", "integer[]"),
    ({"$contains": [2, "x"]}, "{1}", "integer[]"),
    ({"$unordered": [1]}, "5", INT),
    ({"$each": 5}, "5", INT),
    ({"$each": "x"}, "{1}", "integer[]"),
    ({"$partial": {"a": {"$gt": "x"}}}, '{"a": 1}', JSON),
    ({"a": 2, "b": {"$gt": "x"}}, '{"a": 1, "b": 1}', JSON),
    ({"$all": [6, {"$gt": "x"}]}, "5", INT),
    ({"$one_of": [{"$gt": "x"}, 6]}, "5", INT),
    ({"$not": {"$gt": "x"}}, "5", INT),
    ({"$now": 5}, "infinity", TSTZ),
    ({"$now": 5}, "2026-01-01", "date"),
    ({"$now": 5}, "2026-01-01 20:00:00+00", TEXT),
    ({"$now": 5}, "5", INT),
    ({"$now": 5}, "5", JSON),
    ({"$now": 5}, '"soon"', JSON),
    ({"$now": 5}, '"2026-01-01"', JSON),
    ({"$now": 5}, "[]", JSON),
    ({"$now": "{{ x }}"}, "2026-01-01 20:00:00+00", TSTZ),
    ({"$now": 5}, "01.01.2026 20:00:00 UTC", TSTZ),
    ({"$not": {"$same": "x"}}, "5", INT),
    ({"$eq": {"$eq": "x"}}, "5", INT),
]


def _examples(table: dict[str, list[Example]]) -> list[tuple[str, Any, str | None, str]]:
    return [(name, *example) for name, examples in table.items() for example in examples]


@pytest.mark.parametrize(("name", "argument", "text", "type"), _examples(HOLDS), ids=repr)
def test_holds(name: str, argument: Any, text: str | None, type: str) -> None:
    assert holds({name: argument}, text, type), failure({name: argument}, text, type)


@pytest.mark.parametrize(("name", "argument", "text", "type"), _examples(FAILS), ids=repr)
def test_fails(name: str, argument: Any, text: str | None, type: str) -> None:
    found = failure({name: argument}, text, type)

    assert found is not None
    assert found.reason


@pytest.mark.parametrize(("expected", "text", "type"), SENSELESS, ids=repr)
def test_the_opposite_of_a_mistake_does_not_hold(expected: Any, text: str, type: str) -> None:
    for mistaken in (expected, {"$not": expected}, {"$not": {"$not": expected}}, {"$ne": expected}):
        found = failure(mistaken, text, type)
        assert found is not None
        assert found.senseless


def test_every_matcher_is_judged_and_has_examples() -> None:
    names = {str(field.alias) for field in Matcher.model_fields.values()}

    assert names == OPERATORS.keys()
    assert OPERATORS.keys() == HOLDS.keys() == FAILS.keys()
    assert {name for name, examples in HOLDS.items() if not examples} == {"$absent"}
    assert {name for name, examples in FAILS.items() if not examples} == {"$any"}


@pytest.mark.parametrize(
    ("expected", "text", "type", "reason"),
    [
        ({"$ne": 1}, None, INT, "{$ne: 1} never holds for null"),
        ({"$not": {"$gt": 5}}, None, INT, "{$not: {$gt: 5}} never holds for null"),
        ({"$approx": 0}, None, INT, "{$approx: 0} never holds for null"),
        ({"$in": ["1", True]}, "null", JSON, "{$in: ['1', true]} never holds for null"),
        (
            {"$approx": {"value": 3, "abs": 1}},
            None,
            INT,
            "{$approx: {value: 3, abs: 1}} never holds for null",
        ),
        (
            {"$now": 5},
            "2026-01-01 10:00:06.75+00",
            TSTZ,
            "a timestamp within 5 seconds of the transaction's start expected, "
            "2026-01-01 10:00:06.75+00 found: it is 6.250000 seconds later",
        ),
        (
            {"$now": 5},
            "01.01.2026 20:00:00 UTC",
            TSTZ,
            "$now cannot be judged of 01.01.2026 20:00:00 UTC: "
            f'invalid input syntax for type {TSTZ}: "01.01.2026 20:00:00 UTC"',
        ),
        (
            {"$now": 5},
            "infinity",
            TSTZ,
            "$now cannot be judged of infinity: a timestamp is expected, infinity found",
        ),
        ({"$not": {"$same": "x"}}, "5", INT, "nothing is marked x yet"),
        ({"$null": False}, None, INT, "a value expected, null found"),
        ({"$gt": 5}, "3", INT, "> 5 expected, 3 found"),
        ({"$gte": 5}, "3", INT, ">= 5 expected, 3 found"),
        ({"$lt": 3}, "5", INT, "< 3 expected, 5 found"),
        ({"$lte": 3}, "5", INT, "<= 3 expected, 5 found"),
        ({"$between": [1, 3]}, "5", INT, "<= 3 expected, 5 found"),
        ({"$lt": "B"}, "B", TEXT, "< B expected, B found"),
        (
            {"$gt": 5},
            "abc",
            TEXT,
            "> 5 expected, abc found: a number has no place in the order of texts",
        ),
        (
            {"$lt": "five"},
            "6",
            INT,
            '< five expected, 6 found: invalid input syntax for type integer: "five"',
        ),
        ({"$ne": True}, "t", "boolean", "anything but true expected, true found"),
        ({"$one_of": [True, None]}, "f", "boolean", "one of [true, null] expected, false found"),
        ({"$not": {"$approx": 3}}, "3", INT, "anything but {$approx: 3} expected, 3 found"),
    ],
    ids=repr,
)
def test_the_reason(expected: Any, text: str | None, type: str, reason: str) -> None:
    assert str(failure(expected, text, type)) == reason


def test_all_operators_of_a_matcher_must_hold() -> None:
    both = {"$gte": 1, "$lt": 9}

    assert holds(both, "1", INT)
    assert not holds(both, "9", INT)
    assert not holds(both, "0", INT)


@pytest.mark.parametrize(
    ("expected", "text", "held"),
    [
        ({"a": {"$absent": True}, "b": 1}, '{"b": 1}', True),
        ({"a": {"$absent": True}, "b": 1}, '{"a": null, "b": 1}', False),
        ({"a": {"$one_of": [{"$absent": True}, 1]}}, "{}", True),
        ({"a": {"$one_of": [{"$absent": True}, 1]}}, '{"a": 1}', True),
        ({"a": {"$one_of": [{"$absent": True}, 1]}}, '{"a": 2}', False),
        ({"a": {"$any": True}}, "{}", False),
        ({"a": {"$null": True}}, "{}", False),
        ({"a": {"$not": 5}}, "{}", False),
        ({"a": {"$not": {"$absent": True}}}, "{}", False),
        ({"a": {"$not": {"$absent": True}}}, '{"a": 1}', True),
        ({"a": {"$one_of": [{"$absent": True}], "$type": "int"}}, "{}", False),
        ({"$contains": {"a": {"$absent": True}}}, '{"b": 1}', True),
    ],
)
def test_absence(expected: Any, text: str, held: bool) -> None:
    assert holds(expected, text, JSON) is held


@pytest.mark.parametrize(
    ("fields", "text", "type"),
    [
        ({"between": "1 to 9"}, "5", INT),
        ({"between": [1]}, "1", INT),
        ({"between": [None, 9]}, "5", INT),
        ({"in_": "abc"}, "a", TEXT),
        ({"in_": []}, "a", TEXT),
        ({"in_": [None]}, "a", TEXT),
        ({"eq": None}, "5", INT),
        ({"ne": None}, "5", INT),
        ({"gt": None}, "5", INT),
        ({"approx": Approximation.model_construct(value="3")}, "3", INT),
        ({"regex": "("}, "(", TEXT),
        ({"regex": ""}, "a", TEXT),
        ({"regex": 5}, "5", TEXT),
        ({"type": 5}, "5", INT),
        ({"len": None}, "a", TEXT),
        ({"len": True}, "a", TEXT),
        ({"len": "x"}, "a", TEXT),
        ({"contains": ""}, "a", TEXT),
        ({"contains": []}, "{1}", "integer[]"),
        ({"contains": {}}, '{"a": 1}', JSON),
        ({"contains": 5}, '{"a": 1}', JSON),
        ({"unordered": "ab"}, '["a", "b"]', JSON),
        ({"partial": {}}, '{"a": 1}', JSON),
        ({"partial": "a"}, '"a"', JSON),
        ({"now": "-1"}, "2026-01-01 20:00:00+00", TSTZ),
        ({"now": "nan"}, "2026-01-01 20:00:00+00", TSTZ),
        ({"now": "inf"}, "2026-01-01 20:00:00+00", TSTZ),
        ({"now": "soon"}, "2026-01-01 20:00:00+00", TSTZ),
        ({"now": True}, "2026-01-01 20:00:00+00", TSTZ),
        ({"now": None}, "2026-01-01 20:00:00+00", TSTZ),
        ({"same": ""}, "5", INT),
        ({"same": 5}, "5", INT),
    ],
    ids=repr,
)
def test_arguments_that_templates_spoiled_never_hold(
    fields: dict[str, Any], text: str, type: str
) -> None:
    judged = comparison()
    spoiled = Matcher.model_construct(_fields_set=set(fields), **fields)
    value = value_of(text, type)

    for expected in (spoiled, Matcher.model_construct(_fields_set={"not_"}, not_=spoiled)):
        found = judged.match(expected, value)
        assert found is not None
        assert found.senseless


def test_the_seconds_may_be_text_that_a_template_gave() -> None:
    given = Matcher.model_construct(_fields_set={"now"}, now="5.5")

    assert comparison().match(given, value_of("2026-01-01 10:00:06+00", TSTZ)) is None
    assert comparison().match(given, value_of("2026-01-01 10:00:06.1+00", TSTZ)) is not None


def test_the_start_of_the_transaction_is_asked_for_once() -> None:
    casts = Recorded()
    judged = comparison(casts)

    for second in range(3):
        judged.match(expectation({"$now": 5}), value_of(f"2026-01-01 10:00:0{second}+00", TSTZ))

    assert casts.asked == ["now()"]
