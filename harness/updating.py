"""`--harness-update`: what the items propose, of all workers, written into their files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass, field, fields, replace
from itertools import groupby
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

import pytest

from harness.editing import EditError, fingerprint, write
from harness.errors import HarnessError, Location, SpecError
from harness.loader import LoadedSpec, load
from harness.results import Edit, SpecResult
from harness.results import Path as Steps
from harness.running.mending import Mending
from harness.source import YamlSequence, read

_CARRIED = "harness_proposal"
"""The attribute by which a report takes a proposal along, out of a worker of pytest-xdist too."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one item would have its expectations say, as plain data for pytest-xdist.

    Attributes:
        file: path of the YAML file, relative to the project's root.
        fingerprint: of the file's content when the item was collected.
        index: of the spec in its file; None for a file that is one spec.
        name: of the item.
        title: of the spec, whatever the case.
        cases: how many items the same YAML makes.
        edits: their paths begin at the spec.
        refusals: why something that fails is left as it is.
    """

    file: str
    fingerprint: str
    index: int | None
    name: str
    title: str
    cases: int
    edits: tuple[Edit, ...]
    refusals: tuple[str, ...]

    @classmethod
    def unpacked(cls, packed: tuple[Any, ...]) -> Proposal:
        """The proposal that `astuple` has packed."""
        values = dict(zip((each.name for each in fields(cls)), packed, strict=True))
        edits = (Edit(*edit) for edit in values.pop("edits"))
        return cls(**values, edits=tuple(edits))

    @property
    def place(self) -> Steps:
        """The way to the spec in its file."""
        return () if self.index is None else ("specs", self.index)


@dataclass(slots=True)
class FileUpdate:
    """What became of the proposals for one file."""

    file: str
    specs: int = 0
    expectations: int = 0
    refusals: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """One line."""
        written = "nothing written"
        if self.specs:
            expectations = _counted(self.expectations, "expectation")
            written = f"{expectations} written in {_counted(self.specs, 'spec')}"
        are_left = {0: "", 1: ", 1 left as it is"}
        return f"{self.file}: {written}" + are_left.get(
            len(self.left), f", {len(self.left)} left as they are"
        )

    @property
    def left(self) -> list[str]:
        """What was left as it is, and why."""
        return list(dict.fromkeys(self.refusals))


def register(config: pytest.Config) -> None:
    """Let a session update its specs."""
    config.pluginmanager.register(Updater(config.rootpath), "harness-update")


class Updater:
    """A plugin of the session: collects proposals, and writes them when all items have run."""

    mend = Mending
    """For the runner, which in other runs does not import it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fingerprints: dict[Path, str] = {}
        self._proposed: Proposal | None = None
        self._proposals: dict[tuple[str, str], Proposal] = {}
        self._is_stopped = False
        self._updates: list[FileUpdate] = []

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Remember the content of a file before its specs are read."""
        if isinstance(collector, pytest.File) and collector.path.suffix in (".yaml", ".yml"):
            with suppress(EditError):  # what cannot be read gives no specs
                self._fingerprints[collector.path] = fingerprint(collector.path)

    def propose(self, loaded: LoadedSpec, result: SpecResult) -> bool:
        """Note what an item proposes; whether that mends all that failed in it.

        Of an item that shares its YAML with other cases nobody knows before they all have run.
        """
        self._proposed = Proposal(
            file=str(loaded.path),
            fingerprint=self._fingerprints.get(loaded.path, ""),
            index=loaded.index,
            name=result.name,
            title=loaded.spec.name or result.name,
            cases=loaded.cases,
            edits=() if result.broken else result.edits,
            refusals=result.refusals,
        )
        is_mended = bool(result.edits) and not result.refusals and loaded.cases == 1
        return is_mended and self._is_inside(loaded.path)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give what an item has proposed to its report."""
        report = yield
        if self._proposed is not None:
            setattr(report, _CARRIED, astuple(self._proposed))
            self._proposed = None
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect what an item has proposed, here or in a worker; what it did last counts."""
        if hasattr(report, _CARRIED):
            proposal = Proposal.unpacked(getattr(report, _CARRIED))
            self._proposals[proposal.file, proposal.name] = proposal

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C means that nothing is to be written; `-x` and the like, of its class, do not."""
        is_exit = isinstance(excinfo.value, pytest.exit.Exception)
        self._is_stopped = is_exit or excinfo.type is KeyboardInterrupt

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files, unless this is a worker or the run was broken off."""
        if hasattr(session.config, "workerinput") or self._is_stopped:
            return
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return
        ordered = sorted(self._proposals.values(), key=lambda each: (each.file, each.place))
        for file, proposals in groupby(ordered, key=lambda each: each.file):
            self._updates.append(self._written(file, list(proposals)))
        if any(update.refusals for update in self._updates) and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line for each file, and one for everything in it that was left as it is."""
        told = [update for update in self._updates if update.specs or update.refusals]
        terminalreporter.ensure_newline()
        if self._is_stopped and any(each.edits for each in self._proposals.values()):
            terminalreporter.section("--harness-update")
            terminalreporter.write_line("the run was interrupted: nothing is written", yellow=True)
        if not told:
            return
        terminalreporter.section("--harness-update")
        for update in told:
            colour = {"yellow" if update.refusals else "green": True}
            terminalreporter.write_line(update.summary, **colour)
            for refusal in update.left:
                for line in _item(refusal):
                    terminalreporter.write_line(line)

    def _written(self, file: str, proposals: list[Proposal]) -> FileUpdate:
        update = FileUpdate(self._shown(file))
        edits: list[Edit] = []
        for _, items in groupby(proposals, key=lambda each: each.place):
            edits += _agreed(list(items), update.refusals)
        try:
            while edits and (refused := self._write(Path(file), edits, proposals)):
                spec, reason = refused
                edits = [edit for edit in edits if _spec_of(edit.path) != spec]
                update.refusals.append(reason)
        except HarnessError as error:
            edits = []
            update.refusals += (problem.what for problem in error.problems)
        update.expectations = len(edits)
        update.specs = len({_spec_of(edit.path) for edit in edits})
        return update

    def _write(
        self, file: Path, edits: list[Edit], proposals: list[Proposal]
    ) -> tuple[Steps, str] | None:
        """Write a file; or give the spec whose edits cannot be made, and why.

        Raises:
            EditError: none of them can be made.
        """
        if not self._is_inside(file):
            raise EditError((), "the file lies outside the project")
        seen = {proposal.fingerprint for proposal in proposals}
        try:
            write(file, edits, seen.pop() if len(seen) == 1 else "", self._check)
        except EditError as error:
            spec = _spec_of(error.path)
            if not error.path or spec not in {_spec_of(edit.path) for edit in edits}:
                raise
            name = next(each.title for each in proposals if each.place == spec)
            return spec, f"{name}: {error.problems[0].what}"
        return None

    def _check(self, file: Path) -> None:
        """Refuse what was seen if it cannot be expected so."""
        try:
            load(file, self._root)
        except SpecError as error:
            what = f"what was seen cannot be expected so: {error.problems[0].what}"
            raise EditError(_spec_at(error.problems[0].where, file), what) from error

    def _is_inside(self, file: Path) -> bool:
        return file.resolve().is_relative_to(self._root.resolve())

    def _shown(self, file: str) -> str:
        path = Path(file)
        return str(path.relative_to(self._root)) if path.is_relative_to(self._root) else file


