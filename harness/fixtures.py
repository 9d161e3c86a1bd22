"""pytest's fixtures: the worker's database for tests in Python, which leave nothing in it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.options import ACTIVATION

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from harness.sharing import WorkerDatabase
    from harness.single import RunSpec


@pytest.fixture(scope="session")
def worker_db(pytestconfig: pytest.Config) -> WorkerDatabase:
    """The worker's one database, which specs and Python tests share.

    `with harness.isolated(worker_db) as connection:` is a transaction that is rolled back. `.url`
    is the database's address, `.connection` psycopg's bare connection to it, for reading: a test
    that commits something there fails.
    """
    with _told(pytestconfig):
        return pytestconfig.stash[ACTIVATION].worker_db(pytestconfig)


@pytest.fixture
def db_connection(pytestconfig: pytest.Config, worker_db: WorkerDatabase) -> Iterator[Connection]:
    """A SQLAlchemy Connection inside a transaction that is rolled back after the test.

    It commits, rolls back and begins as any other: its transactions are savepoints.
    """
    with _told(pytestconfig), worker_db.isolated() as connection:
        yield connection


@pytest.fixture
def db_session(
    request: pytest.FixtureRequest, worker_db: WorkerDatabase, db_connection: Connection
) -> Iterator[Session | AsyncSession]:
    """A SQLAlchemy Session on `db_connection`, whose commits are savepoints.

    In a test that is a coroutine (pytest-asyncio, anyio) it is an AsyncSession.
    """
    is_async = inspect.iscoroutinefunction(getattr(request, "function", None))
    with worker_db.session(db_connection, is_async=is_async) as session:
        yield session


@pytest.fixture
def run_spec(request: pytest.FixtureRequest, tmp_path: Path) -> RunSpec:
    """Runs a spec on the worker's database, and gives its result.

    `run_spec("specs/issues.yaml::a name")` runs one of a file, `run_spec({"operations": [...]})`
    what the file would hold. One that fails raises an AssertionError with its report, one that is
    skipped skips the test; with `check=False` these are results, too.
    """
    config, activation = request.config, request.config.stash[ACTIVATION]
    made = importlib.import_module("harness.single").RunSpec
    run = partial(activation.run, config)
    runner: RunSpec = made(run, config.rootpath, tmp_path, request.node.nodeid)
    return runner


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """See that a test has changed nothing by the bare connection."""
    worker = item.config.stash[ACTIVATION].worker
    if worker is None:
        return (yield)
    with _told(item.config), worker.watched():
        return (yield)


@contextmanager
def _told(config: pytest.Config) -> Iterator[None]:
    """Tell an error that is the user's to mend without a traceback of ours."""
    try:
        yield
    except HarnessError as error:
        raise pytest.fail.Exception(error.told(config.rootpath), pytrace=False) from None
