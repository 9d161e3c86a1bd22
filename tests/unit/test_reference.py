from __future__ import annotations

from pathlib import Path

import pytest

from harness import schema
from harness.errors import HarnessError
from harness.reference import main, rewritten, tables

README = Path(__file__).parents[2] / "README.md"
EXAMPLE = """\
Before.

<!-- reference: plan -->
| this | is | outdated |
<!-- /reference -->

After.
"""
CURRENT = """\
Before.

<!-- reference: plan -->
| key | meaning |
| --- | --- |
| `index` | An index that can serve the statement. |
<!-- /reference -->

After.
"""


def test_the_readme_is_current() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == rewritten(text), "README.md is outdated: run `python -m harness.reference`"


@pytest.mark.parametrize("name", tables())
def test_the_readme_shows_every_table(name: str) -> None:
    assert f"<!-- reference: {name} -->" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", tables())
def test_every_cell_is_filled(name: str) -> None:
    for line in tables()[name].splitlines():
        assert "|  |" not in line


def test_only_what_stands_between_the_markers_changes() -> None:
    assert rewritten(EXAMPLE) == CURRENT
    assert rewritten(CURRENT) == CURRENT


def test_an_unknown_table_names_the_nearest() -> None:
    with pytest.raises(
        HarnessError, match="no reference 'matcher'\n  hint: did you mean 'matchers'"
    ):
        rewritten("<!-- reference: matcher -->\n<!-- /reference -->\n")


@pytest.mark.parametrize(
    "text",
    [
        "<!-- reference: plan -->\n",
        "<!-- /reference -->\n",
        "<!-- reference: plan -->\n<!-- reference: error -->\n<!-- /reference -->\n",
        "<!-- reference: plan --> <!-- /reference -->\n",
    ],
)
def test_a_marker_without_a_partner_is_an_error(text: str) -> None:
    with pytest.raises(HarnessError, match="has no partner"):
        rewritten(text)


def test_one_command_writes_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text(EXAMPLE)
    assert main() == 0
    assert Path("README.md").read_text() == CURRENT
    assert Path("schema.json").read_text(encoding="utf-8") == schema.text()


def test_without_a_readme_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main() == 2
    assert capsys.readouterr().err.startswith("README.md: ")
    assert list(tmp_path.iterdir()) == []
