"""The README's examples: each runs on the schema that stands above them, and passes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.config import Config
from harness.database.worker import WorkerPGlite
from harness.loader import load
from harness.results import Status
from harness.running.runner import Runner

README = Path(__file__).parents[2] / "README.md"
REFERENCE = README.read_text(encoding="utf-8").partition("## Format reference")[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# ((?:specs/)?\w+\.\w+)\n")
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(REFERENCE)]
SPECS = [
    text
    for kind, text in BLOCKS
    if kind == "yaml" and re.search("^(operations|specs):", text, re.M)
]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    root = tmp_path_factory.mktemp("readme")
    (root / "schema.sql").write_text("".join(text for kind, text in BLOCKS if kind == "sql"))
    for kind, text in BLOCKS:
        if kind == "python" and (name := NAMED.match(text)):
            (root / name[1]).write_text(text)
    tables = [
        tomllib.loads(text)["tool"].get("harness", {}) for kind, text in BLOCKS if kind == "toml"
    ]
    settings = {key: value for table in reversed(tables) for key, value in table.items()}
    config = Config(root=root, setup=("schema.sql",), **settings)
    database = WorkerPGlite(config, lambda _message: None)
    runner = Runner(database, config)
    yield runner
    runner.close()
    database.replace()


@pytest.mark.parametrize("text", SPECS, ids=lambda text: " ".join(text.split())[:60])
def test_an_example(text: str, runner: Runner, tmp_path: Path) -> None:
    for _, part in BLOCKS:
        if (name := NAMED.match(part)) and name[1].startswith("specs/"):
            tmp_path.joinpath(Path(name[1]).name).write_text(part)
    path = tmp_path / "example.yaml"
    path.write_text(text)
    results = [runner.run(loaded) for loaded in load(path, tmp_path)]
    assert [mismatch.reason for result in results for _, mismatch in result.failures] == (
        ["nothing is expected here yet"] * text.count("???")
    )
    ends = {Status.FAILED} if "???" in text else {Status.PASSED, Status.SKIPPED}
    assert {result.status for result in results} <= ends


def test_there_are_examples() -> None:
    assert len(SPECS) > 15
