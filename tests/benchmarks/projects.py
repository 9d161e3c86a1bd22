"""Throw-away projects: what each side needs around its tests, and the command that runs them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).parent

_PYPROJECT = """
{harness}
[tool.pytest.ini_options]
asyncio_default_fixture_loop_scope = "function"
addopts = [{options}]
"""
_HARNESS = """
[tool.harness]
setup = ["schema.sql"]
"""
# Plugins of the tools that we develop and compare with: a project that does not use them has not
# installed them. They are off on all sides, but for the side that is about them.
_PLUGINS = ("py_pglite", "pytest_postgresql", "hypothesispytest", "syrupy")

# Builds the template before anything is measured: it is kept in the user's cache.
TEMPLATE = """
from pathlib import Path
from harness.database.template import template

template(Path.cwd(), ["schema.sql"], [], [], progress=print)
"""

SHARED_PGLITE = """
import pytest
from pathlib import Path

@pytest.fixture(scope="session")
def connection():
    import psycopg
    from harness.database.node import runtime
    from harness.database.pglite import PGliteProcess
    from harness.database.template import template

    directory = template(Path(__file__).parent, ["schema.sql"], [], [], progress=print)
    process = PGliteProcess(runtime(print))
    process.boot(directory)
    process.start()
    with psycopg.connect(process.dsn, autocommit=True, prepare_threshold=None) as connection:
        yield connection
    process.stop()

@pytest.fixture
def db(connection):
    connection.execute("BEGIN")
    yield connection
    connection.execute("ROLLBACK")
"""

# npm's packages lie in one work directory, installed before anything is measured: as it comes,
# py-pglite has npm install them for every manager. The socket's path is part of a file there.
_STOCK_CONFIG = """
from pathlib import Path
from py_pglite import PGliteConfig

WORK = Path({work!r})
CONFIG = PGliteConfig(work_dir=WORK, socket_path=str(WORK / ".s.PGSQL.5432"), log_level="WARNING")
"""

STOCK_START = """
from py_pglite.sqlalchemy import SQLAlchemyPGliteManager
from stock import CONFIG

manager = SQLAlchemyPGliteManager(CONFIG)
manager.start()
manager.wait_for_ready()
manager.stop()
"""

# Its server takes no second connection soon after a first: the one that the manager has tried is
# the one that its engine keeps.
FRESH_PGLITE = """
import pytest
from pathlib import Path
from py_pglite.sqlalchemy import SQLAlchemyPGliteManager
from stock import CONFIG

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()

@pytest.fixture
def db():
    with SQLAlchemyPGliteManager(CONFIG) as manager:
        assert manager.wait_for_ready()
        connection = manager.get_engine().raw_connection().driver_connection
        connection.execute(SCHEMA)
        yield connection
"""

PGLITE_SESSION = """
import pytest
from pathlib import Path
from stock import CONFIG

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()

@pytest.fixture(scope="session")
def pglite_config():
    return CONFIG

@pytest.fixture(scope="session", autouse=True)
def schema(pglite_engine):
    with pglite_engine.begin() as connection:
        connection.exec_driver_sql(SCHEMA)

@pytest.fixture
def db(pglite_session):
    return pglite_session
"""

TEMPLATE_CLONE = """
import pytest
from pathlib import Path
from pytest_postgresql import factories

HERE = Path(__file__).parent

server = factories.postgresql_proc(
    executable=str(HERE / "pg_ctl"), port=None, load=[HERE / "schema.sql"]
)
clone = factories.postgresql("server")

@pytest.fixture
def db(clone):
    return clone
"""

_PG_CTL = """#!/bin/sh
exec {pg_ctl} "$@"
"""
# PostgreSQL refuses root: its server then runs as another user, the tests do not.
_PG_CTL_OF_ROOT = """#!/bin/sh
chown -R nobody "$(dirname "$0")/tmp"
exec setpriv --reuid=nobody --regid=nogroup --clear-groups {pg_ctl} "$@"
"""

APPLICATION = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase):
    pass

class Project(Base):
    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey(Project.id))
    title: Mapped[str]
    done: Mapped[bool] = mapped_column(default=False)

def add_task(session: Session, project_id: int, title: str) -> Task:
    task = Task(project_id=project_id, title=title)
    session.add(task)
    session.commit()
    return task
"""

