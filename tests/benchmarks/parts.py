"""The comparisons: which runs each is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks import projects, suites
from tests.benchmarks.projects import COLLECT, Project, pytest_command
from tests.benchmarks.sides import (
    BY_HAND,
    HARNESS,
    SESSION,
    SIDES,
    Side,
    by_hand_project,
    harness_project,
)
from tests.benchmarks.suites import APPLICATION_TABLES, Suite

_EMPTYING_TESTS = 20
_LONG = 60


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a run of the benchmarks is.

    Attributes:
        rounds: how often each run is repeated.
        specs: sizes of the suites of `isolation`.
        fresh: how many tests get a PGlite of their own; each takes seconds.
        rival: no more tests than these for what takes long otherwise.
        collected: specs of `collection`.
        rows: rows that each test of `rows` seeds; `rows_tests` is how many tests there are.
        tables: tables of the schemas of `tables`; `tables_tests` is how many tests there are.
        emptied: no more tables than these for who empties each of them.
        grown: specs of `memory`.
        plain: specs of `throughput` and `calls`.
    """

    rounds: int
    specs: tuple[int, ...]
    fresh: int
    rival: int
    collected: int
    rows: tuple[int, ...]
    rows_tests: int
    tables: tuple[int, ...]
    tables_tests: int
    emptied: int
    grown: int
    plain: int


FULL = Scale(
    rounds=3,
    specs=(10, 100, 1_000, 10_000),
    fresh=10,
    rival=1_000,
    collected=10_000,
    rows=(1, 10, 100, 1_000),
    rows_tests=50,
    tables=(2, 10, 100, 300),
    tables_tests=200,
    emptied=100,
    grown=20_000,
    plain=2_000,
)
QUICK = Scale(
    rounds=1,
    specs=(10, 100, 1_000),
    fresh=2,
    rival=100,
    collected=1_000,
    rows=(1, 10, 100),
    rows_tests=20,
    tables=(2, 10, 100),
    tables_tests=50,
    emptied=10,
    grown=2_000,
    plain=200,
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One of the runs that a comparison repeats.

    Attributes:
        part: the comparison.
        side: what is measured.
        size: how many tests, rows or tables there are.
        seconds: about how long it takes.
        project: makes what is run.
    """

    part: str
    side: str
    size: int
    seconds: float
    project: Callable[[], Project]

    def rounds(self, asked: int) -> int:
        """How often it runs: in minutes the machine's moods even out."""
        return 1 if self.seconds > _LONG else asked

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.part}: {self.side}, {self.size:,}"


def isolation(scale: Scale, work: Path) -> list[Trial]:
    """Every side with suites of growing size."""
    trials = []
    for size in scale.specs:
        for side in SIDES:
            largest = {"fresh": scale.fresh, "session": scale.rival, "clone": scale.rival}
            count = _size(size, scale.specs, min(side.largest, largest.get(side.key, side.largest)))
            if count is not None:
                suite = Suite(count, tables=APPLICATION_TABLES)
                trials.append(_trial("isolation", side, count, suite, work))
    return trials


def _size(size: int, sizes: Sequence[int], largest: int) -> int | None:
    """The size for a side that has a largest one, which is its only one if all are larger."""
    if size <= largest:
        return size
    return largest if size == sizes[0] else None


def warm_start(scale: Scale, work: Path) -> list[Trial]:
    """One spec with everything cached; the database by itself; py-pglite's start."""
    suite = Suite(1, tables=APPLICATION_TABLES)

    def harness() -> Project:
        project = harness_project(suite, work)
        return replace(project, warm=(*project.warm, project.command))

    stock = Project(
        {"stock.py": projects.stock_config(work), "stock_start.py": projects.STOCK_START},
        ("stock_start.py",),
        warm=(("stock_start.py",),),
    )
    database = Project(
        {"schema.sql": suite.schema, "start.py": projects.DATABASE_START},
        ("start.py",),
        warm=(("start.py",),),
    )
    return [
        Trial("warm-start", "harness", 1, 1.2, harness),
        Trial("warm-start", "database", 1, 1.2, lambda: database),
        Trial("warm-start", "py-pglite", 1, 8, lambda: stock),
    ]


def throughput(scale: Scale, work: Path) -> list[Trial]:
    """Harness and the tests by hand only, of one size."""
    suite = Suite(scale.plain)
    return [_trial("throughput", side, scale.plain, suite, work) for side in (BY_HAND, HARNESS)]


