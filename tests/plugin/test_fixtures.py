"""Python tests share the worker's database with specs, and leave as little in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

import py_pglite.sqlalchemy  # type: ignore[import-untyped]  # noqa: F401 - as below; no py.typed
import pytest

import harness.database.joined
import harness.sharing
import harness.single  # pytester forgets what a run imports, and C extensions come only once
from tests.plugin.conftest import CACHE, Project

HEAD = """
import os
import harness
import psutil
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, MissingGreenlet
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int]
    title: Mapped[str]

ADD = text("insert into authors (name) values ('Ann') returning id")
COUNT = text("select count(*) from authors")

def is_database(process):
    try:
        return any("pglite_server" in part for part in process.cmdline())
    except psutil.Error:
        return False  # it has just ended

def databases(process):
    return [each.pid for each in process.children(recursive=True) if is_database(each)]
"""
# The first who comes has 1, whoever came before: nothing is left, and sequences are put back.
FRESH = """
def test_fresh(db_connection):
    assert db_connection.scalar(COUNT) == 0
    assert db_connection.scalar(ADD) == 1
"""
SPEC = """
specs:
  - name: an author
    operations:
      - sql: insert into authors (name) values ('Ann') returning id
        expect: [{id: 1}]
      - sql: select count(*) as n from authors
        expect: [{n: 1}]
"""
DEFERRED = "deferrable initially deferred"


def write(project: Project, text: str, name: str = "test_it.py") -> None:
    """A module of tests."""
    project.pytester.path.joinpath(name).write_text(HEAD + dedent(text))


def outcomes(project: Project, text: str, *arguments: str) -> dict[str, int]:
    write(project, text)
    return project.run("-W", "error", *arguments).parseoutcomes()


def run_apart(project: Project, *arguments: str) -> pytest.RunResult:
    """Run pytest in a process of its own: this one may have a database of specs before."""
    return project.pytester.runpytest_subprocess(*arguments)


def in_a_process(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's folder, in a process where no session of ours is active."""
    paths = os.pathsep.join(filter(None, [str(project.pytester.path), *sys.path]))
    environment = {**os.environ, "HARNESS_CACHE_DIR": str(CACHE), "PYTHONPATH": paths}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project.pytester.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


# -- connections and sessions


def test_a_connection_commits_and_rolls_back(project: Project) -> None:
    text = """
    @pytest.mark.parametrize("again", range(2))
    def test_it(db_connection, again):
        assert db_connection.scalar(ADD) == 1
        db_connection.commit()
        with pytest.raises(IntegrityError):
            db_connection.execute(text("insert into authors (id, name) values (1, 'x')"))
        db_connection.rollback()
        db_connection.execute(ADD)
        db_connection.rollback()
        with db_connection.begin():
            with db_connection.begin_nested() as inner:
                db_connection.execute(ADD)
                inner.rollback()
        assert db_connection.scalar(COUNT) == 1
        db_connection.execute(text("set work_mem = '9MB'"))
        db_connection.commit()

    def test_settings_are_as_they_were(db_connection):
        assert db_connection.scalar(text("show work_mem")) != "9MB"
    """
    assert outcomes(project, text) == {"passed": 3}


def test_a_session_commits_and_rolls_back(project: Project) -> None:
    text = """
    @pytest.mark.parametrize("begun", [True, False])
    class TestIt:
        def test_it(self, db_connection, db_session, begun):
            if begun:
                assert db_connection.scalar(COUNT) == 0
            db_session.add(Author(name="Ann"))
            db_session.flush()
            assert db_connection.scalar(COUNT) == 1
            db_session.commit()
            with db_session.begin_nested():
                db_session.add(Author(name="Bob"))
            db_session.rollback()
            assert db_connection.scalars(select(Author.name)).all() == ["Ann"]
            with pytest.raises(IntegrityError):
                db_session.add(Author(id=1, name="again"))
                db_session.flush()
            db_session.rollback()
            assert db_session.get(Author, 1).name == "Ann"
            assert db_session.bind is db_connection
    """
    assert outcomes(project, text) == {"passed": 2}


