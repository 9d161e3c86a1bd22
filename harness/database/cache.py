"""The user's cache: folders that are built once, by one process, and are whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from harness.errors import DatabaseError

Progress = Callable[[str], None]

_MARKER = "used"
_DAY = 24 * 60 * 60
PARTIAL = ".partial-"
"""In the name of a folder that is being built, or was when its builder was killed."""


def cache_directory() -> Path:
    """The folder for packages and templates: `HARNESS_CACHE_DIR`, or the platform's own place."""
    chosen = os.environ.get("HARNESS_CACHE_DIR")
    path = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("pgspec-harness"))
    return path.absolute()


def build_once(
    target: Path, build: Callable[[Path], None], progress: Progress, *, rebuild: bool = False
) -> Path:
    """The folder `target`, filled by `build` unless an earlier call of any process did it.

    `build` gets an empty folder beside the target, which is renamed when all is in it: whoever is
    killed on the way leaves nothing that could be taken as complete.

    Raises:
        DatabaseError: the cache cannot be written; and whatever `build` raises.
    """
    if target.exists() and not rebuild:
        _mark_used(target)
        return target
    with _explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target, progress):
            if rebuild or not target.exists():
                _build(target, build)
    _mark_used(target)
    return target


def sweep_unused(folder: Path, days: int) -> None:
    """Removes the folder's entries that no process has asked for in that many days."""
    oldest = time.time() - days * _DAY
    for marker in folder.glob(f"*/{_MARKER}"):
        with suppress(OSError):  # somebody else sweeps too
            if marker.stat().st_mtime < oldest:
                _discard(marker.parent)


def _build(target: Path, build: Callable[[Path], None]) -> None:
    for left_over in target.parent.glob(f"{target.name}{PARTIAL}*"):
        shutil.rmtree(left_over, ignore_errors=True)  # we hold the lock: its builder is dead
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}{PARTIAL}", dir=target.parent))
    try:
        build(partial)
        if target.exists():
            _discard(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _discard(folder: Path) -> None:
    """Removes a folder so that at no time a half of it stands under its name."""
    grave = Path(tempfile.mkdtemp(prefix=f"{folder.name}{PARTIAL}", dir=folder.parent))
    folder.rename(grave / "gone")
    shutil.rmtree(grave, ignore_errors=True)


def _mark_used(target: Path) -> None:
    with suppress(OSError):  # a cache may be read-only, e.g. part of a container's image
        (target / _MARKER).touch()


@contextmanager
def _locked(target: Path, progress: Progress) -> Iterator[None]:
    lock = FileLock(target.with_name(f"{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"waiting for another process that builds {target}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseError(
            f"cannot write to the cache {folder}: {error.strerror or error}",
            hint="make room and make it writable, or let HARNESS_CACHE_DIR name another folder",
        ) from error
