"""What lint knows of a project: its settings for pytest, and those of Harness that matter here."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from harness.errors import ConfigError

_SECTIONS = {
    "pytest.toml": ("pytest",),
    ".pytest.toml": ("pytest",),
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "pyproject.toml": ("tool.pytest", "tool.pytest.ini_options"),
    "tox.ini": ("pytest",),
    "setup.cfg": ("tool:pytest",),
}
"""pytest's settings files, in the order in which it looks for them → the sections it reads.

https://docs.pytest.org/en/stable/reference/customize.html#initialization-determining-rootdir-and-configfile
"""
_COUNT_WITHOUT_SECTION = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")


@dataclass(frozen=True, slots=True)
class Project:
    """A project, as far as lint is concerned.

    Attributes:
        root: its folder; pytest's root directory.
        file: where pytest's settings are, if there are any.
        pytest: pytest's settings by name: a text, or what TOML holds.
        has_harness: whether pyproject.toml has [tool.harness].
        max_workers: of [tool.harness].
    """

    root: Path
    file: Path | None
    pytest: Mapping[str, Any]
    has_harness: bool
    max_workers: int

    def words(self, key: str) -> list[str]:
        """A setting of pytest that is a list, written as a text or as one."""
        value = self.pytest.get(key, "")
        return [str(each) for each in value] if isinstance(value, list) else str(value).split()

    def holds_tests(self, path: Path) -> bool:
        """Whether pytest looks for tests in a file."""
        patterns = self.words("python_files") or ["test_*.py", "*_test.py"]
        return any(fnmatch(path.name, each) or path.match(each) for each in patterns)


def project_of(folder: Path) -> Project:
    """The project that a folder belongs to: the nearest folder above it with settings of pytest.

    Raises:
        ConfigError: its settings cannot be read, or `max_workers` is no number of workers.
    """
    above = (folder, *folder.parents)
    found = next(filter(None, map(_settings, above)), None)
    project = next((each for each in above if (each / "pyproject.toml").is_file()), folder)
    file, pytest = found or (None, {})
    root = file.parent if file else project
    table = _harness(root / "pyproject.toml")
    return Project(root, file, pytest, table is not None, _max_workers(table or {}))


def _settings(folder: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """The settings of pytest in a folder: the first file that has any."""
    for name, sections in _SECTIONS.items():
        path = folder / name
        if not path.is_file():
            continue
        content = _toml(path) if path.suffix == ".toml" else _ini(path)
        for section in sections:
            found = content.get(section)
            if isinstance(found, Mapping):
                return path, found
        if name in _COUNT_WITHOUT_SECTION:
            return path, {}
    return None


def _toml(path: Path) -> dict[str, Any]:
    """The sections of a TOML file that matter here, by their dotted names."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    tool = content.get("tool", {})
    own = tool.get("pytest") if isinstance(tool, Mapping) else None
    found: dict[str, Any] = {"pytest": content.get("pytest")}
    if isinstance(own, Mapping):
        found["tool.pytest.ini_options"] = own.get("ini_options")
        # [tool.pytest] is there for every project that has its sub-table, too.
        found["tool.pytest"] = own if own.keys() - {"ini_options"} else None
    return found


def _ini(path: Path) -> dict[str, Any]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error) as error:
        raise ConfigError(f"{path}: {error}") from None
    return {section: dict(parser[section]) for section in parser.sections()}


def _harness(pyproject: Path) -> Mapping[str, Any] | None:
    """`[tool.harness]`, if there is one."""
    if not pyproject.is_file():
        return None
    try:
        tool = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise ConfigError(f"{pyproject}: {error}") from None
    table = tool.get("harness") if isinstance(tool, Mapping) else None
    if table is not None and not isinstance(table, Mapping):
        raise ConfigError(f"{pyproject}: tool.harness is a table, not {table!r}")
    return table


def _max_workers(table: Mapping[str, Any]) -> int:
    # Read here once more: the model of the settings takes half a second to import.
    value = table.get("max_workers", 2)
    if type(value) is not int or value < 1:
        raise ConfigError(
            f"pyproject.toml: [tool.harness]: max_workers is a number from 1 on, not {value!r}"
        )
    return value
