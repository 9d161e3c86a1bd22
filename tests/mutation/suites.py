"""The suites that are altered: this repository's examples, and the conformance suites."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.config import Config, load_config
from harness.database.worker import WorkerPGlite
from harness.running.runner import Runner
from tests.mutation.trial import Trial
from tests.suites.conftest import CONFIG

ROOT = Path(__file__).parents[2]
SUITES = {"specs": ROOT / "specs", "conformance": ROOT / "tests" / "suites" / "pass"}


@contextmanager
def opened(suite: str, scratch: Path) -> Iterator[Trial]:
    """A suite on a database of its own, which is ended afterwards; only one at a time."""
    config = _examples() if suite == "specs" else CONFIG
    database = WorkerPGlite(config, lambda _message: None)
    runner = Runner(database, config)
    try:
        yield Trial(SUITES[suite], scratch, runner)
    finally:
        runner.close()
        database.replace()


def _examples() -> Config:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return load_config(ROOT, project["tool"]["harness"], {}, {})
