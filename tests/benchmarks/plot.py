"""The picture of the README: wall time by the number of tests, and memory, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import jinja2

from tests.benchmarks.bounds import MEGABYTE
from tests.benchmarks.report import duration
from tests.benchmarks.results import Results
from tests.benchmarks.sides import BY_KEY
from tests.benchmarks.suites import APPLICATION_TABLES

_TEMPLATE = Path(__file__).with_name("plot.svg.jinja")
_TICKS = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h"}
_LABEL_GAP = 17.0
_COLOURS = (  # of each side on light and on dark ground
    ("fresh", "#bc4c00", "#f0883e"),
    ("session", "#8250df", "#bc8cff"),
    ("clone", "#1a7f37", "#3fb950"),
    ("by-hand", "#59636e", "#9198a1"),
    ("harness", "#0969da", "#58a6ff"),
    ("native", "#0a7b83", "#39c5cf"),
)


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic scale: values from `low` to `high` lie between two positions."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The position of a value."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True, slots=True)
class Line:
    """One side in the upper panel; beyond `measured` its points are extrapolated."""

    key: str
    label: str
    measured: tuple[tuple[float, float], ...]
    extrapolated: tuple[tuple[float, float], ...]
    label_at: float

    @property
    def dashed(self) -> tuple[tuple[float, float], ...]:
        """The last measured point, and those that follow it."""
        return (*self.measured[-1:], *self.extrapolated) if self.extrapolated else ()


@dataclass(frozen=True, slots=True)
class Bar:
    """One side in the lower panel."""

    key: str
    label: str
    value: str
    length: float


def draw(results: Results) -> str:
    """The SVG of what `isolation` has measured; its colours follow the page's scheme."""
    sizes = results.sizes("isolation", "harness") or results.sizes("isolation")
    across = Axis(sizes[0], max(sizes[-1], sizes[0] * 10), 64, 470)
    walls = [
        wall.value
        for side in results.sides("isolation")
        for size in sizes
        if (wall := results.wall("isolation", side, size))
    ]
    up = Axis(min(1.0, *walls), max(walls) * 1.15, 360, 64)
    return _render(
        lines=_lines(results, sizes, across, up),
        bars=_bars(results),
        columns=[(across.at(size), f"{size:,}") for size in sizes],
        ticks=[(up.at(t), text) for t, text in _TICKS.items() if up.low <= t <= up.high],
        colours=_COLOURS,
        tables=APPLICATION_TABLES,
        machine=results.machine,
        rounds=results.rounds,
    )


def _lines(results: Results, sizes: Sequence[int], across: Axis, up: Axis) -> list[Line]:
    drawn = []
    for side in results.sides("isolation"):
        measured: list[tuple[float, float]] = []
        extrapolated: list[tuple[float, float]] = []
        for size in sizes:
            wall = results.wall("isolation", side, size)
            if wall is not None:
                points = extrapolated if wall.extrapolated else measured
                points.append((across.at(size), up.at(wall.value)))
        last = results.wall("isolation", side, sizes[-1])
        if last is not None:
            about = "≈ " if last.extrapolated else ""
            label = f"{BY_KEY[side].label}: {about}{duration(last.value)}"
            at = up.at(last.value)
            drawn.append(Line(side, label, tuple(measured), tuple(extrapolated), at))
    places = spread([line.label_at for line in drawn], _LABEL_GAP)
    return [
        Line(line.key, line.label, line.measured, line.extrapolated, place)
        for line, place in zip(drawn, places, strict=True)
    ]


def spread(places: Sequence[float], gap: float) -> list[float]:
    """The places, moved apart as little as it takes for the gap, in the same order."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    for _ in range(len(places)):  # each pass moves a crowd apart by both its ends
        for before, after in pairwise(order):
            missing = gap - (moved[after] - moved[before])
            if missing > 0:
                moved[before] -= missing / 2
                moved[after] += missing / 2
    return [round(place, 1) for place in moved]


def _bars(results: Results) -> list[Bar]:
    peaks = []
    for side in results.sides("isolation"):
        size = results.sizes("isolation", side)[-1]
        peak = results.median("isolation", side, size, "peak")
        if peak is not None:
            peaks.append((side, size, peak))
    most = max(peak for _, _, peak in peaks)
    return [
        Bar(
            side,
            BY_KEY[side].label,
            f"{peak / MEGABYTE:.0f} MB ({size:,} tests)",
            round(360 * peak / most, 1),
        )
        for side, size, peak in peaks
    ]


def _render(**values: object) -> str:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_TEMPLATE.read_text()).render(**values) + "\n"
