"""Sizes, ages, counts and paths in the words of the report."""

from __future__ import annotations

from pathlib import Path

MEGABYTE = 10**6
_AGES = ((86400, "day"), (3600, "hour"), (60, "minute"))


def size(count: float) -> str:
    """Bytes in the unit that a person would choose."""
    if count >= 10_000 * MEGABYTE:
        return f"{count / 10**9:.0f} GB"
    if count >= 1000 * MEGABYTE:
        return f"{count / 10**9:.1f} GB"
    return f"{count / MEGABYTE:.0f} MB"


def age(seconds: float) -> str:
    """How long ago something was."""
    for unit, word in _AGES:
        if seconds >= unit:
            return f"{counted(int(seconds // unit), word)} ago"
    return "just now"


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 worker", "2 workers", "3 directories"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def shown(path: Path) -> str:
    """A path, with ~ for the home directory: a shell takes it as it is."""
    home = Path.home()
    return (
        f"~/{path.relative_to(home)}" if path.is_relative_to(home) and path != home else str(path)
    )
