"""What is active in a pytest session whose project has [tool.harness]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pathspec
import pytest

from harness.config import Config, load_config
from harness.database import Database, open_database
from harness.errors import HarnessError


@dataclass(slots=True)
class Activation:
    """The settings, the worker's one database, and which files are specs.

    Attributes:
        asked_workers: how many pytest-xdist was asked for, if that was too many.
    """

    config: Config
    database: Database
    patterns: pathspec.GitIgnoreSpec
    asked_workers: int | str | None = None

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
        if asked is None:
            return
        limit = self.config.max_workers
        given = config.option.maxprocesses
        config.option.maxprocesses = min(given, limit) if given else limit
        if not isinstance(asked, int) or asked > limit:
            self.asked_workers = asked

    def holds_specs(self, path: Path, session: pytest.Session) -> bool:
        """Whether a YAML file holds specs by its name, or was named on the command line."""
        root = session.config.rootpath
        name = path.relative_to(root) if path.is_relative_to(root) else path
        by_name = self.patterns.match_file(name) and not path.name.startswith("_")
        return by_name or session.isinitpath(path)

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
    patterns = pathspec.GitIgnoreSpec.from_lines(config.getini("harness_files"))
    return Activation(settings, database, patterns)


@dataclass(frozen=True, slots=True)
class _Progress:
    """Tells of long work on the terminal, in the middle of a run too."""

    config: pytest.Config

    def __call__(self, message: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"harness: {message}")
