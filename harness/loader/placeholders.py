"""The placeholder `???`: an expectation that `--harness-update` is to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.nodes import YamlMapping, YamlSequence
from harness.results import Path
from harness.spec.matchers import PLACEHOLDER
from harness.spec.model import is_extension

_CUT: Any = object()
_OF_OPERATION = frozenset(
    {"rows", "contains", "columns", "row", "value", "count", "affected", "error", "notices"}
)
_OF_TABLE = frozenset({"rows", "contains", "count"})
"""One of these makes a table's expectation."""

_KINDS = frozenset({"inserted", "updated", "deleted"})
_NUMBERS = frozenset({("status",), ("queries",), ("queries", "max"), ("queries", "repeated")})
"""Below an operation's `expect`: that they are expected changes what is seen, or what may be."""


def cut(data: YamlMapping) -> tuple[YamlMapping, tuple[Path, ...]]:
    """A spec without the keys whose expectation is still to be written, and where placeholders are.

    Placeholders inside rows and other values stay: no key of the format is missing without them.
    In `changes`, where a table that is not named says something too, one stands for no change; in
    the place of a status or a number of statements for zero.
    """
    operations = data.get("operations")
    parts = operations if isinstance(operations, YamlSequence) else []
    if not any(map(_has_placeholder, (data, *parts))):
        return data, ()
    found: list[Path] = []
    changes: dict[str, Any] = {}
    if isinstance(operations, YamlSequence):
        items = iter([_holder(each, ("operations", i), found) for i, each in enumerate(operations)])
        changes["operations"] = operations.mapped(lambda _: next(items))
    result = _holder(data.replaced(changes), (), found)
    return (result if found else data), tuple(found)


def _holder(value: Any, path: Path, found: list[Path]) -> Any:
    """What has an `expect`: a spec or an operation."""
    if not _has_placeholder(value):
        return value
    below: list[Path] = []
    rest = _expectation(value["expect"], (), bool(path), below)
    found += ((*path, "expect", *each) for each in below)
    return value.without("expect") if rest is _CUT else value.replaced({"expect": rest})


def _has_placeholder(value: Any) -> bool:
    """Whether one stands in the `expect` of a spec or an operation."""
    return isinstance(value, YamlMapping) and _holds_one(value.get("expect"))


def _holds_one(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_one, value.values()))
    return any(map(_holds_one, value)) if isinstance(value, list) else value == PLACEHOLDER


def _expectation(value: Any, path: Path, of_operation: bool, found: list[Path]) -> Any:
    """What the format makes of `value`, at `path` below `expect`, without its placeholders."""
    if value == PLACEHOLDER and _is_known(path, of_operation):
        found.append(path)
        return _nothing(path)
    if not isinstance(value, YamlMapping) or not _is_structural(path):
        found += _inside(value, path)
        return value
    parts = {
        key: _expectation(item, (*path, key), of_operation, found)
        for key, item in value.items()
        if not is_extension(key) and not (key == "where" and _is_table(path))
    }
    missing = [key for key, item in parts.items() if item is _CUT]
    if "rows" in missing:
        missing.append("order")  # of rows that are not there
    rest = value.replaced({k: v for k, v in parts.items() if v is not _CUT}).without(*missing)
    is_empty = not rest or (_is_table(path) and not _OF_TABLE & rest.keys())
    return _CUT if missing and is_empty else rest


def _is_known(path: Path, of_operation: bool) -> bool:
    """Whether what stands at a path can be written from what is seen."""
    match path:
        case () | ("changes",):
            known = True
        case ("changes", key):
            known = key != "ignore"
        case ("changes", _, key):
            known = key in _KINDS
        case ("error", _):
            known = of_operation
        case (key,) if key in _OF_OPERATION:
            known = of_operation
        case ("tables", _):
            known = not of_operation
        case ("tables", _, key):
            known = not of_operation and key in _OF_TABLE
        case _:
            known = of_operation and path in _NUMBERS
    return known


def _is_structural(path: Path) -> bool:
    """Whether the format, not a table's rows, says which keys stand below a path."""
    match path:
        case () | ("changes" | "tables" | "error" | "queries",) | ("changes" | "tables", _):
            return path != ("changes", "ignore")
    return False


def _is_table(path: Path) -> bool:
    return path[:1] == ("tables",) and len(path) == 2


def _nothing(path: Path) -> Any:
    """What stands in the place of a placeholder."""
    if path[:1] == ("changes",) and len(path) > 1:
        return {} if len(path) == 2 else 0
    return 0 if path in _NUMBERS else _CUT


def _inside(value: Any, path: Path) -> Iterator[Path]:
    """The placeholders in plain data."""
    if value == PLACEHOLDER:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _inside(item, (*path, index))
