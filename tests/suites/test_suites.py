"""Whole suites as users write them, and what the terminal shows of them.

`pytest tests/suites --snapshot-update` writes the snapshots anew: read the difference.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.plugin.conftest import Project

HERE = Path(__file__).parent


def _run(project: Project, path: Path) -> pytest.RunResult:
    return project.run(
        project.spec(path.read_text(encoding="utf-8"), path.name), "-q", "--tb=short"
    )


def _shown(result: pytest.RunResult) -> str:
    """What pytest printed, without what differs between machines and runs."""
    text = re.sub(r" in \d+\.\d+s.*", " in N s", result.stdout.str())
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("harness: ")]
    return "\n".join(lines).strip()


@pytest.mark.parametrize("path", sorted(HERE.glob("passing/*.yaml")), ids=lambda path: path.stem)
def test_passing(project: Project, path: Path) -> None:
    result = _run(project, path)
    assert set(result.parseoutcomes()) == {"passed"}


@pytest.mark.parametrize("path", sorted(HERE.glob("failing/*.yaml")), ids=lambda path: path.stem)
def test_failing(project: Project, path: Path, snapshot: SnapshotAssertion) -> None:
    result = _run(project, path)
    assert set(result.parseoutcomes()) == {"failed"}
    assert _shown(result) == snapshot


@pytest.mark.parametrize("path", sorted(HERE.glob("invalid/*.yaml")), ids=lambda path: path.stem)
def test_invalid(project: Project, path: Path, snapshot: SnapshotAssertion) -> None:
    result = _run(project, path)
    assert result.parseoutcomes() == {"errors": 1}
    assert _shown(result) == snapshot
