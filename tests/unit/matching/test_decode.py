"""Cells as plain Python data, for templates and `save`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from harness.matching import decode
from harness.matching.arrays import parse_array


@pytest.mark.parametrize(
    ("text", "type", "data"),
    [
        (None, "integer", None),
        ("5", "bigint", 5),
        ("5", "int4", 5),
        ("1.10", "numeric", Decimal("1.10")),
        ("0.1", "double precision", 0.1),
        ("Infinity", "real", float("inf")),
        ("t", "boolean", True),
        ("f", "boolean", False),
        ("5", "text", "5"),
        ("2026-01-01", "date", "2026-01-01"),
        ('{"a": [1, 1.10, null, true]}', "jsonb", {"a": [1, Decimal("1.10"), None, True]}),
        ("null", "jsonb", None),
        ("{1,NULL}", "integer[]", [1, None]),
        ("{{1},{2}}", "integer[]", [[1], [2]]),
        ("[-1:0]={t,f}", "boolean[]", [True, False]),
        ("{}", "text[]", []),
        ('{"a,b",NULL,"NULL"}', "text[]", ["a,b", None, "NULL"]),
        ('{"{\\"a\\": 1}"}', "json[]", [{"a": 1}]),
        ("{(1,1),(0,0);(2,2),(1,1)}", "box[]", ["(1,1),(0,0)", "(2,2),(1,1)"]),
        ("ok", "mood", "ok"),
        ("[" * 100_000, "jsonb", "[" * 100_000),
    ],
)
def test_decode(text: str | None, type: str, data: Any) -> None:
    decoded = decode(text, type)

    assert decoded == data
    assert decoded.__class__ is data.__class__


def test_numbers_in_json_keep_their_digits() -> None:
    assert str(decode("1.10", "jsonb")) == "1.10"
    assert decode("9" * 5000, "jsonb") == Decimal("9" * 5000)


@pytest.mark.parametrize(
    "text", ["", "1", "{", "}", "{1", "{1}}", "{1}2", "{1}{2}", '{"a}', "[1:2]="]
)
def test_what_is_no_array(text: str) -> None:
    with pytest.raises(ValueError, match="array"):
        parse_array(text)
