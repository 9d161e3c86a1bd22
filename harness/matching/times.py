"""Dates and times: the plain ISO forms in Python, the others by asking PostgreSQL.

A key is a `datetime` in UTC, a `date` or a `time`; a value that Python has none for (`infinity`,
years before Christ) has PostgreSQL's own text as its key.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache

from harness.matching.casts import Casts, IncomparableError

_CLOCK = r"(?P<clock>\d\d:\d\d(:\d\d(\.\d{1,6})?)?)"
_OFFSET = r"(?P<offset>Z|[+-]\d\d(:?\d\d(:\d\d)?)?)"
_INSTANT = re.compile(rf"(?P<day>\d{{4}}-\d\d-\d\d)([T ]{_CLOCK}\s?{_OFFSET}?)?", re.ASCII)
_TIME_OF_DAY = re.compile(_CLOCK, re.ASCII)
# PostgreSQL would drop the date of a time and the zone of a time without one: neither may be there.
_ODD_TIME = re.compile(r"\s*\d{1,2}(:\d\d){1,2}(\.\d{1,6}0*)?\s*(am|pm)?\s*", re.I | re.ASCII)
_ODD_TIME_TZ = re.compile(rf"{_ODD_TIME.pattern}(z|[+-]\d\d?(:?\d\d){{0,2}})?\s*", re.I | re.ASCII)
_LONGEST = len("2026-01-01 10:00:00.000000 +00:00:00")
_EMPTY_DIGITS = re.compile(r"(\.\d{6})0+", re.ASCII)
_TOO_FINE = re.compile(r"\.\d{6}\d*[1-9]", re.ASCII)

TIMESTAMP = "timestamp without time zone"
TIMESTAMPTZ = "timestamp with time zone"
TIME = "time without time zone"
TIMETZ = "time with time zone"


def instant(text: str) -> tuple[datetime, bool] | None:
    """The moment that an ISO text names, in UTC, and whether it names an offset; or None.

    Without an offset it is taken to be UTC already; without a time it is midnight.
    """
    return _instant(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _instant(text: str) -> tuple[datetime, bool] | None:
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    clock, offset = found["clock"] or "00:00", found["offset"] or ""
    try:
        moment = datetime.fromisoformat(f"{found['day']}T{clock}{offset}")
        if offset:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment, bool(offset)


def printed_timestamp(text: str) -> datetime | str:
    """The key of a timestamp, with or without time zone, that PostgreSQL printed."""
    found = instant(text)
    return found[0] if found else text


def printed_date(text: str) -> date | str:
    """The key of a date that PostgreSQL printed."""
    found = instant(text)
    return found[0].date() if found else text


def printed_time(text: str) -> time | str:
    """The key of a time without time zone that PostgreSQL printed."""
    found = _TIME_OF_DAY.fullmatch(text)
    try:
        return time.fromisoformat(found["clock"]) if found else text
    except ValueError:  # 24:00
        return text


def expected_timestamp(expected: object, type: str, casts: Casts) -> datetime | str:
    """The key of what is expected of a timestamp column, with or without time zone."""
    text = _moment_text(expected, type)
    found = instant(text)
    if found:
        return found[0]
    moment = _asked(casts, text, TIMESTAMPTZ)
    if type == TIMESTAMP:  # by way of the other, because this one ignores an offset
        moment = _asked(casts, moment, TIMESTAMP)
    return printed_timestamp(moment)


def expected_date(expected: object, type: str, casts: Casts) -> date | str:
    """The key of what is expected of a date column; a time of day may only be midnight in UTC."""
    text = _moment_text(expected, type)
    found = instant(text)
    if found is None:
        day = _asked(casts, text, type)
        exact = _asked(casts, text, TIMESTAMPTZ) == _asked(casts, day, TIMESTAMPTZ)
    else:
        day = found[0].date().isoformat()
        exact = found[0].time() == time.min
    if not exact:
        raise IncomparableError("a date has no time of day")
    return printed_date(day)


def expected_time(expected: object, type: str, casts: Casts) -> time | str:
    """The key of what is expected of a column of times without time zone."""
    text = _moment_text(expected, type)
    key = printed_time(text)
    if isinstance(key, time):
        return key
    return printed_time(_asked_of(_ODD_TIME, casts, text, type))


def expected_time_tz(expected: object, type: str, casts: Casts) -> str:
    """The key of what is expected of a column of times with time zone: PostgreSQL's text."""
    return _asked_of(_ODD_TIME_TZ, casts, _moment_text(expected, type), type)


def _moment_text(expected: object, type: str) -> str:
    if not isinstance(expected, str):
        raise IncomparableError(f"it cannot be read as {type}")
    if _TOO_FINE.search(expected):
        raise IncomparableError(f"it is finer than microseconds, which {type} never is")
    return _EMPTY_DIGITS.sub(r"\1", expected)


def _asked_of(form: re.Pattern[str], casts: Casts, text: str, type: str) -> str:
    if not form.fullmatch(text):
        raise IncomparableError(f"it cannot be read as {type}")
    return _asked(casts, text, type)


def _asked(casts: Casts, text: str, type: str) -> str:
    try:
        return casts.cast(text, type)
    except ValueError as error:
        raise IncomparableError(str(error)) from error