def _spec_of(path: Steps) -> Steps:
    """The way to the spec that a path in its file leads into."""
    return path[:2] if path[:1] == ("specs",) else ()


def _spec_at(where: Location | None, file: Path) -> Steps:
    """The way to the spec that stands at a place in a file, if the file is a suite."""
    data = read(file)
    specs = data.get("specs")
    if where is None or where.path != file or not isinstance(specs, YamlSequence):
        return ()
    begins = [specs.item_location(index) for index in range(len(specs))]
    return ("specs", bisect_right(begins, where) - 1)


def _agreed(items: list[Proposal], refusals: list[str]) -> Iterator[Edit]:
    """The edits of one spec's YAML, which all of its cases must ask for."""
    first = items[0]
    for item in items:
        refusals += (f"{item.name}: {refusal}" for refusal in item.refusals)
    wanted = {item.edits for item in items}
    if wanted == {()}:
        return
    if len(items) < first.cases:
        refusals.append(f"{first.title}: some of its cases did not run: run them all")
    elif len(wanted) > 1:
        refusals.append(
            f"{first.title}: its cases differ: write what differs as a template over `case`"
        )
    else:
        yield from (replace(edit, path=(*first.place, *edit.path)) for edit in first.edits)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _item(text: str) -> list[str]:
    """The lines of an item in a list."""
    width = get_terminal_size().columns
    return wrap(
        text,
        width,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