JOINED_SESSION = """
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

@pytest.fixture(scope="session")
def engine(connection):
    connection.autocommit = False
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool
    )
    with engine.connect() as opened:
        yield opened

@pytest.fixture
def session(engine):
    transaction = engine.begin()
    with Session(engine, join_transaction_mode="create_savepoint") as session:
        yield session
    transaction.rollback()
"""

# From nothing to the first answer, in a process that does nothing else meanwhile.
DATABASE_START = """
import json
import time
from pathlib import Path

import psycopg
from harness.database.node import runtime
from harness.database.pglite import PGliteProcess
from harness.database.template import template

started = time.perf_counter()
process = PGliteProcess(runtime(print))
process.launch()
process.boot(template(Path.cwd(), ["schema.sql"], [], [], progress=print))
process.start()
with psycopg.connect(process.dsn, autocommit=True, prepare_threshold=None) as connection:
    connection.execute("select 1")
seconds = time.perf_counter() - started
process.stop()
Path("clock.json").write_text(json.dumps({"seconds": seconds}))
"""

YAML_LOAD = """
import json
import time
from pathlib import Path

import yaml

paths = sorted(Path("specs").glob("*.yaml"))
started = time.perf_counter()
count = 0
for path in paths:
    with path.open("rb") as stream:
        count += len(yaml.load(stream, Loader=yaml.CSafeLoader)["specs"])
seconds = time.perf_counter() - started
Path("clock.json").write_text(json.dumps({"seconds": seconds, "collected": count}))
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with tests, and how they are run.

    Attributes:
        files: their texts, by path.
        command: the arguments of Python that are measured.
        warm: the same for what is run once before, to fill what later runs find filled.
        environment: variables of the command.
        is_cold: without what pytest's cache has kept.
        exit_code: of a run that went well.
        tests: how many tests there must have been; None: there are none.
        counted: the figure that tells how many there were: those that passed, or were `collected`.
    """

    files: Mapping[str, str]
    command: tuple[str, ...]
    warm: tuple[tuple[str, ...], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    is_cold: bool = False
    exit_code: int = 0
    tests: int | None = None
    counted: str = "count"

    def write(self, folder: Path) -> None:
        """Write its files, and the plugins that its command may load, into a folder."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if text.startswith("#!"):
                path.chmod(0o755)
        for plugin in ("clock.py", "watch.py"):
            shutil.copy(_HERE / plugin, folder)


def pyproject(*, harness: bool = False, plugin: str = "") -> str:
    """Its text.

    Args:
        harness: whether Harness is switched on.
        plugin: which of the plugins that are off elsewhere is on.
    """
    options = [f'"-p", "no:{name}"' for name in _PLUGINS if name != plugin]
    return _PYPROJECT.format(harness=_HARNESS if harness else "", options=", ".join(options))


def stock_config(work: Path) -> str:
    """`stock.py`: how py-pglite is configured where it is what is measured."""
    return _STOCK_CONFIG.format(work=str(work))


def pg_ctl(path: str | None, *, is_root: bool) -> str:
    """A script that is PostgreSQL's `pg_ctl`, whoever runs it."""
    text = _PG_CTL_OF_ROOT if is_root else _PG_CTL
    return text.format(pg_ctl=path or "pg_ctl")


def pytest_command(*arguments: str) -> tuple[str, ...]:
    """Runs pytest with the clock."""
    return ("-m", "pytest", "-q", "-p", "clock", *arguments)


COLLECT = pytest_command("--collect-only")


def python(arguments: tuple[str, ...]) -> list[str]:
    """The command line for arguments of Python."""
    return [sys.executable, *arguments]
