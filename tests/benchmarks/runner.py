"""Runs trials, the sides in turn, and keeps what they gave."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import measure
from tests.benchmarks.measure import Measured
from tests.benchmarks.parts import Trial
from tests.benchmarks.projects import Project, python
from tests.benchmarks.results import Failure, Results, Sample

_PATIENCE = 6  # a run may take as many times as long as guessed
_AT_LEAST = 120  # seconds


class LeftOutError(Exception):
    """A side cannot run here; the message is the end of what it printed."""


@dataclass(slots=True)
class Runner:
    """The folder that the projects are in, and the results so far.

    Args:
        folder: for projects.
        results: what is there already.
        save: called whenever there is more.
    """

    folder: Path
    results: Results
    save: Callable[[Results], None]
    _projects: dict[Trial, Project] = field(default_factory=dict)

    def run(self, trials: Sequence[Trial], rounds: int, progress: Progress) -> None:
        """Run each trial once in every round; one that fails is left out for that round."""
        for turn in range(1, rounds + 1):
            for trial in trials:
                if turn > trial.rounds(rounds):
                    continue
                if self.results.has_failed(trial.part, trial.side, trial.size, turn):
                    progress.skip(trial)
                    continue
                progress.begin(trial, turn, trial.rounds(rounds))
                try:
                    sample = self._sample(trial, turn)
                except (LeftOutError, OSError, ValueError) as error:  # no program, no figures
                    failure = Failure(trial.part, trial.side, trial.size, turn, str(error))
                    self.results = self.results.with_failure(failure)
                    progress.failed(trial, str(error))
                else:
                    self.results = self.results.with_sample(sample)
                    progress.end(trial, sample.figures)
                self.save(self.results)

    def _sample(self, trial: Trial, turn: int) -> Sample:
        folder = self.folder / f"{trial.part}-{trial.side}-{trial.size}".replace(" ", "-")
        if trial not in self._projects:
            project = trial.project()
            project.write(folder)
            for arguments in project.warm:
                self._measured(trial, project, arguments, folder, expected=0)
            self._projects[trial] = project
        project = self._projects[trial]
        if project.is_cold:
            shutil.rmtree(folder / ".pytest_cache", ignore_errors=True)
        for name in ("clock.json", "watch.json"):
            (folder / name).unlink(missing_ok=True)
        measured = self._measured(
            trial, project, project.command, folder, expected=project.exit_code
        )
        figures = _figures(measured, folder)
        _check_count(figures, project)
        return Sample(trial.part, trial.side, trial.size, turn, figures)

    def _measured(
        self,
        trial: Trial,
        project: Project,
        arguments: tuple[str, ...],
        folder: Path,
        *,
        expected: int,
    ) -> Measured:
        measured = measure.run(
            python(arguments),
            folder,
            environment=project.environment,
            timeout=max(_AT_LEAST, _PATIENCE * trial.seconds),
        )
        if measured.exit_code != expected:
            raise LeftOutError(_explained(measured))
        return measured


def _explained(measured: Measured) -> str:
    code = measured.exit_code
    ending = f"ended after {measured.wall:.0f} s" if code is None else f"exit code {code}"
    return f"{measured.tail.strip()}\n({ending})"


def _figures(measured: Measured, folder: Path) -> dict[str, float]:
    figures = {"wall": measured.wall, "peak": float(measured.peak)}
    clock: dict[str, float] = _read(folder / "clock.json", {})
    first = clock.pop("first_at", 0)
    if first:
        figures["first"] = first - measured.started
    return figures | clock | _growth(_read(folder / "watch.json", []))


def _growth(seen: list[tuple[int, int, int]]) -> dict[str, float]:
    """What PGlite held after 1,000 specs and at the end, and the most it ever held."""
    early = next((look for look in seen if look[0] >= 1000), None)
    if early is None:
        return {}
    return {
        "pglite after 1000": early[1],
        "pglite at the end": seen[-1][1],
        "pglite at most": max(resident for _, resident, _ in seen),
        "data after 1000": early[2],
        "data at the end": seen[-1][2],
        "data at most": max(data for _, _, data in seen),
    }


def _read(path: Path, default: Any) -> Any:
    return json.loads(path.read_text()) if path.exists() else default


def _check_count(figures: dict[str, float], project: Project) -> None:
    """A run that passed fewer tests than it should have is no measurement."""
    counted = figures.get(project.counted)
    if project.tests is not None and counted != project.tests:
        raise LeftOutError(f"{project.counted}: {counted} tests instead of {project.tests}")


class Progress:
    """Tells on the terminal what runs, and how long it is still going to take.

    Args:
        seconds: about how long all of it takes.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._guessed = self._taken = 0.0
        self._began = time.monotonic()

    def begin(self, trial: Trial, turn: int, rounds: int) -> None:
        self._began = time.monotonic()
        # How wrong the guesses were so far tells of the machine.
        pace = self._taken / self._guessed if self._guessed > 10 else 1.0
        left = f"{self._left * pace / 60:4.1f} min left"
        _write(f"[{left}] {trial.name}, round {turn} of {rounds} … ")

    def end(self, trial: Trial, figures: Mapping[str, float]) -> None:
        self._done(trial)
        _write(f"{figures['wall']:.2f} s, {figures['peak'] / 1e6:.0f} MB\n")

    def failed(self, trial: Trial, reason: str) -> None:
        self._done(trial)
        tail = "\n".join(f"    {line}" for line in reason.splitlines()[-12:])
        _write(f"left out:\n{tail}\n")

    def skip(self, trial: Trial) -> None:
        self._left -= trial.seconds

    def _done(self, trial: Trial) -> None:
        self._left -= trial.seconds
        self._guessed += trial.seconds
        self._taken += time.monotonic() - self._began


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
