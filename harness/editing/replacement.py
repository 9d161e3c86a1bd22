"""One value in place of another: where its text goes, and in which style."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.editing.splices import Splices
from harness.editing.tree import Node, header
from harness.editing.writer import WIDTH, Writer, block_scalar, is_collection, quote_of

_CONTENT = re.compile(r"\s*^( *)\S", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """What a value belongs to.

    Attributes:
        flow: whether it stands inside brackets.
        keyed: whether it belongs to a key, so that in block style it begins on the next line.
        column: where the key, or the dash, stands in its line.
        after: where the colon, or the dash, ends.
    """

    flow: bool
    keyed: bool
    column: int
    after: int


class Replacement:
    """Replaces one node by a value; its anchor stays."""

    def __init__(self, splices: Splices, writer: Writer, node: Node, place: Place) -> None:
        self._splices = splices
        self._lines = splices.lines
        self._writer = writer
        self._node = node
        self._place = place
        self._anchor = f"&{node.anchor}" if node.anchor else ""

    def put(self, value: Any) -> None:
        """Plans the splices that leave `value` where the node stands."""
        self._splices.drop(self._node)
        if self._place.flow or not self._node.block:
            self._put_text(self._text(value))
        elif _is_filled(value):
            self._put_block(value)
        elif self._place.keyed:
            self._put_behind_key(self._inline(value))
        else:
            self._put_text(self._decorated(self._inline(value)))

    def _put_text(self, text: str) -> None:
        """Its first line comes where the node stands, the others below that line."""
        node, place = self._node, self._place
        head, line_break, body = text.partition("\n")
        head_end, tail, tail_end = self._spans()
        begin = node.begin
        if node.begin == node.end:  # the null of `key:`, with not even a blank before it
            bare = place.keyed and self._lines.text[place.after - 1] != ":"  # `{key}`
            begin, head = place.after, (": " if bare else " ") + head if head else ""
        elif not head:
            begin = place.after
        self._splices.put(begin, max(begin, head_end), head)
        self._splices.put(tail, tail_end, line_break + body)

    def _put_block(self, value: Any) -> None:
        """A collection in block style in place of another: where its first line began."""
        node, place, lines = self._node, self._place, self._lines
        column = lines.column(node.start)
        if place.keyed and column <= place.column and not isinstance(value, list):
            column = place.column + self._writer.step(value)  # `key:` with its dashes below it
        text = self._writer.block(value, column)
        if node.tagged:
            self._splices.put(node.begin, node.decorated, self._anchor)
        if lines.leads(node.start):
            self._splices.put(lines.start(node.start), lines.end(node.end), " " * column + text)
        else:
            self._splices.put(node.start, lines.end(node.end), text)

    def _put_behind_key(self, text: str) -> None:
        """A value on the key's line in place of a collection in the lines below."""
        node, after = self._node, self._place.after
        head, line_break, body = text.partition("\n")
        decorated = node.decorated if node.decorated > node.begin else after
        self._splices.put(after, decorated, " " + self._decorated(head))
        end = self._lines.end(decorated)
        self._splices.put(end, end, line_break + body)
        self._splices.put(self._lines.start(node.start), self._lines.next(node.end))

    def _spans(self) -> tuple[int, int, int]:
        """Where the node's first part ends, and from where to where the lines below it go."""
        node, lines = self._node, self._lines
        if node.style in ("|", ">"):
            head = node.start + len(header(lines.text, node.start))
            return head, lines.end(head), node.end
        end = lines.end(node.end)
        return node.end, end, end

    def _text(self, value: Any) -> str:
        """The value as it stands behind its key, dash, bracket or comma."""
        node, place, lines = self._node, self._place, self._lines
        if not _is_filled(value) or place.flow:
            return self._decorated(self._inline(value))
        column = lines.column(node.begin)
        if node.flow and node.entries:
            text = self._spread(value) or self._writer.flow(value)
            if "\n" in text or column + len(text) <= WIDTH:
                return self._decorated(text)
        is_null = node.begin == node.end
        if lines.leads(node.begin) and not is_null:
            return self._decorated(self._writer.block(value, column), column)
        if place.keyed:
            text = self._writer.after_key(value, place.column, column).removeprefix(" ")
            return self._decorated(text)
        column = place.column + 2 if is_null else column
        return self._decorated(self._writer.after_dash(value, column - 2), column)

    def _spread(self, value: Any) -> str:
        """A collection in brackets with each item on a line of its own, if the node is one."""
        node, lines, text = self._node, self._lines, self._lines.text
        first, close = lines.gap(node.start + 1), node.end - 1
        if not lines.leads(first) or isinstance(value, list) != (node.kind == "list"):
            return ""
        margin = " " * lines.column(first)
        comma = "," if text[lines.gap(node.entries[-1].end)] == "," else ""
        end = "\n" + " " * lines.column(close) if lines.leads(close) else ""
        items = f",\n{margin}".join(self._writer.items(value))
        return f"{text[node.start]}\n{margin}{items}{comma}{end}{text[close]}"

    def _decorated(self, text: str, column: int = 0) -> str:
        """The text with the node's anchor; what is in block style then begins at `column`."""
        if not self._anchor or text.startswith("\n"):
            return self._anchor + text
        is_block = column and text[0] not in "[{"
        return self._anchor + (f"\n{' ' * column}" if is_block else " ") + text

    def _inline(self, value: Any) -> str:
        """A scalar in the style of the node, if that can hold it; else brackets."""
        node, place = self._node, self._place
        if is_collection(value):
            return self._writer.flow(value)
        quote = quote_of(node)
        if place.flow:
            return self._writer.scalar(value, quote, flow=True)
        if self._writer.literals and isinstance(value, str) and node.style in ("|", ">"):
            text = self._block_scalar(value)
            if text is not None:
                return text
        inner = place.column + (self._writer.step(value) if place.keyed else 2)
        return self._writer.line(value, inner, quote)

    def _block_scalar(self, value: str) -> str | None:
        """The text under the node's own `|` or `>`, if it has several lines or ends as it did."""
        lines, place = self._lines, self._place
        old = header(lines.text, self._node.start)
        ends_alike = value.endswith("\n") == ("-" not in old)
        if not ends_alike and "\n" not in value.removesuffix("\n"):
            return None
        indicator = old.rstrip("+-") if old[1:2] not in ("+", "-") else old[0] + old[2:]
        first = _CONTENT.match(lines.text, lines.next(self._node.start), self._node.end)
        if indicator[1:]:
            column = place.column + int(indicator[1:])
        elif first:
            column = len(first[1])
        else:
            column = place.column + 2
        return block_scalar(indicator, value, column)


def _is_filled(value: Any) -> bool:
    return is_collection(value) and bool(value)
