"""The rules of ARCHITECTURE.md, held by walking the code."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness

PACKAGE = Path(__file__).parents[2] / "harness"
MODULES = sorted(PACKAGE.rglob("*.py"))
RANKS = {
    "__main__": 10,
    **dict.fromkeys(("plugin", "cli"), 9),
    **dict.fromkeys(("collection", "fixtures"), 8),
    **dict.fromkeys(("commands", "reference", "regime", "updating", "sharing", "single"), 7),
    **dict.fromkeys(("running", "report", "schema", "editing", "doctor", "lint"), 6),
    **dict.fromkeys(("activation", "application", "archive"), 5),
    **dict.fromkeys(("loader", "matching", "database"), 4),
    "spec": 3,
    **dict.fromkeys(("source", "packing"), 2),
    **dict.fromkeys(
        ("nodes", "templating", "sqltext", "results", "config", "modules", "syntax"), 1
    ),
    **dict.fromkeys(("errors", "scalars", "imports", "options", "transport", "__init__"), 0),
    "actor": -1,  # the package itself gives it
}
LONGEST_FUNCTION = 60
NINETIETH_PERCENTILE = 30
LONGEST_MODULE = 400


def _unit(path: Path) -> str:
    """The module or sub-package below `harness` that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """The units that a file imports at run time, with the line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_typing:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("harness"):
            parts = (node.module or "").split(".")
            yield parts[1] if len(parts) > 1 else "__init__", node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = _unit(path)
    for unit, line in _imports(path):
        assert unit == own or RANKS[unit] < RANKS[own], f"{path}:{line} imports {unit}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_stand_at_the_top(path: Path) -> None:
    if path.name == "plugin.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = [
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith("harness")
    ]
    assert hidden == []


def _functions() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}", length


def test_functions_are_short() -> None:
    lengths = dict(_functions())
    long = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert long == {}
    ordered = sorted(lengths.values())
    assert ordered[int(len(ordered) * 0.9)] <= NINETIETH_PERCENTILE


def test_modules_are_short() -> None:
    lengths = {path.name: path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_every_module_says_what_it_owns() -> None:
    assert [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_plugin_and_collection_are_thin() -> None:
    lines = sum((PACKAGE / name).read_text().count("\n") for name in ("plugin.py", "collection.py"))
    assert lines <= 250


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    assert harness.__version__ == project["version"]


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    heavy = ["pydantic", "sqlalchemy", "jinja2", "psycopg", "py_pglite", "yaml"]
    code = f"import harness.plugin, sys; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_collecting_loads_nothing_that_only_an_update_needs() -> None:
    only = ["harness.editing", "harness.updating", "harness.matching.healing"]
    code = f"import harness.collection, sys; print([m for m in {only} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"
