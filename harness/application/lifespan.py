"""The lifespan of an ASGI application: its start before the first request, and its end."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum, auto
from typing import Any

from harness.errors import HarnessError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


class _Phase(Enum):
    STARTING = auto()
    UP = auto()
    DOWN = auto()


class Lifespan:
    """Keeps one task from start to end, as cancel scopes are left in the task that entered them.

    Attributes:
        state: what the application puts there at its start is for its requests.
    """

    def __init__(self, app: AsgiApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._phase = _Phase.STARTING
        self._started = asyncio.Event()
        self._ending = asyncio.Event()
        self._events = iter(("lifespan.startup", "lifespan.shutdown"))
        self._failure: str | None = None

    @property
    def is_started(self) -> bool:
        """Whether requests may come."""
        return self._started.is_set() and self._phase is not _Phase.STARTING

    async def start(self) -> None:
        """Start the application; one that knows nothing of lifespans is started as it is.

        Raises:
            HarnessError: it could not start; each further call says so again.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._live())
        await self._started.wait()
        if self._phase is _Phase.STARTING:
            self._refuse_failure("start")
            self._phase = _Phase.DOWN

    async def stop(self) -> None:
        """End the application, if it is up.

        Raises:
            HarnessError: it failed at its end, or since its start.
        """
        if self._task is None:
            return
        is_up = self._phase is _Phase.UP
        if is_up:
            self._ending.set()
        else:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if is_up:
            self._refuse_failure("shut down")

    async def _live(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - before the start it says "not supported"
            if self._phase is _Phase.UP and self._failure is None:
                self._failure = f"{type(error).__name__}: {error}"
        finally:
            self._started.set()

    async def _receive(self) -> Message:
        event = next(self._events, None)
        if event is None:
            raise RuntimeError("the lifespan is over: nothing comes after lifespan.shutdown")
        if event == "lifespan.shutdown":
            await self._ending.wait()
        return {"type": event}

    async def _send(self, message: Message) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                self._phase = _Phase.UP
                self._started.set()
            case "lifespan.startup.failed":
                self._failure = message.get("message", "")
                self._started.set()
            case "lifespan.shutdown.complete":
                self._phase = _Phase.DOWN
            case "lifespan.shutdown.failed":
                self._failure = message.get("message", "")
            case other:  # an app that takes every scope for a request: it has no lifespan
                raise RuntimeError(f"{other} is no message of a lifespan")

    def _refuse_failure(self, what: str) -> None:
        if self._failure is not None:
            reason = textwrap.indent(self._failure.strip() or "(it does not say why)", "  ")
            raise HarnessError(
                f"the application failed to {what}:\n{reason}",
                hint="this is the lifespan of the configured `app`, which runs once per worker",
            )