def test_commits_check_deferred_constraints(project: Project) -> None:
    schema = project.pytester.path / "schema.sql"
    schema.write_text(schema.read_text().replace("deferrable", DEFERRED))
    text = """
    @pytest.mark.parametrize("begun", [True, False])
    def test_it(db_connection, db_session, begun):
        if begun:
            db_connection.execute(text("select 1"))
        db_session.add_all([Author(id=7, name="Ann"), Book(author_id=9, title="x")])
        with db_session.begin_nested():
            pass  # a savepoint's release checks nothing
        with pytest.raises(IntegrityError):
            db_session.commit()
        db_session.rollback()
        assert db_connection.scalar(COUNT) == 0
        db_session.add(Book(author_id=9, title="x"))
        db_session.flush()  # deferred as ever
        db_session.add(Author(id=9, name="Bob"))
        db_session.commit()
        db_session.rollback()
        assert db_connection.scalar(COUNT) == 1

    def test_connection(db_connection):
        db_connection.execute(text("insert into books (author_id, title) values (9, 'x')"))
        with pytest.raises(IntegrityError):
            db_connection.commit()
        db_connection.rollback()
    """
    assert outcomes(project, text) == {"passed": 3}


ASYNC = """
@pytest.fixture
async def ann(db_session):
    author = Author(name="Ann")
    db_session.add(author)
    await db_session.commit()
    return author

{mark}
async def test_it(ann, db_session, db_connection):
    assert (ann.id, ann.name) == (1, "Ann")
    db_session.expire(ann)
    with pytest.raises(MissingGreenlet):
        ann.name
    await db_session.refresh(ann)
    db_session.add(Author(name="Bob"))
    await db_session.flush()
    assert db_connection.scalar(COUNT) == 2
    await db_session.rollback()
    with pytest.raises(IntegrityError):
        await db_session.execute(text("insert into authors (id, name) values (1, 'again')"))
    await db_session.rollback()
    async with db_session.begin_nested():
        db_session.add(Author(name="Cid"))
    await db_session.commit()
    found = await db_session.stream_scalars(select(Author.name).order_by(Author.name))
    assert [name async for name in found] == ["Ann", "Cid"]
    assert await db_session.run_sync(lambda session: session.scalar(COUNT)) == 2
    assert await (await db_session.connection()).scalar(COUNT) == 2

{mark}
async def test_again(ann, db_session, db_connection):
    assert await db_session.scalar(COUNT) == 1

{mark}
async def test_specs_run_beside_a_loop(run_spec):
    run_spec({{"operations": [{{"sql": "select 1 as n", "expect": [{{"n": 1}}]}}]}})

def test_sync(db_session):
    db_session.add(Author(name="Ann"))
    db_session.commit()
    assert db_session.scalar(COUNT) == 1
"""
ASYNCIO = (
    *("-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # it is loaded here, too
)


def test_coroutines_of_pytest_asyncio(project: Project) -> None:
    auto = (*ASYNCIO, "-o", "asyncio_mode=auto")
    assert outcomes(project, ASYNC.format(mark=""), *auto) == {"passed": 4}


def test_coroutines_of_pytest_asyncio_by_marks(project: Project) -> None:
    text = ASYNC.format(mark="@pytest.mark.asyncio").replace("@pytest.fixture", "@aio.fixture")
    text = f"import pytest_asyncio as aio\n{text}"
    assert outcomes(project, text, *ASYNCIO, "-o", "asyncio_mode=strict") == {"passed": 4}


def test_coroutines_of_anyio(project: Project) -> None:
    backend = "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
    text = ASYNC.format(mark="@pytest.mark.anyio")
    assert outcomes(project, backend + text) == {"passed": 4}


# -- what a test does wrong


@pytest.mark.parametrize("fixture", ["db_connection", "db_session"])
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"])
def test_who_ends_the_transaction_is_told_and_nobody_else(
    project: Project, fixture: str, end: str
) -> None:
    text = f"""
    def test_rogue({fixture}):
        {fixture}.execute(ADD)
        {fixture}.execute(text("{end}"))
    """
    write(project, dedent(text) + FRESH)
    project.spec(SPEC)
    result = project.run("test_it.py", "specs")
    assert result.parseoutcomes() == {"passed": 3, "errors": 1}
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_rogue*",
            "the test ended the transaction that it runs in; the database is replaced",
            "  hint: leave COMMIT and ROLLBACK out of SQL*",
        ],
        consecutive=True,
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_a_test_that_fails_leaves_nothing(project: Project) -> None:
    text = """
    def test_fails(db_session):
        db_session.add(Author(name="Ann"))
        db_session.commit()
        assert False

    def test_breaks(db_connection):
        db_connection.execute(ADD)
        db_connection.execute(text("select nonsense"))
    """
    assert outcomes(project, dedent(text) + FRESH) == {"failed": 2, "passed": 1}
    assert project.run("--lf").parseoutcomes() == {"failed": 2}


