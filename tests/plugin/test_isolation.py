"""A spec leaves nothing behind, whatever it does; and what it does to itself is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from harness.database.cache import cache_directory
from tests.plugin.conftest import Project

AFTERWARDS = """
  - name: afterwards
    seed:
      authors: {{ann: {{name: Ann}}}}
    operations:
      - sql: select id, name from authors
        expect: [{{id: 1, name: Ann}}]
      - sql: select current_setting('work_mem') <> '9MB' as is_reset
        expect: [{{is_reset: true}}]
"""


@pytest.mark.parametrize(
    "statement",
    [
        "insert into authors (name) values ('Kept'); commit",
        "rollback; insert into authors (name) values ('Kept')",
        "insert into authors (name) values ('Kept'); commit; begin",
        "insert into authors (name) values ('Kept'); commit and chain",
        "commit; set work_mem = '9MB'",
        "prepare transaction 'x'",
        "commit; drop table books; begin",
    ],
)
def test_who_ends_the_transaction_fails_and_nobody_else(project: Project, statement: str) -> None:
    text = f'specs:\n  - name: rogue\n    operations:\n      - sql: "{statement}"\n'
    result = project.run(project.spec(text + AFTERWARDS.format()))
    assert result.parseoutcomes() == {"failed": 1, "passed": 1}
    result.stdout.fnmatch_lines(["*_ rogue _*", "*transaction*"])


def test_the_operation_that_ended_it_is_named(project: Project) -> None:
    output = project.failure("""
    operations:
      - sql: select 1
      - sql: commit
      - sql: select 2
    """)
    assert "operation 2 (sql)" in output
    assert "specs/books.yaml:3" in output
    assert "the spec's transaction was ended here" in output


KILLER = """
import os, signal
import pytest
from harness.plugin import ACTIVATION

PIDS = []

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    PIDS[:] = [held.pid] if (held := item.config.stash[ACTIVATION].database.footprint()) else []
    return (yield)

def die():
    os.kill(PIDS[0], signal.SIGKILL)
    os.waitid(os.P_PID, PIDS[0], os.WEXITED | os.WNOWAIT)
"""


def test_a_database_that_dies_costs_one_spec(project: Project) -> None:
    project.pytester.makeconftest("from killer import pytest_runtest_call")
    project.pytester.makepyfile(killer=KILLER)
    specs = """
    specs:
      - {name: starts, operations: [{sql: select 1}]}
      - {name: dies, operations: [{call: "killer:die"}, {sql: select 1}]}
    """
    result = project.run(project.spec(dedent(specs) + AFTERWARDS.format()))
    assert result.parseoutcomes() == {"failed": 1, "passed": 2}
    result.stdout.fnmatch_lines(["*the database process ended: killed by signal 9*"])


@pytest.mark.parametrize(
    "statement",
    [
        "select pg_sleep(1000)",
        "do $$ begin loop null; end loop; end $$",
        "with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r",
    ],
)
def test_a_runaway_statement_is_ended(project: Project, statement: str) -> None:
    text = (
        "specs:\n  - name: runaway\n    timeout: 0.5\n    operations:\n"
        f"      - sql: {statement!r}\n" + AFTERWARDS.format()
    )
    result = project.run(project.spec(text))
    assert result.parseoutcomes() == {"failed": 1, "passed": 1}
    result.stdout.fnmatch_lines(["*did not end within 0.5 seconds*"])


def test_a_runaway_comparison_is_ended(project: Project) -> None:
    text = (
        "specs:\n  - name: runaway\n    timeout: 0.5\n    operations:\n"
        "      - sql: select repeat('a', 60) || 'b' as text\n"
        '        expect: [{text: {$regex: "(a+)+$"}}]\n' + AFTERWARDS.format()
    )
    result = project.run(project.spec(text))
    assert result.parseoutcomes() == {"failed": 1, "passed": 1}
    result.stdout.fnmatch_lines(["*did not end within 0.5 seconds*"])


def test_ids_begin_the_same_in_every_spec(project: Project) -> None:
    spec = """
      - name: ids {n}
        seed:
          authors: {{ann: {{name: Ann}}}}
          books:
            - {{author: ann, title: first}}
            - {{id: 50, author: ann, title: second}}
        operations:
          - sql: insert into books (author_id, title) values (1, 'third') returning id, author_id
            expect: [{{id: 51, author_id: 1}}]
          - sql: select id from books where title = 'first'
            expect: [{{id: 1}}]
    """
    text = "specs:" + "".join(spec.format(n=n) for n in range(3))
    assert project.outcomes(text) == {"passed": 3}


def test_a_deferred_constraint_fails_the_spec_that_broke_it(project: Project) -> None:
    schema = project.pytester.path / "schema.sql"
    schema.write_text(schema.read_text().replace("deferrable", "deferrable initially deferred"))
    text = """
    specs:
      - name: could never be committed
        operations:
          - sql: insert into books (author_id, title) values (99, 'x')
      - name: left unchecked
        operations:
          - sql: insert into books (author_id, title) values (99, 'x')
        expect: {constraints: deferred}
      - name: checked before anything is read
        xfail: true
        operations:
          - sql: insert into books (author_id, title) values (99, 'x')
        expect:
          tables: {books: {count: 1}}
    """
    assert project.outcomes(text) == {"failed": 1, "passed": 1, "xfailed": 1}


def test_savepoints_span_operations(project: Project) -> None:
    text = """
    operations:
      - sql: savepoint mine
      - sql: insert into authors (name) values ('Ann')
      - sql: rollback to savepoint mine
      - sql: select count(*) as n from authors
        expect: [{n: 0}]
    """
    assert project.outcomes(text) == {"passed": 1}


def _start(project: Project, text: str) -> subprocess.Popen[str]:
    """Run pytest in a process of its own, and return when its first spec has begun."""
    path = project.spec(text)
    environment = {**os.environ, "HARNESS_CACHE_DIR": str(cache_directory())}
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-v", path],
        cwd=project.pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "first PASSED" in line:
            return process
    raise AssertionError("pytest ended before its first spec:\n" + "".join(seen))


ENDLESS = """
specs:
  - name: first
    operations: [{sql: select 1}]
  - name: endless
    timeout: 0
    operations:
      - sql: select count(*) from generate_series(1, 100000000000)
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_pytest(project: Project, stop: signal.Signals) -> None:
    process = _start(project, ENDLESS)
    children = psutil.Process(process.pid).children(recursive=True)
    assert any("node" in child.name() for child in children)
    folders = {Path(child.cwd()) for child in children}
    process.send_signal(stop)
    process.communicate(timeout=30)
    assert process.returncode == (2 if stop is signal.SIGINT else -stop)  # 2: interrupted
    _gone, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    if stop is not signal.SIGINT:
        project.run(project.spec("operations: [{sql: select 1}]"))  # the next run sweeps
    assert [folder for folder in folders if folder.exists()] == []
