"""What `$type` means: kinds of values, and the names of PostgreSQL's types."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.errors import nearest
from harness.matching import times
from harness.matching.casts import Casts, IncomparableError
from harness.matching.failure import Failure, senseless
from harness.matching.families import JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT, is_uuid
from harness.matching.scalars import noun_of
from harness.matching.typenames import (
    DYNAMIC,
    FLOATS,
    INTEGERS,
    JSONS,
    KNOWN,
    NUMBERS,
    PYTHON,
    TEXTS,
    canonical,
    is_citext,
)
from harness.matching.values import Items, Scalar, Value, is_null

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def type_failure(name: str, value: Value, casts: Casts) -> Failure | None:
    """Why a value is not of the named kind or type."""
    try:
        holds = _KINDS[name](value) if name in _KINDS else _is_of_type(name, value, casts)
    except IncomparableError as error:
        return senseless(error.reason, hint=error.hint)
    return None if holds else Failure(f"type {name} expected, {_described(value)} found")


def _is_of_type(name: str, value: Value, casts: Casts) -> bool:
    type = _type_named(name, casts)
    if value.type in DYNAMIC and type not in JSONS and not is_null(value):
        place = "inside json" if value.type in JSONS else "of such values in Python"
        raise IncomparableError(
            f"{place} there is no type {name}", f"known there: {', '.join(_JSON_KINDS)}"
        )
    return value.type == type and not is_null(value)


def _type_named(name: str, casts: Casts) -> str:
    type = canonical(name)
    if type.removesuffix("[]") in KNOWN:
        return type
    if "(" in name and '"' not in name:
        raise IncomparableError(
            f"{name} is no type to compare with: the types of results have no length or precision",
            f"write {name.partition('(')[0].strip()}",
        )
    try:
        if not re.search(r"[^\W\d]", name):  # a number is the oid of a type
            raise ValueError(f'type "{name}" does not exist')
        return canonical(casts.cast(name, "regtype"))
    except ValueError as error:
        known = nearest(name, [*_KINDS, *KNOWN])
        hint = f"did you mean {known!r}?" if known else f"kinds: {', '.join(_KINDS)}"
        raise IncomparableError(f"there is no type {name}: {error}", hint) from error


def _described(value: Value) -> str:
    if is_null(value):
        return "null"
    if value.type in JSONS:
        return f"{noun_of(value)} in {value.type}"
    return noun_of(value) if value.type == PYTHON else value.type


def _one_of(types: frozenset[str], in_json: Callable[[Value], bool]) -> Callable[[Value], bool]:
    def holds(value: Value) -> bool:
        if is_null(value):
            return False
        return in_json(value) if value.type in DYNAMIC else value.type in types

    return holds


def _only(*types: str) -> frozenset[str]:
    return frozenset(types)


def _json_int(value: Value) -> bool:
    return _json_number(value) and (_text(value) or "").lstrip("-").isdigit()


def _json_float(value: Value) -> bool:
    return _json_number(value) and not _json_int(value)


def _json_number(value: Value) -> bool:
    return isinstance(value, Scalar) and value.family is JSON_NUMBER


def _json_text(value: Value) -> bool:
    return _text(value) is not None and isinstance(value, Scalar) and value.family is JSON_TEXT


def _is_text(value: Value) -> bool:
    if value.type in DYNAMIC:
        return _json_text(value)
    return not is_null(value) and (value.type in TEXTS or is_citext(value.type))


def _json_bool(value: Value) -> bool:
    return isinstance(value, Scalar) and value.family is JSON_BOOLEAN


def _json_uuid(value: Value) -> bool:
    return _json_text(value) and is_uuid(_text(value) or "")


def _json_timestamp(value: Value) -> bool:
    return _moment(value) is False


def _json_timestamptz(value: Value) -> bool:
    return _moment(value) is True


def _moment(value: Value) -> bool | None:
    """Whether the timestamp in a json text has an offset; None if it is no timestamp."""
    text = _text(value) or ""
    found = times.instant(text) if _json_text(value) and not _DAY.fullmatch(text) else None
    return found[1] if found else None


def _json_date(value: Value) -> bool:
    text = _text(value) or ""
    return _json_text(value) and bool(_DAY.fullmatch(text)) and times.instant(text) is not None


def _json_time(value: Value) -> bool:
    text = _text(value) or ""
    return _json_text(value) and not isinstance(times.printed_time(text), str)


def _never(_value: Value) -> bool:
    return False


def _text(value: Value) -> str | None:
    return value.text if isinstance(value, Scalar) else None


def _is_json(value: Value) -> bool:
    return value.type in (*JSONS, PYTHON) and not is_null(value)


def _is_array(value: Value) -> bool:
    return isinstance(value, Items)


_KINDS: dict[str, Callable[[Value], bool]] = {
    "int": _one_of(INTEGERS, _json_int),
    "float": _one_of(FLOATS, _json_float),
    "number": _one_of(NUMBERS, _json_number),
    "text": _is_text,
    "bool": _one_of(_only("boolean"), _json_bool),
    "uuid": _one_of(_only("uuid"), _json_uuid),
    "timestamp": _one_of(_only(times.TIMESTAMP), _json_timestamp),
    "timestamptz": _one_of(_only(times.TIMESTAMPTZ), _json_timestamptz),
    "date": _one_of(_only("date"), _json_date),
    "time": _one_of(_only(times.TIME), _json_time),
    "interval": _one_of(_only("interval"), _never),
    "json": _is_json,
    "array": _is_array,
    "bytes": _one_of(_only("bytea"), _never),
    "null": is_null,
}
_JSON_KINDS = tuple(name for name in _KINDS if name not in ("interval", "bytes"))