def test_a_database_that_dies_costs_one_test(project: Project) -> None:
    text = """
    def test_dies(db_connection, worker_db):
        (pid,) = databases(psutil.Process())
        psutil.Process(pid).kill()
        with pytest.raises(Exception):
            db_connection.scalar(COUNT)
    """
    bare = """
    def test_closes(worker_db):
        worker_db.connection.close()
    """
    write(project, dedent(text) + FRESH + dedent(bare))
    result = run_apart(project)
    assert result.parseoutcomes() == {"passed": 3, "errors": 2}
    result.stdout.fnmatch_lines(
        ["the connection to the database was lost; its process: killed by signal 9*"]
    )


# -- the database itself


def test_isolated(project: Project) -> None:
    text = """
    def test_one_after_the_other(worker_db):
        for _ in range(2):
            with harness.isolated(worker_db) as connection:
                assert connection.scalar(ADD) == 1
                connection.commit()

    def test_nested(worker_db):
        with harness.isolated(worker_db) as connection:
            connection.execute(ADD)
            with pytest.raises(harness.HarnessError, match="has a transaction open"):
                with harness.isolated(worker_db):
                    pass
            assert connection.scalar(COUNT) == 1

    def test_beside_a_fixture(worker_db, db_session):
        with pytest.raises(harness.HarnessError, match="has a transaction open"):
            with harness.isolated(worker_db):
                pass

    def test_an_error_comes_out(worker_db):
        with pytest.raises(ZeroDivisionError):
            with harness.isolated(worker_db) as connection:
                connection.execute(ADD)
                1 / 0
        with harness.isolated(worker_db) as connection:
            assert connection.scalar(COUNT) == 0

    def test_ended(worker_db):
        with pytest.raises(harness.HarnessError, match="ended the transaction"):
            with harness.isolated(worker_db) as connection:
                connection.execute(ADD)
                connection.execute(text("commit"))

    def test_ended_with_an_error(worker_db):
        with pytest.raises(ZeroDivisionError) as caught:
            with harness.isolated(worker_db) as connection:
                connection.execute(ADD)
                connection.execute(text("commit"))
                1 / 0
        assert "ended the transaction" in caught.value.__notes__[0]
    """
    assert outcomes(project, dedent(text) + FRESH) == {"passed": 7}


def test_the_bare_connection_is_for_reading(project: Project) -> None:
    text = """
    @pytest.fixture(scope="module")
    def version(worker_db):
        return worker_db.connection.execute("show server_version").fetchone()[0]

    def test_reads(version, worker_db, run_spec):
        bare = worker_db.connection
        with harness.isolated(worker_db) as connection:
            connection.execute(ADD)
            connection.commit()
        run_spec("specs/books.yaml")
        with bare.transaction(force_rollback=True):
            bare.execute("insert into authors (name) values ('Ann')")
        assert bare.execute("select count(*) from authors").fetchone() == (0,)
        assert bare.execute("select 1").fetchone() == (1,)

    def test_url(worker_db):
        assert worker_db.url.startswith("postgresql://postgres@/postgres?host=")

    @pytest.mark.parametrize("statement", [
        "insert into authors (name) values ('Ann')",
        "begin; insert into authors (name) values ('Ann'); commit",
        "begin",
        "set work_mem = '9MB'",
        "select nextval('authors_id_seq')",
    ])
    def test_changes(worker_db, statement):
        worker_db.connection.execute(statement)

    def test_changes_before(worker_db):
        worker_db.connection.execute("insert into authors (name) values ('Ann')")
        with pytest.raises(harness.HarnessError, match="something was changed"):
            with harness.isolated(worker_db):
                pass
    """
    project.spec(SPEC)
    write(project, dedent(text) + FRESH)
    result = project.run()
    assert result.parseoutcomes() == {"passed": 10, "errors": 5}
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_changes?insert into*",
            "something was changed by worker_db.connection, outside of a transaction*",
        ],
        consecutive=True,
    )


