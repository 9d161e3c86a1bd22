"""Which characters of a text go, and what comes in their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.editing.tree import Lines, Node, line_breaks
from harness.results import Path as Steps


@dataclass(frozen=True, slots=True)
class Splice:
    """Characters that are replaced by a text, for the edit at `path`; its breaks are line feeds."""

    begin: int
    end: int
    text: str
    path: Steps


@dataclass(slots=True)
class Splices:
    """Collects the splices of one text.

    Attributes:
        lines: the text.
        path: of the edit at work.
        touched: the path of the edit for each node that is, or contains, something changed.
        gone: the spans of the nodes that are replaced or removed.
    """

    lines: Lines
    path: Steps = ()
    touched: dict[Node, Steps] = field(default_factory=dict)
    gone: list[tuple[int, int]] = field(default_factory=list)
    _splices: list[Splice] = field(default_factory=list)

    def put(self, begin: int, end: int, text: str = "") -> None:
        """Plans to put `text` in place of what stands from `begin` to `end`.

        Of several texts at the same place the one that is planned first comes first.
        """
        if begin != end or text:
            self._splices.append(Splice(begin, end, text, self.path))

    def drop(self, node: Node) -> None:
        """Notes that a node and all below it will no longer be in the text."""
        self.gone.append((node.begin, node.end))
        for inner in node.walk():
            self.touched[inner] = self.path

    def is_gone(self, node: Node) -> bool:
        """Whether a node lies in one that is replaced or removed."""
        return any(begin <= node.begin < end for begin, end in self.gone)

    def pieces(self) -> Iterator[tuple[str, Splice | None]]:
        """The new text in pieces: what stays with None, what comes with its splice."""
        here, text = 0, self.lines.text
        for splice in sorted(self._splices, key=lambda splice: (splice.begin, splice.end)):
            # Splices that overlap would be a bug, which shows when the result is read back.
            yield text[here : splice.begin], None
            # A new line ends as the one above it does.
            line_break = self.lines.line_break(max(splice.begin - 1, 0))
            yield splice.text.replace("\n", line_break), splice
            here = max(here, splice.end)
        yield text[here:], None

    def result(self) -> str:
        """The new text."""
        return "".join(text for text, _ in self.pieces())

    def path_in(self, line: int) -> Steps:
        """The path of the last edit that begins above or in a line of the new text."""
        path: Steps = ()
        number = 1
        for text, splice in self.pieces():
            if number > line:
                break
            path = splice.path if splice else path
            number += line_breaks(text)
        return path

    def path_near(self, path: Steps) -> Steps:
        """The path of the edit that has most steps in common with `path`."""

        def shared(other: Steps) -> int:
            pairs = zip(path, other, strict=False)
            return next((i for i, (one, two) in enumerate(pairs) if one != two), len(other))

        return max((splice.path for splice in self._splices), key=shared, default=path)
