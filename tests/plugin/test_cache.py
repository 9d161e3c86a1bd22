"""Specs that come from pytest's cache are those that would be read, in all that can be seen."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.archive import archive, reading
from tests.plugin.conftest import Project

PART = """
use: [_base.yaml]
actors:
  reader: {db_role: pg_read_all_data}
"""
BASE = """
vars: {pages: 10}
seed:
  authors: [{id: 1, name: Ann}]
"""
SUITE = """
name: books
use: [_part.yaml]
tags: [quick, books]
seed:
  books: [{author_id: 1, title: A, pages: "{{ pages }}"}]
specs:
  - name: the pages of a book
    tags: [books, one]
    operations:
      - sql: select pages from books
        expect: [{pages: 10}]
  - name: a book fails
    operations:
      - sql: select title, pages from books
        expect: [{title: B, pages: "{{ pages }}"}]
  - name: an actor may not write
    as: reader
    operations:
      - sql: delete from books
        expect: {error: insufficient_privilege}
  - {name: skipped, skip: not today, operations: [{sql: select 1}]}
  - name: fails as it should
    xfail: known
    operations: [{sql: select 1 as n, expect: [{n: 2}]}]
  - name: passes and should not
    xfail: true
    operations: [{sql: select 1 as n, expect: [{n: 1}]}]
  - name: cases
    cases: [{n: 1}, {n: 2, id: two}]
    operations:
      - sql: select 1 as n
        expect: [{n: "{{ case.n }}"}]
  - name: still to write
    operations: [{sql: select 1 as n, expect: "???"}]
"""
SINGLE = "operations: [{sql: select 1 as n, expect: [{n: 2}]}]\n"
ONE = "operations: [{sql: select 1 as n, expect: [{n: 1}]}]\n"
COUNTS = {"passed": 3, "failed": 5, "skipped": 1, "xfailed": 1}


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read anew."""
    names: list[str] = []
    read = reading.Reading.read

    def noted(self: reading.Reading, path: Path, content: bytes) -> Any:
        names.append(path.name)
        return read(self, path, content)

    monkeypatch.setattr(reading.Reading, "read", noted)
    return names


@pytest.fixture
def suite(project: Project) -> Project:
    for text, name in ((PART, "_part.yaml"), (BASE, "_base.yaml"), (SINGLE, "single.yaml")):
        project.spec(text, name)
    project.spec(SUITE)
    return project


def told(project: Project, *arguments: str) -> tuple[str, str, Any]:
    """All that a run prints, its junit xml and its counts, without times."""
    result = project.run("-v", "--junitxml=junit.xml", "-o", "junit_family=xunit1", *arguments)
    times = re.compile(r'in \d+\.\d+s[ =]*|=+ | time(stamp)?="[^"]*"')
    junit = project.pytester.path.joinpath("junit.xml").read_text()
    return times.sub("", result.stdout.str()), times.sub("", junit), result.parseoutcomes()


def test_everything_is_the_same(suite: Project, anew: list[str]) -> None:
    cold = told(suite, "--strict-markers")
    assert cold[2] == COUNTS
    assert sorted(anew) == ["books.yaml", "single.yaml"]
    assert told(suite, "--strict-markers") == cold
    assert len(anew) == 2
    shutil.rmtree(suite.pytester.path / ".pytest_cache")
    assert told(suite, "--strict-markers") == cold
    assert len(anew) == 4


def test_everything_is_the_same_without_a_cache(suite: Project, anew: list[str]) -> None:
    with_cache = told(suite)
    without = [told(suite, "-p", "no:cacheprovider") for _ in range(2)]
    hint = re.compile("cachedir: .*\n")
    assert [hint.sub("", each[0]) for each in without] == [hint.sub("", with_cache[0])] * 2
    assert [each[1:] for each in without] == [with_cache[1:]] * 2
    assert len(anew) == 6


@pytest.mark.parametrize(
    "arguments", [("-k", "book and not fails"), ("-m", "one"), ("-m", "quick")]
)
def test_selection(arguments: tuple[str, str], suite: Project, anew: list[str]) -> None:
    cold = suite.run("--collect-only", "-q", *arguments).stdout.lines
    warm = suite.run("--collect-only", "-q", *arguments).stdout.lines
    assert len(anew) == 2
    assert [line for line in warm if "::" in line] == [line for line in cold if "::" in line] != []


def test_single_items_and_what_failed_last(suite: Project, anew: list[str]) -> None:
    suite.run()
    one = suite.run("specs/books.yaml::cases[two]")
    assert one.parseoutcomes() == {"failed": 1}
    assert suite.run("--lf").parseoutcomes() == {"failed": 5}
    assert suite.run("specs/books.yaml::cases").parseoutcomes() == {"passed": 1, "failed": 1}
    assert sorted(anew) == ["books.yaml", "single.yaml"]


def test_workers_share_the_cache(suite: Project) -> None:
    counts = [suite.run("-n", "2").parseoutcomes() for _ in range(2)]
    assert counts == [COUNTS, COUNTS]


def test_cache_clear(project: Project, anew: list[str]) -> None:
    path = project.spec(ONE)
    for arguments in ((), (), ("--cache-clear",)):
        assert project.run(path, *arguments).parseoutcomes() == {"passed": 1}
    assert len(anew) == 2


