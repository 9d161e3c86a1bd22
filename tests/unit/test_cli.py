from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from harness import schema
from harness.cli import COMMANDS, main

Capture = pytest.CaptureFixture[str]


def test_the_console_script_is_main() -> None:
    (script,) = entry_points(group="console_scripts", name="harness")
    assert script.load() is main


def test_the_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"harness {version('pgspec-harness')}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["shema"], ["schema", "-x"], ["schema", "-o", "a", "--check", "b"]]
)
def test_a_wrong_usage_exits_with_2(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: harness")


def test_the_schema_goes_to_standard_output(capsys: Capture) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema.text()


def test_the_schema_goes_into_a_file(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "schema.json"
    assert main(["schema", "-o", str(path)]) == 0
    assert path.read_bytes() == schema.text().encode()
    assert capsys.readouterr().out == ""


def test_a_current_file_passes_the_check(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "schema.json"
    path.write_bytes(schema.text().encode())
    assert main(["schema", "--check", str(path)]) == 0
    assert capsys.readouterr().out == ""


def test_an_outdated_file_is_a_finding(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "schema.json"
    path.write_text("{}")
    assert main(["schema", "--check", str(path)]) == 1
    assert capsys.readouterr().out == (
        f"{path}: outdated; write it anew with `harness schema -o {path}`\n"
    )
    assert path.read_text() == "{}"


def test_the_help_lists_every_command(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out.partition("COMMAND\n")[2]
    assert [line.split()[0] for line in listed.splitlines() if line[4:5].strip()] == list(COMMANDS)


def test_a_command_imports_no_other() -> None:
    code = (
        "import sys; from harness.cli import main; main(['lint', '--rules']); "
        "print(sorted(name for name in sys.modules if name.startswith('harness.commands.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['harness.commands.lint']"


@pytest.mark.parametrize("option", ["-o", "--check"])
def test_a_file_out_of_reach_is_told_without_a_traceback(
    option: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "nowhere" / "schema.json"
    assert main(["schema", option, str(path)]) == 2
    assert capsys.readouterr().err == (
        f"harness: {path}: No such file or directory\n  hint: name a file in a folder that exists\n"
    )


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, "-m", "harness", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
