"""The runs that the comparisons are made of, and the projects that they write."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.benchmarks.parts import FULL, LEFT_OUT, PARTS, QUICK, Scale, Trial
from tests.benchmarks.projects import Project
from tests.benchmarks.sides import BY_KEY, SIDES
from tests.benchmarks.suites import Suite

SMALL = replace(
    QUICK, specs=(3,), fresh=2, collected=3, rows=(2,), rows_tests=3, tables=(4,), grown=3, plain=3
)


def trials(scale: Scale, work: Path = Path("py-pglite")) -> list[Trial]:
    """All of a run without names."""
    parts = [part for name, part in PARTS.items() if name not in LEFT_OUT]
    return [trial for part in parts for trial in part(scale, work)]


@pytest.mark.parametrize(("scale", "minutes"), [(FULL, 35), (QUICK, 4)], ids=["full", "quick"])
def test_a_run_is_guessed_to_end_in_time(scale: Scale, minutes: float) -> None:
    seconds = sum(trial.seconds * trial.rounds(scale.rounds) for trial in trials(scale))
    assert seconds < 60 * minutes


@pytest.mark.parametrize("scale", [FULL, QUICK], ids=["full", "quick"])
def test_no_two_runs_share_a_folder(scale: Scale) -> None:
    places = [(trial.part, trial.side, trial.size) for trial in trials(scale)]
    assert len(places) == len(set(places))


def test_every_side_is_measured_up_to_its_largest_suite() -> None:
    measured: dict[str, list[int]] = {}
    for trial in PARTS["isolation"](FULL, Path("py-pglite")):
        measured.setdefault(trial.side, []).append(trial.size)
    assert measured == {
        "fresh": [10],
        "session": [10, 100, 1_000],
        "clone": [10, 100, 1_000],
        "by-hand": [10, 100, 1_000, 10_000],
        "harness": [10, 100, 1_000, 10_000],
        "native": [10, 100, 1_000, 10_000],
    }
    assert measured.keys() == BY_KEY.keys()


def test_the_sides_of_a_size_take_turns() -> None:
    first = [trial.side for trial in PARTS["isolation"](FULL, Path("py-pglite"))][: len(SIDES)]
    assert first == [side.key for side in SIDES]


@pytest.mark.parametrize("trial", trials(SMALL), ids=lambda trial: trial.name)
def test_what_a_project_consists_of_can_be_read(trial: Trial, tmp_path: Path) -> None:
    project = trial.project()
    project.write(tmp_path)
    tests = specs = 0
    for path in tmp_path.rglob("*.*"):
        text = path.read_text()
        if path.suffix == ".py":
            functions = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
            tests += sum(function.name.startswith("test_") for function in functions)
        elif path.suffix == ".yaml":
            specs += len(yaml.safe_load(text)["specs"])
        elif path.suffix == ".toml":
            tomllib.loads(text)
    assert max(tests, specs) == (project.tests or 0)


def test_a_script_of_a_project_can_be_run(tmp_path: Path) -> None:
    Project({"tool": "#!/bin/sh\n", "text": "none\n"}, ()).write(tmp_path)
    assert (tmp_path / "tool").stat().st_mode & 0o111
    assert not (tmp_path / "text").stat().st_mode & 0o111


def test_a_suite_has_its_tables_and_is_not_one_file() -> None:
    suite = Suite(250, tables=7)
    assert suite.schema.count("create table") == 7
    assert len(suite.specs()) == len(suite.psycopg()) == len(suite.sqlalchemy()) == 3


@pytest.mark.parametrize("rows", [1, 30])
def test_both_sides_seed_the_same_rows(rows: int) -> None:
    suite = Suite(2, rows=rows)
    (spec,) = suite.specs().values()
    (test,) = suite.psycopg().values()
    assert [len(spec["seed"]["tasks"]) for spec in yaml.safe_load(spec)["specs"]] == [rows, rows]
    assert test.count('"task ') == 2 * rows
