"""What must hold, and whether it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.benchmarks.results import Results, Value

MEGABYTE = 1_000_000
AT_MOST = "≤"
AT_LEAST = "≥"

Figure = Callable[[Results, int], Value | None]


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing that must hold.

    Attributes:
        part: the comparison that it is about.
        what: in words.
        sign: `AT_MOST` or `AT_LEAST`.
        number: the limit itself.
        unit: of the number; empty: a ratio.
        figure: what is held against it, for the largest size of the part.
    """

    part: str
    what: str
    sign: str
    number: float
    unit: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit, and what was measured.

    Attributes:
        part: as in the limit.
        what: the same.
        limit: as text.
        unit: as in the limit.
        at: the size that was measured.
        measured: None where nothing was.
        extrapolated: whether a part of the measured figure is.
        holds: None where nothing was measured.
    """

    part: str
    what: str
    limit: str
    unit: str
    at: int
    measured: float | None
    extrapolated: bool
    holds: bool | None


def collecting(results: Results, side: str, size: int) -> float | None:
    """Seconds that a collection takes, without those that pytest takes where nothing is."""
    whole = results.median("collection", side, size, "wall")
    empty = results.median("collection", "empty", size, "wall")
    return whole - empty if whole is not None and empty is not None else None


def _over_by_hand(results: Results, size: int) -> Value | None:
    """Measured on both sides, or not judged."""
    ours, theirs = (
        results.median("isolation", side, size, "wall") for side in ("harness", "by-hand")
    )
    return Value(ours / theirs) if ours is not None and theirs else None


def _times_faster_than(side: str, results: Results, size: int) -> Value | None:
    ours, theirs = results.wall("isolation", "harness", size), results.wall("isolation", side, size)
    if ours is None or theirs is None:
        return None
    return Value(theirs.value / ours.value, ours.extrapolated or theirs.extrapolated)


def _seconds(side: str, figure: str, results: Results, size: int) -> Value | None:
    measured = results.median("warm-start", side, size, figure)
    return None if measured is None else Value(measured)


def _megabytes(side: str, figure: str, results: Results, size: int) -> Value | None:
    measured = results.median("memory", side, size, figure)
    return None if measured is None else Value(measured / MEGABYTE)


def _growth(figure: str, results: Results, size: int) -> Value | None:
    early, late = (
        results.median("memory", "one worker", size, f"{figure} {when}")
        for when in ("after 1000", "at the end")
    )
    return Value(late / early) if early and late is not None else None


def _over_yaml(side: str, results: Results, size: int) -> Value | None:
    ours = collecting(results, side, size)
    plain = results.median("collection", "yaml.load", size, "seconds")
    return Value(ours / plain) if ours is not None and plain else None


_PGLITE_AT_THE_END = partial(_megabytes, "one worker", "pglite at the end")

LIMITS = (
    Limit("isolation", "Harness over the same tests by hand", AT_MOST, 1, "", _over_by_hand),
    *(
        Limit("isolation", what, AT_LEAST, times, "", partial(_times_faster_than, side))
        for side, times, what in (
            ("fresh", 100, "a fresh PGlite per test over Harness"),
            ("session", 10, "`pglite_session` over Harness"),
            ("clone", 10, "a clone per test over Harness"),
        )
    ),
    Limit("warm-start", "first result, warm", AT_MOST, 1.2, "s", partial(_seconds, "harness", "first")),
    Limit("warm-start", "of which the database", AT_MOST, 0.6, "s", partial(_seconds, "database", "seconds")),
    Limit("memory", "PGlite, resident, at the end", AT_MOST, 120, "MB", _PGLITE_AT_THE_END),
    Limit("memory", "the same over after 1,000 specs", AT_MOST, 1.1, "", partial(_growth, "pglite")),
    Limit("memory", "data directory, the same", AT_MOST, 2, "", partial(_growth, "data")),
    Limit("memory", "whole tree, one worker", AT_MOST, 260, "MB", partial(_megabytes, "one worker", "peak")),
    Limit("memory", "whole tree, two workers", AT_MOST, 500, "MB", partial(_megabytes, "two workers", "peak")),
    Limit("collection", "cold over `yaml.load`", AT_MOST, 2, "", partial(_over_yaml, "cold")),
    Limit("collection", "warm over `yaml.load`", AT_MOST, 1, "", partial(_over_yaml, "warm")),
)  # fmt: skip


def judge(results: Results) -> list[Bound]:
    """All limits, at the largest size that each part was run with."""
    return [_judged(limit, results) for limit in LIMITS]


def _judged(limit: Limit, results: Results) -> Bound:
    size = max(results.sizes(limit.part), default=0)
    value = limit.figure(results, size)
    holds = None
    if value is not None:
        is_less, is_more = value.value <= limit.number, value.value >= limit.number
        holds = is_less if limit.sign == AT_MOST else is_more
    return Bound(
        limit.part,
        limit.what,
        f"{limit.sign} {limit.number:g} {limit.unit}".strip(),
        limit.unit,
        size,
        value.value if value else None,
        value is not None and value.extrapolated,
        holds,
    )
