"""How many workers there are, what they hold, and what is told of it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import Project

SPECS = """
specs:
  - name: writes
    operations: [{sql: insert into authors (name) values ('Ann')}]
  - name: reads
    operations: [{sql: select 1, expect: {value: 1}}]
  - name: fails
    operations: [{sql: select 1, expect: {value: 2}}]
"""
MANY = "specs:\n" + "".join(
    f"  - {{name: number {n}, operations: [{{sql: select {n}, expect: {{value: {n}}}}}]}}\n"
    for n in range(8)
)
PYTHON = """
def test_python(db_connection):
    db_connection.exec_driver_sql("select 1")

def test_without_a_database():
    pass
"""


# -- workers


@pytest.mark.parametrize(
    ("arguments", "header", "workers"),
    [
        (("-n", "8"), "at most 2 workers, lowered from 8", 2),
        (("-n8", "--harness-max-workers=1"), "at most 1 worker, lowered from 8", 1),
        (("-n8", "--harness-max-workers=3"), "at most 3 workers, lowered from 8", 3),
        (("-n", "auto"), "at most 2 workers, lowered from auto, which is 5", 2),
        (("-n", "logical"), "at most 2 workers, lowered from logical, which is 5", 2),
        (("-n", "8", "--maxprocesses", "4"), "at most 2 workers, lowered from 8", 2),
        (("-n", "8", "--maxprocesses", "1"), "at most 2 workers", 1),
        (("-n", "2"), "at most 2 workers", 2),
        (("-n", "1"), "at most 2 workers", 1),
        (("-d", "--tx", "6*popen"), "at most 2 workers, lowered from 6 by --tx", 2),
        (("-d", "--tx", "popen", "--tx", "2*popen"), "at most 2 workers, lowered from 3 by --tx", 2),
        (("-d", "--tx", "popen"), "at most 2 workers", 1),
    ],
)  # fmt: skip
def test_no_run_has_more_workers_than_allowed(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    header: str,
    workers: int,
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "5")
    project.pytester.makepyfile(test_many="\n".join(f"def test_{n}(): pass" for n in range(8)))
    result = project.run("test_many.py", *arguments)
    assert result.parseoutcomes() == {"passed": 8}
    result.stdout.fnmatch_lines(
        [f"harness: pglite, {header}", f"{workers} worker{'s' if workers > 1 else ''} [[]8 items]"]
    )


def test_one_process_has_nothing_to_lower(project: Project) -> None:
    for arguments in ((), ("-n", "0")):
        result = project.run(project.spec(MANY), *arguments)
        result.stdout.fnmatch_lines(["harness: pglite, at most 2 workers", "* 8 passed *"])


# -- memory


def test_memory_is_told_after_each_spec_and_in_a_table(project: Project) -> None:
    project.spec(SPECS)
    project.pytester.makepyfile(test_python=PYTHON)
    result = project.run("specs", "test_python.py", "-v", "--harness-memory")
    assert result.parseoutcomes() == {"passed": 4, "failed": 1}
    held = "Python * MB, database * MB*"
    result.stdout.fnmatch_lines(
        [
            f"specs/books.yaml::writes PASSED *{held}",
            f"specs/books.yaml::reads PASSED *{held}",
            f"specs/books.yaml::fails FAILED *{held}",
            f"test_python.py::test_python PASSED *{held}",
            "*= memory, in MB =*",
            "worker    specs    first     last     peak   Python   database  per 1,000 specs",
            "main          5 *-",
        ]
    )


def test_without_verbosity_only_the_table_is_printed(project: Project) -> None:
    result = project.run(project.spec(SPECS), "--harness-memory")
    result.stdout.no_fnmatch_line("*Python * MB*")
    result.stdout.fnmatch_lines(["*= memory, in MB =*", "FAILED specs/books.yaml::fails - *"])


@pytest.mark.parametrize("setting", ["memory = true", ""])
def test_memory_may_be_a_setting(project: Project, setting: str) -> None:
    project.configure(setting)
    result = project.run(project.spec(SPECS))
    assert ("memory, in MB" in result.stdout.str()) == bool(setting)


def test_workers_have_a_line_each(project: Project) -> None:
    result = project.run(project.spec(MANY), "-v", "-n", "2", "--harness-memory")
    result.stdout.fnmatch_lines(
        ["*PASSED Python * MB, database * MB specs/books.yaml::number *", "gw0  *", "gw1  *"]
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_junit_has_the_figures(project: Project, workers: tuple[str, ...]) -> None:
    project.run(project.spec(MANY), "--harness-memory", "--junitxml=out.xml", *workers)
    cases = list(ElementTree.parse(project.pytester.path / "out.xml").iter("testcase"))
    assert len(cases) == 8
    for case in cases:
        figures = {
            each.get("name"): float(each.get("value") or 0) for each in case.iter("property")
        }
        assert 30 < figures["harness_python_mb"] < 1000
        assert 60 < figures["harness_database_mb"] < 300


def test_growth_is_told_of_the_spec_that_grew(project: Project) -> None:
    text = (
        MANY + "  - {name: grows, operations: [{sql: \"select length(repeat('x', 50000000))\"}]}\n"
    )
    result = project.run(project.spec(text), "--harness-memory")
    result.stdout.fnmatch_lines(["grown most by", "  *+*.*  specs/books.yaml::grows"])


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_reports_that_are_not_kept_are_there_for_durations(
    project: Project, workers: tuple[str, ...]
) -> None:
    result = project.run(project.spec(MANY), "--durations=0", "-vv", *workers)
    assert result.parseoutcomes() == {"passed": 8}
    result.stdout.fnmatch_lines_random(
        ["*s setup    specs/books.yaml::number 1", "*s teardown specs/books.yaml::number 1"]
    )


# -- the limit


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_limit_that_cannot_be_kept_stops_the_run(
    project: Project, workers: tuple[str, ...]
) -> None:
    result = project.run(project.spec(MANY), "--harness-memory-limit=100MB", *workers)
    assert result.parseoutcomes()["passed"] < 8
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "*harness: *: the database was recycled: this worker holds * MB (Python * MB, database"
            " * MB), more than memory_limit = 100 MB",
            "*memory_limit = 100 MB cannot be kept: this worker held * MB *, and still holds * MB"
            " * with a new database*",
        ]
    )


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_past_the_limit_the_database_is_recycled(
    project: Project, workers: tuple[str, ...]
) -> None:
    text = (
        MANY + "  - {name: grows, operations: [{sql: \"select length(repeat('x', 250000000))\"}]}\n"
    )
    text += "  - {name: last, operations: [{sql: select 1, expect: {value: 1}}]}\n"
    result = project.run(project.spec(text), "--harness-memory-limit=600MB", *workers)
    assert result.parseoutcomes() == {"passed": 10}
    result.stdout.fnmatch_lines(["*harness: *: the database was recycled: this worker holds *"])


@pytest.mark.parametrize("limit", ["400", "much", "-1"])
def test_a_limit_that_is_none_is_refused(project: Project, limit: str) -> None:
    result = project.run(project.spec(MANY), f"--harness-memory-limit={limit}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the command line: memory_limit: *400MB*"])
