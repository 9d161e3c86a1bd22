"""Runs of trials, in a process of their own, as `measure` ends all processes below it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.benchmarks.results import Results

ROOT = Path(__file__).parents[2]
BEGINNING = """
import sys
from pathlib import Path
from tests.benchmarks.parts import Trial
from tests.benchmarks.projects import Project
from tests.benchmarks.results import Machine, Results
from tests.benchmarks.runner import Progress, Runner

CLOCK = "import json; json.dump({'count': 2, 'first_at': 9e9}, open('clock.json', 'w'))"
folder = Path(sys.argv[1])
results = Results(Machine.this(node="20", native=None), rounds=2)
runner = Runner(folder, results, lambda grown: grown.save(folder / "benchmark.json"))

def run(*trials):
    runner.run([Trial("part", *trial) for trial in trials], 2, Progress(5))

def project(code, **options):
    return lambda: Project({"script.py": code}, ("script.py",), **options)
"""


def ran(code: str, folder: Path) -> Results:
    """What is in the JSON after a script."""
    subprocess.run(
        [sys.executable, "-c", BEGINNING + dedent(code), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return Results.load(folder / "benchmark.json")


def runs(results: Results) -> list[tuple[str, int, int]]:
    return [(sample.side, sample.size, sample.turn) for sample in results.samples]


def test_the_sides_run_in_turn_in_every_round(tmp_path: Path) -> None:
    results = ran(
        "run(('one', 1, 1, project(CLOCK, tests=2)), ('two', 1, 1, project(CLOCK)))", tmp_path
    )
    assert runs(results) == [("one", 1, 1), ("two", 1, 1), ("one", 1, 2), ("two", 1, 2)]
    figures = results.samples[0].figures
    assert figures.keys() == {"wall", "peak", "count", "first"}
    assert figures["first"] > 1e9


def test_what_takes_minutes_runs_once(tmp_path: Path) -> None:
    results = ran("run(('long', 1, 61, project('')), ('short', 1, 59, project('')))", tmp_path)
    assert runs(results) == [("long", 1, 1), ("short", 1, 1), ("short", 1, 2)]


def test_a_side_that_fails_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    script = """
    bad = project("raise SystemExit('no server here')")
    run(("bad", 1, 1, bad), ("good", 1, 1, project("")), ("bad", 10, 1, project("")))
    """
    results = ran(script, tmp_path)
    assert runs(results) == [("good", 1, 1), ("good", 1, 2)]
    assert [(f.side, f.size, f.turn, f.reason) for f in results.failures] == [
        ("bad", 1, 1, "no server here\n(exit code 1)"),
        ("bad", 1, 2, "no server here\n(exit code 1)"),
    ]


def test_a_side_that_cannot_be_prepared_is_not_measured(tmp_path: Path) -> None:
    results = ran("run(('bad', 1, 1, project('', warm=(('none.py',),))))", tmp_path)
    assert runs(results) == []
    assert "none.py" in results.failures[0].reason


def test_fewer_tests_than_there_should_be_are_no_measurement(tmp_path: Path) -> None:
    script = "run(('less', 1, 1, project(CLOCK, tests=3)), ('none', 1, 1, project('', tests=3)))"
    results = ran(script, tmp_path)
    assert runs(results) == []
    assert [failure.reason for failure in results.failures][:2] == [
        "count: 2 tests instead of 3",
        "count: None tests instead of 3",
    ]


def test_a_run_does_not_pass_for_what_an_earlier_one_has_left(tmp_path: Path) -> None:
    script = """
    once = "from pathlib import Path; first = not Path('seen').exists(); Path('seen').touch()\\n"
    run(("side", 1, 1, project(once + "if first: " + CLOCK.replace("; ", "\\nif first: "), tests=2)))
    """
    results = ran(script, tmp_path)
    assert runs(results) == [("side", 1, 1)]
    assert results.failures[0].turn == 2


def test_a_cold_run_finds_no_cache_of_pytest(tmp_path: Path) -> None:
    script = """
    code = "from pathlib import Path; Path('.pytest_cache').mkdir()"
    run(("cold", 1, 1, project(code, is_cold=True)), ("warm", 1, 1, project(code)))
    """
    results = ran(script, tmp_path)
    assert runs(results) == [("cold", 1, 1), ("warm", 1, 1), ("cold", 1, 2)]
    assert "FileExistsError" in results.failures[0].reason


def test_what_pglite_holds_is_compared_from_1000_specs_on(tmp_path: Path) -> None:
    seen = [[500, 1, 2], [1000, 30, 40], [1500, 70, 80], [2000, 50, 60]]
    code = f"from pathlib import Path; Path('watch.json').write_text('{json.dumps(seen)}')"
    results = ran(f"run(('side', 1, 1, project({code!r})))", tmp_path)
    figures = results.samples[0].figures
    assert [figures[f"pglite {when}"] for when in ("after 1000", "at the end", "at most")] == [
        30,
        50,
        70,
    ]
    assert [figures[f"data {when}"] for when in ("after 1000", "at the end", "at most")] == [
        40,
        60,
        80,
    ]
