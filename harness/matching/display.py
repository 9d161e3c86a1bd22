"""The one way that expected and actual values are shown: as YAML flow text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.matching.families import BOOLEAN, JSON_BOOLEAN, NUMERIC
from harness.matching.plain import YAML_SCALARS, plain
from harness.matching.typenames import SET
from harness.matching.values import Fields, Items, Scalar, Unreadable, Value
from harness.scalars import written
from harness.spec.matchers import Approximation, Matcher

WIDTH = 100
"""Longest text of a value in a message, in characters."""

_STRIDE = 4096

LONGEST = 100_000
"""Longest text of a value that is kept for those who want to see it all."""

# What a YAML 1.2 core reader would not take for text, and what ends or begins something else.
_NOT_TEXT = re.compile(
    r"|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[+-]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    r"|[+-]?(\.\d+|\d+(\.\d*)?)([eE][+-]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+|---|\.\.\.|<<|="
)
_NOT_PLAIN = re.compile(r"^[-:](\s|$)|^[?\[\]{},#&*!|>'\"%@`]|^\s|\s$|:(\s|$)|\s#|[\[\]{},]")


@dataclass(frozen=True, slots=True)
class Asked:
    """One operator of a matcher with its argument, to be shown as the spec has it: `{$ne: 1}`."""

    name: str
    argument: Any

    @property
    def operators(self) -> dict[str, Any]:
        """As a matcher's."""
        return {self.name: self.argument}


def show(value: Any) -> str:
    """An expected value, matcher or value of the database as YAML flow text.

    Strings are quoted where YAML needs it: `{$gte: 1, name: "a b: c", code: '5'}`.
    """
    try:
        return _shown(value)
    except RecursionError:
        return "…"  # nested beyond what anyone could read


def contrast(expected: Any, actual: Any) -> tuple[str, str]:
    """Both values shown, long ones cut down to the surroundings of their first difference."""
    return contrast_texts(show(expected), show(actual))


def contrast_texts(left: str, right: str, longest: int = WIDTH) -> tuple[str, str]:
    """Two texts cut down to the surroundings of their first difference."""
    if max(len(left), len(right)) <= longest:
        return left, right
    start = max(0, _first_difference(left, right) - longest // 2)
    return abridged(left, start, longest), abridged(right, start, longest)


def _first_difference(left: str, right: str) -> int:
    """The index of the first character that differs, found in strides: texts may be megabytes."""
    shorter = min(len(left), len(right))
    strides = range(0, shorter, _STRIDE)
    begin = next((i for i in strides if left[i : i + _STRIDE] != right[i : i + _STRIDE]), shorter)
    indexes = range(begin, min(begin + _STRIDE, shorter))
    return next((i for i in indexes if left[i] != right[i]), shorter)


def whole_texts(left: str, right: str) -> tuple[str, str]:
    """Two texts as they are, unless they are of a length that nobody can read."""
    return contrast_texts(left, right, LONGEST)


def abridged(text: str, start: int = 0, longest: int = WIDTH) -> str:
    """At most so many characters of a text, and signs that it goes on."""
    end = start + longest
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _shown(value: Any) -> str:
    match value:
        case Matcher() | Asked():
            return _mapping({name: _shown(item) for name, item in value.operators.items()})
        case Approximation():
            return _approximation(value)
        case Scalar() | Items() | Fields() | Unreadable():
            return _actual(value)
        case Mapping():
            return _mapping({_key(name): _shown(item) for name, item in value.items()})
        case list() | tuple():
            return f"[{', '.join(map(_shown, value))}]"
        case _:
            return _scalar(plain(value))


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    return written(value) if isinstance(value, YAML_SCALARS) else f"<{type(value).__name__}>"


def _approximation(value: Approximation) -> str:
    parts = {name: getattr(value, name) for name in ("value", "abs", "rel") if value.given(name)}
    return _shown(parts) if len(parts) > 1 else _shown(value.value)


def _actual(value: Value, *, inside: bool = False) -> str:
    """A value that was seen; inside an object others are only named: they may hold each other."""
    match value:
        case Scalar(text=text, family=family):
            if text is None:
                return "null"
            if family in (BOOLEAN, JSON_BOOLEAN):
                return "true" if family.read(text) else "false"
            return text if family in NUMERIC else _text(text)
        case Items(items=items, type=type):
            listed = f"[{', '.join(_actual(item, inside=inside) for item in items)}]"
            return f"<{type} {listed}>" if type == SET else listed
        case Unreadable(reason=reason):
            return f"<{reason}>"
        case Fields():
            return _fields(value, inside)


def _fields(value: Fields, inside: bool) -> str:
    is_object = value.noun == "attribute"
    if is_object and inside:
        return f"<{value.type}>"
    parts = {
        _key(name): _actual(item, inside=inside or is_object) for name, item in value.fields.items()
    }
    if is_object:
        return f"<{value.type} {_mapping(parts)}>" if parts else f"<{value.type}>"
    return _mapping(parts)


def _mapping(parts: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{name}: {text}' for name, text in parts.items())}}}"


def _key(name: object) -> str:
    # In plain data a `$` at the beginning of a key is written twice.
    return _text(f"${name}" if isinstance(name, str) and name.startswith("$") else str(name))


def _text(text: str) -> str:
    if not text.isprintable():
        return f'"{text.translate(_ESCAPES)}"'
    if _NOT_TEXT.fullmatch(text) or _NOT_PLAIN.search(text):
        quoted = text.replace("'", "''")
        return f"'{quoted}'"
    return text


class _Escapes(dict[int, str]):
    """How each character is written between double quotes; found when it is first needed."""

    def __missing__(self, code: int) -> str:
        return self.setdefault(code, _escaped(chr(code)))


_ESCAPES = _Escapes()


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    code = ord(character)
    return short or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
