"""A plain value against a cell: what equals it, and what nearly does and must not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from harness.matching.casts import RememberedCasts
from harness.matching.comparison import Comparison
from harness.matching.values import value_of

from .recorded import TS, TSTZ, Recorded, failure, holds

UUID_TEXT = "7f6f0f5e-0000-4000-8000-000000000001"

EQUAL: list[tuple[Any, str | None, str]] = [
    (None, None, "text"),
    ("", "", "text"),
    ("a", "a", "character varying"),
    (5, "5", "text"),
    (Decimal("1.10"), "1.10", "text"),
    ("a", "a   ", "bpchar"),
    ("a  ", "a", "character"),
    (5, "5", "integer"),
    (Decimal("5.0"), "5", "integer"),
    ("5", "5", "bigint"),
    ("0x1F", "31", "integer"),
    (Decimal("1.1"), "1.10", "numeric"),
    ("1.1", "1.10", "numeric"),
    (Decimal("123456789012345678901234567890.1"), "123456789012345678901234567890.10", "numeric"),
    ("NaN", "NaN", "numeric"),
    (float("nan"), "NaN", "double precision"),
    (float("inf"), "Infinity", "numeric"),
    ("-infinity", "-Infinity", "real"),
    (Decimal("0.1"), "0.1", "real"),
    (0.1, "0.1", "double precision"),
    (10**20, "1e+20", "double precision"),
    (True, "t", "boolean"),
    (False, "f", "boolean"),
    ("yes", "t", "boolean"),
    (" Off ", "f", "boolean"),
    ("$5.00", "$5.00", "money"),
    ("101", "101", '"bit"'),
    ("2026-01-01", "2026-01-01", "date"),
    ("2026-01-01T00:00:00", "2026-01-01", "date"),
    ("Jan 1 2026", "2026-01-01", "date"),
    (date(2026, 1, 1), "2026-01-01", "date"),
    ("2026-01-01T10:00:00Z", "2026-01-01 10:00:00+00", TSTZ),
    ("2026-01-01 10:00", "2026-01-01 10:00:00+00", TSTZ),
    ("2026-01-01 12:00:00+02:00", "2026-01-01 10:00:00+00", TSTZ),
    ("2026-01-01 10:00:00Z", "2026-01-01 15:30:00+05:30", TSTZ),
    ("2026-01-01", "2026-01-01 00:00:00+00", TSTZ),
    (datetime(2026, 1, 1, 10, tzinfo=UTC), "2026-01-01 10:00:00+00", TSTZ),
    ("2026-01-01 10:00:00.1200000", "2026-01-01 10:00:00.12+00", TSTZ),
    ("infinity", "infinity", TSTZ),
    ("2026-01-01T12:00:00+02:00", "2026-01-01 10:00:00", TS),
    ("Jan 1 2026 10:00 +02", "2026-01-01 08:00:00", TS),
    ("10:00", "10:00:00", "time without time zone"),
    ("10:00 PM", "22:00:00", "time without time zone"),
    ("24:00", "24:00:00", "time without time zone"),
    ("10:00+02", "10:00:00+02", "time with time zone"),
    ("1d", "1 day", "interval"),
    (UUID_TEXT.upper(), UUID_TEXT, "uuid"),
    (f"{{{UUID_TEXT}}}", UUID_TEXT, "uuid"),
    (UUID(UUID_TEXT), UUID_TEXT, "uuid"),
    ("7f6f-0f5e-0000-4000-8000-000000000001", UUID_TEXT, "uuid"),
    ("\\xAB", "\\xab", "bytea"),
    ("ab", "\\x6162", "bytea"),
    (b"ab", "\\x6162", "bytea"),
    ("ok", "ok", "mood"),
    ("10.0.0.1/32", "10.0.0.1", "inet"),
    ("[1,4]", "[1,5)", "int4range"),
    ("<a/>", "<a/>", "xml"),
    ("24:00:00", "1 day", "interval"),
    ("[1.0,2.0)", "[1,2)", "numrange"),
    ("(1.0,x)", "(1,x)", "pair"),
    ("abc", "abc", "citext"),
    ("ABC", "abc", "citext"),
    ("ABC", "abc", "public.citext"),
    (["24:00:00", None], '{"1 day",NULL}', "interval[]"),
    (["ABC"], "{abc}", "citext[]"),
    (["ABC"], "{abc}", "public.citext[]"),
    ("{ABC}", "{abc}", "citext[]"),
    ("{24:00:00}", '{"1 day"}', "interval[]"),
    ("{1.0}", "{1}", "numeric[]"),
    ("(1,1),(0,0)", "(1,1),(0,0)", "box"),
    ([1, 2], "{1,2}", "integer[]"),
    ((1, 2), "{1,2}", "integer[]"),
    ([], "{}", "integer[]"),
    ([1, None], "{1,NULL}", "integer[]"),
    ([1, 2], "[0:1]={1,2}", "integer[]"),
    ([[1, 2], [3, 4]], "{{1,2},{3,4}}", "integer[]"),
    ("{1, 2}", "{1,2}", "integer[]"),
    (["NULL", None, ""], '{"NULL",NULL,""}', "text[]"),
    (["a,b", 'c"d', "e\\f", "{g}"], '{"a,b","c\\"d","e\\\\f","{g}"}', "text[]"),
    (["(1,1),(0,0)", "(2,2),(1,1)"], "{(1,1),(0,0);(2,2),(1,1)}", "box[]"),
    ([{"a": 1}, None], '{"{\\"a\\": 1}",NULL}', "jsonb[]"),
    (["2026-01-01T10:00:00Z"], '{"2026-01-01 10:00:00+00"}', f"{TSTZ}[]"),
    ("x", '"x"', "jsonb"),
    ("", '""', "jsonb"),
    (1, "1.0", "jsonb"),
    (Decimal("0.1"), "0.1", "json"),
    (True, "true", "jsonb"),
    (None, "null", "jsonb"),
    (None, None, "jsonb"),
    ({}, "{}", "jsonb"),
    ([], "[]", "jsonb"),
    ({"a": {"b": [1, None, "2"]}}, '{"a": {"b": [1, null, "2"]}}', "jsonb"),
]

DIFFERENT: list[tuple[Any, str | None, str]] = [
    ("", None, "text"),
    (None, "", "text"),
    (None, "0", "integer"),
    (0, None, "integer"),
    (False, None, "boolean"),
    ("NULL", None, "text"),
    ("a", "A", "text"),
    ("a", "a ", "text"),
    ("abd", "abc", "citext"),
    ("A", "a", "citext"),  # nothing is known of these: PostgreSQL has refused to answer
    (True, "true", "citext"),
    (["abd"], "{abc}", "citext[]"),
    (5, "5.0", "text"),
    (Decimal("1.1"), "1.10", "text"),
    (True, "true", "text"),
    (1, "t", "boolean"),
    (0, "f", "boolean"),
    ("maybe", "t", "boolean"),
    ("o", "t", "boolean"),
    ("", "f", "boolean"),
    (True, "1", "integer"),
    (False, "0", "numeric"),
    ("5.5", "5", "integer"),
    ("5.0", "5", "integer"),
    (Decimal("5.5"), "5", "integer"),
    ("five", "5", "integer"),
    (" a", "a", "bpchar"),
    ("ab", "a", "character"),
    ("101", "1", "bit"),
    (Decimal("1.1"), "1.1000001", "numeric"),
    (Decimal("123456789012345678901234567890.1"), "123456789012345678901234567890.11", "numeric"),
    (0, "NaN", "numeric"),
    ("NaN", "0", "numeric"),
    ("5", "$5.00", "money"),
    ("2026-01-01 10:00", "2026-01-01", "date"),
    ("Jan 1 2026 10:00", "2026-01-01", "date"),
    ("2026-01-01 00:00+02", "2026-01-01", "date"),
    ("2026-01-02", "2026-01-01", "date"),
    ("2026-13-01", "2026-01-01", "date"),
    (20260101, "2026-01-01", "date"),
    ("2026-01-01 10:00:00+02", "2026-01-01 10:00:00+00", TSTZ),
    ("2026-01-01 10:00:00.1234567", "2026-01-01 10:00:00.123457+00", TSTZ),
    ("2026-01-01 10:00:00.123457", "2026-01-01 10:00:00.123456+00", TSTZ),
    ("2026-01-01", "2026-01-01 10:00:00+00", TSTZ),
    ("infinity", "-infinity", TSTZ),
    ("2026-01-01T10:00:00+02:00", "2026-01-01 10:00:00", TS),
    ("2026-01-01 10:00:000", "2026-01-01 10:00:00", TS),
    ("2026-01-01 10:00", "10:00:00", "time without time zone"),
    ("10:00+02", "10:00:00", "time without time zone"),
    ("2026-01-01 10:00+02", "10:00:00+02", "time with time zone"),
    ("08:00+00", "10:00:00+02", "time with time zone"),
    ("1 week", "1 day", "interval"),
    ("1 dog", "1 day", "interval"),
    ("(1,1),(0,0)", "(2,1),(1,0)", "box"),
    ("7f6f0f5e-0000-4000-8000-000000000002", UUID_TEXT, "uuid"),
    (f"{{{UUID_TEXT}", UUID_TEXT, "uuid"),
    ("\\xAC", "\\xab", "bytea"),
    ("happy", "ok", "mood"),
    ("okk", "ok", "mood"),
    (True, "on", "mood"),
    ([1, 2], "{2,1}", "integer[]"),
    ([1, 2], "{1,2,3}", "integer[]"),
    ([1], "{}", "integer[]"),
    ([0], "{NULL}", "integer[]"),
    ([None], '{"NULL"}', "text[]"),
    ([True], "{1}", "integer[]"),
    ([1, 2], "{{1,2}}", "integer[]"),
    ("{ab}", "{a}", "character[]"),
    ([1, 2], "[1, 2]", "text"),
    ({"a": 1}, '{"a": 1}', "text"),
    ("1", "1", "jsonb"),
    (1, '"1"', "jsonb"),
    (1, "true", "jsonb"),
    (True, "1", "jsonb"),
    (0, "false", "jsonb"),
    (None, '""', "jsonb"),
    ("null", "null", "jsonb"),
    ("", "null", "jsonb"),
    ("x", '"X"', "jsonb"),
    ('{"a": 1}', '{"a": 1}', "jsonb"),
    ({}, "[]", "jsonb"),
    ([], "{}", "jsonb"),
    ({}, '{"a": 1}', "jsonb"),
    ({"a": 1}, "{}", "jsonb"),
    ({"a": None}, "{}", "jsonb"),
    ({}, '{"a": null}', "jsonb"),
    ({"a": {"b": 1}}, '{"a": {"b": 1, "c": 2}}', "jsonb"),
    ([1, 2], "[2, 1]", "jsonb"),
    ([1], "[1, 1]", "jsonb"),
    (Decimal("0.1"), "0.1000000000000000055511151231257827", "json"),
]


@pytest.mark.parametrize(("expected", "text", "type"), EQUAL, ids=repr)
def test_equal(expected: Any, text: str | None, type: str) -> None:
    assert holds(expected, text, type)


@pytest.mark.parametrize(("expected", "text", "type"), DIFFERENT, ids=repr)
def test_different(expected: Any, text: str | None, type: str) -> None:
    found = failure(expected, text, type)

    assert found is not None
    assert found.reason


@pytest.mark.parametrize(
    ("expected", "text", "type", "reason"),
    [
        (
            {"items": [{"price": 3}]},
            '{"items": [{"price": 4}]}',
            "jsonb",
            "items[0].price: 3 expected, 4 found",
        ),
        ([1, 2], "{1,3}", "integer[]", "[1]: 2 expected, 3 found"),
        ("5", "6", "text", "'5' expected, '6' found"),
        ({"a": 1}, '{"a": 1, "b c": 2}', "jsonb", "unexpected key b c"),
        ({"name": 1}, '{"nam": 1}', "jsonb", "there is no key name"),
        (
            "okk",
            "ok",
            "mood",
            'okk expected, ok found: invalid input syntax for type mood: "okk"',
        ),
        (True, "2026-01-01", "date", "true expected, 2026-01-01 found: it cannot be read as date"),
        (
            True,
            "\\xab",
            "bytea",
            "true expected, \\xab found: a boolean is expected, bytes found",
        ),
        ("5.5", "5", "integer", "'5.5' expected, 5 found: it is not of type integer"),
        (0, "f", "boolean", "0 expected, false found: a number is expected, a boolean found"),
    ],
)
def test_the_reason_names_the_first_difference(
    expected: Any, text: str, type: str, reason: str
) -> None:
    assert str(failure(expected, text, type)) == reason


def test_json_in_a_string_gets_a_hint() -> None:
    found = failure('{"a": 1}', '{"a": 1}', "jsonb")

    assert found is not None
    assert "without quotes" in (found.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 700 + "]" * 700,
        "9" * 10_000,
        '"' + "x" * 1_000_000 + '"',
        "1e999999999",
    ],
    ids=["unclosed", "deep", "digits", "long", "exponent"],
)
def test_monstrous_json_is_a_mismatch_with_a_short_reason(text: str) -> None:
    for expected in ({"a": 1}, [1], 1, "x", {"$type": "int"}, {"$not": {"a": 1}}):
        found = failure(expected, text, "jsonb")
        assert found is None or len(str(found)) < 1000


def test_a_long_text_is_shown_around_its_first_difference() -> None:
    found = failure("x" * 5000 + "a" + "y" * 5000, "x" * 5000 + "b" + "y" * 5000, "text")

    assert found is not None
    assert "xxay" in found.reason
    assert "xxby" in found.reason
    assert len(found.reason) < 500


@pytest.mark.parametrize(
    ("expected", "text", "type"),
    [
        (5, "6", "integer"),
        ("2026-01-01 10:00", "2026-01-02 10:00:00+00", TSTZ),
        (UUID_TEXT, UUID_TEXT, "uuid"),
        ("ok", "ok", "mood"),
        ([1, 2], "{1,3}", "integer[]"),
        ("{1,2}", "{1,2}", "integer[]"),
        ({"a": 1}, '{"a": 2}', "jsonb"),
    ],
)
def test_usual_values_need_no_round_trip(expected: Any, text: str, type: str) -> None:
    casts = Recorded()

    Comparison(RememberedCasts(casts)).match(expected, value_of(text, type))

    assert casts.asked == []
