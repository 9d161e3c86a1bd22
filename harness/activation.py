"""What is active in a pytest session whose project has [tool.harness]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pathspec
import pytest

from harness.collection import RUNNER, SpecFile
from harness.config import Config, load_config
from harness.database import Database, open_database
from harness.errors import HarnessError
from harness.running.runner import Runner


@dataclass(slots=True)
class Activation:
    """The settings, the worker's one database, and which files are specs."""

    config: Config
    database: Database
    patterns: pathspec.GitIgnoreSpec
    asked_workers: int | None = None

    @property
    def header(self) -> str:
        """For pytest's header."""
        limit = self.config.max_workers
        lowered = f", lowered from {self.asked_workers}" if self.asked_workers else ""
        workers = "1 worker" if limit == 1 else f"{limit} workers"
        return f"harness: {self.config.backend}, at most {workers}{lowered}"

    def limit_workers(self, config: pytest.Config) -> None:
        """Let pytest-xdist, if it is there, start no more workers than the settings allow."""
        asked = getattr(config.option, "numprocesses", None)
        limit = self.config.max_workers
        if asked is None:
            return
        if isinstance(asked, int) and asked > limit:
            self.asked_workers = asked
        given = config.option.maxprocesses
        config.option.maxprocesses = min(given, limit) if given else limit

    def collector(self, path: Path, parent: pytest.Collector) -> SpecFile | None:
        """The collector of a file that holds specs by its name, or was named by the user."""
        root = parent.config.rootpath
        name = path.relative_to(root) if path.is_relative_to(root) else path
        by_name = self.patterns.match_file(name) and not path.name.startswith("_")
        if not by_name and not parent.session.isinitpath(path):
            return None
        return SpecFile.from_parent(parent, path=path)

    def prepare(self) -> None:
        """Install and build what workers share; a failure is theirs to report."""
        try:
            self.database.prepare()
        except HarnessError:
            return


def activate(
    config: pytest.Config, table: Any, environment: Mapping[str, str], options: Mapping[str, Any]
) -> Activation:
    """Read the settings and make the database's handle; nothing is started.

    Raises:
        ConfigError: a setting is wrong.
    """
    settings = load_config(config.rootpath, table, environment, options)
    # A worker of pytest-xdist finds what the controller has built anew already.
    rebuild = bool(config.getoption("harness_rebuild")) and not hasattr(config, "workerinput")
    database = open_database(settings, _Progress(config), rebuild=rebuild)
    config.stash[RUNNER] = Runner(database, settings)
    patterns = pathspec.GitIgnoreSpec.from_lines(config.getini("harness_files"))
    return Activation(settings, database, patterns)


@dataclass(frozen=True, slots=True)
class _Progress:
    """Tells of long work on the terminal, in the middle of a run too."""

    config: pytest.Config = field(repr=False)

    def __call__(self, message: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"harness: {message}")
