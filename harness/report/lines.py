"""Lines of styled text: written to pytest's terminal in colour, or joined as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from harness.report.glyphs import abridged, width, wrapped

Style = tuple[str, ...]
"""Names of markup that pytest's terminal writer knows."""

PLAIN: Style = ()
HEADING: Style = ("bold",)
FAINT: Style = ("light",)
REASON: Style = ("red", "bold")
MARKED: Style = ("yellow",)
# As in pytest's own diffs: what is expected is red, what is there is green.
EXPECTED: Style = ("red",)
ACTUAL: Style = ("green",)


class Span(NamedTuple):
    """A piece of a line in one style."""

    text: str
    style: Style = PLAIN


Line = tuple[Span, ...]
BLANK: Line = ()


class Terminal(Protocol):
    """The part of pytest's terminal writer that reports use."""

    @property
    def fullwidth(self) -> int:
        """The terminal's width in columns."""

    def write(self, msg: str, **markup: bool) -> None:
        """Write a text in a style."""


def line(text: str, style: Style = PLAIN) -> Line:
    """A line in one style."""
    return (Span(text, style),)


def indented(lines: Iterable[Line], columns: int) -> Iterator[Line]:
    """The lines, each moved to the right; blank ones stay blank."""
    for each in lines:
        yield (Span(" " * columns), *each) if each else each


def labelled(
    label: str, text: str, columns: int, limit: int | None, style: Style = PLAIN
) -> Iterator[Line]:
    """A text behind its label, in so many lines at most; all but the first are indented so far."""
    size = width(label)
    lines = wrapped(text, max(columns - size, 8))
    first, *others = lines if limit is None else abridged(lines, limit)
    yield (Span(label, FAINT), Span(first, style))
    yield from indented((line(other, style) for other in others), size)


def plain(lines: Iterable[Line]) -> str:
    """The lines as text without colour."""
    return "\n".join("".join(span.text for span in each).rstrip() for each in lines)


def write(lines: Iterable[Line], terminal: Terminal) -> None:
    """Write the lines in colour, if the terminal has any."""
    for each in lines:
        for span in each:
            terminal.write(span.text, **dict.fromkeys(span.style, True))
        terminal.write("\n")
