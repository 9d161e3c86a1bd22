"""Why a value does not match: a reason, the way to it, and whether it could have matched at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.results import Step


class IncomparableError(Exception):
    """An expected value that cannot be compared with values of this type; says why."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold for a value.

    Attributes:
        reason: a phrase, e.g. "3 expected, 4 found".
        path: from the value that was judged down to the part that differs.
        senseless: the comparison itself has no meaning (text for an integer column, a column that
            is not there), so that its opposite does not hold either.
        hint: what to do, where that is known.
    """

    reason: str
    path: tuple[Step, ...] = ()
    senseless: bool = False
    hint: str | None = None

    def below(self, step: Step) -> Failure:
        """The same failure, seen from the value that holds this one at `step`."""
        return replace(self, path=(step, *self.path))

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.reason}" if self.path else self.reason


def senseless(reason: str, hint: str | None = None) -> Failure:
    """The failure of a comparison that has no meaning."""
    return Failure(reason, senseless=True, hint=hint)


def gravest(failures: Iterable[Failure | None]) -> Failure | None:
    """The first senseless failure, else the first, or None when all held."""
    found = [failure for failure in failures if failure is not None]
    return next((failure for failure in found if failure.senseless), found[0] if found else None)


def dotted(path: tuple[Step, ...]) -> str:
    """A path as people write it: `items[1].price`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
