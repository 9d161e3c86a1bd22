"""The template: built once per content, and honest about what is wrong with a setup."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.database.cache import cache_directory, sweep_unused
from harness.database.node import Runtime, runtime
from harness.database.pglite import PGliteProcess
from harness.database.script import Script
from harness.database.template import template
from harness.errors import ConfigError, DatabaseError

Build = Callable[..., Path]

MODELS = """
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("from_metadata", metadata, sa.Column("id", sa.Integer, primary_key=True),
         sa.Column("kind", sa.Enum("a", "b", name="kind"), index=True))

def fill(connection):
    connection.execute(sa.text("insert into from_metadata (kind) values ('a')"))

def misspell(connection):
    connection.execute(sa.text("insrt into from_metadata (kind) values ('a')"))

def stumble(connection):
    raise KeyError("left leg")

async def later(connection):
    pass

number = 3
"""


def ignore(_: str) -> None:
    pass


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has the packages and the empty database, but no templates."""
    template(tmp_path_factory.mktemp("empty"), [], [], [], progress=ignore)
    shared = cache_directory()
    own = tmp_path_factory.mktemp("cache")
    (own / "npm").symlink_to(shared / "npm")
    for base in (shared / "templates").glob("base-*[!k]"):
        shutil.copytree(base, own / "templates" / base.name)
    return own


@pytest.fixture
def project(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(cache))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "models_of_project.py").write_text(MODELS)
    yield tmp_path
    sys.modules.pop("models_of_project", None)


@pytest.fixture
def build(project: Path) -> Build:
    def build(
        *setup: str, watch: tuple[str, ...] = (), extensions: tuple[str, ...] = (), **options: Any
    ) -> Path:
        return template(
            project, setup, watch, extensions, progress=options.pop("progress", ignore), **options
        )

    return build


@pytest.fixture(scope="module")
def machine() -> Runtime:
    return runtime(ignore)


def ask(machine: Runtime, data: Path, sql: str, *extensions: str) -> list[tuple[Any, ...]]:
    process = PGliteProcess(machine)
    try:
        process.boot(data, extensions)
        process.start()
        with psycopg.connect(process.dsn) as connection:
            return connection.execute(sql.encode()).fetchall()
    finally:
        process.stop()


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_steps_of_all_kinds_in_their_order(project: Path, build: Build, machine: Runtime) -> None:
    (project / "schema").mkdir()
    (project / "schema" / "2.sql").write_text("insert into t values (2); set search_path to ''")
    (project / "schema" / "1.sql").write_text("\ufeffcreate table t (a int);\r\n")
    (project / "more.sql").write_text(
        "select pg_catalog.set_config('search_path', '', false);\n"
        "copy public.t (a) from stdin;\n7\n8\n\\.\n\nanalyze public.t;\nvacuum public.t"
    )
    data = build(
        "schema",
        "m*.sql",
        "models_of_project:metadata",
        "models_of_project:fill",
        extensions=("uuid-ossp", "vector"),
    )
    rows = ask(
        machine,
        data,
        "select array_agg(a), (select count(*) from from_metadata), '[1]'::vector,"
        " uuid_nil()::text from t",
        "uuid-ossp",
        "vector",
    )
    assert rows == [([2, 7, 8], 1, "[1]", "00000000-0000-0000-0000-000000000000")]
    assert size(data) < 12_000_000


def test_a_second_call_builds_nothing_and_a_changed_one_something_else(
    project: Path, build: Build
) -> None:
    told: list[str] = []
    (project / "a.sql").write_text("create table a (a int)")
    (project / "fixture.csv").write_text("1")

    def again() -> Path:
        return build("a.sql", "models_of_project:fill2", watch=("*.csv",), progress=told.append)

    models = project / "models_of_project.py"
    models.write_text("def fill2(connection):\n    pass\n")
    first = again()
    assert "building the database template" in told
    told.clear()
    assert again() == first
    assert told == []
    seen = {first}
    for path, text in {
        project / "fixture.csv": "2",
        project / "a.sql": "create table a (b int)",
        models: "def fill2(connection):\n    print()\n",
    }.items():
        path.write_text(text)
        seen.add(again())
    (project / "same.py").write_text("def one(c):\n    pass\n\ndef two(c):\n    pass\n")
    seen |= {build("same:one"), build("same:two")}
    sys.modules.pop("same")
    assert len(seen) == 6


