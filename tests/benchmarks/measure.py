"""Runs one command and measures it from outside: wall time, and the memory of its process tree."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_INTERVAL = 0.05
_TAIL = 2000
_IS_LINUX = platform.system() == "Linux"
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Measured:
    """A command that has ended.

    Attributes:
        started: when it was started, in seconds since the epoch.
        wall: seconds until it had ended.
        peak: bytes that its processes held together when that was most; see `TreeSampler`.
        exit_code: what it returned; None if it was ended because it took too long.
        tail: the end of what it printed.
    """

    started: float
    wall: float
    peak: int
    exit_code: int | None
    tail: str


class TreeSampler:
    """Adds up the memory of all processes below this one, twenty times a second.

    It is the proportional set size (PSS) where the system tells it, on Linux: a page that several
    processes share, as PostgreSQL's buffers are, counts once. Elsewhere it is the resident size.
    Files in shared memory belong to no process and are not in it.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> TreeSampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        this = psutil.Process()
        while not self._ended.wait(_INTERVAL):
            held = sum(map(_memory, this.children(recursive=True)))
            self.peak = max(self.peak, held)


def _memory(process: psutil.Process) -> int:
    with suppress(psutil.Error, OSError):  # it ends while we look
        return int(process.memory_full_info().pss if _IS_LINUX else process.memory_info().rss)
    return 0


def adopt_orphans() -> None:
    """Makes what the measured processes leave behind ours, so that it stays in the tree.

    PostgreSQL's server, for one, is no child of the process that had it started. Linux only.
    """
    if _IS_LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def run(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str],
    timeout: float,
) -> Measured:
    """Runs a command in a folder, and ends whatever is left of its processes.

    Args:
        command: program and arguments.
        folder: where it runs, and where what it prints is kept.
        environment: beside that of this process.
        timeout: seconds after which it is killed.
    """
    with (folder / "output.log").open("w+", errors="replace") as log, _nothing_left():
        with TreeSampler() as sampler:
            started, clock = time.time(), time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=_clean(os.environ) | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; what is below us we end ourselves
            )
            with _killed_after(timeout, process):
                exit_code = process.wait()  # with a timeout of its own it would poll
            wall = time.perf_counter() - clock
        log.seek(0)
        tail = log.read()[-_TAIL:]
    return Measured(started, wall, sampler.peak, exit_code if wall < timeout else None, tail)


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would make two sides, or two machines, differ."""
    ours = ("PYTEST_", "HARNESS_", "PG")
    kept = ("HARNESS_CACHE_DIR",)
    return {
        name: value
        for name, value in environment.items()
        if name in kept or not (name.startswith(ours) or name == "PYTHONPATH")
    }


@contextmanager
def _killed_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _nothing_left() -> Iterator[None]:
    """Ends all processes below this one, in whatever way the block is left."""
    try:
        yield
    finally:
        left = psutil.Process().children(recursive=True)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)
