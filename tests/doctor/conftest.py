"""A project in a folder of its own, looked at by one check or by all."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from harness.doctor.examination import look
from harness.doctor.finding import Check, Finding, Mark
from harness.doctor.project import find

QUIET = '[tool.pytest.ini_options]\naddopts = ["-p", "no:py_pglite"]\n'


class Folder:
    """The folder, and what the doctor says of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str = "") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def configure(self, settings: str = "", pytest: str = QUIET) -> None:
        self.write("pyproject.toml", f"[tool.harness]\n{dedent(settings)}\n{pytest}")

    def look(self, module: str, name: str, below: str = "") -> Finding:
        checks: Mapping[str, Check] = importlib.import_module(f"harness.doctor.{module}").CHECKS
        return look(checks[name], find(self.path / below))

    def ok(self, module: str, name: str) -> str:
        """What a check says that has nothing to advise."""
        finding = self.look(module, name)
        assert (finding.mark, finding.advice) == (Mark.OK, None), finding
        return finding.text

    def note(self, module: str, name: str, below: str = "") -> str:
        """What a note says and advises."""
        return self._told(Mark.NOTE, self.look(module, name, below))

    def problem(self, module: str, name: str, below: str = "") -> str:
        """What a problem says and advises."""
        return self._told(Mark.PROBLEM, self.look(module, name, below))

    def _told(self, mark: Mark, finding: Finding) -> str:
        assert finding.mark is mark, finding
        return f"{finding.text} > {finding.advice}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    path = tmp_path / "project"
    path.mkdir()
    return Folder(path)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The name of a cache that does not exist yet."""
    path = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(path))
    return path
