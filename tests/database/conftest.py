"""A PGlite for the tests of a module that speak to it directly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.database.node import Runtime, runtime
from harness.database.pglite import PGliteProcess
from harness.database.template import template


def ignore(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def machine() -> Runtime:
    """Node and the npm packages."""
    return runtime(ignore)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty template."""
    return template(tmp_path_factory.mktemp("project"), [], [], [], progress=ignore)


@pytest.fixture(scope="module")
def process(machine: Runtime, data: Path) -> Iterator[PGliteProcess]:
    process = PGliteProcess(machine)
    process.boot(data)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def path(process: PGliteProcess) -> str:
    """The server's socket."""
    return str(process.config.socket_path)


@pytest.fixture
def connection(process: PGliteProcess) -> Iterator[psycopg.Connection[Any]]:
    """A connection, and a table t (a int, b text) that is gone afterwards."""
    with psycopg.connect(process.dsn, autocommit=True) as connection:
        connection.execute("create table t (a int, b text)")
        yield connection
    with psycopg.connect(process.dsn, autocommit=True) as connection:
        connection.execute("drop table if exists t")
