"""Healing `changes`: the tables that changed, how many rows of each, and which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from harness.matching.display import show
from harness.matching.healing.repairs import (
    TEMPLATE,
    Refusal,
    Repair,
    insertion,
    removal,
    replacement,
)
from harness.matching.healing.rows import Listed, Rows
from harness.matching.healing.values import Values
from harness.matching.healing.writer import Writer
from harness.matching.rows import Table
from harness.matching.values import count_of
from harness.results import Path, ResultSet, TableChange
from harness.spec.expectations import Changes, TableChanges

_KINDS = ("inserted", "updated", "deleted")
_NOTHING = ResultSet((), ())
_UNCHANGED = TableChange(_NOTHING, _NOTHING, _NOTHING, _NOTHING)


def changes_repairs(
    expect: Changes, written: Any, seen: Mapping[str, TableChange], path: Path, values: Values
) -> Iterator[Repair]:
    """What makes the expectation say what has changed, and nothing else."""
    if not isinstance(written, dict):
        yield Refusal(path, TEMPLATE)  # the model has no other short form
        return
    idle = [
        name for name, wanted in expect.tables.items() if _is_idle(wanted, seen.get(name), values)
    ]
    others = seen.keys() - expect.tables.keys()
    if idle and len(idle) == len(written) and not others:
        yield replacement(written, path, lambda: "{}")
        return
    for name, expected in expect.tables.items():
        place = (*path, name)
        if name in idle:
            yield removal(written[name], place)
        else:
            change = seen.get(name, _UNCHANGED)
            yield from _of_table(expected, written[name], change, place, values)
    for name, change in seen.items():
        if name in others:
            place = (*path, name)
            yield insertion(place, partial(change_text, change, place, values.writer))


def changes_text(seen: Mapping[str, TableChange], path: Path, writer: Writer) -> str:
    """All changes in numbers, as YAML.

    Raises:
        UnwritableError: a number differs from run to run.
    """
    texts = [
        f"{show(name)}: {change_text(each, (*path, name), writer)}" for name, each in seen.items()
    ]
    return f"{{{', '.join(texts)}}}"


def change_text(change: TableChange, path: Path, writer: Writer) -> str:
    """The changes of one table in numbers, as YAML.

    Raises:
        UnwritableError: a number differs from run to run.
    """
    numbers = {kind: len(getattr(change, kind).rows) for kind in _KINDS}
    texts = [
        f"{kind}: {writer.number(number, (*path, kind))}"
        for kind, number in numbers.items()
        if number
    ]
    return f"{{{', '.join(texts)}}}"


def _is_idle(expected: TableChanges, change: TableChange | None, values: Values) -> bool:
    """Whether a table is expected to change and does not."""
    if change is not None and any(getattr(change, kind).rows for kind in _KINDS):
        return False
    wanted = [getattr(expected, kind) for kind in _KINDS if expected.given(kind)]
    nothing = count_of(0)
    return not all(item == [] or values.holds(item, nothing) for item in wanted)


def _of_table(
    expected: TableChanges, written: Any, change: TableChange, path: Path, values: Values
) -> Iterator[Repair]:
    if not isinstance(written, dict):
        yield replacement(written, path, lambda: change_text(change, path, values.writer))
        return
    for kind in _KINDS:
        wanted, result, place = getattr(expected, kind), getattr(change, kind), (*path, kind)
        if isinstance(wanted, list) and (result.rows or not wanted):
            rows = Rows(values, Table(result, "found"))
            listed = Listed(wanted, None, written[kind], place)
            yield from rows.all(listed, in_order=False)
        elif isinstance(wanted, list) or not values.holds(wanted, count_of(len(result.rows))):
            yield values.writer.count(written.get(kind), len(result.rows), place)
