"""Text as a terminal shows it: escaped, measured in columns, cut and wrapped to a width."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"

_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def printable(text: str) -> str:
    """The text on one line: what a terminal would act on or hide is written as an escape."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def width(text: str) -> int:
    """How many columns a printable text takes; East Asian characters and emoji take two."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, columns: int) -> str:
    """The text with spaces after it, up to a number of columns."""
    return text + " " * (columns - width(text))


def clipped(text: str, columns: int, around: int = 0) -> str:
    """A printable text in so many columns at most: the part around a character, the rest cut."""
    return "".join(clipped_halves(text[:around], text[around:], columns))


def clipped_halves(before: str, after: str, columns: int) -> tuple[str, str]:
    """Two texts that follow each other, cut at their outer ends to so many columns together."""
    if width(before) + width(after) <= columns:
        return before, after
    if width(before) > columns * 2 // 3:
        room = max(columns // 2, columns - width(after))
        before = ELLIPSIS + _fitting(before[::-1], room - 1)[::-1]
    return before, _beginning(after, columns - width(before))


def first_difference(left: str, right: str) -> int:
    """Where two texts begin to differ."""
    pairs = enumerate(zip(left, right, strict=False))
    shorter = min(len(left), len(right))
    return next((index for index, (one, other) in pairs if one != other), shorter)


def around(text: str, place: int, limit: int | None) -> str:
    """So many characters of a text, around a place; signs show where it goes on."""
    if limit is None or len(text) <= limit:
        return text
    start = max(0, place - limit // 2)
    end = start + limit
    return (ELLIPSIS if start else "") + text[start:end] + (ELLIPSIS if end < len(text) else "")


def wrapped(text: str, columns: int) -> list[str]:
    """The lines of a text, none wider than `columns`: broken at spaces where there are any."""
    return [line for part in text.split("\n") for line in _broken(printable(part), columns)]


def abridged(lines: list[str], limit: int) -> list[str]:
    """So many lines at most: what is left out in the middle is counted."""
    if len(lines) <= limit:
        return lines
    head = limit * 2 // 3
    tail = limit - head - 1
    note = f"{ELLIPSIS} {len(lines) - head - tail} lines left out"
    return [*lines[:head], note, *lines[-tail:]]


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if character in _SHORT or code < 0x100:
        return _SHORT.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):  # drawn over the character before
        return 0
    return 2 if unicodedata.east_asian_width(character) in "FW" else 1


def _beginning(text: str, columns: int) -> str:
    if width(text) <= columns:
        return text
    return _fitting(text, columns - 1) + ELLIPSIS


def _fitting(text: str, columns: int) -> str:
    """As much of the beginning as fits."""
    for index, character in enumerate(text):
        columns -= _columns(character)
        if columns < 0:
            return text[:index]
    return text


def _broken(text: str, columns: int) -> list[str]:
    if width(text) <= columns:
        return [text]
    lines: list[str] = []
    start = used = gap = 0
    for index, character in enumerate(text):
        used += _columns(character)
        if character == " ":
            gap = index + 1
        if used > columns:
            end = gap if text[start:gap].strip() else index
            lines.append(text[start:end].rstrip())
            start, used = end, width(text[end : index + 1])
    return [*lines, text[start:]]
