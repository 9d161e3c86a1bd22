"""Values as PostgreSQL's input functions read them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from harness.database.literals import (
    array_text,
    column_text,
    identifier,
    json_text,
    literal,
    parameter,
)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("a", "'a'"), ("it's", "'it''s'"), ("a\\b", " E'a\\\\b'"), ("\\'", " E'\\\\'''"), ("", "''")],
)
def test_literal(text: str, quoted: str) -> None:
    assert literal(text) == quoted


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")


def test_identifier() -> None:
    assert identifier("app", 'odd"name') == '"app"."odd""name"'


def test_numbers_keep_their_digits_in_json() -> None:
    assert (
        json_text({"a": [Decimal("1.10"), 2, None, True, 'x"']})
        == '{"a":[1.10,2,null,true,"x\\""]}'
    )


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_json_text_is_json(value: Any) -> None:
    assert json.loads(json_text(value)) == value


@pytest.mark.parametrize(
    ("value", "type_name", "text"),
    [
        ([1, None, 2], "integer[]", '{"1",NULL,"2"}'),
        ([["a"], ['b"\\']], "text[]", '{{"a"},{"b\\"\\\\"}}'),
        ([True], "boolean[]", '{"true"}'),
        ([{"a": 1}], "jsonb[]", '{"{\\"a\\":1}"}'),
        ([1, {"a": 2}], "jsonb", '[1,{"a":2}]'),
        ({"a": Decimal("1.0")}, "json", '{"a":1.0}'),
        ("x", "jsonb", "x"),
        (True, "boolean", "true"),
        (Decimal("1.10"), "numeric", "1.10"),
    ],
)
def test_column_text(value: Any, type_name: str, text: str) -> None:
    assert column_text(value, type_name) == text


@pytest.mark.parametrize(("value", "type_name"), [([1], "integer"), ({"a": 1}, "text")])
def test_what_a_column_cannot_take_is_refused(value: Any, type_name: str) -> None:
    with pytest.raises(ValueError, match="cannot go into a column of type"):
        column_text(value, type_name)


def test_empty_array() -> None:
    assert array_text([]) == "{}"


def test_parameters() -> None:
    assert parameter([1, Decimal("2.5")]) == [1, Decimal("2.5")]
    assert parameter([["a"], ["b"]]) == [["a"], ["b"]]
    assert isinstance(parameter({"a": 1}), Jsonb)
    assert isinstance(parameter([{"a": 1}]), Jsonb)
    assert isinstance(parameter([1, "a"]), Jsonb)
