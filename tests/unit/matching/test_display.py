"""The one display form: YAML flow text that says what it shows and no more than fits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from jinja2 import StrictUndefined

from harness.matching import show
from harness.matching.display import WIDTH, abridged, contrast
from harness.matching.values import value_of
from harness.spec.expectations import Changes
from harness.spec.matchers import Approximation

from .recorded import expectation


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (Decimal("1.10"), "1.10"),
        ("abc", "abc"),
        ("two words", "two words"),
        ("5", "'5'"),
        ("1.5e3", "'1.5e3'"),
        ("0x1F", "'0x1F'"),
        ("true", "'true'"),
        ("no", "no"),
        ("null", "'null'"),
        ("~", "'~'"),
        (".inf", "'.inf'"),
        ("", "''"),
        (" a", "' a'"),
        ("a: b", "'a: b'"),
        ("a #b", "'a #b'"),
        ("a,b", "'a,b'"),
        ("- a", "'- a'"),
        ("-a", "-a"),
        ("{a}", "'{a}'"),
        ("it's", "it's"),
        ("'a", "'''a'"),
        ("*a", "'*a'"),
        ("a\nb", '"a\\nb"'),
        ('\t"\\', '"\\t\\"\\\\"'),
        ("a\u00a0b", '"a\\u00a0b"'),
        ("\U000e0001", '"\\U000e0001"'),
        ("2026-01-01 10:00:00+00", "2026-01-01 10:00:00+00"),
        (date(2026, 1, 1), "2026-01-01"),
        ([1, "a", None], "[1, a, null]"),
        ({"a": {"b c": []}}, "{a: {b c: []}}"),
        ({"$$a": 1}, "{$$a: 1}"),
        ({"$gte": 1, "$lt": 9}, "{$gte: 1, $lt: 9}"),
        ({"$approx": 3}, "{$approx: 3}"),
        ({"$approx": {"value": 3, "abs": 1}}, "{$approx: {value: 3, abs: 1}}"),
        ({"$one_of": [None, {"$not": {"a": 1}}]}, "{$one_of: [null, {$not: {a: 1}}]}"),
        (Approximation(value=3), "3"),
        (Approximation(value=3, rel=1), "{value: 3, rel: 1}"),
        (Changes(tables={}), "<Changes>"),
        (StrictUndefined(name="x"), "<StrictUndefined>"),
        (MappingProxyType({"a": True}), "{a: true}"),
    ],
    ids=repr,
)
def test_expected_values(value: Any, text: str) -> None:
    assert show(expectation(value)) == text


@pytest.mark.parametrize(
    ("cell", "type", "text"),
    [
        (None, "text", "null"),
        ("null", "jsonb", "null"),
        ("", "text", "''"),
        ("5", "integer", "5"),
        ("5", "text", "'5'"),
        ("1.10", "numeric", "1.10"),
        ("t", "boolean", "true"),
        ("f", "boolean", "false"),
        ('{"a": [1, "2", true, null]}', "jsonb", "{a: [1, '2', true, null]}"),
        ('{"$a": 1}', "jsonb", "{$$a: 1}"),
        ('{1,NULL,"a b"}', "text[]", "['1', null, a b]"),
    ],
)
def test_values_of_the_database(cell: str | None, type: str, text: str) -> None:
    assert show(value_of(cell, type)) == text


def test_short_texts_stay_whole() -> None:
    assert abridged("x" * WIDTH) == "x" * WIDTH
    assert contrast("a", "b") == ("a", "b")


def test_long_texts_keep_the_surroundings_of_the_difference() -> None:
    left, right = contrast("x" * 1000 + "ab" + "y" * 1000, "x" * 1000 + "cb" + "y" * 1000)

    assert "xab" in left
    assert "xcb" in right
    assert max(len(left), len(right)) <= WIDTH + 2


def test_a_long_text_against_its_own_beginning() -> None:
    left, right = contrast("x" * 1000, "x" * 1001)

    assert left != right


def test_data_nested_beyond_reason_is_not_shown() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]

    assert show(nested) == "…"
