"""A pytest plugin for the memory part: what PGlite holds after some numbers of specs.

It is copied into the throw-away project; watch.json has a list of `[specs, resident bytes, bytes
of the data directory]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

_SERVER = "pglite_server.mjs"


class Watch:
    """Looks at PGlite after each 500th spec, and after the last."""

    def __init__(self) -> None:
        self.count = 0
        self.seen: list[tuple[int, int, int]] = []

    def pytest_runtest_logfinish(self) -> None:
        self.count += 1
        if self.count % 500 == 0:
            self.look()

    def look(self) -> None:
        resident = data = 0
        for process, options in _servers():
            resident += process.memory_info().rss
            data += _size(Path(options["socket"]).parent / "data")
        self.seen.append((self.count, resident, data))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        (session.config.rootpath / "watch.json").write_text(json.dumps(self.seen))


def _servers() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """The PGlite processes of this pytest, with the options that they were started with."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error, ValueError):
            arguments = process.cmdline()
            if any(argument.endswith(_SERVER) for argument in arguments):
                yield process, json.loads(arguments[-1])


def _size(folder: Path) -> int:
    """What the files take on the disk, or in shared memory; holes in them take nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # PostgreSQL removes files, too
            if path.is_file():
                total += path.stat().st_blocks * 512
    return total


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Watch(), "benchmark-watch")
