"""The project as the doctor sees it: where it is, its settings, what pytest makes of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.doctor.project import find
from tests.doctor.conftest import Folder


def test_no_project_is_a_note(folder: Folder) -> None:
    assert "no pyproject.toml" in folder.note("settings", "project")
    assert "the defaults hold" in folder.note("settings", "settings")
    assert "not looked at" in folder.note("settings", "setup")
    assert "not looked at" in folder.note("storage", "template")


def test_a_project_is_found_from_a_folder_below(folder: Folder) -> None:
    folder.configure()
    folder.write("specs/one/a.yaml")
    finding = folder.look("settings", "project", "specs/one")
    assert finding.facts["root"] == str(folder.path)


def test_a_project_without_the_section_is_a_problem(folder: Folder) -> None:
    folder.write("pyproject.toml", "[project]\nname = 'a'")
    assert "has no [tool.harness] > add `[tool.harness]`" in folder.problem("settings", "project")


def test_a_misspelt_section_is_named(folder: Folder) -> None:
    folder.write("pyproject.toml", "[tool.harnes]")
    assert "rename [tool.harnes]" in folder.problem("settings", "project")


def test_a_file_that_is_not_toml_is_a_problem(folder: Folder) -> None:
    path = folder.write("pyproject.toml", "[tool.harness")
    told = folder.problem("settings", "project")
    assert f"{path}: " in told
    assert "end of a table declaration" in told


def test_settings_above_pytests_root_are_not_seen(folder: Folder) -> None:
    folder.configure()
    folder.write("inner/pytest.ini", "[pytest]")
    told = folder.problem("settings", "project", "inner")
    assert f"{folder.path}/pyproject.toml is not seen" in told
    assert f"run pytest in {folder.path}" in told


def test_settings_below_pytests_root_are_not_seen(folder: Folder) -> None:
    folder.write("tox.ini", "[pytest]")
    folder.write("inner/pyproject.toml", "[tool.harness]")
    told = folder.problem("settings", "project", "inner")
    assert "tox.ini makes" in told
    assert "add `[tool.pytest.ini_options]`" in told
    folder.write("inner/pyproject.toml", "[tool.harness]\n[tool.pytest.ini_options]\n")
    assert find(folder.path / "inner").root == folder.path / "inner"


@pytest.mark.parametrize(
    ("name", "text", "decides"),
    [
        ("pytest.ini", "", True),
        (".pytest.ini", "[pytest]", True),
        ("pytest.toml", "", True),
        ("pyproject.toml", "[tool.pytest.ini_options]", True),
        ("pyproject.toml", "[tool.pytest]\naddopts = []", True),
        ("pyproject.toml", "[tool.other]", False),
        ("tox.ini", "[pytest]", True),
        ("tox.ini", "[tox]", False),
        ("setup.cfg", "[tool:pytest]", True),
        ("setup.cfg", "[metadata]", False),
    ],
)
def test_the_root_is_pytests(
    folder: Folder, name: str, text: str, decides: bool, pytester: pytest.Pytester
) -> None:
    folder.configure()
    inner = folder.write(f"inner/{name}", text).parent
    expected = inner if decides else folder.path
    assert find(inner).root == expected
    answer = pytester.run(sys.executable, "-m", "pytest", "--collect-only", str(inner))
    answer.stdout.fnmatch_lines([f"rootdir: {expected}"])


def test_a_wrong_setting_is_told_as_ever(folder: Folder) -> None:
    folder.configure("max_worker = 3")
    assert "no setting 'max_worker' > did you mean 'max_workers'?" in folder.problem(
        "settings", "settings"
    )
    folder.look("memory", "memory")  # goes on with the default


def test_a_misspelt_variable_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TIMEOUTS", "3")
    folder.configure()
    assert "HARNESS_TIMEOUTS" in folder.problem("settings", "settings")


def test_right_settings(folder: Folder) -> None:
    folder.configure("max_workers = 1")
    assert folder.ok("settings", "settings").endswith(
        "at most 1 worker, timeout 10 s; given: max_workers"
    )


def test_a_setup_that_is_there(folder: Folder) -> None:
    folder.write("migrations/1.sql", "create table a (b int)")
    folder.write("migrations/2.sql", "create table c (d int)")
    folder.write("data.csv", "")
    folder.configure('setup = ["migrations"]\nwatch = ["*.csv"]')
    assert folder.ok("settings", "setup") == "2 steps, all there, 1 file watched"


def test_a_setup_that_is_missing(folder: Folder) -> None:
    folder.write("schema.sql")
    folder.configure('setup = ["shema.sql"]')
    assert "'shema.sql' matches no file > did you mean 'schema.sql'?" in folder.problem(
        "settings", "setup"
    )
    assert "not known until `setup` is right" in folder.note("storage", "template")


def test_an_empty_setup_is_a_note(folder: Folder) -> None:
    folder.configure()
    assert "has no tables > name what builds it" in folder.note("settings", "setup")


def test_an_unknown_extension(folder: Folder) -> None:
    folder.configure('extensions = ["vectr"]')
    assert "no extension 'vectr' > did you mean 'vector'?" in folder.problem("settings", "setup")


def test_modules_are_found_where_pytest_finds_them(folder: Folder) -> None:
    folder.write("src/doctors_schema.py", "def build(connection): ...")
    folder.configure(
        'setup = ["doctors_schema:build"]', '[tool.pytest.ini_options]\npythonpath = "src"'
    )
    path = list(sys.path)
    assert folder.ok("settings", "setup") == "1 step, all there"
    assert sys.path == path


def test_what_a_module_prints_is_no_part_of_the_report(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("doctors_talk.py", "print('hello')\ndef build(connection): ...")
    folder.configure('setup = ["doctors_talk:build"]')
    folder.ok("settings", "setup")
    assert capsys.readouterr() == ("", "hello\n")


def test_a_module_that_fails_is_a_problem_with_its_place(folder: Folder) -> None:
    path = folder.write("doctors_error.py", "\n1 / 0")
    folder.configure('setup = ["doctors_error:build"]')
    told = folder.problem("settings", "setup")
    assert f"{path}:2" in told
    assert "ZeroDivisionError" in told


def test_py_pglites_plugin_is_a_note(folder: Folder) -> None:
    folder.configure(pytest="")
    assert 'addopts = ["-p", "no:py_pglite"]' in folder.note("settings", "plugins")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pyproject.toml",
            '[tool.harness]\n[tool.pytest.ini_options]\naddopts = "-p no:py_pglite"',
        ),
        (
            "pyproject.toml",
            '[tool.harness]\n[tool.pytest.ini_options]\naddopts = ["-pno:py_pglite"]',
        ),
        ("pytest.ini", "[pytest]\naddopts = -q -p no:py_pglite"),
    ],
)
def test_py_pglites_plugin_kept_out(folder: Folder, name: str, text: str) -> None:
    folder.configure(pytest="")
    folder.write(name, text)
    folder.ok("settings", "plugins")


def test_py_pglites_plugin_kept_out_by_the_environment(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.configure(pytest="")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:py_pglite")
    folder.ok("settings", "plugins")


def test_a_plugin_that_is_named_is_not_kept_out(folder: Folder) -> None:
    options = '[tool.pytest.ini_options]\naddopts = ["-p", "harness", "-p", "py_pglite"]'
    folder.configure(pytest=options)
    assert "loads itself into every run" in folder.note("settings", "plugins")


def test_harness_kept_out_is_a_problem(folder: Folder) -> None:
    folder.configure(pytest='[tool.pytest.ini_options]\naddopts = "-p no:harness"')
    assert "keeps Harness out > remove it" in folder.problem("settings", "plugins")


def test_a_pytest_without_plugins_is_a_problem(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.configure()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert "> unset it, or name the plugin" in folder.problem("environment", "environment")
    folder.configure(pytest='[tool.pytest.ini_options]\naddopts = ["-p", "harness"]')
    assert folder.look("environment", "environment").mark != "problem"


def test_variables_that_change_a_run_are_noted_without_their_values(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "HARNESS_TIMEOUT",
        "HARNESS_ACCOUNT",
        "PYTEST_ADDOPTS",
        "PGOPTIONS",
        "NODE_OPTIONS",
    ):
        monkeypatch.setenv(name, "42")
    finding = folder.look("environment", "environment")
    assert finding.mark == "note"
    assert finding.text == (
        "HARNESS_TIMEOUT: instead of what pyproject.toml says; "
        "HARNESS_ACCOUNT: no setting, and not read; "
        "PYTEST_ADDOPTS: added to each command line of pytest; "
        "NODE_OPTIONS, PGOPTIONS: kept from PGlite"
    )


def test_a_cache_of_ones_own_is_no_remark(folder: Folder, cache: Path) -> None:
    assert folder.look("environment", "environment").facts["unknown"] == []
