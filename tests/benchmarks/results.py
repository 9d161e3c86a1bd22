"""What was measured: samples, and the medians that everything else is computed from."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Sample:
    """One run.

    Attributes:
        part: the comparison that it belongs to.
        side: what was measured there.
        size: how many tests, rows or tables there were.
        turn: of which round it is, from 1.
        figures: what was measured, in seconds and bytes. `wall` and `peak` are always there;
            `first` is the time to the first result, `each` that from one result to the next.
    """

    part: str
    side: str
    size: int
    turn: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """A side that could not run in a round, with the end of what it printed."""

    part: str
    side: str
    size: int
    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and when it was measured.

    Attributes:
        started: the time.
        system: what runs it.
        cores: how many the system tells of.
        memory: bytes.
        python: its version.
        node: the version of what PGlite runs on.
        native: the version of PostgreSQL where it is not PGlite's.
        memory_is: what the memory of a process is: "PSS" or "RSS"; see `measure.TreeSampler`.
    """

    started: str
    system: str
    cores: int
    memory: int
    python: str
    node: str
    native: str | None
    memory_is: str

    @staticmethod
    def this(*, node: str, native: str | None) -> Machine:
        """This one, now."""
        return Machine(
            started=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            system=f"{platform.system()} {platform.machine()}",
            cores=os.cpu_count() or 1,
            memory=psutil.virtual_memory().total,
            python=platform.python_version(),
            node=node,
            native=native,
            memory_is="PSS" if platform.system() == "Linux" else "RSS",
        )


@dataclass(frozen=True, slots=True)
class Value:
    """A figure; `extrapolated` where it was computed from those of smaller suites."""

    value: float
    extrapolated: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """All samples and failures so far."""

    machine: Machine
    rounds: int
    samples: tuple[Sample, ...] = ()
    failures: tuple[Failure, ...] = ()

    def with_sample(self, sample: Sample) -> Results:
        """These, and one more."""
        return replace(self, samples=(*self.samples, sample))

    def with_failure(self, failure: Failure) -> Results:
        """These, and one more."""
        return replace(self, failures=(*self.failures, failure))

    def has_failed(self, part: str, side: str, size: int, turn: int) -> bool:
        """Whether a side could not run in that round with such a suite, or with a smaller one."""
        return any(
            (f.part, f.side, f.turn) == (part, side, turn) and f.size <= size for f in self.failures
        )

    def sides(self, part: str) -> list[str]:
        """Those that were measured, in the order of their first run."""
        return list(dict.fromkeys(s.side for s in self.samples if s.part == part))

    def sizes(self, part: str, *sides: str) -> list[int]:
        """Those at which each of the sides was measured, or any side if none is named."""
        if not sides:
            return sorted({s.size for s in self.samples if s.part == part})
        measured = [
            {s.size for s in self.samples if (s.part, s.side) == (part, side)} for side in sides
        ]
        return sorted(set.intersection(*measured))

    def median(self, part: str, side: str, size: int, figure: str) -> float | None:
        """Of all rounds; None if it was never measured."""
        values = [
            sample.figures[figure]
            for sample in self.samples
            if (sample.part, sample.side, sample.size) == (part, side, size)
            and figure in sample.figures
        ]
        return statistics.median(values) if values else None

    def medians(self) -> list[dict[str, Any]]:
        """All of them, by part, side and size; with walls that are extrapolated."""
        found: dict[tuple[str, str, int], dict[str, Any]] = {}
        for sample in self.samples:
            place = (sample.part, sample.side, sample.size)
            figures = found.setdefault(place, {"extrapolated": False})
            for figure in sample.figures:
                figures[figure] = self.median(*place, figure)
        for side in self.sides("isolation"):
            for size in self.sizes("isolation"):
                wall = self.wall("isolation", side, size)
                if wall is not None and wall.extrapolated:
                    found["isolation", side, size] = {"extrapolated": True, "wall": wall.value}
        return [
            {"part": part, "side": side, "size": size, **figures}
            for (part, side, size), figures in found.items()
        ]

    def wall(self, part: str, side: str, size: int) -> Value | None:
        """The wall time, extrapolated where the side was measured with fewer tests only.

        What is added for each further test is the time from one result to the next: what else
        grows with a suite, as its collection, is left out, in favour of the side.
        """
        measured = self.median(part, side, size, "wall")
        if measured is not None:
            return Value(measured)
        smaller = [other for other in self.sizes(part, side) if other < size]
        if not smaller:
            return None
        nearest = smaller[-1]
        wall = self.median(part, side, nearest, "wall")
        each = self.median(part, side, nearest, "each")
        if wall is None or each is None:
            return None
        return Value(wall + (size - nearest) * each, extrapolated=True)

    def save(self, path: Path, **computed: Any) -> None:
        """Write it as JSON; `computed` is what was made of it, for who reads the file."""
        data = {**asdict(self), **computed}
        samples = ",\n  ".join(json.dumps(sample) for sample in data.pop("samples"))
        rest = json.dumps(data, indent=1)
        path.write_text(f'{rest[:-2]},\n "samples": [\n  {samples}\n ]\n}}\n')

    @staticmethod
    def load(path: Path) -> Results:
        """What `save` wrote."""
        data = json.loads(path.read_text())
        return Results(
            Machine(**data["machine"]),
            data["rounds"],
            tuple(Sample(**sample) for sample in data["samples"]),
            tuple(Failure(**failure) for failure in data["failures"]),
        )
