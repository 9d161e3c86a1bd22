"""What is found to be wrong in one part of a spec, each with its place in the YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import Problem, SpecError
from harness.loader import LoadedSpec
from harness.results import Mismatch, Path

if TYPE_CHECKING:
    from harness.running.mending import Mending


class StoppedError(Exception):
    """Nothing that follows in the spec could be true; why is among the findings already."""


class Findings:
    """The mismatches of an operation, or of a spec outside its operations.

    Args:
        loaded: the spec.
        mending: gets to know what no other expectation would mend.

    Attributes:
        mismatches: all of them, in the order in which they were found.
    """

    def __init__(self, loaded: LoadedSpec, mending: Mending | None) -> None:
        self._loaded = loaded
        self._mending = mending
        self.mismatches: list[Mismatch] = []

    def __bool__(self) -> bool:
        return bool(self.mismatches)

    def add(self, mismatches: Iterable[Mismatch]) -> None:
        """Note what was found; each that knows no place gets that of its path."""
        self.mismatches += map(self._placed, mismatches)

    @contextmanager
    def stopping(self, path: Path) -> Iterator[None]:
        """Note a mistake in the spec's own data, below a path, and stop the spec.

        Raises:
            StoppedError: there was one.
        """
        try:
            yield
        except SpecError as error:
            mistakes = [_mistake(path, problem, error) for problem in error.problems]
            self.add(mistakes)
            if self._mending is not None:
                self._mending.refuse(mistakes)
            raise StoppedError from error

    def _placed(self, mismatch: Mismatch) -> Mismatch:
        if mismatch.where is not None:
            return mismatch
        return replace(mismatch, where=self._loaded.locate(mismatch.path))


def _mistake(path: Path, problem: Problem, error: SpecError) -> Mismatch:
    below: Path = getattr(error, "path", ())
    return Mismatch((*path, *below), problem.what, hint=problem.hint, where=problem.where)
