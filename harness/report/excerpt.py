"""The lines of a YAML file around the place of a mismatch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import Location
from harness.report.glyphs import ELLIPSIS, clipped, clipped_halves, printable, width
from harness.report.lines import FAINT, HEADING, MARKED, REASON, Line, Span, line

_BEFORE = 3
_AFTER = 2
"""So many lines before and after the marked one are shown, if they belong to the same block."""

_KEY = re.compile(r"""[ ]*(?:-[ ]+)*["']?(?P<name>[^\s"':]+)["']?:(?:\s|$)""")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a file, by number, and the place in one of them that is meant."""

    lines: tuple[tuple[int, str], ...]
    where: Location


def excerpt(where: Location, key: str) -> Excerpt | None:
    """The lines around a place, from the block below `key` that holds it.

    Args:
        where: the place.
        key: `operations`, for example: the excerpt begins with the item of that list.

    Returns:
        None where the file cannot be read, or has changed and has no such place any more.
    """
    try:
        lines = where.path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, ValueError):
        return None
    if not (0 < where.line <= len(lines) and where.column <= len(lines[where.line - 1]) + 1):
        return None
    chosen = sorted(_chosen(lines, where.line - 1, key))
    return Excerpt(tuple((index + 1, lines[index]) for index in chosen), where)


def excerpt_lines(shown: Excerpt, columns: int) -> Iterator[Line]:
    """The excerpt in so many columns: numbers, a `>` at the marked line, a `^` below the place."""
    digits = len(str(shown.lines[-1][0]))
    gutter = f"  {'':{digits}} | "
    room = columns - len(gutter)
    last = shown.lines[0][0]
    for number, text in shown.lines:
        if number > last + 1:
            yield line(f"  {ELLIPSIS:>{digits}}", FAINT)
        last = number
        if number == shown.where.line:
            yield from _marked(f"> {number:{digits}} | ", text, shown.where.column - 1, room)
        else:
            shortened = clipped(printable(text), room)
            yield (Span(f"  {number:{digits}} | ", FAINT), Span(shortened))


def _marked(gutter: str, text: str, place: int, room: int) -> Iterator[Line]:
    before, after = clipped_halves(printable(text[:place]), printable(text[place:]), room)
    yield (Span(gutter, MARKED), Span(before + after, HEADING))
    yield (Span(f"{'':{len(gutter) - 2}}| ", FAINT), Span(" " * width(before) + "^", REASON))


def _chosen(lines: list[str], marked: int, key: str) -> set[int]:
    """Which lines are shown: the block's first, those that hold the place, its surroundings."""
    holders = _holders(lines, marked)
    first = _first(lines, holders, key)
    chosen = {index for index in holders if index >= first}
    chosen |= set(range(max(first, marked - _BEFORE), marked))
    for index in range(marked + 1, min(marked + 1 + _AFTER, len(lines))):
        if _depth(lines[index]) <= _depth(lines[first]):
            break
        chosen.add(index)
    return chosen


def _holders(lines: list[str], marked: int) -> list[int]:
    """The lines that hold the marked one, as their indentation says: the outermost first."""
    found = [marked]
    for index in range(marked - 1, -1, -1):
        text = lines[index].strip()
        if text and not text.startswith("#") and _depth(lines[index]) < _depth(lines[found[0]]):
            found.insert(0, index)
    return found


def _first(lines: list[str], holders: list[int], key: str) -> int:
    """The line with which the block begins: that of the key, or the item below `operations`."""
    for position, index in enumerate(holders):
        found = _KEY.match(lines[index])
        if found and found["name"] == key:
            below = holders[position + 1 :] if key == "operations" else []
            return below[0] if below else index
    return holders[-2:][0]  # written in a style that has no lines for it


def _depth(text: str) -> int:
    """How deep a line is; an item is deeper than its list's key, also in the same column."""
    stripped = text.lstrip(" ")
    return 2 * (len(text) - len(stripped)) + stripped.startswith("- ")
