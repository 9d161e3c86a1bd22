"""What a worker and its database hold: memory that is resident, and files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is resident of a worker's own process and of its database's, in bytes.

    Attributes:
        pid: the database's process.
    """

    python: int
    database: int
    pid: int

    @property
    def total(self) -> int:
        """Both together: what `memory_limit` is about."""
        return self.python + self.database

    def __str__(self) -> str:
        python, database = shown(self.python), shown(self.database)
        return f"{shown(self.total)} (Python {python}, database {database})"


class Meter:
    """Reads what one process holds; cheap enough to be asked after every spec.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process: psutil.Process | None = None

    def resident(self) -> int:
        """Bytes of it in memory; zero if it is gone."""
        try:
            self._process = self._process or psutil.Process(self.pid)
            return int(self._process.memory_info().rss)
        except psutil.Error:
            return 0


def size_on_disk(folder: Path) -> int:
    """Bytes that the files of a folder take up, those of its folders included."""
    size = 0
    for entry in os.scandir(folder):
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            size += entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:  # PostgreSQL removes files as it likes
            continue
        size += size_on_disk(Path(entry.path)) if is_folder else 0
    return size


def shown(size: int) -> str:
    """A number of bytes as it is told: `104 MB`."""
    return f"{size / MEGABYTE:.0f} MB"
