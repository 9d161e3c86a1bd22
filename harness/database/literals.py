"""Plain data as PostgreSQL takes it: JSON text, array literals, quoted literals, parameters."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int4, Int8

from harness.scalars import written


def identifier(*names: str) -> str:
    """A quoted, possibly qualified identifier."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """A quoted string literal, right under any setting of `standard_conforming_strings`.

    Raises:
        ValueError: the text holds a NUL character, which PostgreSQL cannot store.
    """
    if "\0" in text:
        raise ValueError("PostgreSQL cannot store a NUL character in text")
    quoted = "'" + text.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def json_text(value: Any) -> str:
    """JSON of plain data; a Decimal keeps its digits, which the standard encoder cannot do."""
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(str(k))}:{json_text(v)}" for k, v in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, Decimal):
        return written(value)
    return json.dumps(value, allow_nan=False, default=str)


def array_text(value: list[Any]) -> str:
    """The literal of an array: `{1,NULL,"a b",{…}}`."""
    return "{" + ",".join(map(_element, value)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return array_text(value)
    return '"' + text_of(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def text_of(value: Any) -> str:
    """The text that a type's input function reads; mappings become JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json_text(value) if isinstance(value, dict) else written(value)


def column_text(value: Any, type_name: str) -> str:
    """The text of a value for a column of this type.

    Raises:
        ValueError: a list or a mapping for a type that is neither array nor JSON.
    """
    is_json = type_name in ("json", "jsonb")
    if isinstance(value, (list, tuple)):
        if is_json:
            return json_text(value)
        if type_name.endswith("[]"):
            return array_text(list(value))
        raise ValueError(f"a list cannot go into a column of type {type_name}")
    if isinstance(value, dict) and not is_json:
        raise ValueError(f"a mapping cannot go into a column of type {type_name}")
    return text_of(value)


def parameter(value: Any) -> Any:
    """A value of YAML as psycopg should bind it.

    Text is sent without a type, so that PostgreSQL takes the type from where it stands; booleans
    and numbers have theirs, whole ones `integer` as in SQL, or `bigint` if they need it. A mapping
    is jsonb, and so is a list that no array could hold.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole(value)
    if isinstance(value, dict):
        return Jsonb(value, dumps=json_text)
    if isinstance(value, (list, tuple)):
        if _is_array(value):
            return _array(value)
        return Jsonb(list(value), dumps=json_text)
    return value


def _whole(value: int) -> Any:
    if -(2**31) <= value < 2**31:
        return Int4(value)
    return Int8(value) if -(2**63) <= value < 2**63 else Decimal(value)


def _array(value: Any) -> list[Any]:
    """The items, all of one type."""
    items = [parameter(item) for item in value]
    numbers = [item for item in items if isinstance(item, (int, Decimal, float))]
    kinds = {type(item) for item in numbers if not isinstance(item, bool)}
    if len(kinds) < 2:
        return items
    if kinds <= {Int4, Int8}:
        return [item if item is None else Int8(item) for item in items]
    return [item if item is None else Decimal(str(item)) for item in items]


def _is_array(value: Any) -> bool:
    """Whether the items are scalars of one kind, or lists of such."""
    kinds = {_kind(item) for item in value if item is not None}
    return (
        len(kinds) <= 1
        and "mapping" not in kinds
        and ("list" not in kinds or all(map(_is_array, value)))
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    if isinstance(value, dict):
        return "mapping"
    return "list" if isinstance(value, (list, tuple)) else "text"
