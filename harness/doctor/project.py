"""The project that a folder belongs to, as pytest would see it."""

from __future__ import annotations

import configparser
import os
import shlex
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.config import Config, load_config
from harness.errors import ConfigError

# What pytest looks for in each folder, in its order, and the section that makes it the one.
_INI_SECTIONS = {
    "pytest.toml": None,
    ".pytest.toml": None,
    "pytest.ini": None,
    ".pytest.ini": None,
    "pyproject.toml": "tool.pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}


@dataclass(frozen=True)
class Project:
    """Where pytest's root is, and what stands there.

    Attributes:
        start: the folder where pytest would be started.
        root: pytest's root; None where no file says which.
        source: the file that makes it the root.
        options: pytest's settings in that file.
        table: `[tool.harness]` of the root's pyproject.toml, or None.
        mistake: why a file cannot be read, if so.
    """

    start: Path
    root: Path | None = None
    source: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    table: Any = None
    mistake: str | None = None

    @cached_property
    def config(self) -> Config:
        """The settings in force: the defaults, where there is no project.

        Raises:
            ConfigError: one is wrong.
        """
        table = {} if self.table is None else self.table
        return load_config(self.root or self.start, table, os.environ, {})

    @property
    def settled(self) -> Config | None:
        """The settings, if Harness is active here and they are right."""
        try:
            return None if self.table is None else self.config
        except ConfigError:
            return None

    @property
    def max_workers(self) -> int:
        """The setting; its default where the settings are wrong."""
        try:
            return self.config.max_workers
        except ConfigError:
            return Config(root=self.start).max_workers

    @property
    def addopts(self) -> list[str]:
        """The arguments that pytest adds to each command line."""
        return [*_words(self.options.get("addopts")), *_words(os.environ.get("PYTEST_ADDOPTS"))]

    @property
    def named_plugins(self) -> set[str]:
        """What `-p` names there: plugins to load, and `no:` with those to keep out."""
        return {
            after if each == "-p" else each.removeprefix("-p").strip()
            for each, after in pairwise([*self.addopts, ""])
            if each.startswith("-p")
        }

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Inside the block the project's modules are found where pytest would find them."""
        before = list(sys.path)
        if self.root is not None:
            folders = [str(self.root / each) for each in _words(self.options.get("pythonpath"))]
            sys.path[:0] = folders
        try:
            yield
        finally:
            sys.path[:] = before


def find(start: Path) -> Project:
    """The project of a folder; a file in the way that cannot be read is told by `mistake`."""
    lone: Path | None = None
    for folder in (start, *start.parents):
        for name, section in _INI_SECTIONS.items():
            path = folder / name
            if not path.is_file():
                continue
            try:
                options = _options(path, section)
            except (OSError, ValueError, configparser.Error) as error:
                return Project(start, folder, path, mistake=f"{path}: {error}")
            if options is not None:
                return _project(start, path, options)
            if name == "pyproject.toml":
                lone = lone or path
    return Project(start) if lone is None else _project(start, lone, {})


def _project(start: Path, source: Path, options: Mapping[str, Any]) -> Project:
    pyproject = source.parent / "pyproject.toml"
    try:
        table = tools(pyproject).get("harness")
    except (OSError, ValueError) as error:
        return Project(start, source.parent, source, options, mistake=f"{pyproject}: {error}")
    return Project(start, source.parent, source, options, table)


def tools(pyproject: Path) -> dict[str, Any]:
    """The tables below `[tool]`; none where there is no file.

    Raises:
        OSError, ValueError: the file cannot be read, or is not TOML.
    """
    return _table(_toml(pyproject).get("tool")) if pyproject.is_file() else {}


def _options(path: Path, section: str | None) -> Mapping[str, Any] | None:
    """Pytest's settings in a file; None if they are not what the file is for."""
    if path.suffix == ".toml":
        data = _toml(path)
        if section is None:
            return _table(_dig(data, "pytest")) or {}
        native = _table(_dig(data, "tool", "pytest"))
        return _table(native.get("ini_options")) or native if native else None
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.read_string(path.read_text(encoding="utf-8"))
    name = section or "pytest"
    if parser.has_section(name):
        return dict(parser[name])
    return {} if section is None else None


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _dig(data: Any, *keys: str) -> Any:
    for key in keys:
        data = _table(data).get(key)
    return data


def _table(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _words(value: Any) -> list[str]:
    """A setting of pytest that is a list, or text with blanks between its parts."""
    if isinstance(value, list):
        return [str(each) for each in value]
    try:
        return shlex.split(value or "")
    except ValueError:  # a quote is open: pytest will tell
        return []
