"""What `$now` means: how far a timestamp is from the start of the transaction."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from harness.matching.casts import IncomparableError, RememberedCasts
from harness.matching.display import show
from harness.matching.families import JSON_TEXT
from harness.matching.numbers import number_key
from harness.matching.plain import YAML_SCALARS, plain
from harness.matching.scalars import noun_of
from harness.matching.times import TIMESTAMP, TIMESTAMPTZ, instant
from harness.matching.typenames import DYNAMIC
from harness.matching.values import Scalar, Value

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FAR = re.compile(r"\d{5,6}-\d\d-\d\d \d\d:.*|\d{4,6}-\d\d-\d\d \d\d:.* BC", re.ASCII)
"""Timestamps that PostgreSQL knows and Python does not; the transaction began at none of them."""


def seconds(argument: Any) -> Decimal:
    """The argument of `$now`, which a template may have given as text.

    Raises:
        IncomparableError: it is no number of seconds.
    """
    number = plain(argument)
    is_number = isinstance(number, YAML_SCALARS) and not isinstance(number, bool)
    key = number_key(str(number)) if is_number else None
    if not isinstance(key, Decimal) or not key.is_finite() or key < 0:
        raise IncomparableError(f"it needs a number of seconds, not {show(argument)}")
    return key


def lateness(value: Value, casts: RememberedCasts) -> Decimal | None:
    """How many seconds after the start a timestamp is, exactly; None if it is eras away.

    Raises:
        IncomparableError: the value is no timestamp, or cannot be read as one.
    """
    text = _timestamp_text(value)
    if _FAR.fullmatch(text):
        return None
    try:
        start = _moment(casts.now(), casts)
        found = _moment(text, casts)
    except ValueError as error:
        raise IncomparableError(str(error)) from error
    return Decimal((found - start) // timedelta(microseconds=1)).scaleb(-6)


def told(late: Decimal) -> str:
    """How late a timestamp is, in words."""
    return f"it is {abs(late):f} seconds {'later' if late > 0 else 'earlier'}"


def _timestamp_text(value: Value) -> str:
    text = value.text if isinstance(value, Scalar) else None
    if text is not None and value.type in (TIMESTAMP, TIMESTAMPTZ) and "infinity" not in text:
        return text
    if isinstance(value, Scalar) and value.family is JSON_TEXT and value.type in DYNAMIC and text:
        if instant(text) is not None and not _DAY.fullmatch(text):
            return text
        raise IncomparableError("it is no timestamp")
    noun = "infinity" if text and value.type in (TIMESTAMP, TIMESTAMPTZ) else noun_of(value)
    raise IncomparableError(f"a timestamp is expected, {noun} found")


def _moment(text: str, casts: RememberedCasts) -> datetime:
    """The moment of a timestamp; one without an offset is one of the session's time zone."""
    found = instant(text)
    if found is None or not found[1]:
        found = instant(casts.cast(text, TIMESTAMPTZ))
    if found is None or not found[1]:
        raise ValueError("the session's DateStyle does not print timestamps in ISO form")
    return found[0]
