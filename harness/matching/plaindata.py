"""Python values as plain data, for what is saved of them and for templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set, ValuesView
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from pydantic import AnyUrl, RootModel

from harness.matching.members import (
    MappedMembers,
    Members,
    UnreadableError,
    declared,
    members_of,
    named_fields,
)
from harness.matching.objects import key_text, typed, unusable

_LEFT_OUT = object()
"""What stands for a value that has no plain form."""


def plain_data(value: Any) -> Any:
    """A value as mappings, lists and scalars: what JMESPath and templates can reach into.

    Objects become mappings of their fields; of a mapped class's, the columns and relationships that
    are loaded, and of those that relationships lead to, the columns alone. UUIDs, dates, times and
    intervals become texts, members of an enumeration their values; Decimal stays. Left out is what
    is none of these, or holds itself; alone, and in a list, None stands for it.
    """
    try:
        found = _data(value, ())
    except RecursionError:
        return None
    return None if found is _LEFT_OUT else found


def _data(value: Any, holders: tuple[Any, ...]) -> Any:
    """The plain form of a value that is held by others."""
    if isinstance(value, (Enum, RootModel)):
        return _data(value.value if isinstance(value, Enum) else value.root, holders)
    if value is None or isinstance(value, (bool, int, float, Decimal)):
        return value
    if isinstance(value, (str, AnyUrl, PurePath)):
        return str(value)
    of_type = typed(value)
    if of_type is not None:
        return of_type[0]
    if unusable(value) or any(holder is value for holder in holders):
        return _LEFT_OUT
    return _structure(value, (*holders, value))


def _structure(value: Any, holders: tuple[Any, ...]) -> Any:
    if isinstance(value, Mapping):
        named = ((key_text(key), item) for key, item in value.items())
        return _mapping(((key, item) for key, item in named if key is not None), holders)
    members = members_of(value)
    if isinstance(members, MappedMembers) or declared(value):
        return _mapping(_read(members, _reach(members, holders)), holders)
    if isinstance(value, Set):
        return sorted(_list(value, holders), key=repr)  # its own order differs from run to run
    if not isinstance(value, (Sequence, ValuesView)):
        return _mapping(_read(members, members.names), holders) or _LEFT_OUT
    names = named_fields(value)
    if not names:
        return _list(value, holders)
    pairs = zip(names, value, strict=True)
    return _mapping((pair for pair in pairs if names.count(pair[0]) == 1), holders)


def _reach(members: Members, holders: tuple[Any, ...]) -> Iterable[str]:
    """The names of what is taken along; the object itself is the last of the holders."""
    if not isinstance(members, MappedMembers):
        return members.names
    inside = any(isinstance(members_of(each), MappedMembers) for each in holders[:-1])
    return members.names if inside else (*members.names, *members.loaded_relationships)


def _read(members: Members, names: Iterable[str]) -> Iterable[tuple[str, Any]]:
    for name in names:
        try:
            yield name, members.read(name)
        except (KeyError, UnreadableError):
            continue


def _mapping(items: Iterable[tuple[str, Any]], holders: tuple[Any, ...]) -> dict[str, Any]:
    found = {name: _data(item, holders) for name, item in items}
    return {name: item for name, item in found.items() if item is not _LEFT_OUT}


def _list(items: Iterable[Any], holders: tuple[Any, ...]) -> list[Any]:
    found = (_data(item, holders) for item in items)
    return [None if item is _LEFT_OUT else item for item in found]  # each stays in its place
