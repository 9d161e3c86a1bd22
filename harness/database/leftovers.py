"""The temporary directories of workers: made, locked while in use, and swept when left behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_PREFIX = "pgspec-harness-"
_PID_FILE = "pid"
# A data directory is 400 small files: on a disk that is slow to make files, more than half of the
# start goes into its copy. What it holds, a dozen megabytes, would be in the page cache anyway.
_MEMORY = Path("/dev/shm")
_ROOM = 2**30
# sun_path holds 104 bytes on macOS and 108 on Linux; what follows is the socket's own name.
_LONGEST = 100 - len("/.s.PGSQL.5432")


class WorkDirectory:
    """A directory of this process's own (mode 0700), removed with `remove` or at the process's end.

    It is locked while this process lives. A directory whose lock is free was left behind by a
    process that was killed: `sweep_left_overs` removes it, and what still runs in it.
    """

    def __init__(self) -> None:
        self.path, self._descriptor = _create()
        self._remover = weakref.finalize(self, _remove, self.path, self._descriptor, os.getpid())

    def note_process(self, pid: int) -> None:
        """Keeps the number of the process that works here, for who sweeps."""
        (self.path / _PID_FILE).write_text(str(pid))

    def remove(self) -> None:
        """Removes the directory; a second call does nothing."""
        self._remover()


def sweep_left_overs() -> None:
    """Removes the directories of this user's dead processes, and kills what still runs in them."""
    for path in _directories():
        with suppress(OSError), _abandoned(path):  # gone meanwhile, in use, or not ours
            _kill_orphan(path)
            shutil.rmtree(path, ignore_errors=True)


def left_overs() -> list[Path]:
    """The directories that a sweep would remove."""
    found = []
    for path in _directories():
        with suppress(OSError), _abandoned(path):
            found.append(path)
    return found


def base() -> Path:
    """The folder where new directories are made: in memory, where that has room."""
    return _MEMORY if _has_room(_MEMORY) else _disk()


def _directories() -> list[Path]:
    """This user's, wherever they may be: memory that has become full had room before."""
    found = (path for folder in (_MEMORY, _disk()) for path in folder.glob(f"{_PREFIX}*"))
    return [path for path in found if _is_own(path)]


def _is_own(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.getuid()
    except OSError:  # gone meanwhile
        return False


@contextmanager
def _abandoned(path: Path) -> Iterator[None]:
    """Holds the lock of a directory.

    Raises:
        OSError: somebody else has it: the directory is in use.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _kill_orphan(path: Path) -> None:
    # Where the kernel does not do it (anywhere but on Linux), a busy Node outlives a killed parent.
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int((path / _PID_FILE).read_text()))
        if any(str(path) in argument for argument in process.cmdline()):
            process.kill()


def _disk() -> Path:
    folder = Path(tempfile.gettempdir())
    longest = len(os.fsencode(folder / f"{_PREFIX}12345678"))
    return folder if longest <= _LONGEST else Path("/tmp")


def _has_room(folder: Path) -> bool:
    """Whether a folder can hold what specs write: containers have 64 MB of shared memory."""
    try:
        return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= _ROOM
    except OSError:
        return False


def _create() -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base()))
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return path, descriptor
        os.close(descriptor)  # swept between its creation and the lock


def _remove(path: Path, descriptor: int, owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork ends; the directory is its parent's
    shutil.rmtree(path, ignore_errors=True)
    os.close(descriptor)