def test_metadata_is_known_by_its_ddl(project: Path, build: Build) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - here it stands for the project's own import

    first = build("models_of_project:metadata")
    metadata = sys.modules["models_of_project"].metadata
    assert build("models_of_project:metadata") == first
    metadata.tables["from_metadata"].append_column(sa.Column("more", sa.Text))
    assert build("models_of_project:metadata") != first


def test_rebuild_builds_anew(project: Path, build: Build) -> None:
    (project / "a.sql").write_text("create table a (a int)")
    data = build("a.sql")
    (data / "mark").touch()
    assert build("a.sql", rebuild=True) == data
    assert not (data / "mark").exists()


BAD_SQL = {
    "wrong column": ("create table x (a int);\n  select 1,\n   nope from x", "3:4: column"),
    "no position": ("create table x (a int);\n\n insert into x values (1/0);", "3:2: division"),
    "hint": ("select lenght('x')", "1:8: function lenght"),
    "psql command": ("select 1;\n\\connect x\n", r"2:1: \\connect is a command of psql"),
    "endless copy": ("create table x (a int);\ncopy x from stdin;\n1\n", "2:1: the data of this"),
    "bad copy": ("create table x (a int);\n\ncopy x from stdin;\n1\nz\n\\.\n", "3:1: invalid"),
    "open transaction": ("begin; create table x (a int);\n", "2:1: the file ends inside"),
}


@pytest.mark.parametrize(("text", "message"), BAD_SQL.values(), ids=BAD_SQL)
def test_bad_sql_is_an_error_with_its_place_and_leaves_nothing(
    project: Path, build: Build, cache: Path, text: str, message: str
) -> None:
    before = sorted(path for path in (cache / "templates").iterdir() if path.is_dir())
    (project / "bad.sql").write_text(text)
    with pytest.raises(DatabaseError, match=f"{project / 'bad.sql'}:{message}"):
        build("bad.sql")
    assert sorted(path for path in (cache / "templates").iterdir() if path.is_dir()) == before


def test_sql_that_is_not_utf8(project: Path, build: Build) -> None:
    (project / "bad.sql").write_bytes(b"select '\xe9'")
    with pytest.raises(DatabaseError, match="not UTF-8"):
        build("bad.sql")


def test_failing_callables_are_named_with_their_line(project: Path, build: Build) -> None:
    path = project / "models_of_project.py"
    with pytest.raises(DatabaseError, match=rf'{path}:12:1: .*misspell failed: syntax .*"insrt"'):
        build("models_of_project:metadata", "models_of_project:misspell")
    with pytest.raises(
        DatabaseError, match=rf"{path}:15:1: .*stumble failed: KeyError: 'left leg'"
    ):
        build("models_of_project:stumble")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("nothing/*.sql", "matches no file"),
        ("models_of_project.py", "neither SQL nor alembic.ini"),
        ("no_such_module:x", "No module named 'no_such_module'"),
        ("models_of_project:nothing", "no attribute 'nothing'"),
        ("models_of_project:number", "of type int"),
        ("models_of_project:later", "coroutine"),
    ],
)
def test_entries_that_name_nothing(build: Build, entry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(entry)


def test_watch_and_extensions_must_exist(build: Build) -> None:
    with pytest.raises(ConfigError, match=r"'\*.zip' matches no file"):
        build(watch=("*.zip",))
    with pytest.raises(ConfigError, match="no extension 'hstor'"):
        build(extensions=("hstor",))
    with pytest.raises(DatabaseError, match=r"'earthdistance' cannot be created(.|\n)*before it"):
        build(extensions=("earthdistance",))


def test_unused_templates_are_swept(tmp_path: Path) -> None:
    for name, age in {"old": 31, "new": 29}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "used").touch()
        then = time.time() - age * 24 * 60 * 60
        os.utime(tmp_path / name / "used", (then, then))
    sweep_unused(tmp_path, 30)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