@pytest.mark.parametrize("name", ["books.yaml", "_part.yaml", "_base.yaml"])
def test_a_change_is_seen_whatever_its_time_and_size(name: str, suite: Project) -> None:
    assert suite.run().parseoutcomes() == COUNTS
    path = suite.pytester.path / "specs" / name
    status, text = path.stat(), path.read_text()
    changed = {
        "books.yaml": text.replace("[{pages: 10}]", "[{pages: 11}]"),
        "_part.yaml": text.replace("pg_read_all_data", "pg_read_all_dat_"),
        "_base.yaml": text.replace("pages: 10", "pages: 12"),
    }
    assert len(changed[name]) == len(text)
    path.write_text(changed[name])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert suite.run().parseoutcomes() == {**COUNTS, "passed": 2, "failed": 6}


def test_a_part_that_comes_later(suite: Project) -> None:
    part = suite.pytester.path / "specs" / "_base.yaml"
    part.unlink()
    for _ in range(2):
        missing = suite.run()
        missing.stdout.fnmatch_lines(["*_part.yaml:1:7: there is no file '_base.yaml'"])
        assert missing.parseoutcomes() == {"errors": 1}
    part.write_text(BASE)
    assert suite.run().parseoutcomes() == COUNTS


def test_problems_are_told_again(project: Project) -> None:
    project.spec("operations: [{sql: select 1, expec: 1}]")
    outputs = []
    for _ in range(2):
        result = project.run()
        result.stdout.fnmatch_lines(["specs/books.yaml:1:30: unknown key `expec`"])
        outputs.append([line for line in result.stdout.lines if " in " not in line])
    assert outputs[0] == outputs[1]


def test_an_upgrade(project: Project, anew: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.spec(ONE)
    project.run(path)
    monkeypatch.setattr(archive, "software", lambda: "the next version")
    assert project.run(path).parseoutcomes() == {"passed": 1}
    assert len(anew) == 2


def test_a_project_that_was_moved(project: Project, anew: list[str]) -> None:
    project.spec(SINGLE)
    project.run()
    moved = project.pytester.path / "moved"
    project.pytester.mkdir("moved")
    for name in ("specs", ".pytest_cache", "pyproject.toml", "schema.sql"):
        shutil.move(project.pytester.path / name, moved / name)
    os.chdir(moved)
    result = project.run("-vv")
    result.stdout.fnmatch_lines(["*specs/books.yaml:1:*"])
    assert result.parseoutcomes() == {"failed": 1}
    assert len(anew) == 2


@pytest.mark.parametrize("damage", [b"", b"\0" * 300, None])
def test_a_damaged_cache_is_as_none(damage: bytes | None, suite: Project, anew: list[str]) -> None:
    cold = told(suite)
    for file in (suite.pytester.path / ".pytest_cache").rglob("*.specs"):
        content = file.read_bytes()
        middle = len(content) // 2
        file.write_bytes(content[:middle] + b"?" + content[middle:] if damage is None else damage)
    assert told(suite) == cold
    assert len(anew) == 4
    assert told(suite) == cold
    assert len(anew) == 4


def test_a_cache_that_cannot_be_written(project: Project, anew: list[str]) -> None:
    """As root no permission keeps from writing, but a file does where a folder should be."""
    path = project.spec(ONE)
    project.run(path)
    folder = project.pytester.path / ".pytest_cache" / "d"
    shutil.rmtree(folder)
    folder.write_text("")
    for _ in range(2):
        result = project.run(path, "-W", "error")
        assert result.parseoutcomes() == {"passed": 1}
    assert len(anew) == 3


HASTY = """
import shutil
from pathlib import Path

def pytest_collection_finish(session):
    # An editor saves, and another session collects and replaces the cache.
    for path in Path("specs").glob("*.yaml"):
        path.write_text(path.read_text().replace("n: 1", "n: 5"))
    shutil.rmtree(".pytest_cache", ignore_errors=True)
"""


@pytest.mark.parametrize("is_warm", [False, True])
def test_what_was_collected_is_run(is_warm: bool, project: Project) -> None:
    path = project.spec(ONE)
    if is_warm:
        project.run(path)
    project.pytester.makeconftest(HASTY)
    assert project.run(path).parseoutcomes() == {"passed": 1}
    project.pytester.path.joinpath("conftest.py").unlink()
    assert project.run(path).parseoutcomes() == {"failed": 1}


def test_an_update_of_specs_from_the_cache(suite: Project, anew: list[str]) -> None:
    suite.run()
    suite.run("--harness-update", "specs/books.yaml")
    assert sorted(anew) == ["books.yaml", "single.yaml"]
    counts = suite.run("specs/books.yaml").parseoutcomes()
    assert counts["passed"] == 5
    assert sorted(anew) == ["books.yaml", "books.yaml", "single.yaml"]


def test_run_spec_beside_the_cache(project: Project) -> None:
    path = project.spec(ONE)
    project.pytester.makepyfile(f"def test_one(run_spec):\n    run_spec({path!r})\n")
    for _ in range(2):
        assert project.run().parseoutcomes() == {"passed": 2}
