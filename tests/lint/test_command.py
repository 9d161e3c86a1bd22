from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.lint.rules import RULES

BAD = "from sqlalchemy import create_engine\ndef test_a():\n    create_engine('postgresql:').dispose()\n"
TOLD = (
    ":3:5: database-per-test: an engine is made for each test, in the test test_a; ask for "
    "db_session or db_connection: the worker's one database, and a transaction for each test that "
    "is rolled back\n"
)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(*names: str, text: str = BAD) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def _lint(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    status = main(["lint", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_findings_are_told_in_order(capsys: Capture) -> None:
    _write("tests/test_b.py", "tests/a/test_c.py", "tests/test_a.py")
    status, out, err = _lint(capsys)
    assert status == 1
    assert out == "".join(
        f"{path}{TOLD}" for path in ("tests/a/test_c.py", "tests/test_a.py", "tests/test_b.py")
    )
    assert err == "3 findings in 4 files\n"


def test_nothing_is_found(capsys: Capture) -> None:
    _write("tests/test_a.py", text="def test_a(db_session):\n    pass\n")
    assert _lint(capsys) == (0, "", "no findings in 2 files\n")


def test_an_empty_folder_is_told_of(capsys: Capture) -> None:
    Path("empty").mkdir()
    assert _lint(capsys, "empty") == (0, "", "nothing to lint: no Python file here\n")


def _found(capsys: Capture, *arguments: str) -> list[str]:
    main(["lint", "--format", "json", *arguments])
    return [each["path"] for each in json.loads(capsys.readouterr().out)]


def test_without_paths_the_testpaths_are_linted(capsys: Capture) -> None:
    _write("tests/test_a.py", "elsewhere/test_b.py")
    assert _found(capsys) == ["tests/test_a.py"]
    _write("conftest.py", text=BAD.replace("def test_a", "import pytest\n@pytest.fixture\ndef a"))
    assert _found(capsys) == ["conftest.py", "tests/test_a.py"]


def test_testpaths_may_be_globs(capsys: Capture) -> None:
    _write("a/tests/test_a.py", "b/tests/test_b.py", "c/test_c.py")
    Path("pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = "*/tests nowhere"\n')
    assert _found(capsys) == ["a/tests/test_a.py", "b/tests/test_b.py"]


def test_testpaths_that_do_not_exist_are_the_current_folder(capsys: Capture) -> None:
    _write("elsewhere/test_b.py")
    assert _found(capsys) == ["elsewhere/test_b.py"]


def test_below_the_project_the_current_folder_is_linted(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write("tests/test_a.py", "tests/unit/test_b.py")
    monkeypatch.chdir("tests/unit")
    assert _found(capsys) == ["test_b.py"]
    assert _found(capsys, "..") == [str(Path("../test_a.py").resolve()), "test_b.py"]


def test_paths_may_overlap_and_be_files(capsys: Capture) -> None:
    _write("tests/test_a.py", "build/test_b.py")
    assert _found(capsys, "tests", "tests/test_a.py", "./tests/../tests") == ["tests/test_a.py"]
    assert _found(capsys, "build/test_b.py", "build") == ["build/test_b.py"]


def test_what_is_not_the_projects_own_is_left_out(capsys: Capture) -> None:
    hidden = (".git", ".venv", "venv", "env", "node_modules", "build", "dist", "__pycache__")
    _write("a/test_a.py", "a/.test_b.py", *(f"{name}/test_a.py" for name in hidden))
    Path("env/pyvenv.cfg").touch()
    assert _found(capsys, ".") == ["a/test_a.py"]


def test_links_in_circles_end(capsys: Capture) -> None:
    _write("a/test_a.py")
    Path("a/b").symlink_to("..", target_is_directory=True)
    Path("a/test_loop.py").symlink_to("test_loop.py")
    Path("a/test_gone.py").symlink_to("nowhere.py")
    assert _found(capsys, ".") == ["a/test_a.py"]


def test_a_pipe_is_not_read(capsys: Capture) -> None:
    os.mkfifo("test_pipe.py")
    assert _lint(capsys, ".") == (0, "", "no findings in 1 file\n")
    status, _, err = _lint(capsys, "test_pipe.py")
    assert (status, err.splitlines()[0]) == (
        2,
        "harness: test_pipe.py: neither a file nor a folder",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["nowhere"],
            "nowhere: no such file or folder\n  hint: name Python files, or folders that hold them",
        ),
        (
            ["README.md"],
            "README.md: neither Python nor this project's settings of pytest\n"
            "  hint: those are in pyproject.toml",
        ),
        (
            ["--explain", "database-per-tets"],
            "there is no rule 'database-per-tets'\n  hint: did you mean 'database-per-test'?",
        ),
    ],
)
def test_a_mistake_is_told(arguments: list[str], told: str, capsys: Capture) -> None:
    Path("README.md").touch()
    assert _lint(capsys, *arguments) == (2, "", f"harness: {told}\n")


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("pyproject.toml", "[tool", "pyproject.toml: Expected ']' at the end of a table declaration"),
        ("pyproject.toml", "[tool]\nharness = 1\n", "tool.harness is a table, not 1"),
        ("pyproject.toml", "[tool.harness]\nmax_workers = 0\n", "max_workers is a number from 1 on, not 0"),
        ("pyproject.toml", "[tool.harness]\nmax_workers = '2'\n", "max_workers is a number from 1 on, not '2'"),
        ("pytest.ini", "addopts = -n 2\n", "pytest.ini: File contains no section headers"),
        ("pytest.ini", "[pytest]\naddopts = -k 'a\n", "pytest.ini: addopts: No closing quotation"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_read_are_an_error(
    file: str, text: str, told: str, capsys: Capture
) -> None:
    _write("tests/test_a.py")
    Path(file).write_text(text)
    status, out, err = _lint(capsys)
    assert (status, out) == (2, "")
    assert told in err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"import sqlalchemy\ndef a(:\n", ":2:7: unreadable: it cannot be read: it is not Python"),
        (b"# -*- coding: nonsense -*-\n", "unreadable: it cannot be read: it is not Python: unknown encoding"),
        (b"import sqlalchemy # \xe4\n", "unreadable: it cannot be read: it is not Python: invalid or missing encoding"),
        (b"# -*- coding: utf-8 -*-\n\n\n# \xe4\n", "unreadable: it cannot be read: it is not utf-8"),
        (b"import sqlalchemy\x00\n", "unreadable: it cannot be read: "),
        (b"import sqlalchemy\nx = " + b"(" * 500 + b")" * 500, "unreadable: it cannot be read: "),
        (b"import sqlalchemy\nx = " + b"-" * 100_000 + b"1", "unreadable: it cannot be read: "),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_finding(
    content: bytes, told: str, capsys: Capture
) -> None:
    _write("tests/test_a.py")
    Path("tests/test_b.py").write_bytes(content)
    status, out, _ = _lint(capsys)
    assert status == 1
    first, second = out.splitlines()
    assert first + "\n" == f"tests/test_a.py{TOLD}"
    assert second.startswith("tests/test_b.py:")
    assert told in second


def test_other_encodings_are_read(capsys: Capture) -> None:
    _write("tests/__init__.py", text="")
    source = "# -*- coding: latin-1 -*-\n" + BAD.replace("    create", "    ä = 'ö'; create")
    Path("tests/test_a.py").write_bytes(source.encode("latin-1"))
    Path("tests/test_b.py").write_bytes(b"\xef\xbb\xbf" + BAD.replace("\n", "\r\n").encode())
    _, out, _ = _lint(capsys)
    assert [line.partition(" ")[0] for line in out.splitlines()] == [
        "tests/test_a.py:4:14:",
        "tests/test_b.py:3:5:",
    ]


def test_a_folder_that_cannot_be_read_is_a_finding(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write("tests/test_a.py", "tests/locked/test_b.py")
    scandir = os.scandir

    def refuse(path: Any) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    status, out, _ = _lint(capsys)
    assert status == 1
    assert out.splitlines()[0].startswith(
        "tests/locked:1:1: unreadable: it cannot be read: Permission denied"
    )


@pytest.mark.parametrize("text", ["a = '\\d'  # sqlalchemy\n", "assert (1, 'sqlalchemy')\n"])
def test_what_python_warns_of_is_not_told(text: str, capsys: Capture) -> None:
    _write("tests/test_a.py", text=text)
    assert _lint(capsys) == (0, "", "no findings in 2 files\n")


def test_settings_are_linted_where_they_are_meant(capsys: Capture) -> None:
    Path("pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-n 8"\n')
    _write("tests/test_a.py", text="")
    assert _found(capsys) == _found(capsys, ".") == ["pyproject.toml"]
    assert _found(capsys, "pyproject.toml") == ["pyproject.toml"]
    assert _found(capsys, "tests") == []


def test_json_is_for_programs(capsys: Capture) -> None:
    _write("tests/test_a.py")
    status, out, err = _lint(capsys, "--format", "json")
    assert (status, err) == (1, "")
    (finding,) = json.loads(out)
    assert finding.pop("instead").startswith("ask for db_session")
    assert finding == {
        "path": "tests/test_a.py",
        "line": 3,
        "column": 5,
        "rule": "database-per-test",
        "message": "an engine is made for each test, in the test test_a",
    }
    _write("tests/test_a.py", text="")
    assert _lint(capsys, "--format=json") == (0, "[]\n", "")


def test_github_gets_annotations(capsys: Capture) -> None:
    _write("tests/a,b:c%/test_a.py")
    status, out, err = _lint(capsys, "--format", "github")
    assert (status, err) == (1, "")
    assert out.startswith(
        "::error file=tests/a%2Cb%3Ac%25/test_a.py,line=3,col=5,title=database-per-test::an engine is "
    )
    assert out.count("\n") == 1


def test_the_rules_are_listed(capsys: Capture) -> None:
    status, out, _ = _lint(capsys, "--rules")
    assert status == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_explained(rule: Any, capsys: Capture) -> None:
    status, out, _ = _lint(capsys, "--explain", rule.name)
    assert status == 0
    for part in (rule.what, rule.why, rule.instead, *rule.bad.split(), *rule.good.split()):
        assert part in out


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--rules", "--explain", "a"]])
def test_a_wrong_usage_exits_with_2(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["lint", *arguments])
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: harness lint")


def test_nothing_heavy_is_imported() -> None:
    heavy = ["pydantic", "sqlalchemy", "py_pglite", "psycopg", "yaml", "jinja2", "pytest"]
    code = (
        "import sys; from harness.cli import main; main(['lint', '--rules']); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_this_repository_is_clean(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    status, out, _ = _lint(capsys)
    assert (status, out) == (0, "")
