"""Whole suites as users write them, and what the terminal shows of them.

`test_conformance` runs the same folders without pytest in between.

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


@pytest.mark.parametrize("name", ["library"])
def test_passing(project: Project, name: str) -> None:
    result = _run(project, HERE / f"pass/{name}.yaml")
    assert set(result.parseoutcomes()) == {"passed"}


@pytest.mark.parametrize("name", ["errors", "rows"])
def test_failing(project: Project, name: str, snapshot: SnapshotAssertion) -> None:
    result = _run(project, HERE / f"fail/{name}.yaml")
    assert set(result.parseoutcomes()) == {"failed"}
    assert _shown(result) == snapshot


@pytest.mark.parametrize("name", ["keys", "syntax"])
def test_invalid(project: Project, name: str, snapshot: SnapshotAssertion) -> None:
    result = _run(project, HERE / f"invalid/{name}.yaml")
    assert result.parseoutcomes() == {"errors": 1}
    assert _shown(result) == snapshot