def test_fixtures_of_a_module_share_the_database(project: Project) -> None:
    text = """
    @pytest.fixture(scope="module")
    def authors(worker_db):
        with harness.isolated(worker_db) as connection:
            connection.execute(ADD)
            connection.commit()
            yield connection

    def test_one(authors):
        assert authors.scalar(COUNT) == 1

    def test_two(authors):
        assert authors.scalar(COUNT) == 1

    def test_has_none_of_its_own(authors, db_connection):
        pass
    """
    write(project, text)
    write(project, FRESH, "test_other.py")
    project.spec(SPEC)
    result = project.run("test_it.py", "specs", "test_other.py")
    assert result.parseoutcomes() == {"passed": 4, "errors": 1}
    result.stdout.fnmatch_lines(["*ERROR at setup of test_has_none_of_its_own*"])
    result.stdout.fnmatch_lines(["a test or a fixture has a transaction open*"])


def test_a_spec_does_not_run_in_the_transaction_of_a_fixture(project: Project) -> None:
    text = """
    @pytest.fixture(scope="session")
    def authors(worker_db):
        with harness.isolated(worker_db) as connection:
            connection.execute(ADD)
            yield connection

    def test_one(authors):
        assert authors.scalar(COUNT) == 1

    """
    write(project, text)
    project.spec(SPEC)
    result = project.run("test_it.py", "specs")
    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["a test or a fixture has a transaction open*", "  hint: *"])


def test_a_database_that_cannot_start_is_told_once_for_each_test(project: Project) -> None:
    project.pytester.path.joinpath("schema.sql").write_text("create tabel authors ();")
    write(project, FRESH + "def test_other(worker_db): pass\ndef test_none(): pass\n")
    result = project.run()
    assert result.parseoutcomes() == {"passed": 1, "errors": 2}
    result.stdout.fnmatch_lines(["*ERROR at setup of test_fresh*", "schema.sql:1:*syntax error*"])
    result.stdout.no_fnmatch_line("*harness/*.py*")


def test_no_fixture_no_database(project: Project) -> None:
    text = """
    def test_none(request):
        assert databases(psutil.Process()) == []

    def test_worker_db(worker_db):
        assert len(databases(psutil.Process())) == 1
    """
    write(project, text)
    assert run_apart(project).parseoutcomes() == {"passed": 2}


def test_without_a_section_there_are_no_fixtures(project: Project) -> None:
    project.pytester.path.joinpath("pyproject.toml").write_text("")
    heavy = "['harness.fixtures', 'harness.activation', 'psycopg', 'pydantic', 'py_pglite.manager']"
    text = f"""
    import sys

    def test_loaded():
        assert [name for name in {heavy} if name in sys.modules] == []

    def test_fixture(worker_db):
        pass
    """
    project.pytester.path.joinpath("test_it.py").write_text(dedent(text))
    result = in_a_process(project, "-m", "pytest", "-p", "no:py_pglite")
    assert "1 passed, 1 error" in result.stdout
    assert "fixture 'worker_db' not found" in result.stdout


# -- specs from Python


