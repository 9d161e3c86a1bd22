"""Which files are linted: those below the paths that are given, or the project's tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from glob import glob
from pathlib import Path

from harness.errors import HarnessError
from harness.lint.project import Project

_LEFT_OUT = (".*", "_darcs", "CVS", "*.egg", "__pycache__", "build", "dist", "node_modules", "venv")
"""Folders that pytest does not look into, either."""


def chosen(paths: Iterable[Path], here: Path, project: Project) -> list[Path]:
    """The paths to lint: what is given, or what pytest would collect from here.

    Args:
        paths: what the command line names.
        here: the current folder.
        project: the one that it belongs to.

    Raises:
        HarnessError: a path that is given is neither a file nor a folder.
    """
    given = list(paths)
    for path in given:
        if not path.is_dir() and not path.is_file():
            there = path.exists() or path.is_symlink()
            raise HarnessError(
                f"{path}: {'neither a file nor a folder' if there else 'no such file or folder'}",
                hint="name Python files, or folders that hold them",
            )
    if given:
        return given
    if here != project.root:
        return [here]
    found = [path for name in project.words("testpaths") for path in _matches(here, name)]
    # conftest.py and the settings hold for all tests, wherever these are.
    more = [path for path in (here / "conftest.py", project.file) if path and path.is_file()]
    return [*found, *more] if found else [here]


def python_files(paths: Iterable[Path], failed: Callable[[OSError], None]) -> Iterator[Path]:
    """Every Python file once, in order, without hidden folders, environments and built things.

    Args:
        paths: files, which are taken whatever they are called, and folders.
        failed: is told of each folder that cannot be read.
    """
    seen: set[str] = set()
    for path in paths:
        for file in [path] if path.is_file() else _below(path, failed):
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file


def _below(folder: Path, failed: Callable[[OSError], None]) -> Iterator[Path]:
    """The Python files of a folder; links to folders are not followed, so that none is a loop."""
    for where, folders, files in os.walk(folder, onerror=failed):
        folders[:] = sorted(each for each in folders if not _is_left_out(Path(where, each)))
        for name in sorted(files):
            path = Path(where, name)
            # What is no file (a pipe, say) is none of pytest's, and reading it might not end.
            if name.endswith(".py") and not name.startswith(".") and path.is_file():
                yield path


def _is_left_out(folder: Path) -> bool:
    if any(fnmatch(folder.name, pattern) for pattern in _LEFT_OUT):
        return True
    return (folder / "pyvenv.cfg").exists()


def _matches(folder: Path, pattern: str) -> list[Path]:
    """What an entry of testpaths names; it may be a glob."""
    return [folder / each for each in sorted(glob(pattern, root_dir=folder, recursive=True))]
