"""What went wrong, where, and what to do about it: every error that a user can cause."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from one."""

    path: Path
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a sentence, its place, and the remedy."""

    what: str
    where: Location | None = None
    hint: str | None = None

    def relative_to(self, root: Path) -> Problem:
        """The same problem with its place relative to `root`, if it lies below."""
        where = self.where
        if where is None or not where.path.is_relative_to(root):
            return self
        return replace(self, where=replace(where, path=where.path.relative_to(root)))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.what}{remedy}"


class HarnessError(Exception):
    """The base of all errors that are the user's to mend; shown without a traceback.

    Attributes:
        problems: at least one; a file with several mistakes reports them all at once.
    """

    def __init__(
        self,
        what: str | Problem,
        *more: Problem,
        where: Location | None = None,
        hint: str | None = None,
    ) -> None:
        first = what if isinstance(what, Problem) else Problem(what, where, hint)
        self.problems: tuple[Problem, ...] = (first, *more)
        super().__init__("\n".join(map(str, self.problems)))

    def told(self, root: Path) -> str:
        """The problems as text, with places relative to `root`."""
        return "\n".join(str(problem.relative_to(root)) for problem in self.problems)


class SpecError(HarnessError):
    """A spec file that cannot be read, or says something that has no meaning."""


class ConfigError(HarnessError):
    """A setting in pyproject.toml, the environment or on the command line that is wrong."""


class DatabaseError(HarnessError):
    """A database that cannot be installed, built, started or reached."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, or None."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known word; without one near, all words if they are few."""
    words = sorted(known)
    match = nearest(word, words)
    if match:
        return f"did you mean {match!r}?"
    return f"known: {', '.join(words)}" if 0 < len(words) <= 24 else None