def test_specs_by_name(project: Project) -> None:
    project.spec(SPEC, "one.yaml")
    project.spec(
        """
        specs:
          - name: passes
            operations: [{sql: select 1}]
          - name: fails
            operations: [{sql: select 1 as n, expect: [{n: 2}]}]
          - name: sums
            cases: [{id: one, n: 1}, {id: two, n: 2}]
            operations: [{sql: "select :n::int as n", params: {n: "{{ case.n }}"}, expect: [{n: 1}]}]
          - name: skipped
            skip: not today
            operations: [{sql: select 1}]
          - name: unmet
            requires: {postgres: ">=99"}
            operations: [{sql: select 1}]
          - name: known
            xfail: a bug
            operations: [{sql: select 1 as n, expect: [{n: 2}]}]
          - name: mended
            xfail: a bug
            operations: [{sql: select 1}]
        """
    )
    text = """
    def test_runs(run_spec):
        assert run_spec("specs/one.yaml").name == "an author"
        assert run_spec("specs/books.yaml::passes").status == "passed"
        assert run_spec("specs/books.yaml::sums[one]").status == "passed"

    @pytest.mark.parametrize("name", ["fails", "sums[two]", "mended"])
    def test_fails(run_spec, name):
        run_spec(f"specs/books.yaml::{name}")

    @pytest.mark.parametrize("name", ["skipped", "unmet"])
    def test_skips(run_spec, name):
        run_spec(f"specs/books.yaml::{name}")

    def test_xfails(run_spec):
        run_spec("specs/books.yaml::known")

    def test_unchecked(run_spec):
        names = ["fails", "skipped", "unmet", "known", "mended"]
        results = [run_spec(f"specs/books.yaml::{name}", check=False) for name in names]
        assert [each.status for each in results] == [
            "failed", "skipped", "skipped", "failed", "passed"
        ]
        assert results[0].failures[0][1].reason == "row 1: n: 2 expected, 1 found"
        assert results[1].skipped == "not today"
    """
    write(project, text)
    result = project.run("test_it.py", "-rsx")
    assert result.parseoutcomes() == {"passed": 2, "failed": 3, "skipped": 2, "xfailed": 1}
    result.stdout.fnmatch_lines(
        [
            '>       run_spec(f"specs/books.yaml::{name}")',
            "E       AssertionError: operation 1 (sql)",
            "E       specs/books.yaml:5:*",
            "E       row 1: n: 2 expected, 1 found",
            "E       run it again: pytest 'test_it.py::test_fails?fails?'",
            "E       AssertionError: mended passed, and was to fail: a bug",
            "SKIPPED*not today",
            "SKIPPED*requires PostgreSQL >=99*",
            "XFAIL*a bug",
        ]
    )
    result.stdout.no_fnmatch_line("*harness/*.py*")


def test_specs_as_data(project: Project) -> None:
    project.spec("seed: {authors: {ann: {name: Ann}}}", "_people.yaml")
    text = """
    from datetime import date
    from decimal import Decimal
    from uuid import UUID

    def test_passes(run_spec):
        strange = "\\U0001f600 \\x7f \\x85 \\u2028 \\ufeff yes"
        run_spec({
            "use": ["specs/_people.yaml"],
            "operations": [{
                "sql": "select :t as t, :d::date as d, :n::numeric as n, :u::uuid as u, :y as y",
                "params": {"t": strange, "d": date(2026, 1, 2), "n": Decimal("1.50"),
                           "u": UUID(int=7), "y": "yes"},
                "expect": [{"t": strange, "d": date(2026, 1, 2), "n": Decimal("1.5"),
                            "u": UUID(int=7), "y": "yes"}],
            }],
            "expect": {"tables": {"authors": ({"name": "Ann"},)}},
        })

    def test_fails(run_spec):
        run_spec({"operations": [{"sql": "select 1 as n", "expect": [{"n": 2}]}]})

    @pytest.mark.parametrize(("spec", "message"), [
        ({"operations": [{"sgl": "select 1"}]}, "did you mean 'sql'"),
        ({"operations": [{"sql": "select 1", "expect": [{"n": object}]}]}, "type cannot stand in"),
        ({"operations": [{"sql": "select 1", "expect": [{"n": {1}}]}]}, "set cannot stand in"),
        ({"name": "n", "cases": [{"a": 1}, {"a": 2}], "operations": [{"sql": "select 1"}]},
         "is 2 specs"),
        ("specs/none.yaml::a", "specs/none.yaml:1:1: the file cannot be read"),
    ])
    def test_refused(run_spec, spec, message):
        with pytest.raises(harness.HarnessError, match=message):
            run_spec(spec)

    def test_itself(run_spec):
        spec = {}
        spec["seed"] = spec
        with pytest.raises(harness.HarnessError, match="cannot be written"):
            run_spec(spec)
    """
    write(project, text)
    result = project.run()
    assert result.parseoutcomes() == {"passed": 7, "failed": 1}
    result.stdout.fnmatch_lines(['E*"n": 2*', "E*row 1: n: 2 expected, 1 found"])


def test_a_missing_spec_gets_a_hint(project: Project) -> None:
    project.spec(SPEC.replace("an author", "first") + SPEC.replace("an author", "second")[8:])
    text = """
    def test_near(run_spec):
        run_spec("specs/books.yaml::frist")

    def test_several(run_spec):
        run_spec("specs/books.yaml")
    """
    write(project, text)
    result = project.run("test_it.py")
    assert result.parseoutcomes() == {"failed": 2}
    result.stdout.fnmatch_lines(
        [
            '>       run_spec("specs/books.yaml::frist")',
            "E       harness.errors.SpecError: there is no spec 'frist' in specs/books.yaml",
            "E         hint: did you mean 'first'?",
            "E       harness.errors.SpecError: specs/books.yaml is 2 specs",
            "E         hint: one is run at a time: first, second",
        ]
    )
    result.stdout.no_fnmatch_line("*harness/*.py*")


