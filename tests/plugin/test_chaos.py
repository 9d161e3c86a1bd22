"""The database is killed again and again while a run goes on: nothing else of the run is harmed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.plugin.conftest import Project

SPECS = 500
KILLS = 50
SPEC = """
  - name: number {n}
    seed:
      authors: [{{id: 1, name: Ann {n}}}]
      books: {{sql: "select 1 as author_id, 'book ' || n as title from generate_series(1, 20) n"}}
    operations:
      - sql: select pg_sleep(0.005), count(*) from books
        expect: [{{count: 20}}]
      - sql: insert into books (author_id, title) values (1, 'more') returning id
        expect: {{value: 21}}
    expect:
      tables: {{authors: [{{id: 1, name: Ann {n}}}]}}
"""


def databases(process: psutil.Process) -> list[psutil.Process]:
    """The databases that run below a process."""
    return [
        child
        for child in process.children(recursive=True)
        if any("pglite_server" in argument for argument in child.cmdline())
    ]


def kill_one(run: psutil.Process) -> bool:
    """Kill a database of the run, if there is one at this moment."""
    try:
        for child in databases(run):
            child.kill()
            return True
    except psutil.NoSuchProcess:  # it was just being replaced
        pass
    return False


def finished(run: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of specs that have ended, as they come."""
    assert run.stdout is not None
    for line in run.stdout:
        if "::number " in line:
            yield line


def test_kills_at_random_moments(project: Project, tmp_path: Path) -> None:
    chance = random.Random(5)
    project.spec("specs:" + "".join(SPEC.format(n=n) for n in range(SPECS)))
    command = [sys.executable, "-u", "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    after = set(chance.sample(range(5, SPECS - 5), KILLS))
    killed = 0
    with subprocess.Popen(
        [*command, f"--junitxml={tmp_path / 'out.xml'}", "specs"],
        cwd=project.pytester.path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as run:
        process = psutil.Process(run.pid)
        for number, _ in enumerate(finished(run)):
            if number in after:
                time.sleep(chance.uniform(0, 0.03))  # any moment of a spec, or between two
                killed += kill_one(process)
    assert run.returncode in (0, 1)

    cases = list(ElementTree.parse(tmp_path / "out.xml").iter("testcase"))
    failures = [
        failure.get("message") or ""
        for case in cases
        if (failure := case.find("failure")) is not None
    ]
    assert len(cases) == SPECS
    assert killed > KILLS / 2
    assert len(failures) <= killed
    assert [each for each in failures if "the database process ended" not in each] == []
    assert list(tmp_path.glob("pgspec-harness-*")) == []


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_kill_between_specs_is_told(project: Project, workers: tuple[str, ...]) -> None:
    project.pytester.makeconftest(
        """
        import os, pytest, signal
        from harness.options import ACTIVATION

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(item):
            yield
            pid = item.config.stash[ACTIVATION].database.footprint().pid
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            return True
        """
    )
    text = "specs:" + "".join(SPEC.format(n=n) for n in range(4))
    result = project.run(project.spec(text), *workers)
    assert result.parseoutcomes() == {"passed": 4}
    result.stdout.fnmatch_lines(
        ["harness: *: the database was replaced: it had ended by itself (killed by signal 9)"]
    )
