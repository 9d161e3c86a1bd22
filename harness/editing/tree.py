"""A YAML text by its lines and its nodes: where each stands, and in which style.

Composed from the parser's events, because its own tree forgets aliases, and gives a collection in
block style an end behind the blanks and comments that follow it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    StreamStartEvent,
)

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is not part of every PyYAML
_Event = Any  # types-PyYAML gives events no attributes, and marks that may be None
_TAG = re.compile(r"!<[^>]*>|![^\s,\[\]{}]*")
_HEADER = re.compile(r"[|>][-+0-9]*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)*")
_NOTHING = re.compile(r"[ \t]*(?:#[^\r\n]*)?")


class Lines:
    """Answers questions about a text that ends with a line break; offsets are in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        self._ends = []
        for match in _LINE_BREAK.finditer(text):
            self._ends.append(match.start())
            self._starts.append(match.end())
        self._ends.append(len(text))

    def _line(self, offset: int) -> int:
        return bisect_right(self._starts, offset) - 1

    def start(self, offset: int) -> int:
        """Where the line begins."""
        return self._starts[self._line(offset)]

    def end(self, offset: int) -> int:
        """Where the line ends, its break not included."""
        return self._ends[self._line(offset)]

    def next(self, offset: int) -> int:
        """Where the next line begins."""
        return self._starts[self._line(offset) + 1]

    def column(self, offset: int) -> int:
        """Characters before `offset` in its line."""
        return offset - self.start(offset)

    def number(self, offset: int) -> int:
        """The number of the line, from one."""
        return self._line(offset) + 1

    def line_break(self, offset: int) -> str:
        """The break at the end of the line."""
        line = self._line(offset)
        return self.text[self._ends[line] : self._starts[line + 1]]

    def leads(self, offset: int) -> bool:
        """Whether nothing but blanks stands before `offset` in its line."""
        return not self.text[self.start(offset) : offset].strip(" \t")

    def trails(self, offset: int) -> bool:
        """Whether nothing but blanks and a comment stands behind `offset` in its line."""
        return bool(_NOTHING.fullmatch(self.text, offset, self.end(offset)))

    def gap(self, offset: int) -> int:
        """The end of the blanks, line breaks and comments that begin at `offset`."""
        match = _GAP.match(self.text, offset)
        return match.end() if match else offset


def line_breaks(text: str) -> int:
    """How many lines end in a text."""
    return len(_LINE_BREAK.findall(text))


@dataclass(slots=True, eq=False)
class Node:
    """A scalar, collection or alias; all places are offsets in the text.

    Attributes:
        begin: where its anchor and tag begin, if it has any, else `start`.
        decorated: where its anchor and tag end.
        start: where its content begins.
        end: the end of its last character; blanks and comments that follow are not part of it.
        style: of a scalar: its quote, `|` or `>`, or nothing.
        flow: whether it is a collection in brackets.
        value: of a scalar: its text.
        key: of an item in a mapping: its key's node.
        entries: of a collection: its items or values.
        target: of an alias: what it stands for.
    """

    kind: Literal["scalar", "list", "mapping", "alias"]
    begin: int
    decorated: int
    start: int
    end: int
    style: str = ""
    flow: bool = False
    anchor: str | None = None
    tagged: bool = False
    value: str = ""
    key: Node | None = None
    entries: list[Node] = field(default_factory=list)
    target: Node | None = None

    @property
    def name(self) -> str | None:
        """The key as text; None for the merge key `<<`, which no path names."""
        key = self.key.target or self.key if self.key else None
        if key is None or (key is self.key and key.value == "<<" and not key.style):
            return None
        return key.value

    def find(self, step: str | int) -> Node | None:
        """The item or value at a step; None if it is not written here."""
        if isinstance(step, int):
            return self.entries[step]
        return next((entry for entry in self.entries if entry.name == step), None)

    @property
    def block(self) -> bool:
        """Whether it is a collection in block style."""
        return self.kind in ("list", "mapping") and not self.flow

    @property
    def empty(self) -> bool:
        """Whether no character of it is written: the null of `key:`."""
        return self.start == self.end

    def walk(self) -> Iterator[Node]:
        """The node and all below it, keys included, in no order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.entries
            waiting += (entry.key for entry in node.entries if entry.key)


class Tree:
    """The nodes of a text that `source.parse` accepts.

    Attributes:
        root: the document's node.
        aliases: all of them, in the order of the text.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._text = lines.text
        self._next_event = yaml.parse(lines.text, Loader=_Loader).__next__
        self._anchors: dict[str, Node] = {}
        self.aliases: list[Node] = []
        event = self._next_event()
        while isinstance(event, (StreamStartEvent, DocumentStartEvent)):
            event = self._next_event()
        self.root = self._node(event)

    def _node(self, event: _Event) -> Node:
        begin, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            target = self._anchors[str(event.anchor)]
            alias = Node("alias", begin, begin, begin, end, target=target)
            self.aliases.append(alias)
            return alias
        if isinstance(event, ScalarEvent):
            node = self._scalar(event, begin, end)
        elif isinstance(event, MappingStartEvent):
            node = self._collection("mapping", event, begin)
        else:
            node = self._collection("list", event, begin)
        if node.anchor:
            self._anchors[node.anchor] = node
        return node

    def _scalar(self, event: _Event, begin: int, end: int) -> Node:
        decorated = self._decorated(event, begin)
        start = self._lines.gap(decorated) if begin < decorated < end else decorated
        style = event.style or ""
        if style in ("|", ">"):
            end = self._block_scalar_end(start, end)
        return Node(
            *("scalar", begin, decorated, start, end, style),
            anchor=event.anchor,
            tagged=event.tag is not None,
            value=event.value,
        )

    def _block_scalar_end(self, start: int, end: int) -> int:
        written = self._text[start:end].rstrip(" \t\r\n")
        if "+" in header(self._text, start):  # the empty lines that follow belong to its value
            return max(self._lines.end(max(end - 1, start)), start + len(written))
        return self._lines.end(start + len(written))

    def _collection(self, kind: Literal["list", "mapping"], start: _Event, begin: int) -> Node:
        decorated = self._decorated(start, begin)
        content = self._lines.gap(decorated) if begin < decorated else begin
        node = Node(kind, begin, decorated, content, content, flow=bool(start.flow_style))
        node.anchor, node.tagged = start.anchor, start.tag is not None
        while not isinstance(event := self._next_event(), CollectionEndEvent):
            key = None
            if kind == "mapping":
                key = self._node(event)
                event = self._next_event()
            entry = self._node(event)
            entry.key = key
            node.entries.append(entry)
            node.end = max(entry.end, key.end if key else 0)
        if node.flow and self._text[content] in "[{":
            closing: _Event = event
            node.end = closing.end_mark.index
        return node

    def _decorated(self, event: _Event, begin: int) -> int:
        """The end of a node's anchor and tag, in whatever order they stand."""
        if event.anchor is None and event.tag is None:
            return begin
        here, tag = begin, event.tag is not None
        anchor = f"&{event.anchor}" if event.anchor else None
        while True:
            at = self._lines.gap(here)
            if anchor and self._text.startswith(anchor, at):
                here, anchor = at + len(anchor), None
            elif tag and (match := _TAG.match(self._text, at)):
                here, tag = match.end(), False
            else:
                return here


def header(text: str, start: int) -> str:
    """The `|-` or `>2+` that begins a block scalar."""
    match = _HEADER.match(text, start)
    return match.group() if match else ""
