"""How scalars of each type are compared: by keys, and where these do not tell, by PostgreSQL.

A family turns what PostgreSQL printed, and what a spec expects of a column of that type, into keys
that can be hashed. Equal keys are equal values. Unequal keys are unequal values, but for the types
whose `=` PostgreSQL alone knows: its interval `1 day` equals `24:00:00`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from harness import scalars
from harness.matching import numbers, times
from harness.matching.casts import Casts, IncomparableError, OtherKindError
from harness.matching.typenames import BITS, GEOMETRIC, NUMBERS, TEXTS, is_citext

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")
_BYTES = re.compile(r"\\x(?:[0-9a-f]{2})*+")
_TRUE = frozenset(("t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"))
_FALSE = frozenset(("f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"))


def _unranked(_key: Hashable) -> None:
    return None


def _by(kind: type) -> Callable[[Hashable], Any]:
    """The rank of keys that have the order of their values, so far as they are of this kind."""
    return lambda key: key if isinstance(key, kind) else None


@dataclass(frozen=True, slots=True)
class Family:
    """The scalars that are compared in one way.

    Attributes:
        noun: what one of them is called in messages.
        read: the key of a value's text, as it was printed.
        expect: the key of an expected scalar for a column of the named type; raises
            `IncomparableError` where there can be none.
        rank: what a key is ordered by; None for a key that has no place in Python's order.
        asks: PostgreSQL can order what Python cannot.
        equates: PostgreSQL's `=` may hold for values whose keys differ.
    """

    noun: str
    read: Callable[[str], Hashable]
    expect: Callable[[Any, str, Casts], Hashable]
    rank: Callable[[Hashable], Any] = _unranked
    asks: bool = False
    equates: bool = False


def written(expected: object) -> str:
    """The text that a YAML scalar was written as.

    Raises:
        IncomparableError: it is a boolean, which is no text.
    """
    if isinstance(expected, bool):
        raise IncomparableError("a boolean is expected, text found")
    return scalars.written(expected)


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as PostgreSQL prints it, in whatever case."""
    return len(text) == 36 and _UUID.fullmatch(text.lower()) is not None


def _expected_text(expected: object, _type: str, _casts: Casts) -> str:
    return written(expected)


def _expected_padded(expected: object, _type: str, _casts: Casts) -> str:
    return written(expected).rstrip(" ")


def _without_padding(text: str) -> str:
    return text.rstrip(" ")


def _expected_boolean(expected: object, type: str, _casts: Casts) -> bool:
    if isinstance(expected, bool):
        return expected
    word = expected.strip().lower() if isinstance(expected, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    noun = "text" if isinstance(expected, str) else "a number"
    raise IncomparableError(f"{noun} is expected, a {type} found")


def _is_true(text: str) -> bool:
    return text in ("t", "true")


def _expected_uuid(expected: object, type: str, casts: Casts) -> str:
    text = written(expected).lower()
    bare = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    if _UUID.fullmatch(bare):
        return bare.replace("-", "")
    return _uuid(_asked(text, type, casts))


def _uuid(text: str) -> str:
    return text.lower().replace("-", "")


def _expected_bytes(expected: object, type: str, casts: Casts) -> str:
    if not isinstance(expected, str):
        noun = "a boolean" if isinstance(expected, bool) else "a number"
        raise IncomparableError(f"{noun} is expected, bytes found")
    return expected.lower() if _BYTES.fullmatch(expected.lower()) else _asked(expected, type, casts)


def octets(text: str) -> int | None:
    """How many bytes a `bytea` has that PostgreSQL printed in hexadecimal; None in another form."""
    return len(text) // 2 - 1 if _BYTES.fullmatch(text.lower()) else None


def _expected_other(expected: object, type: str, casts: Casts) -> str:
    if isinstance(expected, bool):
        raise IncomparableError(f"a boolean is expected, a value of type {type} found")
    return _asked(scalars.written(expected), type, casts)


def _asked(text: str, type: str, casts: Casts) -> str:
    try:
        return casts.cast(text, type)
    except ValueError as error:
        raise IncomparableError(str(error)) from error


def _json_number(expected: object, _type: str, _casts: Casts) -> Hashable:
    try:
        return numbers.plain_number(expected)
    except IncomparableError as error:
        raise OtherKindError(error.reason) from error


def _json_text(expected: object, _type: str, _casts: Casts) -> str:
    if isinstance(expected, str):
        return expected
    noun = "a boolean" if isinstance(expected, bool) else "a number"
    raise OtherKindError(f"{noun} is expected, text found")


def _json_boolean(expected: object, _type: str, _casts: Casts) -> bool:
    if isinstance(expected, bool):
        return expected
    noun = "text" if isinstance(expected, str) else "a number"
    raise OtherKindError(f"{noun} is expected, a boolean found")


NUMBER = Family("a number", numbers.printed_number, numbers.expected_number, numbers.rank)
BOOLEAN = Family("a boolean", _is_true, _expected_boolean, _by(bool))
TEXT = Family("text", str, _expected_text, _by(str))
CITEXT = Family("text", str, _expected_text, asks=True, equates=True)
PADDED = Family("text", _without_padding, _expected_padded, _by(str))
UUID = Family("a UUID", _uuid, _expected_uuid, _by(str))
BYTES = Family("bytes", str.lower, _expected_bytes, _by(str))
MONEY = Family("money", str, _expected_other, asks=True)
TIMESTAMP = Family(
    "a timestamp", times.printed_timestamp, times.expected_timestamp, _by(datetime), asks=True
)
DATE = Family("a date", times.printed_date, times.expected_date, _by(date), asks=True)
TIME = Family("a time", times.printed_time, times.expected_time, _by(time), asks=True)
TIME_TZ = Family("a time", str, times.expected_time_tz, asks=True)
OTHER = Family("a value", str, _expected_other, asks=True, equates=True)
LITERAL = Family("a value", str, _expected_other, asks=True)
"""Values that only their own text equals: PostgreSQL's `=` of two boxes compares their areas."""

JSON_NUMBER = Family("a number", numbers.printed_number, _json_number, numbers.rank)
JSON_TEXT = Family("text", str, _json_text, _by(str))
JSON_BOOLEAN = Family("a boolean", _is_true, _json_boolean, _by(bool))

TEXTUAL = (TEXT, CITEXT, PADDED, JSON_TEXT)
NUMERIC = (NUMBER, JSON_NUMBER)
IN_JSON = (JSON_NUMBER, JSON_TEXT, JSON_BOOLEAN)

_FAMILIES = {
    **dict.fromkeys(NUMBERS | {"oid"}, NUMBER),
    **dict.fromkeys(TEXTS | BITS | {"xml"}, TEXT),
    **dict.fromkeys(GEOMETRIC, LITERAL),
    "bpchar": PADDED,
    "boolean": BOOLEAN,
    "uuid": UUID,
    "bytea": BYTES,
    "money": MONEY,
    times.TIMESTAMP: TIMESTAMP,
    times.TIMESTAMPTZ: TIMESTAMP,
    "date": DATE,
    times.TIME: TIME,
    times.TIMETZ: TIME_TZ,
}


def family_of(type: str) -> Family:
    """How scalars of a type are compared, by its canonical name."""
    return CITEXT if is_citext(type) else _FAMILIES.get(type, OTHER)
