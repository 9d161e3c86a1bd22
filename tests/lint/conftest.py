"""A project in a folder of its own, linted as the command does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.lint.files import chosen
from harness.lint.finding import Finding
from harness.lint.linting import lint
from harness.lint.project import project_of

Lint = Callable[..., tuple[Finding, ...]]


@pytest.fixture
def found(tmp_path: Path) -> Lint:
    """Writes files, given as text by name, and lints the folder that holds them."""

    def lint_all(files: dict[str, str]) -> tuple[Finding, ...]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        project = project_of(tmp_path)
        paths = chosen([], tmp_path, project)
        return lint(paths, project, lambda path: path.relative_to(tmp_path)).findings

    return lint_all
