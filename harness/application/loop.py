"""The worker's one event loop, on which everything asynchronous of the application runs."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ctypes import py_object, pythonapi
from typing import Any, TypeVar

T = TypeVar("T")
_PATIENCE = 1.0
"""Seconds that tasks have to end after they were cancelled."""


class Loop:
    """Runs one awaitable after the other, on a loop that begins with the first.

    What an application keeps from one request to the next, such as a client's connections, belongs
    to the loop that made it: so there is one for all specs. Context variables are as the caller has
    them, and those that are set inside do not come out.
    """

    def __init__(self) -> None:
        # With a factory the loop does not become the thread's: pytest-asyncio's tests have theirs.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._is_open = False

    def run(self, awaitable: Awaitable[T]) -> T:
        """What it returns or raises; tasks that it leaves behind are cancelled.

        So does `asyncio.run`: a task that went on would work in the next spec's transaction.
        A loop that is running in this thread, as in a test of pytest-asyncio, waits meanwhile.
        """
        return self._run(_alone(awaitable))

    def start(self, awaitable: Awaitable[T]) -> T:
        """As `run`, but the tasks that it leaves behind go on whenever something runs."""
        return self._run(_awaited(awaitable))

    def close(self) -> None:
        """Cancel what is still there, and end the loop.

        A task that does not end is left to itself: one that ignores that it is cancelled, or was
        lost when the time of a spec was up in the middle of the loop's own work.
        """
        if not self._is_open:
            return
        loop = self._runner.get_loop()
        with suppress(asyncio.CancelledError):  # a task of a spec whose time was up may do that
            self._run(_all_cancelled())
        self._is_open = False
        left = asyncio.all_tasks(loop)
        if left:
            loop.set_exception_handler(lambda *_: None)  # it would complain of each lost task
            loop.close()
            for task in left:
                # To free it would throw once more into code that may catch everything, for ever.
                pythonapi.Py_IncRef(py_object(task))
        else:
            self._runner.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self._is_open = True
        context = contextvars.copy_context()
        if _running() is None:
            return self._runner.run(coroutine, context=context)
        # A thread can run one loop at a time; ours does not mind in which it runs.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="harness") as pool:
            return pool.submit(self._runner.run, coroutine, context=context).result()


def _running() -> asyncio.AbstractEventLoop | None:
    """The loop that is running in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def _alone(awaitable: Awaitable[T]) -> T:
    loop, before = _running(), asyncio.all_tasks()
    try:
        return await awaitable
    finally:
        if _running() is loop:  # else it was given up with this in it, and now nobody needs it
            left_behind = asyncio.all_tasks() - before
            for task in left_behind:
                task.cancel()
            await asyncio.gather(*left_behind, return_exceptions=True)


async def _all_cancelled() -> None:
    """Cancel all other tasks, and give them time to end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_PATIENCE)
