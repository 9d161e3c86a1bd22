"""pytest's two nodes: a file of specs, and a spec."""

from __future__ import annotations

from typing import Any

import pytest

from harness.archive import Outline, archive_of, without_garbage_collection
from harness.database.turns import BusyError
from harness.errors import HarnessError
from harness.loader import LoadedSpec
from harness.options import ACTIVATION
from harness.report.text import SpecReport
from harness.results import SpecResult, Status


class _ResultError(Exception):
    """Carries a result to its report."""

    def __init__(self, result: SpecResult) -> None:
        super().__init__(result.name)
        self.result = result


class SpecFailedError(_ResultError):
    """A spec that said what does not hold."""


class SpecBrokenError(_ResultError):
    """A spec that ended its transaction or lost its database: never an expected failure."""


class SpecFile(pytest.File):
    """A YAML file: its specs are its items."""

    def collect(self) -> list[SpecItem]:
        """Validate the whole file, and give an item for each spec and case."""
        with without_garbage_collection():
            self._archived = archive_of(self.config).file(self.path)
            outlines = self._archived.outlines
            for tag in {tag: None for each in outlines for tag in each.manner.tags}:
                self.config.addinivalue_line("markers", f"{tag}: a tag of specs")
            return [self._item(outline) for outline in outlines]

    def load(self, outline: Outline) -> LoadedSpec:
        """The spec of an item, which is in memory only while it runs."""
        return archive_of(self.config).load(self._archived, outline)

    def _item(self, outline: Outline) -> SpecItem:
        # pytest tells cases by their nodeid as text: made of the name, `--lf` would miss them.
        nodeid = f"{self.nodeid}::{outline.id}"
        return SpecItem.from_parent(self, name=outline.id, nodeid=nodeid, outline=outline)

    def repr_failure(  # type: ignore[override]  # as pytest's documentation overrides it
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        """A mistake in the file is told without a traceback."""
        if isinstance(excinfo.value, HarnessError):
            return excinfo.value.told(self.config.rootpath)
        return super().repr_failure(excinfo)


class SpecItem(pytest.Item):
    """A spec: runs in a transaction of its own on the worker's database."""

    parent: SpecFile

    def __init__(self, *, outline: Outline, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._outline = outline
        manner = outline.manner
        for tag in manner.tags:
            self.add_marker(tag)
        if manner.skip:
            self.add_marker(pytest.mark.skip(reason=_reason(manner.skip)))
        if manner.xfail:
            # Only what the spec says may be expected to fail: not the database, and no bug of ours.
            reason = _reason(manner.xfail)
            self.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=SpecFailedError))

    def runtest(self) -> None:
        """Run the spec; every mismatch is in the one exception that it may raise."""
        loaded = self.parent.load(self._outline)
        try:
            result = self.config.stash[ACTIVATION].run(self.config, loaded)
        except BusyError:
            raise  # somebody else's mistake: Python tests may go on
        except HarnessError:
            self.session.shouldstop = "the database cannot be used"
            raise
        if result.status is Status.SKIPPED:
            pytest.skip(result.skipped or "")
        updater = _updater(self.config)
        is_mended = updater is not None and updater.propose(loaded, result)
        if result.status is Status.FAILED and not is_mended:
            raise (SpecBrokenError if result.broken else SpecFailedError)(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """The mismatches, each with its YAML; errors of the user's without a traceback."""
        if isinstance(excinfo.value, _ResultError):
            verbosity = self.config.option.verbose
            return SpecReport(excinfo.value.result, self.config.rootpath, self.nodeid, verbosity)
        if isinstance(excinfo.value, HarnessError):
            return excinfo.value.told(self.config.rootpath)
        return super().repr_failure(excinfo, *args)

    def reportinfo(self) -> tuple[Any, int, str]:
        """The file, the line from zero, and the name that heads a failure."""
        return self.path, self._outline.line - 1, self.name


def _updater(config: pytest.Config) -> Any:
    """The plugin of `--harness-update`, which is only there if it was asked for."""
    return config.pluginmanager.get_plugin("harness-update")


def _reason(value: bool | str) -> str:
    return value if isinstance(value, str) else ""