def test_a_spec_does_not_run_in_the_transaction_of_a_test(project: Project) -> None:
    project.spec(SPEC)
    text = """
    def test_both(db_connection, run_spec):
        db_connection.execute(ADD)
        run_spec("specs/books.yaml::an author")

    def test_inside(worker_db, run_spec):
        with harness.isolated(worker_db) as connection:
            connection.execute(ADD)
            with pytest.raises(harness.HarnessError, match="has a transaction open"):
                run_spec("specs/books.yaml::an author")
            assert connection.scalar(COUNT) == 1
        run_spec("specs/books.yaml::an author")
    """
    write(project, text)
    result = project.run()
    assert result.parseoutcomes() == {"passed": 2, "failed": 1}
    result.stdout.fnmatch_lines(
        ['>       run_spec("specs/books.yaml::an author")', "E*has a transaction open*", "E*hint:*"]
    )
    result.stdout.no_fnmatch_line("*harness/*.py*")


def test_what_is_not_written_yet_does_not_pass(project: Project) -> None:
    project.spec("operations: [{sql: select 1, expect: '???'}]")
    write(project, "def test_it(run_spec):\n    run_spec('specs/books.yaml')\n")
    for arguments in ((), ("--harness-update",)):
        assert project.run("test_it.py", *arguments).parseoutcomes() == {"failed": 1}


# -- one database for each worker

MIXED = """
@pytest.fixture(autouse=True)
def counted(worker_db):
    (own,) = databases(psutil.Process())
    assert len(databases(psutil.Process().parent())) <= 2
    with open("pids", "a") as file:
        file.write(f"{own}\\n")

@pytest.mark.parametrize("again", range(6))
def test_session(db_session, again):
    db_session.add(Author(name="Ann"))
    db_session.commit()
    assert db_session.scalars(select(Author.id)).all() == [1]

@pytest.mark.parametrize("again", range(6))
def test_spec(run_spec, again):
    run_spec("specs/books.yaml::an author")
"""
REVERSE = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"


@pytest.mark.parametrize("conftest", ["", REVERSE])
def test_specs_and_python_tests_take_turns(project: Project, conftest: str) -> None:
    write(project, MIXED + FRESH)
    project.spec(SPEC)
    project.pytester.makeconftest(conftest)
    result = run_apart(project, "test_it.py", "specs")
    assert result.parseoutcomes() == {"passed": 14}
    pids = project.pytester.path.joinpath("pids").read_text().split()
    assert len(set(pids)) == 1


@pytest.mark.parametrize("distribution", ["load", "loadscope"])
def test_two_workers_have_two_databases(project: Project, distribution: str) -> None:
    for name in ("test_one.py", "test_two.py"):
        write(project, MIXED + FRESH, name)
    project.spec(SPEC)
    result = run_apart(project, "-n", "2", "--dist", distribution)
    assert result.parseoutcomes() == {"passed": 27}
    pids = project.pytester.path.joinpath("pids").read_text().split()
    assert len(set(pids)) == 2


# -- and no other

NODE = """#!/bin/sh
case "$*" in *pglite_manager*|*install*) touch started;; esac
exit 3
"""


