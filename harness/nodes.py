"""Plain data that knows where it was written."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Location

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Document:
    """A file's path and the offsets at which its lines begin; makes locations of offsets."""

    __slots__ = ("line_starts", "path")

    def __init__(self, path: Path, line_starts: array[int]) -> None:
        self.path = path
        self.line_starts = line_starts

    @classmethod
    def of(cls, path: Path, text: str) -> Document:
        """The document of a file that holds `text`."""
        return cls(path, array("I", [0, *(match.end() for match in _LINE_BREAK.finditer(text))]))

    def location(self, offset: int) -> Location:
        """The line and column of the character at `offset`."""
        line = bisect_right(self.line_starts, offset)
        return Location(self.path, line, offset - self.line_starts[line - 1] + 1)


class YamlMapping(dict[str, Any]):
    """A dict that knows where it, its keys and its values were written.

    Treat it as immutable: a node with an anchor is one object in every place that its aliases
    stand in. Copy before changing, and before passing lists on to psycopg, which refuses a
    parameter that holds the same list twice.
    """

    __slots__ = ("_document", "_offset", "_places")

    def __init__(self, document: Document, offset: int) -> None:
        super().__init__()
        self._document = document
        self._offset = offset
        # Both offsets of a key in one integer: tuples would double what a large suite takes.
        self._places: dict[str, int | tuple[Location, Location]] = {}

    @property
    def document(self) -> Document:
        """The file that it was written in."""
        return self._document

    @property
    def location(self) -> Location:
        """Where the mapping begins; of an aliased one, where its anchor stands."""
        return self._document.location(self._offset)

    def key_location(self, key: str) -> Location:
        """Where `key` was written; KeyError if it is not there."""
        place = self._places[key]
        return place[0] if isinstance(place, tuple) else self._document.location(place >> 32)

    def value_location(self, key: str) -> Location:
        """Where the value of `key` was written: an alias where the alias stands."""
        place = self._places[key]
        if isinstance(place, tuple):
            return place[1]
        return self._document.location(place & 0xFFFF_FFFF)

    def replaced(self, changes: Mapping[str, Any]) -> YamlMapping:
        """A copy with other values in the same places; a new key stands where the mapping does."""
        result = YamlMapping(self._document, self._offset)
        result.update(self)
        result.update(changes)
        here = self._offset << 32 | self._offset
        result._places = {key: self._places.get(key, here) for key in result}
        return result

    def without(self, *keys: str) -> YamlMapping:
        """A copy that lacks some keys."""
        result = self.replaced({})
        for key in keys:
            result.pop(key, None)
        return result


class YamlSequence(list[Any]):
    """A list that knows where it and its items were written; as immutable as YamlMapping."""

    __slots__ = ("_document", "_offset", "_places")

    def __init__(self, document: Document, offset: int) -> None:
        super().__init__()
        self._document = document
        self._offset = offset
        self._places: list[int] = []

    @property
    def location(self) -> Location:
        """Where the list begins; of an aliased one, where its anchor stands."""
        return self._document.location(self._offset)

    def item_location(self, index: int) -> Location:
        """Where the item at `index` was written: an alias where the alias stands."""
        return self._document.location(self._places[index])

    def mapped(self, function: Callable[[Any], Any]) -> YamlSequence:
        """A copy whose items are what `function` makes of them, in the same places."""
        result = YamlSequence(self._document, self._offset)
        result.extend(map(function, self))
        result._places = self._places
        return result


def merged(base: YamlMapping, override: YamlMapping) -> YamlMapping:
    """The keys of both, `override`'s values winning; each key keeps its file and its place.

    The result begins where `override` does; the keys of `base` come first.
    """
    result = YamlMapping(override._document, override._offset)
    result.update(base)
    result.update(override)
    same_file = base._document is override._document
    moved = base._places if same_file else {key: _both(base, key) for key in base}
    result._places = {**moved, **override._places}
    return result


def _both(mapping: YamlMapping, key: str) -> tuple[Location, Location]:
    return mapping.key_location(key), mapping.value_location(key)


def locate(
    data: YamlMapping | YamlSequence, path: Sequence[str | int], *, key: bool = False
) -> Location:
    """The place of the value at `path`, or of the deepest part of the path that exists.

    Args:
        data: where the path begins.
        path: keys and indices.
        key: whether the last step's key is wanted rather than its value.
    """
    node: Any = data
    holder: YamlMapping | YamlSequence | None = None
    depth = 0
    for step in path:
        if isinstance(node, YamlMapping):
            exists = step in node
        elif isinstance(node, YamlSequence):
            exists = isinstance(step, int) and 0 <= step < len(node)
        else:
            exists = False
        if not exists:
            break
        holder, node, depth = node, node[step], depth + 1
    last: Any = path[depth - 1] if depth else None
    if isinstance(holder, YamlMapping):
        wants_key = key and depth == len(path)
        return holder.key_location(last) if wants_key else holder.value_location(last)
    return holder.item_location(last) if holder is not None else data.location
