"""What can be read off an expectation before there is a value."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from harness.spec.matchers import Matcher
from harness.spec.model import Model

_HASHED_AS_THEY_ARE = (str, int, bool, type(None))
_HASHED_AS_TEXT = (Decimal, float)


def allows_absence(expected: Any) -> bool:
    """Whether an expectation holds for something that is not there at all."""
    if not isinstance(expected, Matcher):
        return False
    if expected.given("absent"):
        return True
    if expected.given("one_of"):
        return len(expected.operators) == 1 and any(map(allows_absence, expected.one_of))
    return expected.operators.keys() == {"$all"} and all(map(allows_absence, expected.all))


def signature(expected: Any) -> Hashable:
    """A key that expectations share only if they hold for the same values.

    It is that of the object itself where there is no telling; so keep the object while it is used.
    """
    kind = type(expected)
    if kind in _HASHED_AS_THEY_ARE:
        return kind, expected
    if kind in _HASHED_AS_TEXT:  # so that 1.10 is not 1.1
        return kind, str(expected)
    if isinstance(expected, Matcher):
        parts = expected.operators
    elif isinstance(expected, Model):
        parts = {name: getattr(expected, name) for name in expected.model_fields_set}
    elif kind is dict:
        parts = expected
    elif kind in (list, tuple):
        return kind, *map(signature, expected)
    else:
        return kind, id(expected)
    return kind, *((name, signature(item)) for name, item in parts.items())
