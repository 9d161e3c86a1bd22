"""What is active in a pytest session whose project has [tool.harness]."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pathspec
import pytest

from harness.config import Config, load_config
from harness.database.node import is_installed, runtime
from harness.database.pglite import PGliteProcess
from harness.database.solitude import refuse_others
from harness.database.turns import take_turn
from harness.errors import ConfigError, DatabaseError
from harness.imports import quick_imports

if TYPE_CHECKING:
    from harness.database.memory import Footprint
    from harness.database.protocol import Database
    from harness.loader import LoadedSpec
    from harness.results import SpecResult
    from harness.running.runner import Runner
    from harness.sharing import WorkerDatabase


@dataclass(slots=True)
class Activation:
    """The settings, which files are specs, and the worker's one database.

    Attributes:
        progress: gets one sentence before long work.
        rebuild: build the template anew.
        asked_workers: how many pytest-xdist was asked for, if that was too many.
        database: made when it is first needed: it takes long to import.
        refusal: what is wrong with the settings that say how the database is made.
        worker: the same database as Python tests have it, if one has asked for it.
        notes: what has become of the database between specs, until somebody tells it.
        held: what worker and database held after the last spec.
    """

    config: Config
    progress: Callable[[str], None]
    rebuild: bool
    patterns: pathspec.GitIgnoreSpec
    asked_workers: str | None = None
    database: Database | None = None
    refusal: ConfigError | None = None
    worker: WorkerDatabase | None = None
    notes: list[str] = field(default_factory=list)
    held: Footprint | None = None
    _runner: Runner | None = None

    @property
    def header(self) -> str:
        """For pytest's header."""
        limit = self.config.max_workers
        lowered = f", lowered from {self.asked_workers}" if self.asked_workers else ""
        workers = "1 worker" if limit == 1 else f"{limit} workers"
        return f"harness: {self.config.backend}, at most {workers}{lowered}"

    def limit_workers(self, config: pytest.Config) -> None:
        """Let pytest-xdist, if it is there, start no more workers than the settings allow."""
        option, limit = config.option, self.config.max_workers
        if not hasattr(option, "numprocesses"):
            return
        option.tx = _expanded(option.tx)
        asked = option.numprocesses
        if asked is None:
            count, told = len(option.tx), f"{len(option.tx)} by --tx"
        elif isinstance(asked, int):
            count, told = asked, str(asked)
        else:
            count = config.hook.pytest_xdist_auto_num_workers(config=config)
            told = f"{asked}, which is {count}"
        count = min(count, option.maxprocesses or count)
        option.tx = option.tx[:limit]
        option.maxprocesses = min(option.maxprocesses or limit, limit)
        if count > limit:
            self.asked_workers = told

    def holds_specs(self, path: Path, session: pytest.Session) -> bool:
        """Whether a YAML file holds specs by its name, or was named on the command line."""
        root = session.config.rootpath
        name = path.relative_to(root) if path.is_relative_to(root) else path
        by_name = self.patterns.match_file(name) and not path.name.startswith("_")
        return by_name or session.isinitpath(path)

    def open(self, config: pytest.Config, *, launch: bool) -> Database:
        """The worker's one database; with `launch` it boots while the rest is imported."""
        if self.database is None:
            launched = self.launch() if launch else None
            with quick_imports():
                module = importlib.import_module("harness.database.worker")
            self.database = module.WorkerPGlite(
                self.config,
                self.progress,
                notify=self.notes.append,
                rebuild=self.rebuild,
                launched=launched,
            )
            config.add_cleanup(self.database.replace)
            if launch:
                self.boot()
        return self.database

    def runner(self, config: pytest.Config) -> Runner:
        """The one that runs all specs of this worker."""
        if self._runner is None:
            database = self.open(config, launch=False)
            updater = config.pluginmanager.get_plugin("harness-update")
            mend, script = getattr(updater, "mend", None), config.getoption("harness_sql")
            with quick_imports():
                module = importlib.import_module("harness.running.runner")
            self._runner = module.Runner(database, self.config, mend, script)
            config.add_cleanup(self._runner.close)
        return self._runner

    def run(self, config: pytest.Config, loaded: LoadedSpec) -> SpecResult:
        """Run a spec.

        Raises:
            BusyError: a test has a transaction open.
            ConfigError, DatabaseError: there is no database to run on.
        """
        __tracebackhide__ = True
        runner, database = self.runner(config), self.open(config, launch=False)
        take_turn(database)
        with self.worker.paused() if self.worker else nullcontext():
            result = runner.run(loaded)
            self.held = database.footprint() if self.config.memory else None
            database.tend()
        return result

    def worker_db(self, config: pytest.Config) -> WorkerDatabase:
        """The worker's database for Python tests, started.

        Raises:
            ConfigError, DatabaseError: it cannot be started.
        """
        if self.worker is None:
            runner, database = self.runner(config), self.open(config, launch=False)
            with quick_imports():
                module = importlib.import_module("harness.sharing")
            self.worker = module.WorkerDatabase(database, runner.application)
        self.worker.start()
        return self.worker

    def launch(self) -> PGliteProcess | None:
        """A PGlite that loads while more is imported; None if it must be installed first."""
        if not is_installed():
            return None
        try:
            process = PGliteProcess(runtime(self.progress))
            process.launch()
        except DatabaseError:
            return None  # it will come again where it can be told
        return process

    def boot(self) -> None:
        """Begin to boot the database; what is wrong waits for `raise_refusal`, or for `connect`."""
        assert self.database is not None  # plugin makes it first
        try:
            self.database.launch()
        except ConfigError as error:
            self.refusal = error

    def raise_refusal(self) -> None:
        """Raise a pytest.UsageError if `boot` was refused."""
        if self.refusal is not None:
            raise pytest.UsageError(str(self.refusal))

    def prepare(self, database: Database) -> None:
        """Install and build what workers share.

        Raises:
            pytest.UsageError: a setting names something that is not there.
        """
        try:
            database.prepare()
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
        except DatabaseError:
            return  # the workers meet it again, and their first specs tell it


def activate(
    config: pytest.Config, table: Any, environment: Mapping[str, str], options: Mapping[str, Any]
) -> Activation:
    """Read the settings; nothing is started, and from here on no other PGlite may be.

    Raises:
        pytest.UsageError: a setting is wrong.
    """
    try:
        settings = load_config(config.rootpath, table, environment, options)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    # A worker of pytest-xdist finds what the controller has built anew already.
    rebuild = bool(config.getoption("harness_rebuild")) and not hasattr(config, "workerinput")
    patterns = pathspec.GitIgnoreSpec.from_lines(config.getini("harness_files"))
    config.add_cleanup(refuse_others())
    return Activation(settings, _Progress(config), rebuild, patterns)


def _expanded(tx: list[str]) -> list[str]:
    """What `--tx` says, an entry for each worker: `3*popen` is three."""
    found = []
    for each in tx:
        count, star, one = each.partition("*")
        found += [one] * int(count) if star and count.isdigit() else [each]
    return found


@dataclass(frozen=True, slots=True)
class _Progress:
    """Tells of long work on the terminal, in the middle of a run too."""

    config: pytest.Config

    def __call__(self, message: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"harness: {message}")
