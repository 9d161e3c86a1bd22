"""The format's conformance suites: what passes, what fails, and what is refused.

What is in `fail/` must fail, and what is in `invalid/` be refused, as their `marks` say. Each
expectation and matcher is tried from all three sides: `test_completeness` holds that. What the
terminal shows of a failure is in `test_suites`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import pytest

from harness.database.protocol import Database
from harness.database.worker import WorkerPGlite
from harness.errors import Location, Problem, SpecError
from harness.loader import LoadedSpec, load
from harness.results import SpecResult, Status
from harness.running.runner import Runner
from tests.suites.conftest import CONFIG
from tests.suites.marks import Complaint, differences, marks

HERE = Path(__file__).parent
SHOWN = {"errors.yaml", "rows.yaml", "keys.yaml", "syntax.yaml"}
"""What the terminal shows of these is compared as a whole, by `test_suites`."""


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    opened = WorkerPGlite(CONFIG, lambda _message: None)
    yield opened
    opened.replace()


@pytest.fixture(scope="module")
def runner(database: Database) -> Iterator[Runner]:
    runner = Runner(database, CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_TEST", "from outside")
        yield runner
    runner.close()


def _files(folder: str) -> list[Path]:
    found = sorted((HERE / folder).glob("**/*.yaml"))
    return [path for path in found if path.name not in SHOWN and not path.name.startswith("_")]


def _specs(folder: str) -> list[object]:
    """The items of a folder, those of one spec together: its cases stand in the same place."""
    return [
        pytest.param(list(items), id=f"{path.stem}::{name}")
        for path in _files(folder)
        for name, items in groupby(load(path, HERE), key=lambda item: item.spec.name or path.stem)
    ]


@pytest.mark.parametrize("items", _specs("pass"))
def test_passes(items: list[LoadedSpec], runner: Runner) -> None:
    results = [runner.run(item) for item in items]
    assert [(result.name, str(each)) for result in results for each in _failures(result)] == []
    assert {result.status for result in results} == {Status.PASSED}


@pytest.mark.parametrize("items", _specs("fail"))
def test_fails(items: list[LoadedSpec], runner: Runner) -> None:
    results = [runner.run(item) for item in items]
    assert [result.name for result in results if result.status is not Status.FAILED] == []
    said = [each for result in results for each in _failures(result)]
    assert differences(_marks_of(items[0]), said) == []


@pytest.mark.parametrize("path", _files("invalid"), ids=lambda path: path.stem)
def test_is_refused(path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        load(path, HERE)
    said = _by_file(refused.value.problems)
    # A mistake in a shared part is told, and marked, where it is.
    marked = {file: marks(file.read_text(encoding="utf-8")) for file in {path, *said}}
    assert [differences(marked[file], said.get(file, [])) for file in marked] == [
        [] for _ in marked
    ]


def _by_file(problems: Iterable[Problem]) -> dict[Path, list[Complaint]]:
    said: dict[Path, list[Complaint]] = {}
    for problem in problems:
        assert problem.where is not None
        said.setdefault(problem.where.path, []).append(
            _said(problem.where, problem.what, problem.hint)
        )
    return said


def _failures(result: SpecResult) -> list[Complaint]:
    """What a result complains of."""
    return [
        _said(each.where, each.reason, each.hint)
        for _, each in result.failures
        if each.where is not None
    ]


def _said(where: Location, what: str, hint: str | None) -> Complaint:
    return Complaint(where.line, where.column, f"{what}\n{hint or ''}".strip())


def _marks_of(item: LoadedSpec) -> list[Complaint]:
    """The marks between the beginning of a spec and the next one's."""
    begins = sorted({other.where.line for other in load(item.path, HERE)})
    following = [line for line in begins if line > item.where.line]
    text = item.path.read_text(encoding="utf-8")
    first, end = item.where.line, min(following, default=len(text.splitlines()) + 1)
    return [mark for mark in marks(text) if first <= mark.line < end]
