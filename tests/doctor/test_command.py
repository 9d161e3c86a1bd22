"""The whole report as the command gives it: text, JSON, exit status; and that nothing ends it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from harness.cli import main
from harness.doctor import examination
from harness.doctor.examination import examine, look
from harness.doctor.finding import Finding, note, ok, problem
from harness.doctor.project import Project
from harness.doctor.report import as_json, as_text
from tests.doctor.conftest import Folder

NAMES = [
    "python",
    "packages",
    "pytest-xdist",
    "project",
    "settings",
    "setup",
    "plugins",
    "environment",
    "node",
    "npm",
    "cache",
    "template",
    "work-folder",
    "memory",
    "processors",
    "left-overs",
    "running",
    "pglite",
]
FINDINGS = {
    "node": ok("v20.1.0, /usr/bin/node", version="v20.1.0"),
    "cache": note("a text that is longer than there is room for in a line", "this is what to do"),
    "pglite": problem("PGlite did not start; its log ends with\n    Error: no\n    room", None),
}


def doctor(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", "doctor", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_outside_of_a_project_with_an_empty_cache_there_are_only_notes(
    folder: Folder, cache: Path
) -> None:
    answer = doctor(folder.path, COLUMNS="80")
    assert (answer.returncode, answer.stderr) == (0, "")
    rows = re.findall(r"^(?:ok|note|problem) +(\S+)", answer.stdout, re.MULTILINE)
    assert rows == NAMES
    assert max(len(line) for line in answer.stdout.splitlines() if "/" not in line) <= 80
    assert re.search(r"\n\n\d notes\n$", answer.stdout)
    assert "\033" not in answer.stdout
    assert not cache.exists()


def test_a_problem_is_exit_status_1_and_ends_nothing(folder: Folder, cache: Path) -> None:
    folder.configure('setup = ["nowhere.sql"]')
    answer = doctor(folder.path, "--format", "json")
    assert (answer.returncode, answer.stderr) == (1, "")
    told = json.loads(answer.stdout)
    assert told["mark"] == "problem"
    assert [row["name"] for row in told["findings"]] == NAMES
    rows = {row["name"]: row for row in told["findings"]}
    assert rows["setup"]["mark"] == "problem"
    assert rows["setup"].keys() == {"name", "mark", "text", "advice", "facts"}
    assert rows["cache"]["facts"]["path"] == str(cache)


def test_a_wrong_usage_is_exit_status_2(folder: Folder) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["doctor", "--format", "xml"])
    assert exit_.value.code == 2


def test_a_working_directory_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["doctor"]) == 2
    assert "does not exist any more\n  hint: change to" in capsys.readouterr().err


def test_the_table() -> None:
    assert as_text(FINDINGS, 50, colour=False).splitlines() == [
        "ok       node    v20.1.0, /usr/bin/node",
        "note     cache   a text that is longer than there",
        "                 is room for in a line",
        "                 > this is what to do",
        "problem  pglite  PGlite did not start; its log",
        "                 ends with",
        "                     Error: no",
        "                     room",
        "",
        "1 problem, 1 note",
    ]


def test_colours_change_nothing_else() -> None:
    coloured = as_text(FINDINGS, 50, colour=True)
    assert "\033[1;31mproblem\033[0m  pglite" in coloured
    assert re.sub("\033\\[[0-9;]*m", "", coloured) == as_text(FINDINGS, 50, colour=False)


def test_json_has_the_same() -> None:
    told = json.loads(as_json(FINDINGS))
    assert told["mark"] == "problem"
    assert told["findings"][0] == {
        "name": "node",
        "mark": "ok",
        "text": "v20.1.0, /usr/bin/node",
        "advice": None,
        "facts": {"version": "v20.1.0"},
    }


def test_a_check_that_fails_is_a_problem_of_its_own(tmp_path: Path) -> None:
    def failing(_: Project) -> Finding:
        raise PermissionError(13, "Permission denied", "/etc/shadow")

    finding = look(failing, Project(tmp_path))
    assert finding.mark == "problem"
    assert finding.text == "PermissionError: [Errno 13] Permission denied: '/etc/shadow'"
    assert finding.advice is not None


def test_a_check_that_hangs_is_given_up(folder: Folder, tmp_path: Path) -> None:
    def hanging(_: Project) -> Finding:
        with suppress(Exception):  # as a module of a project might
            time.sleep(600)
        return ok("went on")

    finding = look(hanging, Project(tmp_path), seconds=0.05)
    assert (finding.mark, finding.text) == (
        "problem",
        "took longer than 0.05 seconds, and was given up",
    )


def test_a_package_that_does_not_import_costs_only_the_checks_that_need_it(
    folder: Folder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "_MODULES", ("environment", "nonesuch", "memory"))
    findings = examine(folder.path)
    assert list(findings) == ["environment", "nonesuch", "memory", "processors"]
    assert findings["nonesuch"].text.startswith("ModuleNotFoundError: ")
