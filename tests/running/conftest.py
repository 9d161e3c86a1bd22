"""Specs given as text, run on one PGlite that all of these tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from harness.config import Config
from harness.database.protocol import Database
from harness.database.worker import WorkerPGlite
from harness.loader import load
from harness.results import SpecResult, Status
from harness.running.runner import Runner

SCHEMA = Path(__file__).with_name("schema.sql")
Run = Callable[[str], SpecResult]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    root = tmp_path_factory.mktemp("running")
    config = Config(root=root, setup=(str(SCHEMA),))
    opened = WorkerPGlite(config, lambda _message: None)
    yield opened
    opened.replace()


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Run:
    """Run the one spec that a text holds."""
    config = Config(root=tmp_path, env=("HARNESS_TEST",))
    runner = Runner(database, config)

    def run_text(text: str) -> SpecResult:
        path = tmp_path / "spec.yaml"
        path.write_text(dedent(text).lstrip())
        (loaded,) = load(path, tmp_path)
        return runner.run(loaded)

    return run_text


@pytest.fixture
def passes(run: Run) -> Callable[[str], None]:
    """Run a spec that must pass."""

    def check(text: str) -> None:
        result = run(text)
        assert [mismatch.reason for _, mismatch in result.failures] == []
        assert result.status is Status.PASSED

    return check


@pytest.fixture
def failure(run: Run) -> Callable[[str], str]:
    """Run a spec that must fail; gives its first failure as `line:column: reason (hint)`."""

    def check(text: str) -> str:
        result = run(text)
        assert result.status is Status.FAILED
        mismatch = result.failures[0][1]
        assert mismatch.where is not None
        hint = f" ({mismatch.hint})" if mismatch.hint else ""
        return f"{mismatch.where.line}:{mismatch.where.column}: {mismatch.reason}{hint}"

    return check
