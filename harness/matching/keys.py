"""Whole values as hashable keys: where they are equal, a plain expectation and a value match.

They find the rows that an expected row may be paired with, without comparing each with each.
"""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from harness.matching.casts import IncomparableError, RememberedCasts
from harness.matching.families import JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT, Family, family_of
from harness.matching.plain import YAML_SCALARS, plain
from harness.matching.scalars import expected_key
from harness.matching.typenames import JSONS, element_of, is_array
from harness.matching.values import Fields, Items, Scalar, Unreadable, Value, reader_of, value_key
from harness.spec.matchers import Matcher


def is_plain(expected: Any, type: str) -> bool:
    """Whether what is expected of a value of this type (a canonical name) has a key."""
    expected = plain(expected)
    if isinstance(expected, (list, dict)) and (type in JSONS or is_array(type)):
        parts = expected.values() if isinstance(expected, dict) else expected
        return not any(map(_holds_matcher, parts))
    # The text of an array is compared as a whole.
    return expected is None or (isinstance(expected, YAML_SCALARS) and not is_array(type))


def is_decisive(type: str) -> bool:
    """Whether values of this type (a canonical name) never match where their keys differ."""
    element = element_of(type)
    return element in JSONS or not family_of(element).equates


def key_of_expected(expected: Any, type: str, casts: RememberedCasts) -> Hashable:
    """The key of what is expected of a value of this type.

    Raises:
        IncomparableError: no value of this type could equal it.
    """
    expected = plain(expected)
    if expected is None:
        return None
    if type in JSONS:
        return _of_json(expected, casts)
    if isinstance(expected, list) and is_array(type):
        return ("list", *(_of_element(item, type, casts) for item in expected))
    empty = reader_of(type)(None)
    assert isinstance(empty, Scalar)
    return empty.family.noun, expected_key(expected, empty, casts)


def key_of(value: Value) -> Hashable:
    """The key of a value of the database."""
    match value:
        case Items(items=items):
            return ("list", *map(key_of, items))
        case Fields(fields=fields):
            return frozenset((name, key_of(item)) for name, item in fields.items())
        case Scalar(text=None):
            return None
        case Scalar(family=family):
            return family.noun, value_key(value)
        case Unreadable():
            return id(value)  # nothing equals it


def _holds_matcher(expected: Any) -> bool:
    if isinstance(expected, dict):
        return any(map(_holds_matcher, expected.values()))
    if isinstance(expected, (list, tuple)):
        return any(map(_holds_matcher, expected))
    return isinstance(expected, Matcher)


def _of_element(expected: Any, type: str, casts: RememberedCasts) -> Hashable:
    nested = isinstance(plain(expected), list)
    return key_of_expected(expected, type if nested else element_of(type), casts)


def _of_json(expected: Any, casts: RememberedCasts) -> Hashable:
    expected = plain(expected)
    if isinstance(expected, dict):
        return frozenset((name, _of_json(item, casts)) for name, item in expected.items())
    if isinstance(expected, list):
        return ("list", *(_of_json(item, casts) for item in expected))
    if expected is None:
        return None
    family = _json_family(expected)
    return family.noun, family.expect(expected, "json", casts)


def _json_family(expected: Any) -> Family:
    if isinstance(expected, bool):
        return JSON_BOOLEAN
    if isinstance(expected, (int, float, Decimal)):
        return JSON_NUMBER
    if isinstance(expected, str):
        return JSON_TEXT
    raise IncomparableError("json has no such value")
