"""Why a value does not match: a reason, the way to it, and whether it could have matched at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from harness.matching.display import abridged, contrast, show
from harness.results import Step

_LONGEST = 300
"""Characters of what PostgreSQL has to say, which may quote a whole value."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold for a value.

    Most failures are those of rows that were merely tried, so the text is made when it is read.

    Attributes:
        words: a phrase, with `{}` for each of the values in `shown`.
        shown: one value, or two that are contrasted, expected and actual.
        because: what else there is to say.
        path: from the value that was judged down to the part that differs.
        senseless: the comparison itself has no meaning (text for an integer column, a column that
            is not there), so that its opposite does not hold either.
        hint: what to do, where that is known.
        parts: if several parts of a list or mapping do not match, the failures of all of them.
    """

    words: str
    shown: tuple[Any, ...] = ()
    because: str | None = None
    path: tuple[Step, ...] = ()
    senseless: bool = False
    hint: str | None = None
    parts: tuple[Failure, ...] = ()

    @property
    def leaves(self) -> Iterator[Failure]:
        """The failure itself; of several parts each, down to those that have none."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves

    @property
    def reason(self) -> str:
        """A phrase, e.g. "3 expected, 4 found"."""
        if not self.shown:
            said = self.words
        elif len(self.shown) == 1:
            said = self.words.format(abridged(show(self.shown[0])))
        else:
            said = self.words.format(*contrast(*self.shown))
        return f"{said}: {abridged(self.because, longest=_LONGEST)}" if self.because else said

    def below(self, step: Step) -> Failure:
        """The same failure, seen from the value that holds this one at `step`."""
        parts = tuple(part.below(step) for part in self.parts)
        return replace(self, path=(step, *self.path), parts=parts)

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.reason}" if self.path else self.reason


def senseless(
    words: str, *shown: Any, because: str | None = None, hint: str | None = None
) -> Failure:
    """The failure of a comparison that has no meaning."""
    return Failure(words, shown, because, senseless=True, hint=hint)


def gravest(failures: Iterable[Failure | None]) -> Failure | None:
    """The first senseless failure, else the first, or None when all held."""
    found = [failure for failure in failures if failure is not None]
    return next((failure for failure in found if failure.senseless), found[0] if found else None)


def combined(failures: Iterable[Failure | None]) -> Failure | None:
    """The gravest failure of the parts of one value; it knows the others."""
    found = tuple(failure for failure in failures if failure is not None)
    worst = gravest(found)
    return worst if worst is None or len(found) == 1 else replace(worst, parts=found)


def dotted(path: tuple[Step, ...]) -> str:
    """A path as people write it: `items[1].price`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{abridged(step)}" for step in path)
    text = abridged("".join(steps), longest=_LONGEST)
    return text.removeprefix(".")
