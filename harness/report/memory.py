"""What each worker and its database held, spec by spec, as a table."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import linear_regression

# What is imported and compiled when specs first need it is no growth that goes on.
_WARM_UP = 20
_ENOUGH = 100
_GREATEST = 5
_LINE = "{:<8}{:>7}{:>9}{:>9}{:>9}{:>9}{:>11}{:>17}"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was held after one spec, in megabytes.

    Attributes:
        growth: since the spec before it on the same worker; None for the first one.
    """

    name: str
    python: float
    database: float
    growth: float | None = None

    @property
    def total(self) -> float:
        """Of Python and its database together."""
        return self.python + self.database

    def __str__(self) -> str:
        return f"Python {self.python:.0f} MB, database {self.database:.0f} MB"


@dataclass(slots=True)
class Ledger:
    """The samples of all workers, in the order in which they came."""

    _workers: dict[str, list[Sample]] = field(default_factory=dict)

    def enter(self, worker: str, sample: Sample) -> None:
        """Take a sample in."""
        self._workers.setdefault(worker, []).append(sample)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken in."""
        return not self._workers

    def lines(self) -> Iterator[str]:
        """The table, and under it the specs that grew their worker most."""
        heads = ("specs", "first", "last", "peak", "Python", "database", "per 1,000 specs")
        yield _LINE.format("worker", *heads)
        for worker, samples in sorted(self._workers.items()):
            peak = max(samples, key=lambda sample: sample.total)
            sizes = (samples[0].total, samples[-1].total, peak.total, peak.python, peak.database)
            cells = (f"{size:.1f}" for size in sizes)
            slope = _slope(samples)
            growth = "-" if slope is None else f"{slope * 1000:+.1f}"
            yield _LINE.format(worker, len(samples), *cells, growth)
        grown = [each for samples in self._workers.values() for each in samples if each.growth]
        greatest = heapq.nlargest(_GREATEST, grown, key=lambda sample: sample.growth or 0)
        for number, each in enumerate(each for each in greatest if (each.growth or 0) > 0):
            if number == 0:
                yield ""
                yield "grown most by"
            yield f"{each.growth:>+8.1f}  {each.name}"


def _slope(samples: list[Sample]) -> float | None:
    """What was held more with each spec; None if there are too few for it to mean something."""
    if len(samples) < _ENOUGH:
        return None
    numbers = range(_WARM_UP, len(samples))
    return linear_regression(numbers, [each.total for each in samples[_WARM_UP:]]).slope