def calls(scale: Scale, work: Path) -> list[Trial]:
    """Calls of an application that commits, beside tests with a Session on one connection."""
    specs, tests = suites.calls(scale.plain)
    without = Suite(0)

    def by_spec() -> Project:
        project = harness_project(without, work)
        files = {**project.files, "application.py": projects.APPLICATION, **specs}
        return replace(project, files=files, tests=scale.plain)

    def by_hand() -> Project:
        project = by_hand_project(without, work)
        conftest = projects.SHARED_PGLITE + projects.JOINED_SESSION
        files = {"application.py": projects.APPLICATION, "conftest.py": conftest, **tests}
        return replace(project, files={**project.files, **files}, tests=scale.plain)

    return [
        Trial("calls", "by-hand", scale.plain, 2 + 0.005 * scale.plain, by_hand),
        Trial("calls", "harness", scale.plain, 2 + 0.005 * scale.plain, by_spec),
    ]


def collection(scale: Scale, work: Path) -> list[Trial]:
    """Collecting specs, beside reading their files with PyYAML's C loader, and beside Python's."""
    size = scale.collected
    suite = Suite(size)

    def collect(*, is_cold: bool = False) -> Project:
        project = harness_project(suite, work)
        return replace(project, command=COLLECT, counted="collected", is_cold=is_cold)

    def empty() -> Project:
        project = harness_project(Suite(0), work)
        exit_code = pytest.ExitCode.NO_TESTS_COLLECTED
        return replace(project, command=COLLECT, warm=(), exit_code=exit_code, counted="collected")

    def plain() -> Project:
        files = {"load.py": projects.YAML_LOAD, **suite.specs()}
        return Project(files, ("load.py",), tests=size, counted="collected")

    def functions() -> Project:
        return replace(by_hand_project(suite, work), command=COLLECT, counted="collected")

    return [
        Trial("collection", "yaml.load", size, 0.0004 * size, plain),
        Trial("collection", "cold", size, 1 + 0.0012 * size, partial(collect, is_cold=True)),
        Trial("collection", "warm", size, 1 + 0.0012 * size, collect),
        Trial("collection", "empty", size, 0.5, empty),
        Trial("collection", "functions", size, 1 + 0.0006 * size, functions),
    ]


def rows(scale: Scale, work: Path) -> list[Trial]:
    """What the rows cost that a test seeds."""
    return [
        _trial("rows", side, rows, Suite(scale.rows_tests, rows=rows), work)
        for rows in scale.rows
        for side in (BY_HAND, HARNESS)
    ]


def tables(scale: Scale, work: Path) -> list[Trial]:
    """What the tables cost that a schema has; emptying each of them before a test, too."""
    trials = []
    for tables in scale.tables:
        suite = Suite(scale.tables_tests, tables=tables)
        trials += [_trial("tables", side, tables, suite, work) for side in (BY_HAND, HARNESS)]
        if tables <= scale.emptied:
            few = Suite(_EMPTYING_TESTS, tables=tables)
            trials.append(_trial("tables", SESSION, tables, few, work))
    return trials


def memory(scale: Scale, work: Path) -> list[Trial]:
    """What a long run holds, with one worker and with two."""
    size = scale.grown

    def project(*options: str) -> Project:
        base = harness_project(Suite(0), work)
        return replace(
            base,
            files={**base.files, **suites.growth(size)},
            command=pytest_command(*options),
            tests=size,
        )

    return [
        Trial("memory", "one worker", size, 5 + 0.004 * size, partial(project, "-p", "watch")),
        Trial("memory", "two workers", size, 5 + 0.004 * size, partial(project, "-n", "2")),
    ]


def _trial(part: str, side: Side, size: int, suite: Suite, work: Path) -> Trial:
    return Trial(part, side.key, size, side.seconds(suite), lambda: side.project(suite, work))


PARTS: dict[str, Callable[[Scale, Path], list[Trial]]] = {
    "warm-start": warm_start,
    "isolation": isolation,
    "collection": collection,
    "rows": rows,
    "tables": tables,
    "calls": calls,
    "memory": memory,
    "throughput": throughput,
}
LEFT_OUT = ("throughput",)
"""Parts that run only if they are named: another has their figures, too."""
