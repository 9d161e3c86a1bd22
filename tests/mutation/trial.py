"""Trials: suites from elsewhere, altered and run on one database."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.errors import SpecError
from harness.loader import load
from harness.results import Status
from harness.running.runner import Runner
from harness.source import read
from tests.mutation.cases import mutations_of_cases
from tests.mutation.mutants import Data, Mutation


@dataclass(frozen=True, slots=True)
class Subject:
    """A spec as plain data, with what its suite says beside it; `suite` is None for a single one."""

    file: str
    suite: Data | None
    spec: Data

    def __str__(self) -> str:
        return f"{self.file}::{self.spec.get('name')}"

    @property
    def runs(self) -> bool:
        """Whether it is to pass."""
        layers = (self.spec, self.suite or {})
        return "xfail" not in self.spec and not any(layer.get("skip") for layer in layers)


class Trial:
    """Runs the specs of a folder, as they are or altered.

    Args:
        source: the folder; it is copied, with the files that its specs name.
        scratch: where to.
        runner: has the database, the settings and the application that the specs need.
    """

    def __init__(self, source: Path, scratch: Path, runner: Runner) -> None:
        self._folder = scratch / source.name
        shutil.copytree(source, self._folder, ignore=shutil.ignore_patterns("__pycache__"))
        self._runner = runner

    def subjects(self) -> list[Subject]:
        """The specs that are to pass."""
        return [subject for subject in self._subjects() if subject.runs]

    def _subjects(self) -> Iterator[Subject]:
        for path in sorted(self._folder.glob("*.yaml")):
            data = read(path)
            if "specs" in data and not path.name.startswith("_"):
                suite = {key: value for key, value in data.items() if key != "specs"}
                yield from (Subject(path.name, suite, dict(spec)) for spec in data["specs"])
            elif "operations" in data:
                yield Subject(path.name, None, dict(data))

    def mutants(self) -> list[tuple[Subject, Mutation]]:
        """Every mutation of every spec, and of what its cases give to its expectations."""
        return [
            (replace(each, spec=spec), mutation)
            for each in self.subjects()
            for spec, mutation in mutations_of_cases(each.spec)
        ]

    def survives(self, subject: Subject, mutation: Mutation) -> bool:
        """Whether a spec still passes, with all its cases, although it was altered."""
        return self.statuses(subject, mutation) == {Status.PASSED}

    def statuses(self, subject: Subject, mutation: Mutation | None = None) -> set[Status]:
        """How a spec's cases end, altered if a mutation is given; a refused one has failed."""
        spec = mutation.of(subject.spec) if mutation else subject.spec
        data = spec if subject.suite is None else {**subject.suite, "specs": [spec]}
        path = self._folder / "altered.yaml"
        path.write_text(_yaml(data), encoding="utf-8")
        try:
            items = load(path, self._folder)
        except SpecError:
            return {Status.FAILED}
        finally:
            path.unlink()
        return {self._runner.run(item).status for item in items}


def _yaml(value: Any) -> str:
    """Data as YAML in flow style; numbers keep their digits."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_yaml(key)}: {_yaml(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, float):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
