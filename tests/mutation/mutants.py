"""Mutants: a spec once more, with one literal of its expectations altered so that it is wrong.

A spec that passes must fail then, or be refused. What is altered is each literal under `expect`, of
the operations and of the spec. These say less than a literal, and are left as they are:

- templates, and `where`: what they give is not written here (but see `cases`)
- bounds, patterns, tolerances and alternatives (`$gt`, `$between`, `$regex`, `$now`, `$in`,
  `$one_of`, ...): another one may hold as well. The matcher as a whole is negated instead
- `order`, and names of `$same`: another order, or a name that nothing shares, asks for less
- in mappings that name what they care about (rows, `$partial`, `$contains`, headers, a result,
  which may be an object): without a key they ask for less. In `contains` and `$contains`, fewer
  rows and elements ask for less, too
- `max` of `queries`, unless it becomes zero
- keys that are `$absent`: by another name they are, too
- tables that did not change, beside others under `changes`: zero is what leaving them out means
- in lists whose order does not count, what another item may satisfy: the next number, a negation
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Path = tuple[str | int, ...]
Data = dict[str, Any]
Walk = Callable[[Any, Path], Iterator["Mutation"]]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One alteration of a spec's data.

    Attributes:
        path: to what is altered.
        how: what is done to it, for people.
        apply: does it, to the mapping or list that holds it.
        near: where the order does not count, it may hold for another item of the list.
    """

    path: Path
    how: str
    apply: Callable[[Any, Any], None]
    near: bool = False

    def of(self, spec: Data) -> Data:
        """The altered spec."""
        altered = deepcopy(spec)
        holder: Any = altered
        for step in self.path[:-1]:
            holder = holder[step]
        self.apply(holder, self.path[-1])
        return altered

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))}: {self.how}"


def mutations(spec: Data) -> Iterator[Mutation]:
    """Every mutation of a spec, given as plain data."""
    return (each for each in _all(spec) if not (each.near and _is_unordered(spec, each.path)))


def _all(spec: Data) -> Iterator[Mutation]:
    for index, operation in enumerate(spec["operations"]):
        if "expect" in operation:
            yield from _outcome(operation["expect"], ("operations", index, "expect"))
    if "expect" in spec:
        yield from _each_key(_STATE, spec["expect"], ("expect",))


def _is_unordered(spec: Data, path: Path) -> bool:
    """Whether a path leads through a list whose order does not count."""
    holder: Any = spec
    for step in path:
        if step in _WITHOUT_ORDER or (isinstance(holder, dict) and "order" in holder):
            return True
        holder = holder[step]
    return False


# -- what can be done to a value


def _set(path: Path, value: Any, *, near: bool = False) -> Mutation:
    def apply(holder: Any, step: Any) -> None:
        holder[step] = value

    return Mutation(path, f"becomes {value!r}", apply, near)


def _drop(path: Path) -> Mutation:
    def apply(holder: Any, step: Any) -> None:
        del holder[step]

    return Mutation(path, "is dropped", apply)


def _repeat(path: Path) -> Mutation:
    def apply(holder: Any, step: Any) -> None:
        holder.insert(step, holder[step])

    return Mutation(path, "is repeated", apply)


def _rename(path: Path) -> Mutation:
    """The last step of the path gets another name, in its place."""

    def apply(holder: Any, step: Any) -> None:
        items = [(f"{key}x" if key == step else key, value) for key, value in holder.items()]
        holder.clear()
        holder.update(items)

    return Mutation(path, "is renamed", apply)


def _exchange(path: Path) -> Mutation:
    """An item changes places with the next one."""

    def apply(holder: Any, step: Any) -> None:
        holder[step], holder[step + 1] = holder[step + 1], holder[step]

    return Mutation(path, "changes places with the next", apply)


# -- where the literals are


def _each_key(walks: dict[str, Walk], mapping: Any, path: Path) -> Iterator[Mutation]:
    if isinstance(mapping, dict):
        for key, value in mapping.items():
            if key in walks:
                yield from walks[key](value, (*path, key))


