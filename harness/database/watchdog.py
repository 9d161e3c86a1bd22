"""A deadline for work that may never come back: past it, an action runs in another thread."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
    """One piece of work under watch; `passed` says that the action was taken."""

    at: float
    action: Callable[[], None]
    passed: bool = False


class Watchdog:
    """One thread that waits for the deadline of whatever is under watch.

    A thread for each spec would cost more than many specs do.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._deadline: Deadline | None = None
        self._thread: threading.Thread | None = None
        self._interruptible: Deadline | None = None  # only the main thread sets it

    @contextmanager
    def watch(self, seconds: float, action: Callable[[], None]) -> Iterator[Deadline]:
        """Take `action` if the block lasts longer than `seconds`; zero is no limit.

        Raises:
            OverdueError: inside the block, which has not ended a second after the action.
        """
        deadline = Deadline(time.monotonic() + seconds, action)
        if not seconds:
            yield deadline
            return
        self._set(deadline)
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            self._interruptible = deadline
            # While C code computes, a pattern that backtracks for example, no other thread runs.
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds + _GRACE)
        try:
            yield deadline
        finally:
            if is_main:
                self._interruptible = None
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

    def _interrupt(self, *_: object) -> None:
        """In the main thread, between two steps of whatever it does."""
        deadline, self._interruptible = self._interruptible, None
        if deadline is not None:
            if not deadline.passed:
                deadline.passed = True
                deadline.action()
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
            self._deadline = None
            main = threading.main_thread().ident
            assert main is not None  # it has begun
            signal.pthread_kill(main, _SIGNAL)