# What `alembic init` writes, less its comments.
STOCK_ENV = """
from logging.config import fileConfig
from sqlalchemy import engine_from_config, pool
from alembic import context
config = context.config
fileConfig(config.config_file_name)
engine = engine_from_config(
    config.get_section(config.config_ini_section, {}), prefix="sqlalchemy.", poolclass=pool.NullPool
)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
GIVEN_CONNECTION_ENV = """
from alembic import context
context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
"""
OTHER_DATABASE_ENV = """
from sqlalchemy import create_engine
from alembic import context
with create_engine("sqlite://").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "1", None
def upgrade():
    op.create_table("migrated", sa.Column("{column}", sa.Integer))
"""
INI = """
[alembic]
script_location = %(here)s/migrations
sqlalchemy.url = driver://user:pass@localhost/dbname
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = generic
[formatter_generic]
format = %(message)s
"""


def write_migrations(project: Path, env: str, column: str = "id") -> None:
    versions = project / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    (project / "alembic.ini").write_text(INI)
    (project / "migrations" / "env.py").write_text(env)
    (project / "migrations" / "script.py.mako").touch()
    (versions / "first.py").write_text(REVISION.replace("{column}", column))


@pytest.mark.parametrize("env", [STOCK_ENV, GIVEN_CONNECTION_ENV], ids=["stock", "given"])
def test_alembic(project: Path, build: Build, machine: Runtime, env: str) -> None:
    write_migrations(project, env)
    bystander = logging.getLogger("bystander")
    handlers = logging.getLogger().handlers[:]
    data = build("alembic.ini")
    assert ask(machine, data, "select to_regclass('migrated')::text") == [("migrated",)]
    assert not bystander.disabled
    assert logging.getLogger().handlers == handlers
    write_migrations(project, env, column="other")
    assert build("alembic.ini") != data


def test_alembic_on_another_database_is_noticed(project: Path, build: Build) -> None:
    write_migrations(project, OTHER_DATABASE_ENV)
    with pytest.raises(DatabaseError, match=r"ANOTHER DATABASE(.|\n)*config.attributes"):
        build("alembic.ini")


def test_a_failing_migration_is_named(project: Path, build: Build) -> None:
    write_migrations(project, STOCK_ENV)
    revision = project / "migrations" / "versions" / "first.py"
    revision.write_text(REVISION.replace("op.create_table(", 'op.execute("create tabel x") #'))
    with pytest.raises(DatabaseError, match=r'alembic upgrade failed: SyntaxError: .*"tabel"'):
        build("alembic.ini")


def test_alembic_without_scripts(project: Path, build: Build) -> None:
    (project / "alembic.ini").write_text("[alembic]\n")
    with pytest.raises(ConfigError, match="script_location"):
        build("alembic.ini")


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("a;b;\n;c", ["a", "b", "c"]),
        ("-- x;\na /* ; /* ; */ ; */ b; /* c", ["a /* ; /* ; */ ; */ b"]),
        ("a ';' \";\" E'\\';' 'it''s;' b;c", ["a ';' \";\" E'\\';' 'it''s;' b", "c"]),
        ("a $$;$$ $x$;$$;$x$ b$1$;c", ["a $$;$$ $x$;$$;$x$ b$1$", "c"]),
        ("create rule r do (a; b); c", ["create rule r do (a; b)", "c"]),
        (
            "create function f() begin atomic select case when a then b end; end; c",
            ["create function f() begin atomic select case when a then b end; end", "c"],
        ),
        ("begin; commit", ["begin", "commit"]),
        ("\\restrict x\na;\n\\unrestrict x\n", ["a"]),
        ("date'x;';c", ["date'x;'", "c"]),
    ],
)
def test_statements_of_a_script(text: str, statements: list[str]) -> None:
    found = list(Script(Path("x.sql"), text).statements())
    assert [statement.text for statement in found] == statements
    assert all(text.startswith(each.text, each.offset) for each in found)