def _outcome(expect: Any, path: Path) -> Iterator[Mutation]:
    walk = _rows if isinstance(expect, list) else _keys_of_outcome
    yield from walk(expect, path)


def _keys_of_outcome(expect: Any, path: Path) -> Iterator[Mutation]:
    yield from _each_key(_OUTCOME, expect, path)


def _rows(rows: Any, path: Path) -> Iterator[Mutation]:
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        here = (*path, index)
        yield _drop(here)
        yield _repeat(here)
        yield from _row(row, here)


def _contained(rows: Any, path: Path) -> Iterator[Mutation]:
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        yield from _row(row, (*path, index))


def _row(row: Any, path: Path) -> Iterator[Mutation]:
    if isinstance(row, dict) and not _is_matcher(row):
        for name, value in row.items():
            yield _rename((*path, name))
            yield from _value(value, (*path, name))
    elif isinstance(row, list):
        for index, value in enumerate(row):
            yield from _value(value, (*path, index))
    else:
        yield from _value(row, path)


def _value(value: Any, path: Path, *, exact: bool = True) -> Iterator[Mutation]:
    """Mutations of what one value must be; `exact` unless it may have more keys than these."""
    if _is_matcher(value):
        yield _set(path, {"$not": value}, near=True)
        yield from _each_key(_MATCHER, value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            if item != {"$absent": True}:
                yield _rename((*path, key))
                yield from [_drop((*path, key))] if exact else []
            yield from _value(item, (*path, key), exact=exact)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield _drop((*path, index))
            yield _repeat((*path, index))
            yield from _value(item, (*path, index), exact=exact)
    else:
        yield from _scalar(value, path)


def _scalar(value: Any, path: Path) -> Iterator[Mutation]:
    if value is None:
        yield _set(path, "x")
        yield _set(path, "")
        return
    if isinstance(value, bool):
        yield _set(path, not value, near=True)
    elif isinstance(value, str):
        if "{{" in value:
            return
        yield _set(path, f"{value}x")
        if re.search(r"\d", value):
            yield _set(path, _with_another_digit(value), near=True)
    elif isinstance(value, (int, Decimal)):
        yield _set(path, value + 1, near=True)
        yield _set(path, value + 1000)
    yield _set(path, None, near=True)


def _with_another_digit(text: str) -> str:
    """The text with its first digit changed: what follows may be no more than precision."""
    return re.sub(
        r"\d", lambda digit: "1" if digit[0] == "0" else str(int(digit[0]) - 1), text, count=1
    )


def _partly(value: Any, path: Path) -> Iterator[Mutation]:
    yield from _value(value, path, exact=False)


def _headers(value: Any, path: Path) -> Iterator[Mutation]:
    for name, item in value.items() if isinstance(value, dict) else ():
        if item != {"$absent": True}:
            yield _rename((*path, name))
        yield from _value(item, (*path, name))


def _queries(value: Any, path: Path) -> Iterator[Mutation]:
    if isinstance(value, dict) and not _is_matcher(value):
        yield from [_set((*path, "max"), 0)] if "max" in value else []
        yield from _count(value["repeated"], (*path, "repeated")) if "repeated" in value else []
    else:
        yield from _count(value, path)


def _elements(value: Any, path: Path) -> Iterator[Mutation]:
    """What a list, mapping or text must hold among other things."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from _value(item, (*path, index))
    if not isinstance(value, list):
        yield from _value(value, path, exact=not isinstance(value, dict))


def _every(value: Any, path: Path) -> Iterator[Mutation]:
    for index, item in enumerate(value):
        yield from _value(item, (*path, index))


def _count(value: Any, path: Path) -> Iterator[Mutation]:
    yield from _value(value, path)
    if isinstance(value, int) and value > 0:
        yield _set(path, value - 1)
        yield _set(path, value + 1)


def _near(value: Any, path: Path) -> Iterator[Mutation]:
    written = value if isinstance(value, dict) else {"value": value}
    middle = written["value"]
    if isinstance(middle, (int, Decimal)):
        reach = max(written.get("abs", 0), abs(middle) * written.get("rel", Decimal("1e-6")))
        here = (*path, "value") if isinstance(value, dict) else path
        yield _set(here, middle + 2 * reach + 1)


def _flag(value: Any, path: Path) -> Iterator[Mutation]:
    if isinstance(value, bool):
        yield _set(path, not value)


def _type(value: Any, path: Path) -> Iterator[Mutation]:
    yield _set(path, "uuid" if value == "bool" else "bool")


def _columns(names: Any, path: Path) -> Iterator[Mutation]:
    for index, name in enumerate(names):
        yield _set((*path, index), f"{name}x")
        yield _drop((*path, index))
        if index + 1 < len(names):
            yield _exchange((*path, index))


def _selected(names: Any, path: Path) -> Iterator[Mutation]:
    for index, name in enumerate(names):
        yield _set((*path, index), f"{name}x")


def _error(error: Any, path: Path) -> Iterator[Mutation]:
    if isinstance(error, str) and "{{" not in error:
        yield _set(path, _another_error(error))
        yield _set(path, {"message": error})
    elif isinstance(error, dict):
        for key, value in error.items():
            here = (*path, key)
            named = key in ("condition", "sqlstate") and isinstance(value, str)
            yield from [_set(here, _another_error(value))] if named else _value(value, here)
    yield _drop(path)


def _another_error(name: str) -> str:
    if re.fullmatch("[0-9A-Z]{5}", name):
        return "22012" if name != "22012" else "23505"
    if name.islower():
        return "division_by_zero" if name != "division_by_zero" else "unique_violation"
    return f"{name}x"


def _changes(changes: Any, path: Path) -> Iterator[Mutation]:
    for table, change in changes.items() if isinstance(changes, dict) else ():
        here = (*path, table)
        if table == "ignore":
            yield from (_drop((*here, index)) for index in range(len(change)))
            continue
        yield _rename(here)
        if any(value not in (0, []) for value in change.values()):
            yield _drop(here)
        for key, value in change.items():
            if value not in (0, []):
                yield _drop((*here, key))
            yield from (_rows if isinstance(value, list) else _count)(value, (*here, key))


def _tables(tables: Any, path: Path) -> Iterator[Mutation]:
    for table, state in tables.items():
        here = (*path, table)
        yield _rename(here)
        if isinstance(state, list):
            yield from _rows(state, here)
        else:
            yield from _each_key(_TABLE, state, here)


def _removed(_value: Any, path: Path) -> Iterator[Mutation]:
    yield _drop(path)


def _is_matcher(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_operator, value))


def _is_operator(key: str) -> bool:
    return key.startswith("$") and not key.startswith("$$")


_WITHOUT_ORDER = ("contains", "tables", "inserted", "updated", "deleted", "$contains", "$unordered")
_OUTCOME: dict[str, Walk] = {
    "rows": _rows,
    "contains": _contained,
    "columns": _columns,
    "row": _row,
    "value": _value,
    "count": _count,
    "affected": _count,
    "error": _error,
    "notices": _value,
    "changes": _changes,
    "plan": _value,
    "result": _partly,
    "status": _count,
    "json": _value,
    "text": _value,
    "headers": _headers,
    "queries": _queries,
}
_STATE: dict[str, Walk] = {"tables": _tables, "changes": _changes, "constraints": _removed}
_TABLE: dict[str, Walk] = {
    "rows": _rows,
    "contains": _contained,
    "count": _count,
    "columns": _selected,
}
_MATCHER: dict[str, Walk] = {
    "$null": _flag,
    "$eq": _value,
    "$len": _count,
    "$contains": _elements,
    "$unordered": _value,
    "$each": _value,
    "$partial": _partly,
    "$all": _every,
    "$approx": _near,
    "$type": _type,
}
