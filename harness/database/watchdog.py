"""A deadline for work that may never come back: past it, an action runs in another thread."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from types import FrameType
from typing import Any

_IDLE = 0.1
"""Seconds between two looks: how late an action may be taken."""

_GRACE = 1.0
"""Seconds that work has to end by itself after the action was taken."""

_SIGNAL = signal.SIGVTALRM
"""Interrupts the main thread: it belongs to the timer of the time that this process computes."""


class OverdueError(BaseException):
    """Raised in the middle of Python code that goes on although its time is up."""


@dataclass(slots=True)
class Deadline:
    """One piece of work under watch.

    Attributes:
        seconds: that it may last; zero is no limit.
        action: taken, in another thread, when it lasts longer.
        passed: whether the action was taken.
    """

    seconds: float
    action: Callable[[], None]
    passed: bool = False
    at: float = field(init=False, default=inf)


class Watchdog:
    """One thread that waits for the deadline of whatever is under watch.

    A thread for each spec would cost more than many specs do.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._deadline: Deadline | None = None
        self._thread: threading.Thread | None = None
        self._interruptible: Deadline | None = None  # only the main thread sets it
        self._next_interrupt = 0.0
        self._interrupted: Deadline | None = None

    @contextmanager
    def watch(self, deadline: Deadline) -> Iterator[None]:
        """Take the deadline's action if the block lasts longer than it may.

        Raises:
            OverdueError: inside the block, which has not ended a second after the action, or
                while it ends: the deadline has `passed` then.
        """
        if not deadline.seconds:
            yield
            return
        try:
            try:
                self._begin(deadline)
                yield
            finally:
                self._end()
        except OverdueError:
            self._end()  # it may have been raised before the other had begun
            raise

    def _begin(self, deadline: Deadline) -> None:
        deadline.at = time.monotonic() + deadline.seconds
        self._set(deadline)
        if threading.current_thread() is threading.main_thread():
            self._interruptible = deadline
            # While C code computes, a pattern that backtracks for example, no other thread runs.
            signal.setitimer(signal.ITIMER_VIRTUAL, deadline.seconds + _GRACE, _GRACE)

    def _end(self) -> None:
        self._interruptible = None
        if self._interrupted is not None:
            self._interrupted = None
            sys.settrace(None)
        if threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        self._set(None)

    def _set(self, deadline: Deadline | None) -> None:
        with self._condition:
            self._deadline = deadline
            if self._thread is None:
                self._start()
            # A later deadline than the one waited for is seen when that one passes.

    def _start(self) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(_SIGNAL, self._interrupt)
        self._thread = threading.Thread(target=self._wait, name="watchdog", daemon=True)
        self._thread.start()

    def _interrupt(self, _: int, frame: FrameType | None) -> None:
        """In the main thread, between two steps of whatever it does."""
        deadline, now = self._interruptible, time.monotonic()
        # Code that catches whatever is raised in it gets it again, but not while it cleans up.
        if deadline is None or now < self._next_interrupt:
            return
        if not deadline.passed:
            if now < deadline.at:
                return  # the timer counts what all threads compute: it may run ahead
            deadline.passed = True
            deadline.action()
        elif self._interrupted is deadline:
            _raise_at_next_line(frame)
        self._next_interrupt, self._interrupted = now + _GRACE, deadline
        raise OverdueError

    def _wait(self) -> None:
        with self._condition:
            while True:
                deadline = self._deadline
                remaining = deadline.at - time.monotonic() if deadline else _IDLE
                if deadline is not None and remaining <= 0:
                    self._act(deadline)
                    continue
                self._condition.wait(min(remaining, _IDLE))

    def _act(self, deadline: Deadline) -> None:
        if not deadline.passed:
            deadline.passed = True
            deadline.action()
            deadline.at += _GRACE  # for work that ends by itself, once the action is taken
        else:
            deadline.at += _GRACE
            main = threading.main_thread().ident
            assert main is not None  # it has begun
            signal.pthread_kill(main, _SIGNAL)


def _raise_at_next_line(frame: FrameType | None) -> None:
    """Raise once more where code goes on after it has caught what was raised in it.

    A loop that catches everything inside of `try` is left from its next line outside.
    """

    def interrupt(_frame: FrameType, event: str, _: object) -> Any:
        if event != "line":
            return interrupt
        sys.settrace(None)
        raise OverdueError

    while frame is not None:
        frame.f_trace = interrupt
        frame = frame.f_back
    sys.settrace(lambda *_: None)