def node(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a Node on the path that does not work; gives what is there once it was to work."""
    folder = project.pytester.mkdir("bin")
    started = folder / "started"
    for name in ("node", "npm"):
        folder.joinpath(name).write_text(NODE.replace("started", str(started)))
        folder.joinpath(name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("TMPDIR", str(folder))  # PGliteConfig leaves a folder wherever it is made
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return started


SECOND = """
import subprocess
from pathlib import Path
from py_pglite import PGliteConfig, PGliteManager
from py_pglite.sqlalchemy import SQLAlchemyPGliteManager
from harness.database.solitude import SecondDatabaseError

@pytest.mark.parametrize("kind", [PGliteManager, SQLAlchemyPGliteManager])
@pytest.mark.parametrize("work_dir", [None, "fresh", "there"])
def test_manager(kind, work_dir, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / work_dir if work_dir else None
    if work_dir == "there":
        folder.mkdir()
    before, here = sorted(tmp_path.iterdir()), Path.cwd()
    manager = kind(PGliteConfig(work_dir=folder, socket_path=str(tmp_path / "socket")))
    with pytest.raises(SecondDatabaseError, match="use the fixtures db_connection or db_session"):
        manager.start()
    assert Path.cwd() == here
    assert sorted(tmp_path.iterdir()) == before
    assert not manager.is_running()
    manager.stop()

def test_context(tmp_path):
    with pytest.raises(harness.HarnessError):
        with PGliteManager():
            pass

def test_others():
    assert subprocess.run(["true"]).returncode == 0
    assert subprocess.run(["node"]).returncode == 3
"""


@pytest.mark.parametrize("first", ["", "@pytest.fixture(autouse=True)\ndef _(worker_db): pass\n"])
def test_a_second_database_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    started = node(project, monkeypatch)
    assert outcomes(project, SECOND + first, "-W", "ignore") == {"passed": 8}
    assert not started.exists()


def test_the_fixtures_of_py_pglite_are_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = node(project, monkeypatch)
    text = """
    from py_pglite.sqlalchemy.fixtures import *

    def test_engine(pglite_engine): pass
    def test_session(pglite_session): pass
    """
    write(project, dedent(text) + FRESH)
    result = project.run("-p", "py_pglite")
    assert result.parseoutcomes() == {"passed": 1, "errors": 2}
    result.stdout.fnmatch_lines(["E*a second PGlite would be started in this worker*", "E*hint:*"])
    assert not started.exists()


def test_projects_without_us_start_what_they_like(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = node(project, monkeypatch)
    project.pytester.path.joinpath("pyproject.toml").write_text("")
    text = """
    import pytest
    from py_pglite import PGliteConfig, PGliteManager

    def test_it():
        with pytest.raises(RuntimeError, match="died during startup"):
            PGliteManager(PGliteConfig(auto_install_deps=False)).start()
    """
    project.pytester.path.joinpath("test_it.py").write_text(dedent(text))
    result = in_a_process(project, "-m", "pytest", "-p", "no:py_pglite")
    assert "1 passed" in result.stdout
    assert started.exists()


def test_a_session_that_is_over_refuses_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = node(project, monkeypatch)
    write(project, FRESH)
    script = """
    import pytest
    from py_pglite import PGliteConfig, PGliteManager

    assert pytest.main() == 0
    try:
        PGliteManager(PGliteConfig(auto_install_deps=False)).start()
    except RuntimeError as error:
        print("started:", error)
    """
    result = in_a_process(project, "-c", dedent(script))
    assert "started: PGlite process died" in result.stdout, result.stdout + result.stderr
    assert started.exists()


# -- the package


def test_what_the_package_exports() -> None:
    assert {name: type(getattr(harness, name)).__name__ for name in harness.__all__} == {
        "Actor": "ABCMeta",
        "HarnessError": "type",
        "RunSpec": "type",
        "SpecResult": "type",
        "WorkerDatabase": "type",
        "__version__": "str",
        "isolated": "function",
    }
    with pytest.raises(AttributeError, match="no attribute 'isolate'"):
        harness.isolate  # noqa: B018 - it is asked for only


def test_the_example_of_the_readme(project: Project) -> None:
    text = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    section = text.partition("## Python tests")[2]
    (schema,) = re.findall("^```sql\n(create table accounts.*?)^```$", text, re.M | re.S)
    project.pytester.path.joinpath("schema.sql").write_text(schema)
    example = section.partition("```python\n")[2].partition("```\n")[0]
    project.pytester.path.joinpath("test_it.py").write_text(example)
    assert project.run().parseoutcomes() == {"passed": 3}


def test_the_fixtures_are_described(project: Project) -> None:
    listed = project.run("--fixtures").stdout
    listed.fnmatch_lines(
        [
            "worker_db [[]session scope[]]*",
            "    The worker's one database, which specs and Python tests share.",
            "db_connection *",
            "    A SQLAlchemy Connection inside a transaction that is rolled back after the test.",
            "db_session *",
            "    A SQLAlchemy Session on `db_connection`, whose commits are savepoints.",
            "run_spec *",
            "    Runs a spec on the worker's database, and gives its result.",
        ]
    )
