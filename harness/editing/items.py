"""Items and keys that come and go in a collection: their lines, commas and indentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from harness.editing.splices import Splices
from harness.editing.tree import Node
from harness.editing.writer import WIDTH, Writer, is_collection, quote_of
from harness.results import Step

_Slot = tuple[int, int]  # the items before and after it that stay; -1 and len(items) are the ends


class Items:
    """Changes which items a collection has; at least one of them stays."""

    def __init__(self, splices: Splices, writer: Writer, node: Node, *, flow: bool) -> None:
        self._splices = splices
        self._lines = splices.lines
        self._text = splices.lines.text
        self._writer = writer
        self._node = node
        self._flow = flow
        self._ends = [max(item.end, item.key.end if item.key else 0) for item in node.entries]
        self._begins = self._places()

    def change(self, inserts: Mapping[Step, Sequence[Any]], removed: Sequence[Node]) -> None:
        """Plans the splices for new items, by index or key, and for items that go."""
        items = self._node.entries
        kept = [-1, *(i for i, item in enumerate(items) if item not in removed), len(items)]
        for slot in pairwise(kept):
            new = self._new(inserts, slot)
            if self._flow:
                self._change_flow(slot, new)
            else:
                self._change_block(slot, new)

    def _places(self) -> list[int]:
        """Where the items begin: at their dash, their key, or the `?` before it."""
        lines, node = self._lines, self._node
        here = node.start + 1 if self._flow else node.start
        places = []
        for end in self._ends:
            places.append(lines.gap(here))
            here = self._comma(end) + 1 if self._flow else end
        return places

    def _comma(self, end: int) -> int:
        """The comma behind an item; -1 where there is none."""
        place = self._lines.gap(end)
        return place if self._text[place] == "," else -1

    def _new(self, inserts: Mapping[Step, Sequence[Any]], slot: _Slot) -> list[str]:
        """The texts of the items to insert in one slot."""
        before, after = slot
        items = self._node.entries
        sibling = items[before] if before >= 0 else items[after]
        if self._node.kind == "list":
            new = [value for i in range(before + 1, after + 1) for value in inserts.get(i, ())]
            return [self._item(value, sibling) for value in new]
        if after < len(items):
            return []
        quote = sibling.key.style if sibling.key else ""
        return [self._pair(str(key), values[-1], quote) for key, values in inserts.items()]

    def _item(self, value: Any, sibling: Node) -> str:
        """A new item in the style of the one beside it."""
        quote = quote_of(sibling)
        if self._flow:
            if is_collection(value):
                return self._writer.flow(value)
            return self._writer.scalar(value, quote, flow=True)
        lines, column = self._lines, self._lines.column(self._node.start)
        inner = lines.column(sibling.begin)
        if sibling.empty or lines.leads(sibling.begin):
            inner = column + 2
        dash = "-".ljust(inner - column)
        if not is_collection(value):
            return dash + self._writer.line(value, inner, quote)
        text = self._writer.flow(value)
        if not value or (not sibling.block and inner + len(text) <= WIDTH):
            return dash + text
        return dash + self._writer.block(value, inner)

    def _pair(self, key: str, value: Any, quote: str) -> str:
        """A new key and its value."""
        name = self._writer.key(key, quote)
        if self._flow:
            return f"{name} {self._writer.flow(value)}"
        column = self._lines.column(self._node.start)
        return name + self._writer.after_key(value, column, column + len(name))

    def _change_block(self, slot: _Slot, new: Sequence[str]) -> None:
        before, after = slot
        lines, put = self._lines, self._splices.put
        margin = " " * lines.column(self._node.start)
        first = before + 1
        if first < after and not lines.leads(self._begins[first]):
            self._pull_up(after)
            first = after
        for index in range(first, after):
            put(lines.start(self._begins[index]), lines.next(self._ends[index]))
        if before >= 0:
            place = lines.next(self._ends[before])
            put(place, place, "".join(f"{margin}{text}\n" for text in new))
        else:
            place = self._begins[after]
            put(place, place, "".join(f"{text}\n{margin}" for text in new))

    def _pull_up(self, after: int) -> None:
        """Removes the items before `after`, the first of which stands behind a dash."""
        begin, end = self._begins[0], self._lines.end(self._ends[after - 1])
        if "#" in self._text[end : self._begins[after]]:  # comments that stay
            stem = len(self._text[:begin].rstrip(" \t"))
            self._splices.put(stem, end)
        else:
            self._splices.put(begin, self._begins[after])

    def _change_flow(self, slot: _Slot, new: Sequence[str]) -> None:
        """New items take the places of those that go; then either some remain, or none do."""
        before, after = slot
        gone = range(before + 1, after)
        for index, text in zip(gone, new, strict=False):
            self._splices.put(self._begins[index], self._ends[index], text)
        if len(new) > len(gone):
            self._insert_flow(after - 1, new[len(gone) :])
        elif len(new) < len(gone):
            self._remove_flow(before + 1 + len(new), after)

    def _insert_flow(self, before: int, new: Sequence[str]) -> None:
        lines, put = self._lines, self._splices.put
        if before < 0:
            begin = self._begins[0]
            separator = ",\n" + " " * lines.column(begin) if lines.leads(begin) else ", "
            put(begin, begin, "".join(text + separator for text in new))
            return
        end, comma = self._ends[before], self._comma(self._ends[before])
        begin = self._begins[before]
        last = comma + 1 if comma >= 0 else end
        if not (lines.leads(begin) and lines.trails(last)):
            put(end, end, "".join(f", {text}" for text in new))
            return
        margin = " " * lines.column(begin)
        if comma < 0:
            put(end, end, ",")
        place = lines.next(last)
        text = f",\n{margin}".join(new) + (",\n" if comma >= 0 else "\n")
        put(place, place, margin + text)

    def _remove_flow(self, first: int, after: int) -> None:
        """Removes the items from `first` up to the one before `after`, and as many commas."""
        lines, put = self._lines, self._splices.put
        begin, end = self._begins[first], self._ends[after - 1]
        comma = self._comma(end)
        last = comma + 1 if comma >= 0 else end
        whole_lines = lines.leads(begin) and lines.trails(last)
        if whole_lines:
            put(lines.start(begin), lines.next(last))
        elif after < len(self._begins):
            put(begin, self._begins[after])
        if after < len(self._begins) or (whole_lines and comma >= 0):
            return
        before = self._ends[first - 1]  # exists: the items that stay are not all behind this one
        if whole_lines:
            put(self._comma(before), self._comma(before) + 1)
        elif "#" in self._text[before:begin]:
            put(self._comma(before), self._comma(before) + 1)
            put(begin, end)
        else:
            put(before, end)
