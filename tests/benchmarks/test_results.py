"""What is computed from samples: medians, extrapolations, bounds, tables and the plot."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.benchmarks.bounds import LIMITS, Bound, judge
from tests.benchmarks.plot import draw, spread
from tests.benchmarks.report import duration, isolation, summary
from tests.benchmarks.results import Failure, Machine, Results, Sample, Value

MACHINE = Machine(
    started="2026-01-01 10:00 UTC",
    system="Linux x86_64",
    cores=2,
    memory=8 * 2**30,
    python="3.11.7",
    node="20.1.0",
    native="18.6",
    memory_is="PSS",
)
EMPTY = Results(MACHINE, rounds=3)

# Seconds of a run without tests, seconds for each test, the largest suite measured, megabytes.
SIDES = {
    "fresh": (1.0, 2.2, 10, 560),
    "session": (3.0, 0.05, 1000, 550),
    "clone": (1.5, 0.18, 1000, 100),
    "by-hand": (1.0, 0.0025, 10_000, 140),
    "harness": (1.1, 0.0022, 10_000, 165),
    "native": (1.3, 0.0015, 10_000, 120),
}


def sample(part: str, side: str, size: int, **figures: float) -> Sample:
    return Sample(part, side, size, 1, {"peak": 1e6, **figures})


def with_samples(*samples: Sample) -> Results:
    return replace(EMPTY, samples=samples)


def whole() -> Results:
    """A run of all parts in which everything holds."""
    samples = [
        Sample(
            "isolation",
            side,
            size,
            1,
            {
                "wall": start + each * size,
                "each": each,
                "first": start,
                "peak": megabytes * 1e6,
            },
        )
        for size in (10, 100, 1000, 10_000)
        for side, (start, each, largest, megabytes) in SIDES.items()
        if size <= largest
    ]
    grown = {"pglite after 1000": 100e6, "pglite at the end": 104e6, "pglite at most": 104e6}
    data = {"data after 1000": 12e6, "data at the end": 14e6, "data at most": 20e6}
    samples += [
        sample("warm-start", "harness", 1, wall=1.1, first=1.0),
        sample("warm-start", "database", 1, wall=0.9, seconds=0.5),
        sample("collection", "yaml.load", 10_000, wall=4.1, seconds=4.0),
        sample("collection", "empty", 10_000, wall=0.5, collection=0.01),
        sample("collection", "cold", 10_000, wall=8.3, collection=6.5),
        sample("collection", "warm", 10_000, wall=4.3, collection=2.5),
        sample("memory", "one worker", 20_000, wall=50, **(grown | data | {"peak": 250e6})),
        sample("memory", "two workers", 20_000, wall=60, peak=490e6),
        sample("rows", "by-hand", 10, wall=1, each=0.002),
        sample("rows", "harness", 10, wall=1, each=0.001),
        sample("tables", "harness", 10, wall=1, each=0.001),
        sample("calls", "by-hand", 200, wall=2),
        sample("calls", "harness", 200, wall=1),
    ]
    return with_samples(*samples)


def verdicts(results: Results) -> dict[str, bool | None]:
    return {bound.what: bound.holds for bound in judge(results)}


def altered(results: Results, part: str, side: str, **figures: float) -> Results:
    """The same with other figures of one side, whatever the size."""
    samples = tuple(
        replace(s, figures={**s.figures, **figures}) if (s.part, s.side) == (part, side) else s
        for s in results.samples
    )
    return replace(results, samples=samples)


def test_a_median_is_over_the_rounds_of_one_size() -> None:
    results = with_samples(
        sample("rows", "harness", 10, wall=5),
        sample("rows", "harness", 10, wall=1),
        sample("rows", "harness", 10, wall=2),
        sample("rows", "harness", 100, wall=9),
        sample("rows", "by-hand", 10, wall=7),
    )
    assert results.median("rows", "harness", 10, "wall") == 2
    assert results.median("rows", "harness", 10, "first") is None
    assert results.median("tables", "harness", 10, "wall") is None
    assert results.sizes("rows") == [10, 100]
    assert results.sizes("rows", "harness", "by-hand") == [10]
    assert results.sides("rows") == ["harness", "by-hand"]


def test_what_was_not_measured_is_extrapolated_from_the_largest_suite_and_says_so() -> None:
    results = with_samples(
        sample("isolation", "fresh", 2, wall=99, each=99),
        sample("isolation", "fresh", 10, wall=25, each=2),
    )
    assert results.wall("isolation", "fresh", 10) == Value(25)
    assert results.wall("isolation", "fresh", 1010) == Value(25 + 1000 * 2, extrapolated=True)
    assert results.wall("isolation", "fresh", 1) is None
    assert results.wall("isolation", "harness", 10) is None


def test_a_side_that_failed_is_left_out_from_that_size_on_for_the_round() -> None:
    results = EMPTY.with_failure(Failure("isolation", "clone", 100, 2, "no such server"))
    assert not results.has_failed("isolation", "clone", 10, 2)
    assert results.has_failed("isolation", "clone", 100, 2)
    assert results.has_failed("isolation", "clone", 1000, 2)
    assert not results.has_failed("isolation", "clone", 100, 3)
    assert not results.has_failed("isolation", "harness", 1000, 2)
    assert not results.has_failed("rows", "clone", 1000, 2)


def test_json_gives_the_results_back(tmp_path: Path) -> None:
    results = whole().with_failure(Failure("isolation", "native", 10, 1, 'it says "no"'))
    results.save(tmp_path / "benchmark.json", bounds=[{"what": "all", "holds": True}])
    assert Results.load(tmp_path / "benchmark.json") == results


def test_medians_say_which_are_extrapolated() -> None:
    medians = {(m["part"], m["side"], m["size"]): m for m in whole().medians()}
    assert medians["isolation", "fresh", 10]["extrapolated"] is False
    assert medians["isolation", "fresh", 10]["first"] == 1.0
    assert medians["isolation", "fresh", 100] == {
        "part": "isolation",
        "side": "fresh",
        "size": 100,
        "extrapolated": True,
        "wall": pytest.approx(23 + 90 * 2.2),
    }
    assert medians["isolation", "harness", 10_000]["extrapolated"] is False
    assert ("rows", "harness", 100) not in medians


def test_json_of_nothing_is_whole(tmp_path: Path) -> None:
    EMPTY.save(tmp_path / "benchmark.json")
    assert Results.load(tmp_path / "benchmark.json") == EMPTY


def test_every_bound_holds_where_everything_is_well() -> None:
    assert set(verdicts(whole()).values()) == {True}


def test_what_was_not_measured_neither_holds_nor_fails() -> None:
    assert set(verdicts(EMPTY).values()) == {None}


@pytest.mark.parametrize(
    ("part", "side", "figures", "broken"),
    [
        ("isolation", "harness", {"wall": 26.1}, {"Harness over the same tests by hand"}),
        ("isolation", "fresh", {"each": 0.2}, {"a fresh PGlite per test over Harness"}),
        ("isolation", "session", {"each": 0.001}, {"`pglite_session` over Harness"}),
        ("isolation", "clone", {"each": 0.001}, {"a clone per test over Harness"}),
        ("warm-start", "harness", {"first": 1.21}, {"first result, warm"}),
        ("warm-start", "database", {"seconds": 0.61}, {"of which the database"}),
        (
            "memory",
            "one worker",
            {"pglite at the end": 121e6},
            {"PGlite, resident, at the end", "the same over after 1,000 specs"},
        ),
        ("memory", "one worker", {"pglite after 1000": 94e6}, {"the same over after 1,000 specs"}),
        ("memory", "one worker", {"data at the end": 25e6}, {"data directory, the same"}),
        ("memory", "one worker", {"peak": 261e6}, {"whole tree, one worker"}),
        ("memory", "two workers", {"peak": 501e6}, {"whole tree, two workers"}),
        ("collection", "cold", {"wall": 8.6}, {"cold over `yaml.load`"}),
        ("collection", "warm", {"wall": 4.6}, {"warm over `yaml.load`"}),
    ],
)
def test_a_bound_fails_alone(
    part: str, side: str, figures: dict[str, float], broken: set[str]
) -> None:
    judged = verdicts(altered(whole(), part, side, **figures))
    assert {what for what, holds in judged.items() if not holds} == broken


def test_the_cases_above_break_every_bound() -> None:
    (mark,) = test_a_bound_fails_alone.pytestmark  # type: ignore[attr-defined] # set by parametrize
    broken = set().union(*(case[-1] for case in mark.args[1]))
    assert broken == {limit.what for limit in LIMITS}


def test_a_bound_says_what_is_extrapolated() -> None:
    extrapolated = {bound.what for bound in judge(whole()) if bound.extrapolated}
    assert extrapolated == {
        "a fresh PGlite per test over Harness",
        "`pglite_session` over Harness",
        "a clone per test over Harness",
    }


def test_the_hand_written_tests_are_never_extrapolated() -> None:
    samples = [s for s in whole().samples if (s.side, s.size) != ("by-hand", 10_000)]
    judged = {bound.what: bound for bound in judge(with_samples(*samples))}
    bound = judged["Harness over the same tests by hand"]
    assert (bound.measured, bound.holds) == (None, None)


def test_tables_mark_what_is_extrapolated_and_what_is_missing() -> None:
    lines = isolation(whole()).splitlines()
    rows = {line.split("|")[1].strip(): line for line in lines}
    cells = [cell.strip() for cell in rows["a fresh PGlite per test"].split("|")[2:6]]
    assert cells == ["23 s", "≈ 4 min", "≈ 37 min", "≈ 6 h"]
    assert "≈" not in rows["Harness"]
    assert len({len(line) for line in lines}) == 1


def test_the_summary_tells_of_what_is_left_out_with_its_reason() -> None:
    reason = "line one\nERROR: the backend 'embedded' is not here\n  hint: none\n(exit code 4)"
    told = summary(whole().with_failure(Failure("isolation", "native", 10, 1, reason)))
    assert (
        "- isolation, Harness, native PostgreSQL (from 10 on, round 1): ERROR: the backend" in told
    )


def test_the_summary_judges_only_what_was_run() -> None:
    results = with_samples(sample("warm-start", "harness", 1, wall=1.1, first=1.3))
    told = summary(results)
    assert "1.3 s |       **no** |" in told
    assert "not measured" in told  # the database by itself, of the same part
    assert "yaml.load" not in told


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.24, "1.2 s"), (61, "61 s"), (600, "10 min"), (7200, "2 h")],
)
def test_durations_are_in_the_unit_of_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_labels_move_apart_and_keep_their_order() -> None:
    moved = spread([100, 50, 98, 97], gap=10)
    assert moved.index(min(moved)) == 1
    ordered = sorted(moved)
    gaps = [after - before for before, after in pairwise(ordered)]
    assert min(gaps) > 9
    assert [moved.index(place) for place in ordered] == [1, 3, 2, 0]


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([10, 90, 50], gap=17) == [10, 90, 50]


def test_the_plot_is_svg_with_every_side_and_dashes_only_what_is_extrapolated() -> None:
    root = ET.fromstring(draw(whole()))
    classes = [element.get("class", "") for element in root.iter() if "}poly" in element.tag]
    assert sorted(c for c in classes if "dashed" in c) == [
        "line dashed clone",
        "line dashed fresh",
        "line dashed session",
    ]
    assert {c.split()[-1] for c in classes} == SIDES.keys()
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("}text")]
    assert "Harness: 23 s" in texts
    assert "a fresh PGlite per test: ≈ 6 h" in texts
    assert "165 MB (10,000 tests)" in texts


def test_bounds_are_plain_data() -> None:
    first = judge(whole())[0]
    assert isinstance(first, Bound)
    assert (first.limit, first.at) == ("≤ 1", 10_000)
