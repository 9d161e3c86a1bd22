"""Comparing an expected scalar with one value: equality and order."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import datetime
from typing import Any

from harness.matching.casts import IncomparableError, OtherKindError, Relation, RememberedCasts
from harness.matching.failure import Failure, senseless
from harness.matching.families import IN_JSON, TEXTUAL
from harness.matching.plain import YAML_SCALARS, plain
from harness.matching.times import TIMESTAMPTZ
from harness.matching.typenames import SET
from harness.matching.values import Fields, Items, Scalar, Unreadable, Value, value_key

IN_PYTHON: dict[Relation, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def noun_of(value: Value) -> str:
    """What a value is called in messages."""
    match value:
        case Items(type=type):
            return "a set" if type == SET else "a list"
        case Unreadable():
            return "a value that cannot be read"
        case Fields(noun=noun):
            return {"key": "a mapping", "column": "a row", "attribute": "an object"}[noun]
        case Scalar(text=None):
            return "null"
        case Scalar(family=family, type=type):
            return family.noun if family.noun != "a value" else f"a value of type {type}"


def differs(expected: Any, value: Value) -> Failure:
    """The failure of a value that is another than the expected one."""
    return Failure("{} expected, {} found", (expected, value))


def incomparable(expected: Any, value: Value, error: IncomparableError) -> Failure:
    """The failure of a value that what is expected cannot equal."""
    failure = senseless(
        "{} expected, {} found", expected, value, because=error.reason, hint=error.hint
    )
    return replace(failure, senseless=not isinstance(error, OtherKindError))


def expected_key(expected: Any, value: Scalar, casts: RememberedCasts) -> Hashable:
    """The key that a value like this one must have to equal an expected scalar (not null).

    Raises:
        IncomparableError: no value of this type could equal it.
    """
    scalar = plain(expected)
    if not isinstance(scalar, YAML_SCALARS):
        noun = {"dict": "a mapping", "list": "a list"}.get(type(scalar).__name__)
        error = OtherKindError if noun and value.family in IN_JSON else IncomparableError
        raise error(f"{noun or 'such a value'} cannot be compared with {noun_of(value)}")
    if value.text is not None and value.family.asks:
        casts.printed(value.text, value.type)
    return value.family.expect(scalar, value.type, casts)


def equality(expected: Any, value: Scalar, casts: RememberedCasts) -> Failure | None:
    """Why a value is not the expected scalar; neither of them is null."""
    try:
        key = expected_key(expected, value, casts)
        if key == value_key(value) or (value.family.equates and equated(key, value, casts)):
            return None
    except IncomparableError as error:
        return incomparable(expected, value, error)
    return differs(expected, value)


def equated(expected: Hashable, value: Scalar | Items, casts: RememberedCasts) -> bool:
    """Whether PostgreSQL's own `=`, where the type has one, holds for a value and a text.

    Raises:
        UndecidedError: it has been asked too often.
    """
    try:
        return casts.compare(value.text or "", "=", str(expected), value.type)
    except ValueError:
        return False


def bound_key(expected: Any, value: Scalar, casts: RememberedCasts) -> Hashable:
    """The key of what values like this one are ordered against.

    Raises:
        IncomparableError: no value of this type has an order to it.
    """
    if value.family in TEXTUAL and not isinstance(plain(expected), str):
        raise IncomparableError("a number has no place in the order of texts", "quote the number")
    return expected_key(expected, value, casts)


def in_order(relation: Relation, expected: Any, value: Scalar, casts: RememberedCasts) -> bool:
    """Whether a value stands in this relation to an expected scalar; neither of them is null.

    Raises:
        IncomparableError: they have no order.
    """
    family, text = value.family, value.text or ""
    wanted = bound_key(expected, value, casts)
    ranks = family.rank(family.read(text)), family.rank(wanted)
    if None not in ranks:
        return IN_PYTHON[relation](*ranks)
    if not family.asks:
        raise IncomparableError("they have no order")
    zone = "+00" if isinstance(wanted, datetime) and value.type == TIMESTAMPTZ else ""
    try:
        return casts.compare(text, relation, f"{wanted}{zone}", value.type)
    except ValueError as error:
        raise IncomparableError(str(error)) from error
