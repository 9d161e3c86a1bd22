"""pytest's hooks around the worker's database: what it holds, what became of it, when to stop."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.memory import Ledger, Sample

if TYPE_CHECKING:
    from harness.activation import Activation
    from harness.database.memory import Footprint

PYTHON = "harness_python_mb"
DATABASE = "harness_database_mb"
GROWTH = "harness_growth_mb"
NOTE = "harness_note"


class Regime:
    """Takes the figures where specs run, and tells them where the terminal is.

    The properties of reports carry them there, and into junit's XML.

    Args:
        config: of this process, which may be a worker of pytest-xdist.
        activation: has the settings, and the database.
    """

    def __init__(self, config: pytest.Config, activation: Activation) -> None:
        self._config = config
        self._activation = activation
        self._last: Footprint | None = None
        self._ledger = Ledger()
        self._is_over = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Stop after the test behind which the memory limit could not be kept."""
        result = yield
        database = self._activation.database
        if database is not None and database.exhausted:
            item.session.shouldstop = database.exhausted
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Note down what is held after the test itself, and what happened around it."""
        if call.when == "call" and self._activation.config.memory:
            item.user_properties += self._figures()
        item.user_properties += [(NOTE, note) for note in self._activation.notes]
        self._activation.notes.clear()
        return (yield)

    def _figures(self) -> list[tuple[str, object]]:
        activation, last = self._activation, self._last
        held, activation.held = activation.held, None
        if held is None and activation.database is not None:
            held = activation.database.footprint()
        if held is None:
            return []
        self._last = held
        figures = {PYTHON: held.python, DATABASE: held.database}
        if last is not None:
            of_database = held.database - last.database if held.pid == last.pid else 0
            figures[GROWTH] = held.python - last.python + of_database
        return [(name, round(size / 1e6, 1)) for name, size in figures.items()]

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Put the figures behind the word for a test's outcome, but not into the summary."""
        status = yield
        sample = None if self._is_over else _sample(report)
        if sample is None or not status:
            return status
        category, letter, word = status
        if isinstance(word, tuple):
            return category, letter, (f"{word[0]} {sample}", word[1])
        return category, letter, f"{word} {sample}"

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell what a report carries, where the terminal is."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None:
            return  # a worker's reports are told by who started it
        sample = _sample(report)
        if sample is not None:
            self._ledger.enter(_worker(report), sample)
        if report.when == "teardown":
            for name, note in report.user_properties:
                if name == NOTE:
                    self._new_line(terminal)
                    terminal.write_line(f"harness: {_worker(report)}: {note}", yellow=True)
        self._shed(report, terminal)

    def _shed(self, report: pytest.TestReport, terminal: pytest.TerminalReporter) -> None:
        """Let go of the reports of a spec's setup and teardown.

        pytest keeps every report to the end: of 20,000 specs 60 MB. These two are kept in no
        category, for `--durations` alone.
        """
        kept = terminal.stats.get("", [])
        is_last = bool(kept) and kept[-1] is report
        if is_last and _is_of_spec(report) and self._config.option.durations is None:
            kept.pop()

    def _new_line(self, terminal: pytest.TerminalReporter) -> None:
        terminal.ensure_newline()
        if self._config.pluginmanager.hasplugin("dsession") and self._config.option.verbose <= 0:
            terminal.write_line("")  # the dots of pytest-xdist's workers are in no line of a file's

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of what each worker has held."""
        self._is_over = True
        if self._ledger.is_empty:
            return
        terminalreporter.section("memory, in MB")
        for line in self._ledger.lines():
            terminalreporter.write_line(line)


def _sample(report: pytest.TestReport) -> Sample | None:
    """The figures that the report of a test itself carries."""
    figures: dict[str, Any] = dict(report.user_properties) if report.when == "call" else {}
    if PYTHON not in figures:
        return None
    return Sample(report.nodeid, figures[PYTHON], figures[DATABASE], figures.get(GROWTH))


def _is_of_spec(report: pytest.TestReport) -> bool:
    return report.nodeid.partition("::")[0].endswith((".yaml", ".yml"))


def _worker(report: pytest.TestReport) -> str:
    """Its name, e.g. `gw0`; without pytest-xdist there is one worker, this process."""
    node = getattr(report, "node", None)
    return str(node.gateway.id) if node is not None else "main"
